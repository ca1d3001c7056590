package scheduler_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
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
	"github.com/rotad/rotad/state/bolt"
)

// crowd is one provider with many clients, each of which is a world of its own, and the Vault that they share.
type crowd struct {
	guarded  // what no client's Vault is asked for
	of       map[string]*model.Provider
	vaults   map[string]guarded // by client, and by staging key
	file     string
	store    *bolt.Store
	sch      *scheduler.Scheduler
	pace     credential.Pace
	policy   credential.Policy
	fails    func(create int) error    // of the n-th create; nil = none does
	failsFor func(client string) error // of this client's; nil = none does
	away     atomic.Bool               // no call is answered
	boots    int
	ids      atomic.Int64
	creates  atomic.Int64
	calls    atomic.Int64
	mu       sync.Mutex
	touched  map[string]bool // clients that a create was sent for
}

func (c *crowd) Staging(ctx context.Context, key string) (credential.Entry, error) {
	return c.vaults[key].Staging(ctx, key)
}

func (c *crowd) Stage(ctx context.Context, key string, cas int, s credential.Staging) (int, time.Time, error) {
	return c.vaults[key].Stage(ctx, key, cas, s)
}

func (c *crowd) Consumer(ctx context.Context, p credential.VaultPath, n int) (credential.Consumer, error) {
	return c.vaults[p.Path].Consumer(ctx, p, n)
}

func (c *crowd) Promote(ctx context.Context, p credential.VaultPath, cas int, b credential.Bundle) (int, time.Time, error) {
	return c.vaults[p.Path].Promote(ctx, p, cas, b)
}

func (c *crowd) DestroyStaging(ctx context.Context, key string, versions []int) error {
	return c.vaults[key].DestroyStaging(ctx, key, versions)
}

func (c *crowd) DestroyConsumer(ctx context.Context, p credential.VaultPath, versions []int) error {
	return c.vaults[p.Path].DestroyConsumer(ctx, p, versions)
}

func (c *crowd) Inspect(ctx context.Context, t providers.Target) (providers.Snapshot, error) {
	if err := c.answer("inspect"); err != nil {
		return providers.Snapshot{}, err
	}
	return c.of[t.Client].Inspect(ctx, t)
}

func (c *crowd) Create(ctx context.Context, t providers.Target, r providers.Request) (providers.Issued, error) {
	if err := c.answer("create"); err != nil {
		return providers.Issued{}, err
	}
	n := int(c.creates.Add(1))
	c.mu.Lock()
	c.touched[t.Client] = true
	c.mu.Unlock()
	if c.fails != nil {
		if err := c.fails(n); err != nil {
			return providers.Issued{}, err
		}
	}
	if c.failsFor != nil {
		if err := c.failsFor(t.Client); err != nil {
			return providers.Issued{}, err
		}
	}
	return c.of[t.Client].Create(ctx, t, r)
}

func (c *crowd) Verify(ctx context.Context, t providers.Target, b credential.Bundle) (providers.Answer, error) {
	if err := c.answer("verify"); err != nil {
		return providers.Unknown, err
	}
	return c.of[t.Client].Verify(ctx, t, b)
}

// answer takes the time of a call.
func (c *crowd) answer(operation string) error {
	c.calls.Add(1)
	time.Sleep(200 * time.Millisecond)
	if c.away.Load() {
		return &providers.Error{Class: providers.ClassUnavailable, Provider: "idp", Operation: operation}
	}
	return nil
}

// newCrowd registers clients whose secrets fall due one hour later, all at the same moment.
func newCrowd(t *testing.T, clients int) *crowd {
	t.Helper()
	c := &crowd{
		of: map[string]*model.Provider{}, vaults: map[string]guarded{}, touched: map[string]bool{},
		guarded: guarded{&model.Vault{World: model.NewWorld(time.Now()), Clock: time.Now}, &sync.Mutex{}},
		pace:    credential.Pace{Steps: []credential.WaveStep{{Clients: 1}, {Percent: 1}, {Percent: 10}}, Least: 10},
		policy: credential.Policy{
			Name: "default", Start: credential.StartAuto, Lifetime: 240 * time.Hour, RotateBefore: 239 * time.Hour, Overlap: time.Hour,
		},
	}
	c.restart(t)
	for i := range clients {
		c.register(t, fmt.Sprintf("client-%04d", i))
	}
	return c
}

// restart opens the state again, and begins with a scheduler that knows nothing.
func (c *crowd) restart(t *testing.T) {
	t.Helper()
	if c.store == nil {
		c.file = filepath.Join(t.TempDir(), "rotad.db")
	} else if err := c.store.Close(); err != nil {
		t.Fatal(err)
	}
	var err error
	if c.store, err = bolt.Open(c.file, bolt.Options{NoSync: true, AllowFilesystem: true}); err != nil {
		t.Fatal(err)
	}
	c.sch = c.scheduler(t)
}

