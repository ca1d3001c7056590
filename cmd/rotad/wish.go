package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/credential"
)

// aboutOne makes a command that takes the id of one client, and completes it.
func (a *app) aboutOne(use, short string, run func(cmd *cobra.Command, id string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: oneID,
		RunE: func(cmd *cobra.Command, args []string) error { return run(cmd, args[0]) },
		ValidArgsFunction: func(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return a.ids(cmd.Context(), prefix), cobra.ShellCompDirectiveNoFileComp
		},
	}
}

func oneID(cmd *cobra.Command, args []string) error {
	if len(args) == 1 && args[0] != "" {
		return nil
	}
	return wrong(fmt.Errorf("rotad %s takes the id of one client", cmd.Name()), "rotad "+cmd.Use)
}

// takesOne wants exactly one argument, and says what it is.
func takesOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 && args[0] != "" {
			return nil
		}
		return wrong(fmt.Errorf("%s takes %s", cmd.CommandPath(), what), "rotad "+cmd.Use)
	}
}

// reasonFlag adds --reason, which stands in the audit.
func reasonFlag(cmd *cobra.Command, reason *string) {
	cmd.Flags().StringVar(reason, "reason", "", "why, for the audit")
}

// wish makes a command that asks for something about one client and says what came of it.
func (a *app) wish(use, short string, verb admin.Verb, done string) *cobra.Command {
	var reason string
	cmd := a.aboutOne(use, short, func(cmd *cobra.Command, id string) error {
		reply, err := a.do(cmd.Context(), admin.Command{Verb: verb, Client: id, Reason: reason})
		if err != nil {
			return err
		}
		return a.granted(reply.Record, done)
	})
	reasonFlag(cmd, &reason)
	return cmd
}

// granted says that a wish was granted. The text may have one %s, for the id.
func (a *app) granted(rec *credential.Record, done string) error {
	if rec == nil {
		return failed(fmt.Errorf("the daemon's answer names no client"), "use the same version of rotad for the daemon and for the commands")
	}
	if a.json {
		return printJSON(a.out, rec)
	}
	return printed(fmt.Fprintf(a.out, done+"\n", rec.Client.ID))
}

// printJSON writes a value for programs.
func printJSON(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(value); err != nil {
		return failed(fmt.Errorf("writing the output: %w", err), "")
	}
	return nil
}

// printed passes on the error of a Fprint.
func printed(_ int, err error) error {
	if err != nil {
		return failed(fmt.Errorf("writing the output: %w", err), "")
	}
	return nil
}
