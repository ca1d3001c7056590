package scheduler_test

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/model"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/scheduler"
	"github.com/rotad/rotad/state/statetest"
)

// slow is a provider whose calls can be made to wait.
type slow struct {
	*model.Provider
	inspect, create func(context.Context)
}

func (s slow) Inspect(ctx context.Context, t providers.Target) (providers.Snapshot, error) {
	if s.inspect != nil {
		s.inspect(ctx)
	}
	return s.Provider.Inspect(ctx, t)
}

func (s slow) Create(ctx context.Context, t providers.Target, r providers.Request) (providers.Issued, error) {
	if s.create != nil {
		s.create(ctx)
	}
	if ctx.Err() != nil {
		return providers.Issued{}, &providers.Error{Class: providers.ClassIndeterminate, Provider: "model", Operation: "create", Err: ctx.Err()}
	}
	return s.Provider.Create(ctx, t, r)
}

// counting is a store that counts commits and can be made to fail.
type counting struct {
	*statetest.Memory
	commits atomic.Int64
	broken  atomic.Bool
}

var errDisk = errors.New("no space left on device")

func (c *counting) Commit(ctx context.Context, change credential.Change) (credential.Record, bool, error) {
	c.commits.Add(1)
	if c.broken.Load() {
		return credential.Record{}, false, errDisk
	}
	return c.Memory.Commit(ctx, change)
}

// bench is a scheduler with one client per provider.
type bench struct {
	store *counting
	vault *model.Vault
	sch   *scheduler.Scheduler
	began time.Time
	conns map[string]scheduler.Connection
}

type hourly struct{}

func (hourly) Next(t time.Time) time.Time { return t.Truncate(time.Hour).Add(time.Hour) }

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{store: &counting{Memory: statetest.NewMemory()}, began: time.Now(), conns: map[string]scheduler.Connection{}}
	b.vault = &model.Vault{World: model.NewWorld(time.Now()), Clock: time.Now}
	var ids atomic.Int64
	fresh := func() string { return "id-" + strconv.FormatInt(ids.Add(1), 10) }
	elapsed := func() time.Duration { return time.Since(b.began) }
	b.sch = scheduler.New(scheduler.Settings{
		Store: b.store, Instance: "instance", Boot: "boot", Log: slog.New(slog.DiscardHandler), Drain: 30 * time.Second,
		Now: time.Now, Elapsed: elapsed, After: time.After, FreshID: fresh, FreshUID: fresh,
		Executor: rotation.Executor{Vault: guarded{b.vault, &sync.Mutex{}}, Instance: "instance", Now: time.Now, Elapsed: elapsed, After: time.After},
	}, b.world())
	return b
}

func (b *bench) world() *scheduler.World {
	return &scheduler.World{
		Connections: b.conns, Scan: hourly{}, Workers: 2,
		Policies: map[string]credential.Policy{"default": {
			Name: "default", Start: credential.StartAuto, Lifetime: 24 * time.Hour, RotateBefore: 23 * time.Hour, Overlap: time.Hour,
		}},
	}
}

// add registers a client of a provider of its own, which holds the value that Vault hands out.
func (b *bench) add(t *testing.T, name string) *model.Provider {
	t.Helper()
	p := &model.Provider{
		World: model.NewWorld(time.Now()), Vault: b.vault,
		Caps: credential.Capabilities{Mode: credential.ModeTwoSlot, Labels: true, StartReadable: true},
	}
	b.vault.Seed(p.Seed(false))
	b.conns[name] = scheduler.Connection{Provider: p, Timing: p.Timing()}
	b.register(t, name, name)
	return p
}

func (b *bench) register(t *testing.T, name, provider string) {
	t.Helper()
	client := credential.Client{
		ID: name, Provider: provider, Ref: credential.Ref{"client_id": name}, Policy: "default",
		Vault: credential.VaultPath{Mount: "secret", Path: name},
	}
	d := rotation.Register(client, b.sch.Env(credential.Record{Client: client}))
	if _, _, err := b.store.Commit(t.Context(), credential.Change{Record: d.Record, Create: true}); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) run(ctx context.Context) (wait func() error) {
	var done sync.WaitGroup
	var err error
	done.Go(func() { err = b.sch.Run(ctx) })
	return func() error {
		done.Wait()
		return err
	}
}

func (b *bench) record(t *testing.T, id string) credential.Record {
	t.Helper()
	rec, ok, err := b.store.Get(context.WithoutCancel(t.Context()), id)
	if err != nil || !ok {
		t.Fatalf("getting %s: %t, %v", id, ok, err)
	}
	return rec
}