func (c *crowd) scheduler(t *testing.T) *scheduler.Scheduler {
	began, breaker := time.Now(), providers.NewBreaker(5)
	c.boots++
	fresh := func() string { return "id-" + strconv.FormatInt(c.ids.Add(1), 10) }
	elapsed := func() time.Duration { return time.Since(began) }
	limited := providers.Limited(c, providers.Limits{Name: "idp", Concurrency: 8, Breaker: breaker}, providers.Clock{Elapsed: elapsed, After: time.After}, nil)
	return scheduler.New(scheduler.Settings{
		Store: c.store, Instance: "instance", Boot: fmt.Sprintf("boot-%d", c.boots), Log: slog.New(slog.DiscardHandler), Drain: 30 * time.Second,
		Tally: func(provider string) (credential.Tally, error) { return c.store.Tally(t.Context(), provider) },
		Now:   time.Now, Elapsed: elapsed, After: time.After, FreshID: fresh, FreshUID: fresh,
		Executor: rotation.Executor{Vault: c, Instance: "instance", Now: time.Now, Elapsed: elapsed, After: time.After},
	}, &scheduler.World{
		Connections: map[string]scheduler.Connection{"idp": {Provider: limited, Timing: providers.Timing{Deadline: time.Minute}, Pace: c.pace, Breaker: breaker}},
		Policies:    map[string]credential.Policy{"default": c.policy}, Scan: hourly{}, Workers: 16,
	})
}

func (c *crowd) register(t *testing.T, id string) {
	t.Helper()
	v := &model.Vault{World: model.NewWorld(time.Now()), Clock: time.Now}
	p := &model.Provider{
		World: model.NewWorld(time.Now()), Vault: v,
		Caps: credential.Capabilities{Mode: credential.ModeTwoSlot, Labels: true, StartReadable: true},
	}
	v.Seed(p.Seed(false))
	client := credential.Client{
		ID: id, Provider: "idp", Ref: credential.Ref{"client_id": id}, Policy: "default", Owner: "payments",
		Vault: credential.VaultPath{Mount: "secret", Path: id},
	}
	c.of[id], c.vaults[id] = p, guarded{v, &sync.Mutex{}}
	c.vaults[client.StagingKey()] = c.vaults[id]
	d := rotation.Register(client, c.sch.Env(credential.Record{Client: client}))
	if _, _, err := c.store.Commit(t.Context(), credential.Change{Record: d.Record, Create: true}); err != nil {
		t.Fatal(err)
	}
}

// run drives the clients for so long.
func (c *crowd) run(t *testing.T, span time.Duration) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), span)
	defer stop()
	if err := c.sch.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

func (c *crowd) wave(t *testing.T) credential.Wave {
	t.Helper()
	tally, err := c.store.Tally(t.Context(), "idp")
	if err != nil {
		t.Fatal(err)
	}
	return tally.Wave
}

// rotated counts the clients whose new secret is published.
func (c *crowd) rotated(t *testing.T) (n int) {
	t.Helper()
	for id := range c.of {
		rec, ok, err := c.store.Get(t.Context(), id)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		if rec.Rotation != nil && rec.Rotation.Promoted != 0 || rec.Last.Outcome == "done" {
			n++
		}
	}
	return n
}

// told returns the keys of the notices of a kind.
func (c *crowd) told(t *testing.T, kind credential.NoticeKind) (keys []string) {
	t.Helper()
	all, err := c.store.ClaimNotices(t.Context(), time.Now().Add(240*time.Hour), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range all {
		if n.Kind == kind {
			keys = append(keys, n.Milestone)
		}
	}
	return keys
}

func refusal() error {
	return &providers.Error{Class: providers.ClassRejected, Provider: "idp", Operation: "create", Status: 400}
}

// TestAWaveStopsAtTheFirstFailure: a thousand clients are due together, and the provider begins to refuse creates. How many
// were touched is printed.
func TestAWaveStopsAtTheFirstFailure(t *testing.T) {
	for _, test := range []struct {
		name        string
		from        int // the create that fails first; 0 = none
		least, most int
	}{
		{"never", 0, 1000, 1000},
		{"at the canary", 1, 1, 1},
		{"at 1 %", 2, 2, 1 + 10},
		{"at 10 %", 1 + 10 + 1, 12, 1 + 10 + 100},
		{"in the rest", 1 + 10 + 100 + 1, 112, 999},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCrowd(t, 1000)
				defer func() { _ = c.store.Close() }()
				c.fails = func(create int) error {
					if test.from != 0 && create >= test.from {
						return refusal()
					}
					return nil
				}
				c.run(t, 2*time.Hour-time.Minute)
				w, touched := c.wave(t), len(c.touched)
				t.Logf("of 1000 clients %d were touched, %d rotated; confirmed %d, failed %d, waiting %d", touched, c.rotated(t), w.Confirmed, w.Failed, w.Waiting)
				if touched < test.least || touched > test.most {
					t.Errorf("%d clients were touched, want %d to %d", touched, test.least, test.most)
				}
				if stopped := w.Stopped(c.pace); stopped != (test.from != 0) {
					t.Errorf("stopped %t: %+v", stopped, w)
				}
				if told := c.told(t, credential.NoticeStopped); len(told) != min(1, test.from) {
					t.Errorf("told %d times that the wave stands still", len(told))
				}
				if err := c.store.Check(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
