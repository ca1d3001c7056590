package main

import (
	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/admin"
)

func newApprove(a *app) *cobra.Command {
	return a.wish("approve ID", "Let a rotation begin that waits for approval.", admin.VerbApprove,
		"%s is approved: it is rotated when it is due and its window is open")
}
