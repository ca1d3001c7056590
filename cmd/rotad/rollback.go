package main

import (
	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/admin"
)

func newRollback(a *app) *cobra.Command {
	return a.wish("rollback ID", "Go back to the old secret while both are valid; the new one is retired in its stead.", admin.VerbRollback,
		"%[1]s goes back to its former secret if the provider still accepts it; rotad show %[1]s says what came of it")
}
