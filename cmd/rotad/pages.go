package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/tenant"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/scheduler"
)

// worthPages is the number of clients at one provider from which on reading its tenant in pages is tried in place of looking
// at each: below it, looks are few anyway.
const worthPages = 100

// pageWorkers is how many clients of a page are taken in at once: each costs two reads of Vault and a commit.
const pageWorkers = 8

// pageStore is what the reader of pages needs of the state.
type pageStore interface {
	Find(ctx context.Context, provider string, ref credential.Ref) (id string, ok bool, err error)
	ClaimOne(ctx context.Context, now time.Time, id, owner string, lease time.Duration) (credential.Record, bool, error)
	Release(id, owner string)
}

// pageReader looks at the clients of providers that can list their tenants: a page shows a thousand of them for one request.
//
//	cron tick ──► walk ──► page ──► which of these are registered? ──► Scheduler.See ──► as after any look
//
// A client that no page has shown is looked at alone, by the due index: a walk that fails, or never begins, loses nothing.
type pageReader struct {
	store    pageStore
	see      func(ctx context.Context, rec credential.Record, seen providers.Snapshot) error
	walks    func(provider string, on bool)
	listed   func() map[string]int // registered clients, by provider
	open     func(provider string) (scheduler.Connection, bool)
	nextScan func() time.Time
	boot     string
	log      *slog.Logger
	clocks   clocks

	mu   sync.Mutex
	dear map[string]int // providers whose tenants have more pages than clients were registered: how many that were
}

// newPageReader connects the reader with a daemon's parts.
func (d *daemon) newPageReader() *pageReader {
	return &pageReader{
		store: d.store, see: d.scheduler.See, walks: d.scheduler.Walks, open: d.scheduler.Connection, nextScan: d.scheduler.NextScan,
		boot: d.scheduler.Boot + "/pages", log: d.log, clocks: d.clocks, dear: map[string]int{},
		listed: func() map[string]int {
			n := map[string]int{}
			for w, clients := range d.store.Aggregates().Clients {
				n[w.Provider] += clients
			}
			return n
		},
	}
}

// pagePulse is the longest sleep: timers stand still while a machine is suspended, and a reload may bring another schedule.
const pagePulse = 15 * time.Second

// run walks at every tick of the schedule until the context ends.
func (p *pageReader) run(ctx context.Context) {
	for at := p.nextScan(); ; {
		pause := pagePulse
		if !at.IsZero() {
			pause = min(pause, max(at.Sub(p.clocks.now()), 0))
		}
		select {
		case <-ctx.Done():
			return
		case <-p.clocks.after(pause):
		}
		if next := p.nextScan(); at.IsZero() || next.Before(at) {
			at = next // another schedule, or a clock that was set back
		}
		if at.IsZero() || p.clocks.now().Before(at) {
			continue
		}
		p.turn(ctx)
		at = p.nextScan()
	}
}

// turn walks every tenant for which that costs less than looking at each of its clients.
func (p *pageReader) turn(ctx context.Context) {
	var all sync.WaitGroup
	for provider, clients := range p.listed() {
		connection, ok := p.open(provider)
		if !ok {
			continue
		}
		lister, ok := providers.AsLister(connection.Provider)
		if !ok || clients < worthPages || clients <= p.tooDear(provider) {
			p.walks(provider, false)
			continue
		}
		all.Go(func() { p.walk(ctx, provider, lister, clients) })
	}
	all.Wait()
}

// errDear ends a walk that costs more requests than looking at each client.
var errDear = errors.New("the tenant takes more requests than clients are registered")

// walk reads one tenant to its end. Where it does not come to the end, those it has not shown are looked at one by one.
func (p *pageReader) walk(ctx context.Context, provider string, lister providers.Lister, clients int) {
	p.walks(provider, true)
	var seen atomic.Int64
	w := tenant.Walk{Lister: lister, After: p.clocks.after}
	w.Page = func(page providers.Page) error {
		seen.Add(p.page(ctx, provider, page))
		if page.Requests > len(page.Clients) {
			return errDear
		}
		return ctx.Err()
	}
	w.Taken = func(at tenant.Position) error {
		if at.Requests > clients {
			return errDear
		}
		return nil
	}
	at, err := w.Run(ctx, tenant.Position{})
	said := []any{"provider", provider, "pages", at.Pages, "requests", at.Requests, "listed", at.Clients, "registered", clients, "seen", seen.Load()}
	switch {
	case err == nil:
		p.log.Info("a tenant was read in pages", said...)
	case errors.Is(err, errDear):
		p.walks(provider, false)
		p.setDear(provider, max(at.Requests, clients))
		p.log.Info("a tenant takes too many requests; its clients are looked at one by one", said...)
	case ctx.Err() == nil:
		p.walks(provider, false)
		p.log.Warn("a tenant could not be read to its end; its clients are looked at one by one", append(said, "error", err)...)
	}
}

// page takes in what a page shows of clients that are registered, and returns how many those are.
func (p *pageReader) page(ctx context.Context, provider string, page providers.Page) int64 {
	var seen atomic.Int64
	var workers sync.WaitGroup
	queue := make(chan providers.Listed)
	for range pageWorkers {
		workers.Go(func() {
			for c := range queue {
				if p.one(ctx, provider, c) {
					seen.Add(1)
				}
			}
		})
	}
	for _, c := range page.Clients {
		if c.Whole && c.Unusable == "" && ctx.Err() == nil {
			queue <- c
		}
	}
	close(queue)
	workers.Wait()
	return seen.Load()
}

// pageLease is the lease of a claim. A look ends long before.
const pageLease = time.Hour

// one takes in what is shown of one client, if it is registered and nobody works on it. What more than a page has to be asked
// for is left to the due index.
func (p *pageReader) one(ctx context.Context, provider string, c providers.Listed) bool {
	id, ok, err := p.store.Find(ctx, provider, c.Ref)
	if err != nil || !ok {
		return false
	}
	rec, ok, err := p.store.ClaimOne(ctx, p.clocks.now(), id, p.boot, pageLease)
	if err != nil || !ok {
		return false
	}
	defer p.store.Release(id, p.boot) // where a commit has not ended the claim
	if rec.Client.Provider != provider || !scheduler.Quiet(rec) {
		return false
	}
	if err = p.see(ctx, rec, c.Snapshot); err != nil && ctx.Err() == nil {
		p.log.Warn("what a page shows of a client was not taken in", "client", id, "error", err)
	}
	return err == nil
}

// tooDear is with how many registered clients a walk was given up last; 0 = none was.
func (p *pageReader) tooDear(provider string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dear[provider]
}

func (p *pageReader) setDear(provider string, clients int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dear[provider] = clients
}
