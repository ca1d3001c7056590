package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/admin"
)

// newCalendar prints the address of a calendar feed. It is no secret of a client, and still worth keeping within the team.
func newCalendar(a *app) *cobra.Command {
	var revoke bool
	cmd := &cobra.Command{
		Use:   "calendar OWNER",
		Short: "Print the address at which calendar programs read the deadlines of an owner's clients.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return wrong(errors.New("rotad calendar takes the name of one owner"), "rotad calendar OWNER; see owners: in the configuration")
			}
			reply, err := a.do(cmd.Context(), admin.Command{Verb: admin.VerbCalendar, Owner: args[0], Revoke: revoke})
			if err != nil {
				return err
			}
			return printed(fmt.Fprintln(a.out, reply.Address))
		},
	}
	cmd.Flags().BoolVar(&revoke, "revoke", false, "make another address first; the present one then leads nowhere")
	return cmd
}
