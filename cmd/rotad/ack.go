package main

import (
	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/admin"
)

func newAck(a *app) *cobra.Command {
	return a.wish("ack ID", "Say that the warnings of a client have been seen.", admin.VerbAck, "%s: noted")
}
