package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/metrics"
	"github.com/rotad/rotad/internal/oracle"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/notify"
	"github.com/rotad/rotad/providers"
)

// meters is told of everything that is counted, and hands it to the metrics.
type meters struct {
	*metrics.Metrics
	d        *daemon
	registry *prometheus.Registry
	monitor  monitor
}

// newMeters registers all metrics. The store and Vault may still be missing: they are asked at scrape only.
func newMeters(d *daemon) *meters {
	m := &meters{d: d, registry: prometheus.NewRegistry()}
	m.monitor = monitor{now: d.clocks.now, broken: m.violated}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	version, commit := buildVersion()
	series, channels := 0, []string{notify.MailChannel}
	if cfg := d.config(); cfg != nil {
		series, channels = cfg.Metrics.ClientSeries, append(channels, channelNames(cfg)...)
	}
	outcomes := make([]string, 0, len(notify.Outcomes()))
	for _, o := range notify.Outcomes() {
		outcomes = append(outcomes, string(o))
	}
	m.Metrics = metrics.New(m.registry, scraped{d}, metrics.Options{
		Now: d.clocks.now, Elapsed: d.clocks.elapsed, ClientSeries: series,
		Build:      metrics.Build{Version: version, Commit: commit, GoVersion: runtime.Version()},
		NextAction: d.nextAction, TokenExpires: func() time.Time { return d.vault.TokenExpires() },
		Failing:  func() map[string]time.Duration { return d.notices.Failing() },
		Channels: channels, NoticeOutcomes: outcomes, Refusals: refusals(), Invariants: asked(),
	})
	return m
}

// violated says that something was not true that must be: a defect, and the alert that pages.
func (m *meters) violated(client string, b oracle.Broken) {
	m.Violation(b.Invariant)
	m.d.log.Error("an invariant is broken", "invariant", b.Invariant, "name", b.Name, "client", client, "seen", b.Text)
	if m.d.watch != nil {
		m.d.watch.Violated(client, b)
	}
}

// steps writes every step of a rotation into the log, as "rotad history" tells it: whoever commits comes by here. Details
// stay in the audit, because people and servers have written them.
func (m *meters) steps(change credential.Change) {
	for _, e := range change.Audit {
		if e.Rotation != "" {
			m.d.log.Info("a step of a rotation", "client", change.Record.Client.ID, "event", e.Event, "phase", e.Phase, "rotation", e.Rotation)
		}
	}
}

// Committed counts what a commit says, and passes it on.
func (m *meters) Committed(change credential.Change) {
	m.steps(change)
	m.Metrics.Committed(change)
	m.monitor.committed(change)
	if m.d.watch != nil {
		m.d.watch.Committed(change)
	}
	if len(change.Notices) > 0 {
		m.d.notices.Wake()
	}
}

// Effect passes an effect on; requests are counted where they are sent.
func (m *meters) Effect(rec credential.Record, e rotation.Effect, o rotation.Outcome, took time.Duration) {
	m.Seen(rec)
	m.monitor.effect(rec, e, o)
	if m.d.watch != nil {
		m.d.watch.Effect(rec, e, o, took)
	}
}

// Turned is a sign of life of the loop.
func (m *meters) Turned() { m.Heartbeat() }

// Notice counts a delivery.
func (m *meters) Notice(channel string, kind credential.NoticeKind, o notify.Outcome) {
	m.Metrics.Notice(channel, kind, string(o))
}

// requests counts what is asked of one provider.
func (m *meters) requests(provider string) providers.Observe {
	return func(operation, outcome string, took time.Duration) {
		m.Request(provider, operation, outcome, took)
	}
}

func (m *meters) health() metrics.Health {
	return metrics.Health{Silence: m.Silence, Log: m.d.log, Ready: []metrics.Check{
		{Name: "vault", Ask: m.d.vaultReady},
		{Name: "state", Ask: m.d.stateReady},
	}}
}

func (d *daemon) vaultReady(context.Context) error {
	if end := d.vault.TokenExpires(); !end.IsZero() && end.Before(d.clocks.now()) {
		return errors.New("rotad has no valid token in vault")
	}
	return nil
}

func (d *daemon) stateReady(context.Context) error {
	if free, err := d.store.FreeBytes(); err == nil && free < lowDisk {
		return fmt.Errorf("%d MiB left where the state is kept", free>>20)
	}
	return nil
}

// nextAction says what is decided next about a client, for people and alerts: what ends a secret, not a look at it.
func (d *daemon) nextAction(rec credential.Record) (action string, at time.Time) {
	policy := d.config().Policies[rec.Client.Policy]
	switch r := rec.Rotation; {
	case rec.Hold != nil:
		return "", time.Time{}
	case r != nil && r.Phase == credential.PhaseOverlap:
		return "revoke", rotation.RetiresAt(rec, policy, d.window(r.Policy.Window))
	case r != nil && r.Phase == credential.PhaseRevoking:
		return "", time.Time{}
	case r != nil:
		return "rotate", r.Started
	}
	if policy.Start != credential.StartAuto || rec.Caps.Mode == credential.ModeManual {
		return "expire", rotation.Ends(rec)
	}
	at, _ = rotation.Planned(rec, policy, d.window(policy.Window))
	return "rotate", at
}

// scraped is the store as the metrics read it at scrape.
type scraped struct{ d *daemon }

// Totals returns the counters that commits keep.
func (s scraped) Totals() metrics.Totals {
	all := s.d.store.Aggregates()
	t := metrics.Totals{Clients: map[metrics.Group]int{}, Holds: all.Holds, Outbox: all.Outbox, WithoutExpiry: all.WithoutExpiry}
	for watch, n := range all.Clients {
		t.Clients[metrics.Group{Provider: watch.Provider, Mode: watch.Mode}] = n
	}
	for _, p := range s.d.providers() {
		progress := metrics.Progress{Provider: p.Provider, Wave: p.Wave, Away: p.Away, Creates: p.Creates, Quota: p.Quota}
		if p.Stopped {
			progress.Stopped = p.Wave.Failure.At
		}
		t.Providers = append(t.Providers, progress)
	}
	return t
}

// Expiring counts what expires soon.
func (s scraped) Expiring(now time.Time, within ...time.Duration) (expired int, soon []int, err error) {
	return s.d.store.Expiring(context.Background(), now, within...)
}

// MostUrgent returns what expires soonest.
func (s scraped) MostUrgent(n int) iter.Seq2[credential.Record, error] {
	return s.d.store.MostUrgent(context.Background(), n)
}

// OldestDue returns the head of the due index, or of what has been claimed from it and waits for a worker.
func (s scraped) OldestDue() (at time.Time, ok bool, err error) {
	at, ok = s.d.scheduler.OldestWaiting()
	for _, name := range s.d.store.Providers() {
		due, some, err := s.d.store.NextDue(context.Background(), name)
		if err != nil {
			return at, ok, err
		}
		if some && (!ok || due.Before(at)) {
			at, ok = due, true
		}
	}
	return at, ok, nil
}
