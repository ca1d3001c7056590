package tenant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rotad/rotad/providers"
)

// Walk is one walk through a tenant.
type Walk struct {
	Lister providers.Lister
	After  func(time.Duration) <-chan time.Time // timer on the monotonic clock
	// Page takes one page. Where it fails the walk ends, and the page counts as not taken.
	Page func(providers.Page) error
	// Taken is told where the walk stands once a page has been taken; nil = nobody keeps it.
	Taken func(Position) error
	// Waiting is told that the provider wants to be left alone; nil = nobody is.
	Waiting func(d time.Duration, why error)
}

// Position is how far a walk has come. The zero value is its beginning.
type Position struct {
	Cursor   string `json:"cursor,omitempty"` // of the next page
	Pages    int    `json:"pages"`            // taken
	Clients  int    `json:"clients"`          // in them
	Requests int    `json:"requests"`         // that were sent for them; a page that failed counts as one
	Done     bool   `json:"done,omitzero"`    // there is no next page
}

const (
	// patience is how often one page is asked for again after a failure that proves nothing about the next try.
	patience = 8
	// shortest and longest are the pauses between two such tries, where the provider does not say how long.
	shortest = 2 * time.Second
	longest  = 2 * time.Minute
	// leftAlone is the longest pause that a provider can ask for. A walk that has to wait longer ends, and goes on another day.
	leftAlone = time.Hour
)

// ErrLoop is the error of a provider that names a page as its own next one: such a walk has no end.
var ErrLoop = errors.New("the provider names a page as its own successor")

// Run walks from a position to the end. It returns where it stands, also with an error: from there the next run goes on.
func (w Walk) Run(ctx context.Context, at Position) (Position, error) {
	for !at.Done {
		page, requests, err := w.next(ctx, at.Cursor)
		at.Requests += requests + max(page.Requests-1, 0)
		if err == nil && page.Next != "" && page.Next == at.Cursor {
			err = ErrLoop
		}
		if err == nil {
			err = w.Page(page)
		}
		if err != nil {
			return at, err
		}
		at.Cursor, at.Done = page.Next, page.Next == ""
		at.Pages++
		at.Clients += len(page.Clients)
		if w.Taken == nil {
			continue
		}
		if err := w.Taken(at); err != nil {
			return at, err
		}
	}
	return at, nil
}

// next asks for one page until it comes. What the provider asks for is waited for; what a further try cannot mend ends the
// walk at once.
func (w Walk) next(ctx context.Context, cursor string) (page providers.Page, requests int, err error) {
	for {
		page, err = w.Lister.List(ctx, cursor)
		requests++
		pause, again := afterFailure(err, requests)
		if !again {
			return page, requests, err
		}
		if ctx.Err() != nil { // who asked has ended it, whatever the answer says
			return providers.Page{}, requests, ctx.Err()
		}
		if w.Waiting != nil {
			w.Waiting(pause, err)
		}
		select {
		case <-ctx.Done():
			return providers.Page{}, requests, ctx.Err()
		case <-w.After(pause):
		}
	}
}

// afterFailure says how long to wait before the next try, and whether there is one.
func afterFailure(err error, tries int) (pause time.Duration, again bool) {
	switch providers.ClassOf(err) {
	case providers.ClassThrottled, providers.ClassBusy, providers.ClassUnavailable:
	default:
		return 0, false
	}
	pause = min(longest, shortest<<min(tries-1, 10))
	if asked := providers.RetryAfter(err); asked > 0 {
		pause = asked
	}
	return pause, tries <= patience && pause <= leftAlone
}

// Ended is the error of a walk that ended early, for people: where it stands.
func Ended(at Position, err error) error {
	if providers.ClassOf(err) == providers.ClassRejected && at.Cursor != "" {
		return fmt.Errorf("the walk stands at page %d, and the provider does not know its place any more: %w", at.Pages, err)
	}
	return fmt.Errorf("the walk ended after %d pages with %d clients: %w", at.Pages, at.Clients, err)
}
