package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/credential"
)

func newOrphans(a *app) *cobra.Command {
	var retire, yes bool
	var reason string
	cmd := &cobra.Command{
		Use:   "orphans [ID...]",
		Short: "List the secrets that rotad has made and left at a provider; --retire deletes them, each by its id. What is not rotad's own is never touched.",
		Long: "List the secrets that stand at a provider beside the one that Vault hands out, and that rotad has made: their label names a rotation of\n" +
			"this client, or the history has their id. Without an ID every client is asked for.",
		RunE: func(cmd *cobra.Command, args []string) error {
			found, err := a.findOrphans(cmd.Context(), args)
			if err != nil {
				return err
			}
			if !retire {
				return a.showOrphans(found)
			}
			return a.retireOrphans(cmd.Context(), found, reason, yes)
		},
	}
	cmd.Flags().BoolVar(&retire, "retire", false, "delete those that may go, after a question")
	cmd.Flags().BoolVar(&yes, "yes", false, "with --retire: do not ask")
	reasonFlag(cmd, &reason)
	return cmd
}

// findOrphans asks the daemon about the clients that are named, or about all.
func (a *app) findOrphans(ctx context.Context, ids []string) ([]admin.Orphan, error) {
	if len(ids) == 0 {
		s, err := a.open(ctx)
		if err != nil {
			return nil, err
		}
		err = s.each(ctx, func(rec credential.Record) error {
			if rec.Caps.Mode.Additive() {
				ids = append(ids, rec.Client.ID)
			}
			return nil
		})
		if s.close(); err != nil {
			return nil, err
		}
	}
	found := []admin.Orphan{}
	for _, id := range ids {
		reply, err := a.do(ctx, admin.Command{Verb: admin.VerbOrphans, Client: id})
		if err != nil {
			return nil, err
		}
		found = append(found, reply.Orphans...)
	}
	return found, nil
}

func (a *app) showOrphans(found []admin.Orphan) error {
	if a.json {
		return printJSON(a.out, found)
	}
	if len(found) == 0 {
		return printed(fmt.Fprintln(a.out, "no orphans"))
	}
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "CLIENT\tSECRET\tMADE\tBY ROTATION\tREMARKS")
	for _, o := range found {
		made := "-"
		if !o.Start.IsZero() {
			made = o.Start.Local().Format(time.DateOnly)
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", clean(o.Client), clean(o.Secret), made, orDash(o.Rotation), clean(orphanText(o)))
	}
	return printed(0, w.Flush())
}

func orphanText(o admin.Orphan) string {
	switch {
	case o.Going:
		return "being deleted"
	case o.Kept != "":
		return "stays: " + o.Kept
	case o.Published:
		return "may go; it was published once"
	}
	return "may go"
}

const nothingRetired = "nothing was deleted"

// retireOrphans lets go what may go, one id after the other. The daemon looks at each anew before it deletes it.
func (a *app) retireOrphans(ctx context.Context, found []admin.Orphan, reason string, yes bool) error {
	var may []admin.Orphan
	for _, o := range found {
		if o.Kept == "" && !o.Going {
			may = append(may, o)
		}
	}
	if err := a.showOrphans(found); err != nil {
		return err
	}
	if len(may) == 0 {
		a.note(nothingRetired)
		return nil
	}
	if err := a.confirmOrphans(ctx, len(may), yes); err != nil {
		return err
	}
	for i, o := range may {
		_, err := a.do(ctx, admin.Command{Verb: admin.VerbOrphans, Client: o.Client, SecretID: o.Secret, Reason: reason})
		if err != nil {
			a.note(fmt.Sprintf("%d of %d were let go before that", i, len(may)))
			return err
		}
	}
	a.note(fmt.Sprintf("%d let go; rotad deletes each after one more look, and rotad history ID says what became of it", len(may)))
	return nil
}

// confirmOrphans asks for the last word, unless that was given with the command.
func (a *app) confirmOrphans(ctx context.Context, n int, yes bool) error {
	if yes {
		return nil
	}
	in, ok := a.in.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return wrong(errors.New("--retire asks before it goes on, and nobody sits at a terminal"), "add --yes")
	}
	q := &questions{in: bufio.NewReader(in), out: a.err, nothing: nothingRetired}
	answer, err := q.ask(ctx, fmt.Sprintf("delete %d secrets at their providers? yes or no", n), "no")
	switch {
	case err != nil:
		return err
	case answer != "yes":
		return refused(errors.New(nothingRetired), "the answer was not yes")
	}
	return nil
}
