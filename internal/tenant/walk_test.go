package tenant_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/tenant"
	"github.com/rotad/rotad/providers"
)

// pages is a tenant of so many pages with one client each, whose cursors are their numbers. Fail is asked before a page.
type pages struct {
	n    int
	fail func(page, try int) error
	try  map[int]int
	sent int

	requests int // for each page
}

func (p *pages) List(_ context.Context, cursor string) (providers.Page, error) {
	at := 0
	if cursor != "" {
		at, _ = strconv.Atoi(cursor)
	}
	p.sent++
	if p.try == nil {
		p.try = map[int]int{}
	}
	p.try[at]++
	if p.fail != nil {
		if err := p.fail(at, p.try[at]); err != nil {
			return providers.Page{}, err
		}
	}
	page := providers.Page{Requests: p.requests, Clients: []providers.Listed{{Ref: credential.Ref{"client_id": fmt.Sprint(at)}}}}
	if at+1 < p.n {
		page.Next = strconv.Itoa(at + 1)
	}
	return page, nil
}

// timer is a clock whose waits are over at once, and which adds them up.
type timer struct{ waited []time.Duration }

func (c *timer) after(d time.Duration) <-chan time.Time {
	c.waited = append(c.waited, d)
	over := make(chan time.Time, 1)
	over <- time.Time{}
	return over
}

func fault(class providers.Class, after time.Duration) error {
	return &providers.Error{Class: class, Provider: "corp", Operation: "list", After: after}
}

func walker(p *pages, c *timer, met *[]string) tenant.Walk {
	return tenant.Walk{Lister: p, After: c.after, Page: func(page providers.Page) error {
		for _, one := range page.Clients {
			*met = append(*met, one.Ref["client_id"])
		}
		return nil
	}}
}

func TestAThrottledPageIsWaitedForAsLongAsTheProviderSays(t *testing.T) {
	p := &pages{n: 3, fail: func(page, try int) error {
		if page == 1 && try <= 2 {
			return fault(providers.ClassThrottled, time.Duration(try)*17*time.Second)
		}
		return nil
	}}
	var clock timer
	var met []string
	at, err := walker(p, &clock, &met).Run(t.Context(), tenant.Position{})
	if err != nil || !at.Done || at.Pages != 3 || at.Clients != 3 || at.Requests != 5 || fmt.Sprint(met) != "[0 1 2]" {
		t.Fatalf("%+v, met %v, %v", at, met, err)
	}
	if fmt.Sprint(clock.waited) != "[17s 34s]" {
		t.Errorf("waited %v, want what was asked for", clock.waited)
	}
}

// What another try can mend is tried again, a bounded number of times; the rest ends the walk with its first answer.
func TestWhenAWalkEnds(t *testing.T) {
	for class, requests := range map[providers.Class]int{
		providers.ClassThrottled: 9, providers.ClassBusy: 9, providers.ClassUnavailable: 9,
		providers.ClassAuth: 1, providers.ClassRejected: 1, providers.ClassUnsupported: 1, providers.ClassIndeterminate: 1,
	} {
		p := &pages{n: 3, fail: func(page, _ int) error {
			if page == 1 {
				return fault(class, 0)
			}
			return nil
		}}
		var clock timer
		var met []string
		at, err := walker(p, &clock, &met).Run(t.Context(), tenant.Position{})
		if providers.ClassOf(err) != class || at.Done || at.Pages != 1 || at.Cursor != "1" || p.try[1] != requests {
			t.Errorf("%s: %+v after %d tries of the page: %v; want %d", class, at, p.try[1], err, requests)
		}
	}
	p := &pages{n: 2, fail: func(int, int) error { return fault(providers.ClassThrottled, 2*time.Hour) }}
	var clock timer
	var met []string
	if _, err := walker(p, &clock, &met).Run(t.Context(), tenant.Position{}); err == nil || len(clock.waited) > 0 {
		t.Errorf("a wait of two hours: %v, waited %v; the walk goes on another day", err, clock.waited)
	}
}

// Wherever a walk is cut off, the next one goes on: every page is taken once.
func TestAWalkThatWasCutOffGoesOn(t *testing.T) {
	const n = 12
	killed := errors.New("killed")
	for cut := range n {
		var clock timer
		var met []string
		kept := tenant.Position{}
		w := walker(&pages{n: n}, &clock, &met)
		w.Taken = func(at tenant.Position) error {
			kept = at
			if at.Pages == cut {
				return killed
			}
			return nil
		}
		if _, err := w.Run(t.Context(), kept); cut > 0 && !errors.Is(err, killed) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		again := &pages{n: n}
		w = walker(again, &clock, &met)
		at, err := w.Run(t.Context(), kept)
		if err != nil || at.Pages != n || len(met) != n || cut > 0 && again.sent != n-cut {
			t.Errorf("cut at %d: %+v, met %v with %d requests, %v", cut, at, met, again.sent, err)
		}
	}
}

func TestAPageThatNamesItselfEndsTheWalk(t *testing.T) {
	w := tenant.Walk{Lister: loop{}, Page: func(providers.Page) error { return nil }}
	if at, err := w.Run(t.Context(), tenant.Position{}); !errors.Is(err, tenant.ErrLoop) || at.Pages != 1 {
		t.Errorf("%+v, %v", at, err)
	}
}

type loop struct{}

func (loop) List(context.Context, string) (providers.Page, error) {
	return providers.Page{Next: "here"}, nil
}

// A file of progress is whole or is not there, and says exactly what was saved.
func TestProgress(t *testing.T) {
	file := t.TempDir() + "/progress"
	if _, found, err := tenant.LoadProgress(file); found || err != nil {
		t.Fatal(found, err)
	}
	want := tenant.Progress{Provider: "corp", Task: "list", Written: 7, Position: tenant.Position{Cursor: "$skiptoken=a", Pages: 3, Clients: 9}}
	want.Counts.Never = 2
	if err := want.Save(file); err != nil {
		t.Fatal(err)
	}
	if got, found, err := tenant.LoadProgress(file); got != want || !found || err != nil {
		t.Errorf("%+v, %t, %v", got, found, err)
	}
}

// Where a page takes several requests, all of them count.
func TestEveryRequestOfAPageCounts(t *testing.T) {
	p := &pages{n: 3, requests: 4}
	at, err := tenant.Walk{Lister: p, After: new(timer).after, Page: func(providers.Page) error { return nil }}.Run(t.Context(), tenant.Position{})
	if err != nil || at.Requests != 12 || at.Pages != 3 {
		t.Errorf("%+v, %v", at, err)
	}
}

// Whoever ends a walk is not told that it waits for something.
func TestAWalkThatIsInterruptedWaitsForNothing(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	p := &pages{n: 3, fail: func(page, _ int) error {
		if page == 1 {
			interrupt()
			return fault(providers.ClassUnavailable, 0)
		}
		return nil
	}}
	var met []string
	w := walker(p, &timer{}, &met)
	w.Waiting = func(_ time.Duration, why error) { t.Errorf("it waits: %v", why) }
	at, err := w.Run(ctx, tenant.Position{})
	if !errors.Is(err, context.Canceled) || at.Pages != 1 || p.sent != 2 {
		t.Errorf("%+v after %d requests: %v", at, p.sent, err)
	}
}
