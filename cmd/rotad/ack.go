package main

import (
	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/admin"
)

func newAck(a *app) *cobra.Command {
	return a.wish("ack ID", "Say that the warnings so far have been seen; those not sent yet are dropped, later ones come.", admin.VerbAck, "%s: noted")
}
