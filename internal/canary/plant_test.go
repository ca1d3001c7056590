package canary_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/canary"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/metrics"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/internal/vault"
	"github.com/rotad/rotad/notify"
	"github.com/rotad/rotad/scheduler"
	"github.com/rotad/rotad/state"
	"github.com/rotad/rotad/state/bolt"
)

// clock is the real time, moved: clients fall due by moving it. Timers are real.
type clock struct {
	begin  time.Time
	offset atomic.Int64
}

func (c *clock) now() time.Time          { return c.begin.Add(c.elapsed()).UTC() }
func (c *clock) elapsed() time.Duration  { return time.Since(c.begin) + time.Duration(c.offset.Load()) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

// seldom is a scan that leaves the looks to the rotations.
type seldom struct{}

func (seldom) Next(t time.Time) time.Time { return t.Add(400 * day) }

// plant is the whole pipeline in this process, without a network: the loop, the executor, the adapters, the Vault client,
// the store, the notices, the metrics and the admin API, over a cast, with everything that they say in files of a
// directory.
type plant struct {
	t       testing.TB
	dir     string // what is searched
	clock   *clock
	cast    *cast
	clients int
	store   *bolt.Store
	loop    *scheduler.Scheduler
	notices *notify.Loop
	watch   *dump
	socket  string
	meters  *prometheus.Registry
	health  metrics.Health
	links   map[string]scheduler.Connection
	vault   *vault.Client

	log, mails, posts, dumps, answers, errors *spool
}

func (p *plant) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// newPlant hires so many clients. The state lies in a directory of its own, beside what is said.
func newPlant(t testing.TB, l *canary.Ledger, clients int) *plant {
	t.Helper()
	p := &plant{t: t, dir: t.TempDir(), clock: &clock{begin: time.Now()}, clients: clients}
	for name, s := range map[string]**spool{
		"rotad.log": &p.log, "mails.eml": &p.mails, "posts.txt": &p.posts, "values.txt": &p.dumps, "answers.txt": &p.answers, "errors.txt": &p.errors,
	} {
		opened, err := newSpool(p.dir, name)
		p.must(err)
		*s = opened
	}
	var err error
	p.cast, err = newCast(l, p.clock.now)
	p.must(err)
	p.must(os.Mkdir(filepath.Join(p.dir, "state"), 0o700))
	p.store, err = bolt.Open(filepath.Join(p.dir, "state", "rotad.db"), bolt.Options{NoSync: true})
	p.must(err)
	p.hire()
	p.wire()
	return p
}

// hire registers the clients at their providers and in the store.
func (p *plant) hire() {
	p.t.Helper()
	for i := range p.clients {
		p.must(p.cast.hire(clientOf(i)))
	}
	now := p.clock.now()
	p.must(p.store.Load(p.t.Context(), func(yield func(credential.Change) bool) {
		for i := range p.clients {
			c := clientOf(i)
			d := rotation.Register(c, rotation.Env{Now: now, Second: now, NextLook: now, Policy: policies()[c.Policy]})
			if !yield(credential.Change{Record: d.Record, Audit: d.Audit, Create: true, Keep: true}) {
				return
			}
		}
	}, func(_ int, refusals []state.Refusal) error {
		if len(refusals) > 0 {
			return refusals[0].Err
		}
		return nil
	}))
}

// policies are that of the clients whose secrets are replaced, and that of those whose people are warned.
func policies() map[string]credential.Policy {
	return map[string]credential.Policy{
		"default": {
			Name: "default", Start: credential.StartAuto, Lifetime: lifetime, RotateBefore: 14 * day, Overlap: day, Announce: 7 * day,
		},
		"observed": {
			Name: "observed", Start: credential.StartObserve, Lifetime: lifetime, Warn: []credential.Warning{{Before: 30 * day}},
		},
	}
}

// workers of each provider: what so many have to commit shares a transaction.
const workers = 64

// babbles is how many requests one comes to that a server fails at, and tells all that it knows.
const babbles = 401

func (p *plant) wire() {
	p.t.Helper()
	var err error
	p.links, err = p.cast.connections(p.clock.elapsed, babbles)
	p.must(err)
	log := slog.New(slog.NewJSONHandler(p.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	p.vault = p.openVault(babbles, log)
	p.watch = &dump{out: p.dumps, every: 200, done: map[rotation.Effect]int{}, wake: func() { p.notices.Wake() }}
	p.loop = scheduler.New(scheduler.Settings{
		Store: loopStore{p.store}, Instance: "canary", Boot: "1", Watermark: p.store.Meta().Watermark, Log: log,
		Executor: rotation.Executor{Vault: p.vault, Instance: "canary", Now: p.clock.now, Elapsed: p.clock.elapsed, After: time.After},
		Now:      p.clock.now, Elapsed: p.clock.elapsed, After: time.After, FreshID: rand.Text, FreshUID: rand.Text, Watch: p.watch,
	}, &scheduler.World{
		Connections: p.links, Policies: policies(), Scan: seldom{}, Workers: workers,
	})
	renderer, err := notify.NewRenderer(notify.Sender{From: notify.Address{Addr: "rotad@example.com"}, Key: p.store.Meta().Key, Mount: "secret"})
	p.must(err)
	p.notices, err = notify.NewLoop(notify.Settings{
		Outbox: outbox{p.store}, Records: records{p.t.Context(), p.store}, Log: slog.New(slog.NewTextHandler(p.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now: p.clock.now, Elapsed: p.clock.elapsed, After: time.After,
		World: notify.World{Directory: people{}, Renderer: renderer, Channels: []notify.Channel{p.mails, posts{p.posts}}},
	})
	p.must(err)
	p.meters = prometheus.NewRegistry()
	m := metrics.New(p.meters, scraped{p.t.Context(), p.store}, metrics.Options{
		Now: p.clock.now, Elapsed: p.clock.elapsed, ClientSeries: 1000, Channels: []string{notify.MailChannel, "ops"},
		TokenExpires: p.vault.TokenExpires,
		NextAction:   func(credential.Record) (string, time.Time) { return "", time.Time{} },
	})
	p.health = metrics.Health{Silence: m.Silence, Log: log}
}

// openVault is rotad's connection to Vault, which babbles once in so many requests.
func (p *plant) openVault(every int64, log *slog.Logger) *vault.Client {
	p.t.Helper()
	token := filepath.Join(p.t.TempDir(), "token")
	p.must(os.WriteFile(token, []byte(p.cast.kv.RootToken()), 0o600))
	client, err := vault.Open(vault.Settings{
		Address: "http://vault", Auth: vault.Auth{TokenFile: token}, Transport: &hostile{next: inProcess{p.cast.kv}, every: every},
	}, vault.Clock{Now: p.clock.now, Elapsed: p.clock.elapsed, After: time.After}, log)
	p.must(err)
	return client
}

// run keeps everything going while f runs.
func (p *plant) run(f func()) {
	p.t.Helper()
	ctx, stop := context.WithCancel(p.t.Context())
	p.socket = filepath.Join(shortDir(p.t), "admin.sock")
	at, _, err := admin.Listen("unix:" + p.socket)
	p.must(err)
	server := &admin.Server{Reader: p.store, Actor: refuser{}, Copier: p.store, World: func() admin.World {
		return admin.World{Now: p.clock.now(), Policies: policies()}
	}, Log: slog.New(slog.NewTextHandler(p.log, nil))}
	ended := make(chan error, 3)
	go func() { ended <- p.loop.Run(ctx) }()
	go func() { ended <- p.notices.Run(ctx) }()
	go func() { ended <- server.Serve(ctx, at) }()
	f()
	stop()
	for range 3 {
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			p.t.Error(err)
		}
	}
	p.must(p.store.Close())
}

// shortDir is a directory whose name leaves room for the name of a socket.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "canary-") //nolint:usetesting // the test's own directory has too long a name for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// pass lets time pass, and waits until nothing is due, under way or unsent.
func (p *plant) pass(d time.Duration) {
	p.t.Helper()
	p.clock.advance(d)
	p.loop.Wake()
	p.notices.Wake()
	beat := time.NewTicker(time.Millisecond)
	defer beat.Stop()
	limit := time.After(15 * time.Minute)
	for !p.quiet() {
		select {
		case <-beat.C:
		case <-limit:
			p.t.Fatal("the pipeline does not come to rest")
		}
	}
}

func (p *plant) quiet() bool {
	if p.loop.Busy() {
		return false
	}
	now := p.clock.now()
	for _, name := range p.store.Providers() {
		if due, ok, err := p.store.NextDue(p.t.Context(), name); err != nil || ok && !due.After(now) {
			return false
		}
	}
	due, ok, err := p.store.NextNotice(p.t.Context())
	if err == nil && ok && !due.After(now) {
		p.notices.Wake()
		return false
	}
	return err == nil
}

// generation lets the secrets of half of the clients be replaced and retired once, and announced before that; people are
// warned of the end of the others. What fails meanwhile is tried again.
func (p *plant) generation(announced bool) {
	p.t.Helper()
	before := time.Duration(0)
	if announced {
		before = lifetime - 20*day
		p.pass(before)
	}
	p.pass(lifetime - 13*day - before)
	for range 6 {
		p.pass(20 * time.Minute)
	}
	for _, d := range []time.Duration{25 * time.Hour, 7 * day} { // the overlap, and the providers' own grace
		p.pass(d)
		for range 4 {
			p.pass(20 * time.Minute)
		}
	}
}

// scrape asks the doors of the daemon for all that they say.
func (p *plant) scrape() {
	p.t.Helper()
	handler := metrics.Handler(p.meters, p.health)
	for _, path := range []string{"/metrics", "/healthz", "/readyz"} {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequestWithContext(p.t.Context(), "GET", path, nil))
		p.answers.printf("%s %v\n%s\n", path, answer.Header(), answer.Body)
	}
	client := admin.NewClient("unix:" + p.socket)
	list, err := client.List(p.t.Context(), "", 0)
	p.must(err)
	p.answers.printf("%+v\n", list)
	_, err = client.Do(p.t.Context(), admin.Command{Verb: admin.VerbRotate, Client: "nobody"})
	p.answers.verbs(err)
	f, err := os.Create(filepath.Join(p.dir, "backup.db"))
	p.must(err)
	_, err = client.WriteTo(p.t.Context(), f)
	p.must(errors.Join(err, f.Close()))
}

// people is everybody who is told.
type people struct{}

func (people) Owner(string) (notify.Contact, bool) {
	return notify.Contact{Emails: []string{"payments@example.com"}, Channels: []notify.Subscription{{Name: "ops"}}}, true
}

func (people) Admins() notify.Contact {
	return notify.Contact{Emails: []string{"security@example.com"}}
}

// refuser does nothing that anybody asks for.
type refuser struct{}

func (refuser) Do(_ context.Context, c admin.Command) (admin.Reply, error) {
	return admin.Reply{}, fmt.Errorf("%w: %+v", credential.ErrDenied, c)
}

type outbox struct{ store *bolt.Store }

func (o outbox) Claim(ctx context.Context, now time.Time, n int) ([]credential.Notice, error) {
	return o.store.ClaimNotices(ctx, now, n)
}

func (o outbox) Settle(ctx context.Context, notices ...credential.Notice) error {
	return o.store.Settle(ctx, notices...)
}

func (o outbox) NextDue(ctx context.Context) (time.Time, bool, error) { return o.store.NextNotice(ctx) }

func (o outbox) Prune(ctx context.Context, now time.Time) (int, error) {
	return o.store.Prune(ctx, now)
}

// records and scraped are asked by loops that have no context to pass on; theirs is the test's.
type records struct {
	ctx   context.Context
	store *bolt.Store
}

func (r records) Get(id string) (credential.Record, bool, error) {
	return r.store.Get(r.ctx, id)
}

type loopStore struct{ *bolt.Store }

func (s loopStore) Hasten(ctx context.Context, to time.Time) error {
	return state.Hasten(ctx, s.Store, to)
}

type scraped struct {
	ctx   context.Context
	store *bolt.Store
}

func (s scraped) Totals() metrics.Totals {
	all := s.store.Aggregates()
	t := metrics.Totals{Clients: map[metrics.Group]int{}, Holds: all.Holds, Outbox: all.Outbox, WithoutExpiry: all.WithoutExpiry}
	for watch, n := range all.Clients {
		t.Clients[metrics.Group{Provider: watch.Provider, Mode: watch.Mode}] = n
	}
	return t
}

func (s scraped) Expiring(now time.Time, within ...time.Duration) (int, []int, error) {
	return s.store.Expiring(s.ctx, now, within...)
}

func (s scraped) MostUrgent(n int) iter.Seq2[credential.Record, error] {
	return s.store.MostUrgent(s.ctx, n)
}
func (s scraped) OldestDue() (time.Time, bool, error) { return time.Time{}, false, nil }
