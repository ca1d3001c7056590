package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
)

func newWave(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "wave [PROVIDER]",
		Short: "Show what begins under each provider: waves of rotations, creates of the day, pauses.",
		Long: "Show what begins under each provider, and what does not.\n\n" +
			"Rotations of one provider that are due together begin with one of them, then a few, then more, then the rest. At the first\n" +
			"failure that nobody expected nothing further begins, until: rotad wave resume PROVIDER.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.wave(cmd.Context(), args) },
	}
	cmd.AddCommand(newWaveResume(a))
	return cmd
}

func newWaveResume(a *app) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "resume PROVIDER",
		Short: "Let a wave that stands still go on. It begins again with one client.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return wrong(errors.New("rotad wave resume takes the name of one provider"), "rotad wave lists them")
			}
			reply, err := a.do(cmd.Context(), admin.Command{Verb: admin.VerbWave, Provider: args[0], Reason: reason})
			if err != nil {
				return err
			}
			if a.json {
				return a.granted(reply.Record, "%s")
			}
			return printed(fmt.Fprintf(a.out, "the wave of %s goes on with one client; rotad wave %s shows how far it is\n", clean(args[0]), quote(args[0])))
		},
	}
	reasonFlag(cmd, &reason)
	return cmd
}

func (a *app) wave(ctx context.Context, args []string) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	rows := s.world.Providers
	if len(args) == 1 {
		rows = slices.DeleteFunc(slices.Clone(rows), func(p admin.ProviderState) bool { return p.Provider != args[0] })
		if len(rows) == 0 {
			return failed(fmt.Errorf("there is no provider %q", args[0]), "rotad wave lists them")
		}
	}
	if a.json {
		if rows == nil {
			rows = []admin.ProviderState{}
		}
		return printJSON(a.out, rows)
	}
	return a.waveTable(rows, s.world.Now)
}

func (a *app) waveTable(rows []admin.ProviderState, now time.Time) error {
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "PROVIDER\tANSWERS\tCREATES TODAY\tWAITING\tUNDER WAY\tCONFIRMED\tFAILED\tNEXT")
	for _, p := range rows {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%s\n", clean(p.Provider), answersText(p, now), createsText(p),
			p.Wave.Waiting, p.Wave.UnderWay, p.Wave.Confirmed, p.Wave.Failed, waveNext(p))
	}
	if err := w.Flush(); err != nil {
		return printed(0, err)
	}
	for _, p := range rows {
		if f := p.Wave.Failure; f != nil && p.Stopped {
			_, _ = fmt.Fprintf(a.out, "\n%s stands still since %s: %s failed: %s: %s\n  rotad show %s\n  rotad wave resume %s\n", clean(p.Provider),
				stamp(f.At), clean(f.Client), clean(f.Code), clean(f.Detail), quote(f.Client), quote(p.Provider))
		}
	}
	return nil
}

func answersText(p admin.ProviderState, now time.Time) string {
	switch {
	case !p.Known:
		return "-"
	case !p.Away.IsZero():
		return "no, since " + when(p.Away, now)
	case !p.Again.IsZero():
		return "asks for a pause until " + when(p.Again, now)
	}
	return "yes"
}

func createsText(p admin.ProviderState) string {
	if p.Quota == 0 {
		return "no limit"
	}
	return fmt.Sprintf("%d of %d", p.Creates, p.Quota)
}

// waveNext says what lets the next client begin.
func waveNext(p admin.ProviderState) string {
	switch {
	case p.Wave.ID == "":
		return "-"
	case p.Stopped:
		return "a person resumes it"
	case p.Allowed < 0:
		return "all may begin"
	}
	return fmt.Sprintf("%d may have begun", p.Allowed)
}

// waveBoard is what the daemon knows of its providers, for people.
type waveBoard interface {
	providers() []admin.ProviderState
	tally(provider string) (credential.Tally, error)
}

