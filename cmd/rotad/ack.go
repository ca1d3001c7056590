package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/admin"
)

// newAck is the word of a person about warnings, or, with --consumer, that of a consumer about the version it runs on.
func newAck(a *app) *cobra.Command {
	var c admin.Command
	cmd := a.aboutOne("ack ID", "Say that the warnings so far have been seen, or, with --consumer, which version a consumer runs on.",
		func(cmd *cobra.Command, id string) error {
			c.Verb, c.Client = admin.VerbAck, id
			done := "%s: noted"
			switch {
			case c.Consumer != "" && c.Version > 0:
				c.Verb, done = admin.VerbMoved, "%s: noted that "+quote(c.Consumer)+" runs on version "+fmt.Sprint(c.Version)
			case c.Consumer != "" || c.Version != 0:
				return wrong(errors.New("a consumer says which version of Vault it runs on"), "rotad ack "+quote(id)+" --consumer NAME --version N")
			}
			reply, err := a.do(cmd.Context(), c)
			if err != nil {
				return err
			}
			return a.granted(reply.Record, done)
		})
	reasonFlag(cmd, &c.Reason)
	cmd.Flags().StringVar(&c.Consumer, "consumer", "", "the consumer that says which version it runs on")
	cmd.Flags().IntVar(&c.Version, "version", 0, "the version in Vault that it runs on")
	return cmd
}
