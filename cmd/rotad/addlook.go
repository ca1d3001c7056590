package main

import (
	"fmt"
	"io"
	"log/slog"
	"text/tabwriter"
	"time"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/internal/vault"
	"github.com/rotad/rotad/scheduler"
)

// reach lets a command that works without a daemon look at clients. Whoever runs it may not be able to read what rotad
// logs in with: then it does without, and says so.
func (a *app) reach(l *local) {
	cfg, problems := config.Load(a.config(), configKinds(), config.At(realClocks().now))
	if errs := problems.Errors(); len(errs) > 0 {
		a.note("the client is not looked at, because rotad's own credentials cannot be read here: " + errs[0].String())
		return
	}
	clock := realClocks()
	d := &daemon{daemonSettings: daemonSettings{clocks: clock, log: slog.New(slog.DiscardHandler)}}
	d.meters = newMeters(d)
	client, err := vault.Open(vaultSettings(cfg), vault.Clock{Now: clock.now, Elapsed: clock.elapsed, After: clock.after}, d.log)
	if err != nil {
		a.note("the client is not looked at: " + err.Error())
		return
	}
	l.executor = rotation.Executor{Vault: client, Now: clock.now, Elapsed: clock.elapsed, After: clock.after}
	l.connection = func(name string) (scheduler.Connection, bool) {
		p, known := cfg.Provider(name)
		if !known {
			return scheduler.Connection{}, false
		}
		c, err := d.open(p)
		return c, err == nil
	}
}

const (
	firstHorizon = 90 * 24 * time.Hour
	firstEvents  = 8 // that are shown; rotad plan has them all
)

// showFirst shows what a first look found, and what happens next.
func showFirst(out io.Writer, rec credential.Record, world admin.World) error {
	_, _ = fmt.Fprintf(out, "A first look at %s, which has changed nothing:\n", clean(rec.Client.ID))
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	s := sheet{w, world.Now}
	s.line("  provider", "%s (%s)", rec.Client.Provider, rec.Client.Ref.Canonical())
	if rec.Caps.Mode != "" {
		s.line("  mode", "%s: %s", rec.Mode(), rec.Caps.Reason)
	}
	s.line("  vault", "%s, %s", rec.Client.Vault, foundInVault(rec))
	if sighted(rec) {
		s.secret("  secret", rec.Current, rotation.Ends(rec))
	}
	if rec.Hold != nil {
		s.line("  would be held", "%s: %s", rec.Hold.Code, rec.Hold.Detail)
	}
	if rec.Backoff.Error != "" {
		s.line("  problem", "%s", rec.Backoff.Error)
	}
	s.line("  policy", "%s: %s", rec.Client.Policy, begins(rec.Mode(), world.Policies[rec.Client.Policy].Start))
	_, _ = fmt.Fprintln(w, "What happens then:")
	events := foresee(rec, world.Policies, world.Now, world.Now.Add(firstHorizon))
	for _, e := range events[:min(firstEvents, len(events))] {
		s.line("  "+stamp(e.At), "%s, %s: %s", away(e.At, world.Now), e.What, e.Text)
	}
	if len(events) == 0 {
		_, _ = fmt.Fprintln(w, "  nothing within 90 days, but looks")
	}
	return printed(0, w.Flush())
}

// foundInVault says what a first look makes of the value that consumers read.
func foundInVault(rec credential.Record) string {
	switch rec.Sight {
	case credential.SightAdopted:
		return fmt.Sprintf("version %d, which the provider accepts", rec.Version)
	case credential.SightUnknownID:
		return fmt.Sprintf("version %d, which the provider accepts; which of its secrets that is, it does not say", rec.Version)
	case credential.SightMismatch:
		return fmt.Sprintf("version %d, which the provider refuses", rec.Version)
	case credential.SightEmpty:
		return "no value yet"
	case credential.SightNone:
	}
	return "not judged"
}

// begins says who begins a rotation.
func begins(mode credential.Mode, start credential.Start) string {
	switch {
	case start == credential.StartObserve:
		return "watches only: metrics and mails, nothing is changed"
	case mode == credential.ModeManual:
		return "a person makes each secret, rotad warns and publishes it"
	case start == credential.StartApprove:
		return "rotates when a person approves"
	}
	return "rotates by itself"
}
