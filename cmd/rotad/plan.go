package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/credential"
)

// defaultHorizon is how far rotad plan looks.
const defaultHorizon = "90d"

// future is the plan of one client.
type future struct {
	Client string  `json:"client"`
	Events []event `json:"events"`
}

func newPlan(a *app) *cobra.Command {
	var until string
	cmd := &cobra.Command{
		Use:   "plan [ID...]",
		Short: "Say what will happen and when: notices (also the suppressed ones, and why), rotations, revocations.",
		RunE:  func(cmd *cobra.Command, args []string) error { return a.plan(cmd.Context(), args, until) },
		ValidArgsFunction: func(cmd *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
			return a.ids(cmd.Context(), prefix), cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.Flags().StringVar(&until, "until", defaultHorizon, "how far to look: a duration (90d), a date, or an RFC 3339 time")
	return cmd
}

func (a *app) plan(ctx context.Context, ids []string, until string) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	end, err := parseMoment(until, s.world.Now)
	switch {
	case err != nil:
		return wrong(fmt.Errorf("reading --until: %w", err), momentHint)
	case !end.After(s.world.Now):
		return wrong(errors.New("--until has passed"), momentHint)
	}
	plans := []future{}
	visit := func(rec credential.Record) error {
		plan := future{rec.Client.ID, foresee(rec, s.world.Policies, s.world.Now, end)}
		if a.json {
			plans = append(plans, plan)
			return nil
		}
		return a.printPlan(plan, s.world.Now)
	}
	if err := s.visit(ctx, ids, visit); err != nil {
		return err
	}
	if a.json {
		return printJSON(a.out, plans)
	}
	return nil
}

// visit visits the named records, or all.
func (s *source) visit(ctx context.Context, ids []string, visit func(credential.Record) error) error {
	if len(ids) == 0 {
		return s.each(ctx, visit)
	}
	for _, id := range ids {
		rec, err := s.record(ctx, id)
		if err != nil {
			return err
		}
		if err := visit(rec); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) printPlan(p future, now time.Time) error {
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, clean(p.Client))
	for _, e := range p.Events {
		_, _ = fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", e.At.Local().Format("2006-01-02 15:04 MST"), away(e.At, now), e.What, clean(e.Text))
	}
	if len(p.Events) == 0 {
		_, _ = fmt.Fprintln(w, "  nothing")
	}
	return printed(0, w.Flush())
}
