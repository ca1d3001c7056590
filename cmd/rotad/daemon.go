package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/destination"
	"github.com/rotad/rotad/internal/oracle"
	"github.com/rotad/rotad/internal/reload"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/internal/vault"
	"github.com/rotad/rotad/notify"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/scheduler"
	"github.com/rotad/rotad/state/bolt"
	"github.com/rotad/rotad/state/taken"
)

// clocks are the three functions of time that everything below the composition root gets. They are the real ones,
// except in the demo.
type clocks struct {
	now     func() time.Time
	elapsed func() time.Duration
	after   func(time.Duration) <-chan time.Time
}

// realClocks returns the wall clock, the monotonic clock since this call, and real timers.
func realClocks() clocks {
	began := time.Now()
	return clocks{
		now:     func() time.Time { return time.Now().UTC() },
		elapsed: func() time.Duration { return time.Since(began) },
		after:   time.After,
	}
}

func (c clocks) ofVault() vault.Clock {
	return vault.Clock{Now: c.now, Elapsed: c.elapsed, After: c.after}
}

// daemonSettings are what a daemon is made of beside its configuration.
type daemonSettings struct {
	clocks   clocks
	log      *slog.Logger
	watch    watcher // may be nil: who else is told of commits and effects
	removals bool    // more than a fifth of the clients may leave at once
	noSync   bool    // throw-away state
}

// watcher is told of commits and effects, and of what the monitor finds in them.
type watcher interface {
	Committed(change credential.Change)
	Effect(rec credential.Record, e rotation.Effect, o rotation.Outcome, took time.Duration)
	Violated(client string, b oracle.Broken)
}

// daemon is the composition root: it knows all names, and decides nothing about clients.
//
//	config ─► sync ─► bolt store ◄─► scheduler ─► rotation.Executor ─► providers, vault, destinations
//	                     ▲  ▲ └────► notify loop ─► smtp
//	           admin ────┘  └─────── metrics (at scrape)
type daemon struct {
	daemonSettings
	cfg       atomic.Pointer[config.Config]
	store     *bolt.Store
	vault     *vault.Client
	vaults    *vaults
	executor  rotation.Executor
	scheduler *scheduler.Scheduler
	notices   *notify.Loop
	taken     *taken.Log
	renderer  atomic.Pointer[notify.Renderer] // of the configuration in force, for calendar feeds
	meters    *meters
	windows   sync.Map // credential.WindowSpec to credential.Window
	loading   sync.Mutex
	unsigned  atomic.Bool // Vault's staging does not name this rotad yet, see agree
}

