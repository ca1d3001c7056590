package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/scheduler"
)

// paged is a provider with a tenant of pages of ten clients, and a store in which some of them are registered.
type paged struct {
	providers.Provider
	pages int
	fail  error // of every page after the first
	whole bool

	requests int // for each page

	mu      sync.Mutex
	asked   int
	records map[string]credential.Record // by ref
	claimed map[string]bool
	seen    map[string]int
	on      bool
}

func (p *paged) List(_ context.Context, cursor string) (providers.Page, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	at, _ := strconv.Atoi(cursor)
	if at > 0 && p.fail != nil {
		return providers.Page{}, p.fail
	}
	page := providers.Page{Requests: p.requests}
	for i := range 10 {
		page.Clients = append(page.Clients, providers.Listed{Ref: credential.Ref{"client_id": fmt.Sprintf("c%d", at*10+i)}, Whole: p.whole})
	}
	if at+1 < p.pages {
		page.Next = strconv.Itoa(at + 1)
	}
	return page, nil
}

func (p *paged) Find(_ context.Context, _ string, ref credential.Ref) (string, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	rec, ok := p.records[ref["client_id"]]
	return rec.Client.ID, ok, nil
}

func (p *paged) ClaimOne(_ context.Context, _ time.Time, id, _ string, _ time.Duration) (credential.Record, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.claimed[id] {
		return credential.Record{}, false, nil
	}
	p.claimed[id] = true
	return p.records[id], true, nil
}

func (p *paged) Release(id, _ string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.claimed, id)
}

// reads is a reader of that tenant, in which the first n clients are registered.
func (p *paged) reads(n int) *pageReader {
	p.records, p.claimed, p.seen = map[string]credential.Record{}, map[string]bool{}, map[string]int{}
	for i := range n {
		id := fmt.Sprintf("c%d", i)
		p.records[id] = credential.Record{
			Client: credential.Client{ID: id, Provider: "corp"}, Sight: credential.SightAdopted, Current: credential.Secret{ID: "s"},
		}
	}
	over := make(chan time.Time)
	close(over)
	return &pageReader{
		store: p, log: slog.New(slog.DiscardHandler), dear: map[string]int{}, listed: func() map[string]int { return map[string]int{"corp": n} },
		open:  func(string) (scheduler.Connection, bool) { return scheduler.Connection{Provider: p}, true },
		walks: func(_ string, on bool) { p.on = on },
		see: func(_ context.Context, rec credential.Record, _ providers.Snapshot) error {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.seen[rec.Client.ID]++
			return nil
		},
		clocks: clocks{now: time.Now, after: func(time.Duration) <-chan time.Time { return over }},
	}
}

// Every registered client of a tenant is seen once, for one request a page.
func TestClientsAreSeenInPages(t *testing.T) {
	p := &paged{pages: 50, whole: true}
	r := p.reads(300)
	held := p.records["c7"]
	held.Hold = &credential.Hold{Code: credential.HoldByPerson}
	p.records["c7"] = held
	p.claimed["c8"] = true
	elsewhere := p.records["c9"]
	elsewhere.Client.Provider = "other"
	p.records["c9"] = elsewhere
	r.turn(t.Context())
	if p.asked != 50 || !p.on || len(p.seen) != 297 || p.seen["c7"]+p.seen["c8"]+p.seen["c9"] != 0 {
		t.Errorf("%d requests, %d clients seen, walks %t; one that is held: %d, claimed: %d, elsewhere: %d", p.asked, len(p.seen), p.on, p.seen["c7"], p.seen["c8"], p.seen["c9"])
	}
	if len(p.claimed) != 1 {
		t.Errorf("%d claims are left", len(p.claimed))
	}
}

// Where a walk costs more than it saves, or does not come to its end, each client is looked at alone.
func TestWhenPagesAreNotRead(t *testing.T) {
	for name, test := range map[string]struct {
		tenant     *paged
		registered int
		first      int // requests of the first turn
		both       int // and of the second one
	}{
		"few clients are registered":         {&paged{pages: 5, whole: true}, worthPages - 1, 0, 0},
		"more pages than registered clients": {&paged{pages: 500, whole: true}, 200, 201, 201},
		"the provider refuses":               {&paged{pages: 50, whole: true, fail: &providers.Error{Class: providers.ClassAuth, Err: errors.New("no")}}, 200, 2, 4},
	} {
		r := test.tenant.reads(test.registered)
		r.turn(t.Context())
		if first := test.tenant.asked; first != test.first || test.tenant.on {
			t.Errorf("%s: %d requests, walks %t", name, first, test.tenant.on)
		}
		if r.turn(t.Context()); test.tenant.asked != test.both {
			t.Errorf("%s: %d requests after two turns, want %d", name, test.tenant.asked, test.both)
		}
	}
	each := &paged{pages: 50, whole: true, requests: 11}
	r := each.reads(200)
	if r.turn(t.Context()); each.asked != 1 || each.on {
		t.Errorf("a provider that is asked for each client: %d pages, walks %t", each.asked, each.on)
	}
	if r.turn(t.Context()); each.asked != 1 {
		t.Errorf("it was walked again: %d pages", each.asked)
	}
	partial := &paged{pages: 50}
	r = partial.reads(200)
	if r.turn(t.Context()); len(partial.seen) != 0 {
		t.Error("a list that does not tell everything is taken for a look")
	}
}
