package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/scheduler"
	"github.com/rotad/rotad/state"
	"github.com/rotad/rotad/state/bolt"
)

// clock is the real time, moved: clients fall due by moving it. Timers are real.
type clock struct {
	begin  time.Time
	offset atomic.Int64
}

func newClock() *clock { return &clock{begin: time.Now()} }

func (c *clock) now() time.Time                         { return c.begin.Add(c.elapsed()).UTC() }
func (c *clock) elapsed() time.Duration                 { return time.Since(c.begin) + time.Duration(c.offset.Load()) }
func (c *clock) advance(d time.Duration)                { c.offset.Add(int64(d)) }
func (c *clock) after(d time.Duration) <-chan time.Time { return time.After(d) }

// daily is a scan once a day.
type daily struct{}

func (daily) Next(t time.Time) time.Time { return t.Truncate(day).Add(day) }

const (
	day      = 24 * time.Hour
	lifetime = 90 * day
	provider = "corp"
	workers  = 64
)

func policy() credential.Policy {
	return credential.Policy{Name: "default", Start: credential.StartAuto, Lifetime: lifetime, RotateBefore: 14 * day}
}

// registered is the change that registers a client, as every way of registering makes it.
func registered(c credential.Client, now time.Time) credential.Change {
	d := rotation.Register(c, rotation.Env{Now: now, Second: now, NextLook: now, Policy: policy()})
	return credential.Change{Record: d.Record, Audit: d.Audit, Create: true, Keep: true}
}

func register(ctx context.Context, s *bolt.Store, clients int, client func(i int) credential.Client, now time.Time) error {
	return s.Load(ctx, func(yield func(credential.Change) bool) {
		for i := range clients {
			if !yield(registered(client(i), now)) {
				return
			}
		}
	}, func(_ int, refusals []state.Refusal) error {
		if len(refusals) > 0 {
			return refusals[0].Err
		}
		return nil
	})
}

// newScheduler is the daemon's loop over a store, with one provider.
func newScheduler(s *bolt.Store, c *clock, p providers.Provider, t providers.Timing, v rotation.Vault, w scheduler.Watch) *scheduler.Scheduler {
	return scheduler.New(scheduler.Settings{
		Store: s, Instance: "bench", Boot: "1", Watermark: s.Meta().Watermark, Log: slog.New(slog.DiscardHandler),
		Executor: rotation.Executor{Vault: v, Instance: "bench", Now: c.now, Elapsed: c.elapsed, After: c.after},
		Now:      c.now, Elapsed: c.elapsed, After: c.after, FreshID: rand.Text, FreshUID: rand.Text, Watch: w,
	}, &scheduler.World{
		Connections: map[string]scheduler.Connection{provider: {Provider: p, Timing: t}},
		Policies:    map[string]credential.Policy{"default": policy()}, Scan: daily{}, Workers: workers,
	})
}

// running drives a loop while f runs, and returns the first error of both.
func running(ctx context.Context, s *scheduler.Scheduler, f func() error) error {
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	err := f()
	stop()
	if failed := <-ended; err == nil {
		err = failed
	}
	return err
}

// quiet is a provider and a Vault that answer at once and without a network: every client has one secret with a long
// life, and Vault hands it out.
type quiet struct{ clock *clock }

func (q quiet) Inspect(_ context.Context, t providers.Target) (providers.Snapshot, error) {
	start := q.clock.begin.UTC().Truncate(day)
	return providers.Snapshot{
		Caps:     credential.Capabilities{Mode: credential.ModeTwoSlot, Reason: "an application has several passwords", Labels: true, SetsExpiry: true},
		ClientID: t.Client, Time: q.clock.now(),
		Secrets: []credential.Secret{{ID: "key-" + t.Client, Start: start, Expires: start.AddDate(20, 0, 0), Hint: "val"}},
	}, nil
}

func (quiet) Create(context.Context, providers.Target, providers.Request) (providers.Issued, error) {
	return providers.Issued{}, fmt.Errorf("nothing rotates here")
}

func (quiet) Verify(_ context.Context, _ providers.Target, b credential.Bundle) (providers.Answer, error) {
	if b.Secret().Reveal() == "value" {
		return providers.Accepted, nil
	}
	return providers.Refused, nil
}

func (quiet) Staging(context.Context, string) (credential.Entry, error) {
	return credential.Entry{}, nil
}

func (q quiet) Consumer(_ context.Context, p credential.VaultPath, _ int) (credential.Consumer, error) {
	return credential.Consumer{Version: 3, Created: q.clock.begin.UTC(), Bundle: credential.Bundle{
		credential.FieldClientID: credential.NewSensitive(p.Path), credential.FieldClientSecret: credential.NewSensitive("value"),
	}}, nil
}

func (quiet) Stage(context.Context, string, int, credential.Staging) (int, time.Time, error) {
	return 0, time.Time{}, credential.ErrDenied
}

func (quiet) Promote(context.Context, credential.VaultPath, int, credential.Bundle) (int, time.Time, error) {
	return 0, time.Time{}, credential.ErrDenied
}
func (quiet) Annotate(context.Context, credential.VaultPath, map[string]string) error { return nil }
func (quiet) DestroyStaging(context.Context, string, []int) error                     { return nil }
func (quiet) DestroyConsumer(context.Context, credential.VaultPath, []int) error      { return nil }
func (q quiet) Time(context.Context) (time.Time, error)                               { return q.clock.now(), nil }

func (quiet) TokenExpires() time.Time { return time.Time{} }

// watch counts what the loop does. It implements scheduler.Watch.
type watch struct {
	commits atomic.Int64
	turns   atomic.Int64
	reached chan struct{} // gets an element when commits reach the goal
	goal    atomic.Int64
	done    atomic.Int64 // rotations
	failed  atomic.Int64 // effects
	turned  func()
	seen    func(credential.Change)
	steps   func(rotation.Effect, rotation.Outcome)
}

func newWatch() *watch { return &watch{reached: make(chan struct{}, 1)} }

func (w *watch) Committed(c credential.Change) {
	if w.seen != nil {
		w.seen(c)
	}
	if w.commits.Add(1) == w.goal.Load() {
		w.reached <- struct{}{}
	}
}

func (w *watch) Effect(_ credential.Record, e rotation.Effect, o rotation.Outcome, _ time.Duration) {
	if w.steps != nil {
		w.steps(e, o)
	}
}
func (w *watch) Late(string, time.Duration) {}
func (w *watch) Turned() {
	w.turns.Add(1)
	if w.turned != nil {
		w.turned()
	}
}
