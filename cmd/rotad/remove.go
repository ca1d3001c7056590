package main

import (
	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/admin"
)

func newRemove(a *app) *cobra.Command {
	return a.wish("remove ID", "Stop caring for a client that was added or imported; nothing at the provider or in Vault is touched.",
		admin.VerbRemove, "%s leaves: what runs is finished, then it is archived with its history")
}