// TestShutdownStagesWhatWasCreated: SIGTERM in the middle of a create. The create runs on a context of its own, so its
// reply reaches Vault before the process ends.
func TestShutdownStagesWhatWasCreated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		p := b.add(t, "billing")
		ctx, stop := context.WithCancel(t.Context())
		b.conns["billing"] = scheduler.Connection{Timing: p.Timing(), Provider: slow{Provider: p, create: func(ctx context.Context) {
			stop()
			select {
			case <-ctx.Done():
			case <-time.After(5 * time.Second):
			}
		}}}
		if err := b.run(ctx)(); err != nil {
			t.Fatal(err)
		}
		if p.Creates != 1 || b.vault.Staged() == "" {
			t.Errorf("creates %d, staged %t: the reply was lost", p.Creates, b.vault.Staged() != "")
		}
		if rec := b.record(t, "billing"); rec.Phase() != credential.PhaseStaged {
			t.Errorf("phase %s, want staged", rec.Phase())
		}
	})
}

// TestShutdownStartsNoCreate: a shutdown that finds the intent durable and nothing sent sends nothing.
func TestShutdownStartsNoCreate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		p := b.add(t, "billing")
		ctx, stop := context.WithCancel(t.Context())
		looks := 0
		b.conns["billing"] = scheduler.Connection{Timing: p.Timing(), Provider: slow{Provider: p, inspect: func(context.Context) {
			if looks++; looks == 2 {
				stop()
				time.Sleep(time.Second)
			}
		}}}
		if err := b.run(ctx)(); err != nil {
			t.Fatal(err)
		}
		if p.Creates != 0 {
			t.Errorf("%d creates after the shutdown began", p.Creates)
		}
	})
}

// TestSlowProviderDelaysNoOther: one provider hangs; another one's client is rotated all the same.
func TestSlowProviderDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		stuck := b.add(t, "a-stuck")
		b.conns["a-stuck"] = scheduler.Connection{Provider: slow{Provider: stuck, inspect: func(ctx context.Context) { <-ctx.Done() }}}
		p := b.add(t, "b-quick")
		ctx, stop := context.WithTimeout(t.Context(), 90*time.Minute)
		defer stop()
		if err := b.run(ctx)(); err != nil {
			t.Fatal(err)
		}
		if p.Creates != 1 {
			t.Errorf("the quick provider's client was not rotated: %+v", b.record(t, "b-quick").DueFor)
		}
	})
}

// TestAQueueIsWaitedIn: what is claimed is no longer in the due index, and yet it is as late as before while it waits for a
// worker. The only worker hangs; the second record waits.
func TestAQueueIsWaitedIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		release := make(chan struct{})
		stuck := b.add(t, "stuck")
		b.conns["stuck"] = scheduler.Connection{Provider: slow{Provider: stuck, inspect: func(context.Context) { <-release }}}
		b.register(t, "waiting", "stuck")
		due := b.record(t, "waiting").Due
		one := b.world()
		one.Workers = 1
		b.sch.Swap(one)
		ctx, stop := context.WithTimeout(t.Context(), time.Hour)
		defer stop()
		wait := b.run(ctx)
		synctest.Wait()
		if at, ok := b.sch.OldestWaiting(); !ok || !at.Equal(due) {
			t.Errorf("waiting since %s, %t; want the moment at which it fell due, %s", at, ok, due)
		}
		close(release)
		synctest.Wait()
		if at, ok := b.sch.OldestWaiting(); ok {
			t.Errorf("the worker is free, and a record waits since %s", at)
		}
		stop()
		if err := wait(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestFatalCommitStops: a state that cannot be written ends the loop; going on would let memory run ahead of the disk.
func TestFatalCommitStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.add(t, "billing")
		b.store.broken.Store(true)
		if err := b.run(t.Context())(); !errors.Is(err, errDisk) {
			t.Errorf("Run returned %v, want the commit's error", err)
		}
	})
}

// TestALookCostsOneCommit: the outcome of a look and the decision that follows are one commit.
func TestALookCostsOneCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		p := b.add(t, "billing")
		looks := 0
		b.conns["billing"] = scheduler.Connection{Timing: p.Timing(), Provider: slow{Provider: p, inspect: func(context.Context) { looks++ }}}
		before := b.store.commits.Load()
		ctx, stop := context.WithTimeout(t.Context(), 50*time.Minute)
		defer stop()
		if err := b.run(ctx)(); err != nil {
			t.Fatal(err)
		}
		if n := b.store.commits.Load() - before; looks == 0 || n > int64(looks) {
			t.Errorf("%d commits for %d looks", n, looks)
		}
	})
}

// TestNothingDueWritesNothing: a tick with nothing due costs no commit.
func TestNothingDueWritesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ctx, stop := context.WithTimeout(t.Context(), 6*time.Hour)
		defer stop()
		if err := b.run(ctx)(); err != nil {
			t.Fatal(err)
		}
		if n := b.store.commits.Load(); n != 0 {
			t.Errorf("%d commits with no client, want 0", n)
		}
	})
}