// tallies reads what has been begun under a provider.
type tallies interface {
	Tally(ctx context.Context, provider string) (credential.Tally, error)
}

// providersOf builds the states of all providers from the state file. One that cannot be read is shown as empty.
func providersOf(ctx context.Context, cfg *config.Config, store tallies, now time.Time) []admin.ProviderState {
	all := make([]admin.ProviderState, 0, len(cfg.Providers))
	for _, p := range cfg.Providers {
		t, _ := store.Tally(ctx, p.Name)
		all = append(all, admin.StateOf(p.Name, t, p.Pace, now))
	}
	return all
}

// providers adds to that what only a daemon knows: whether they answer.
func (d *daemon) providers() []admin.ProviderState {
	now, elapsed := d.clocks.now(), d.clocks.elapsed()
	all := providersOf(context.Background(), d.config(), d.store, now)
	for i := range all {
		c, ok := d.scheduler.Connection(all[i].Provider)
		if !ok {
			continue
		}
		p := c.Breaker.Look(elapsed)
		all[i].Known, all[i].Silent = true, p.Silent
		if p.Open {
			all[i].Away, all[i].Again = now.Add(-p.Outage), now.Add(p.Wait)
		} else if p.Wait > 0 {
			all[i].Again = now.Add(p.Wait)
		}
	}
	return all
}

// resumeWave lets a wave go on. It is written down with the client that failed, or where that has gone, with another one of
// the wave.
func (a *actions) resumeWave(ctx context.Context, c admin.Command) (admin.Reply, error) {
	p, ok := a.config().Provider(c.Provider)
	if !ok || a.waves == nil {
		return admin.Reply{}, &admin.Error{Class: admin.ClassNotFound, Why: fmt.Sprintf("there is no provider %q", c.Provider), Hint: "rotad wave lists them"}
	}
	for range meetings {
		t, err := a.waves.tally(p.Name)
		if err != nil {
			return admin.Reply{}, err
		}
		if t.Wave.Failure == nil || t.Wave.Over(a.now()) {
			return admin.Reply{}, &admin.Error{Class: admin.ClassRefused, Why: "the wave of " + p.Name + " does not stand still", Hint: "rotad wave " + quote(p.Name)}
		}
		rec, err := a.ofWave(ctx, t.Wave, p.Name)
		if err != nil {
			return admin.Reply{}, err
		}
		now := a.now().UTC().Truncate(time.Microsecond)
		committed, conflict, err := a.commit(context.WithoutCancel(ctx), credential.Change{
			Record: rec, Keep: true, Strokes: []credential.Stroke{{Kind: credential.StrokeResumed, Provider: p.Name, Wave: t.Wave.ID, At: now}},
			Audit: []credential.Audit{{At: now, Client: rec.Client.ID, Event: credential.EventRequested, Actor: c.Actor, Detail: resumedText(p.Name, c.Reason)}},
		})
		if err != nil {
			return admin.Reply{}, err
		}
		if !conflict {
			return admin.Reply{Record: &committed}, nil
		}
	}
	return admin.Reply{}, busy(p.Name)
}

func resumedText(provider, reason string) string {
	text := "the wave of " + provider + " goes on"
	if reason != "" {
		text += ": " + reason
	}
	return text
}

// ofWave returns the client that a wave stands still for, or another one of it.
func (a *actions) ofWave(ctx context.Context, w credential.Wave, provider string) (credential.Record, error) {
	rec, ok, err := a.store.Get(ctx, w.Failure.Client)
	if err != nil || ok {
		return rec, err
	}
	for after := ""; ; {
		list, err := a.store.List(ctx, after, 0)
		if err != nil {
			return credential.Record{}, err
		}
		for _, rec := range list {
			if after = rec.Client.ID; rec.Wave.Wave == w.ID && rec.Wave.Provider == provider {
				return rec, nil
			}
		}
		if len(list) == 0 {
			return credential.Record{}, admin.NotFound(w.Failure.Client)
		}
	}
}
