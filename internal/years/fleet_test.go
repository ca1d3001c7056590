package years_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/oracle"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/notify"
	"github.com/rotad/rotad/scheduler"
	"github.com/rotad/rotad/state"
	"github.com/rotad/rotad/state/bolt"
)

// fleet is a rotad with everything around it, within one bubble.
type fleet struct {
	plan
	flaw     flaw
	path     string
	clocks   *clocks
	judge    *judge
	vault    *kv
	accounts map[string]*account
	order    []*account
	tenants  map[string]*tenant
	mail     *mailbox
	machine  *outage // the daemon is down, asleep, or has the wrong time
	windows  windows
	policies []rule
	owners   directory
	renderer *notify.Renderer
	fresh    atomic.Int64
	moved    atomic.Int64 // when the clocks changed last, or the daemon began
	wrong    []span       // when the wall clock was wrong; of the driver alone, and read under mu
	mu       sync.Mutex
	running  *process
	over     atomic.Bool // it has been given up
	chance   *rand.Rand  // of the driver
}

// process is one run of the daemon.
type process struct {
	ctx       context.Context // that nobody cancels
	store     *bolt.Store
	scheduler *scheduler.Scheduler
	executor  rotation.Executor
	notices   *notify.Loop
	naps      []*nap
	stop      context.CancelFunc
	parts     sync.WaitGroup
	errs      chan error
}

func newFleet(t *testing.T, p plan, broken flaw) *fleet {
	t.Helper()
	c := newClocks(p.origin)
	f := &fleet{
		plan: p, flaw: broken, path: filepath.Join(t.TempDir(), "rotad.db"), clocks: c, accounts: map[string]*account{}, tenants: map[string]*tenant{},
		policies: rules(), owners: owners(), machine: &outage{clocks: c}, chance: rand.New(rand.NewPCG(p.seed, 2)),
	}
	f.judge = &judge{clocks: c, fleet: f}
	f.vault = newKV(f, &outage{clocks: c})
	f.judge.vault = f.vault
	f.mail = &mailbox{fleet: f, away: &outage{clocks: c}, sent: map[string]int{}}
	for _, m := range p.members() {
		f.settleIn(m)
	}
	return f
}

// settleIn gives a client its account, with a secret that a person made and put into Vault. Where secrets live side by
// side, a second one of somebody else's stands there too, which is nobody's business.
func (f *fleet) settleIn(m member) {
	a := &account{
		id: m.ID, caps: m.breed.caps, clocks: f.clocks, life: m.life, chance: rand.New(rand.NewPCG(f.seed, uint64(1000+len(f.order)))),
	}
	if m.breed.caps.Mode == credential.ModeTwoSlot {
		a.make("", "", oracle.ByPerson).Expires = time.Time{}
	}
	current := a.make("", "", oracle.Adopted)
	if m.breed.caps.Mode == credential.ModeTwoSlot || m.breed.caps.Mode == credential.ModeCaller {
		m.CurrentID = current.ID
	}
	if m.breed.caps.Mode == credential.ModeManual {
		m.Expires = current.Expires
	}
	a.file = dossier{member: m, published: map[string]int{}, revoked: map[string]int{}, told: map[string]string{}}
	f.vault.register(m.Client, current.value)
	f.accounts[m.ID], f.order = a, append(f.order, a)
	if f.tenants[m.Provider] == nil {
		f.tenants[m.Provider] = &tenant{
			name: m.Provider, accounts: f.accounts, away: &outage{clocks: f.clocks}, judge: f.judge, faults: f.only != nothing,
		}
	}
}