// newDaemon opens the state and builds all parts. Nothing runs yet, and no server has been asked for anything.
func newDaemon(cfg *config.Config, s daemonSettings) (*daemon, error) {
	d := &daemon{daemonSettings: s}
	d.cfg.Store(cfg)
	store, err := bolt.Open(cfg.State.Path, bolt.Options{
		AllowFilesystem: cfg.State.AllowFilesystem, NoSync: s.noSync,
		Warn: func(text string) { s.log.Warn("the state file", "warning", text) },
	})
	if err != nil {
		return nil, err
	}
	d.store = store
	d.taken, err = taken.Open(cfg.State.Path+takenSuffix, d.clocks.now)
	if err == nil {
		err = d.build(cfg)
	}
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

// takenSuffix names the file beside the state file that remembers past a kill which mails were taken.
const takenSuffix = ".taken"

func (d *daemon) build(cfg *config.Config) (err error) {
	d.meters = newMeters(d)
	if d.vault, err = vault.Open(vaultSettings(cfg), d.clocks.ofVault(), d.log); err != nil {
		return err
	}
	if d.vaults, err = d.openVaults(cfg); err != nil {
		return err
	}
	world, err := d.world(cfg)
	if err != nil {
		return err
	}
	meta := d.store.Meta()
	d.executor = rotation.Executor{
		Vault: d.vault, Instance: meta.Instance, Now: d.clocks.now, Elapsed: d.clocks.elapsed, After: d.clocks.after, Probe: askProbe,
		Deliver: destination.Set{Vault: d.vaults.named}.Deliver, Reload: d.reload, Settled: reload.Settled,
	}
	d.scheduler = scheduler.New(scheduler.Settings{
		Store: schedulerStore{d.store}, Executor: d.executor, Instance: meta.Instance, Boot: fmt.Sprintf("%s/%d", meta.Instance, meta.Boot),
		Watermark: meta.Watermark, Log: d.log, Now: d.clocks.now, Elapsed: d.clocks.elapsed, After: d.clocks.after,
		FreshID: freshID, FreshUID: uuid.NewString, Guard: d.guard, Tally: d.tally, Watch: d.meters, Drain: cfg.Runtime.Shutdown,
	}, world)
	voice, err := d.voice(cfg)
	if err != nil {
		return err
	}
	d.renderer.Store(voice.Renderer)
	d.notices, err = notify.NewLoop(notify.Settings{
		Outbox: outbox{d.store}, Records: records{d.store}, Meter: d.meters, Log: d.log,
		Now: d.clocks.now, Elapsed: d.clocks.elapsed, After: d.clocks.after, Taken: d.taken, World: voice,
	})
	return err
}

// config returns the configuration in force.
func (d *daemon) config() *config.Config { return d.cfg.Load() }

// freshID returns an id for a rotation: a UUIDv7, so that ids sort by time (RFC 9562 section 5.7).
func freshID() string { return uuid.Must(uuid.NewV7()).String() }

// lowDisk is the free space below which no rotation begins that is not additive: its reply must find room.
const lowDisk = 64 << 20

// tokenMargin is how much longer than a create Vault's token has to live before one begins.
const tokenMargin = 2 * time.Minute

// guard says why a create must not begin now.
func (d *daemon) guard(rec credential.Record) credential.Reason {
	if rec.Caps.Mode.Additive() {
		return ""
	}
	if free, err := d.store.FreeBytes(); err == nil && free < lowDisk {
		return "disk-nearly-full"
	}
	if end := d.vault.TokenExpires(); !end.IsZero() && end.Before(d.clocks.now().Add(tokenMargin)) {
		return "vault-token-ends-soon"
	}
	return ""
}

// tally returns what has been begun under a provider.
func (d *daemon) tally(provider string) (credential.Tally, error) {
	return d.store.Tally(context.Background(), provider)
}

// run keeps all parts going until the context ends, then stops them in an order that loses nothing: first the
// scheduler, which waits for created secrets to be staged, then what it needs for that.
func (d *daemon) run(ctx context.Context) error {
	below, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var parts sync.WaitGroup
	parts.Go(func() { d.vault.Run(below) })
	parts.Go(func() { d.vaults.run(below) })
	parts.Go(func() { d.runNotices(below) })
	if err := d.agree(ctx); err != nil {
		stop()
		parts.Wait()
		return err
	}
	reading, read := context.WithCancel(ctx)
	defer read()
	parts.Go(func() { d.newPageReader().run(reading) })
	err := d.scheduler.Run(ctx)
	read()
	stop()
	parts.Wait()
	return err
}

func (d *daemon) runNotices(ctx context.Context) {
	if err := d.notices.Run(ctx); err != nil && ctx.Err() == nil {
		d.log.Error("notices stopped", "error", err)
	}
	_ = d.notices.Close() // what was sent has been settled; a server that is gone by now may be left without a farewell
}

// close releases what the daemon holds.
func (d *daemon) close() error {
	return errors.Join(d.taken.Close(), d.store.Close())
}

// connections opens the configured providers, each within its limits.
func (d *daemon) connections(cfg *config.Config) (map[string]scheduler.Connection, error) {
	all := make(map[string]scheduler.Connection, len(cfg.Providers))
	var wrongs []error
	for _, p := range cfg.Providers {
		opened, err := d.open(p)
		if err != nil {
			wrongs = append(wrongs, fmt.Errorf("opening provider %s: %w", p.Name, err))
			continue
		}
		opened.Breaker.Restore(outageOf{d, p.Name})
		all[p.Name] = opened
	}
	return all, errors.Join(wrongs...)
}

func (d *daemon) open(p config.Provider) (scheduler.Connection, error) {
	kind, ok := kindNamed(p.Kind)
	if !ok {
		return scheduler.Connection{}, fmt.Errorf("there is no kind %q", p.Kind)
	}
	inner, err := kind.Open(providers.Opening{
		Name: p.Name, Settings: p.Settings, Secret: p.Secret, Headers: p.Headers, Deadline: p.Deadline, Propagation: p.Propagation,
		Now: d.clocks.now, Elapsed: d.clocks.elapsed, Log: d.log,
	})
	if err != nil {
		return scheduler.Connection{}, err
	}
	breaker := providers.NewBreaker(p.Limits.Breaker)
	limited := providers.Limited(inner, providers.Limits{
		Name: p.Name, Concurrency: p.Limits.Concurrency, Rate: p.Limits.Rate, Burst: p.Limits.Burst, Breaker: breaker,
	}, providers.Clock{Elapsed: d.clocks.elapsed, After: d.clocks.after}, d.meters.requests(p.Name))
	c := scheduler.Connection{Provider: limited, Pace: p.Pace, Breaker: breaker}
	if timed, ok := providers.AsTimed(limited); ok {
		c.Timing = timed.Timing()
	}
	return c, nil
}
