package main

import (
	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/admin"
)

func newHold(a *app) *cobra.Command {
	return a.wish("hold ID", "Stop a client before its next create or revoke.", admin.VerbHold,
		"%[1]s is held; rotad resume %[1]s --retry lets it go on")
}