// providers returns the names of the providers in their order.
func (f *fleet) providers() []string {
	var names []string
	for name := range f.tenants {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (f *fleet) world() *scheduler.World {
	scan, err := config.Schedule(f.scan)
	if err != nil {
		panic(err)
	}
	w := &scheduler.World{
		Connections: map[string]scheduler.Connection{}, Policies: map[string]credential.Policy{}, Windows: f.window, Scan: &calendar{real: scan},
	}
	for name, t := range f.tenants {
		w.Connections[name] = scheduler.Connection{Provider: t, Timing: timing()}
	}
	for _, r := range f.policies {
		w.Policies[r.Name] = r.Policy
	}
	return w
}

// boot starts the daemon.
func (f *fleet) boot(ctx context.Context) error {
	f.clocks.boot()
	f.judge.counts.boots.Add(1)
	f.moved.Store(int64(f.clocks.ran()))
	store, err := bolt.Open(f.path, bolt.Options{NoSync: true, Timeout: -1})
	if err != nil {
		return err
	}
	c, meta := f.clocks, store.Meta()
	p := &process{ctx: context.WithoutCancel(ctx), store: store, errs: make(chan error, 2)}
	naps := &nap{clocks: c, length: 15 * time.Second, next: f.due(p.nextDue)}
	looks := &nap{clocks: c, length: time.Minute, next: p.nextNotice}
	p.naps = []*nap{naps, looks}
	p.executor = rotation.Executor{Vault: f.vault, Instance: meta.Instance, Now: c.wall, Elapsed: c.elapsed, After: time.After}
	p.scheduler = scheduler.New(scheduler.Settings{
		Store: records{store}, Executor: p.executor, Instance: meta.Instance, Boot: fmt.Sprintf("%s/%d", meta.Instance, meta.Boot),
		Watermark: meta.Watermark, Log: slog.New(slog.DiscardHandler), Now: c.wall, Elapsed: c.elapsed, After: naps.after,
		FreshID: f.freshID, FreshUID: f.freshID, Watch: f.judge,
	}, f.world())
	if f.renderer == nil { // the state's key is the same at every start, and so are the templates: parsed once
		if f.renderer, err = notify.NewRenderer(notify.Sender{From: notify.Address{Addr: "rotad@example.com"}, Key: meta.Key, Mount: "secret"}); err != nil {
			return err
		}
	}
	p.notices, err = notify.NewLoop(notify.Settings{
		Outbox: outbox{store, f.forgets()}, Records: present{p.ctx, store}, Now: c.wall, Elapsed: c.elapsed, After: looks.after,
		Meter: f.judge, World: notify.World{Directory: f.owners, Renderer: f.renderer, Channels: []notify.Channel{f.mail}},
	})
	if err != nil {
		return err
	}
	f.start(ctx, p)
	return nil
}

func (f *fleet) start(ctx context.Context, p *process) {
	ctx, p.stop = context.WithCancel(ctx)
	f.mu.Lock()
	f.running = p
	f.mu.Unlock()
	p.parts.Go(func() { p.errs <- p.scheduler.Run(ctx) })
	p.parts.Go(func() { p.errs <- p.notices.Run(ctx) })
}

// giveUp ends the run: the daemon is stopped, and nothing more happens.
func (f *fleet) giveUp() {
	f.over.Store(true)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running != nil {
		f.running.stop()
	}
}

// shut stops the daemon as SIGTERM does.
func (f *fleet) shut() error {
	p := f.running
	p.stop()
	p.parts.Wait()
	err := errors.Join(<-p.errs, <-p.errs, p.store.Close())
	f.mu.Lock()
	f.running = nil
	f.mu.Unlock()
	return err
}

// freshID is short and never repeated.
func (f *fleet) freshID() string { return "id-" + strconv.FormatInt(f.fresh.Add(1), 36) }

func (f *fleet) wakeNotices() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running != nil {
		f.running.notices.Wake()
	}
}

func (p *process) nextDue() (at time.Time, any bool) {
	for _, name := range p.store.Providers() {
		if due, ok, err := p.store.NextDue(p.ctx, name); err == nil && ok && (!any || due.Before(at)) {
			at, any = due, true
		}
	}
	return at, any
}

func (p *process) nextNotice() (time.Time, bool) {
	at, ok, err := p.store.NextNotice(p.ctx)
	return at, ok && err == nil
}

// register puts the clients into a new state, as the configuration does.
func (f *fleet) register(ctx context.Context) error {
	var changes []credential.Change
	for _, a := range f.order {
		d := rotation.Register(a.file.Client, f.running.scheduler.Env(credential.Record{Client: a.file.Client}))
		a.file.rec = d.Record
		changes = append(changes, credential.Change{Record: d.Record, Audit: d.Audit, Create: true, Keep: true})
	}
	refused, err := f.running.store.CommitMany(ctx, changes)
	if err == nil && len(refused) > 0 {
		err = fmt.Errorf("registering: %v", refused)
	}
	f.running.scheduler.Wake()
	return err
}

// records is the store as the scheduler sees it, as in the composition root.
type records struct{ *bolt.Store }

// Hasten lets everything that is due after a moment fall due at that moment.
func (s records) Hasten(ctx context.Context, to time.Time) error {
	return state.Hasten(ctx, s.Store, to)
}

// Commit tells commits that did nothing from fatal ones.
func (s records) Commit(ctx context.Context, c credential.Change) (credential.Record, bool, error) {
	rec, conflict, err := s.Store.Commit(ctx, c)
	if err == nil || errors.Is(err, state.ErrFatal) || errors.Is(err, state.ErrClosed) {
		return rec, conflict, err
	}
	s.Release(c.Record.Client.ID, c.Record.Boot)
	return rec, conflict, fmt.Errorf("%w: %w", scheduler.ErrNothing, err)
}
