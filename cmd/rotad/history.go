package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/credential"
)

func newHistory(a *app) *cobra.Command {
	var last int
	cmd := a.aboutOne("history ID", "Tell what happened to a client, and who wanted it; the oldest first.",
		func(cmd *cobra.Command, id string) error { return a.history(cmd.Context(), id, last) })
	cmd.Flags().IntVar(&last, "last", 0, "only the last so many entries (default: 1000)")
	return cmd
}

func (a *app) history(ctx context.Context, id string, last int) error {
	if last < 0 {
		return wrong(fmt.Errorf("--last %d is negative", last), "rotad history "+id)
	}
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	entries, err := s.History(ctx, id, last)
	if err == nil && len(entries) == 0 {
		err = admin.NotFound(id)
	}
	if err != nil {
		return told(err)
	}
	slices.Reverse(entries)
	if a.json {
		return printJSON(a.out, entries)
	}
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	for _, e := range entries {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", e.At.Local().Format("2006-01-02 15:04:05 MST"), e.Event, orDash(e.Actor), clean(aboutEntry(e)))
	}
	return printed(0, w.Flush())
}

// aboutEntry says in one line what an audit entry is about.
func aboutEntry(e credential.Audit) string {
	var parts []string
	if e.Phase != "" && e.Phase != credential.PhaseSteady {
		parts = append(parts, "["+string(e.Phase)+"]")
	}
	if e.Secret != "" {
		parts = append(parts, "secret "+e.Secret)
	}
	if e.Version != 0 {
		parts = append(parts, fmt.Sprintf("version %d", e.Version))
	}
	return strings.Join(append(parts, e.Detail), " ")
}
