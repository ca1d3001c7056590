package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// film is a reader that shows one record after the other, the last one for ever.
type film []credential.Record

func (f *film) Get(context.Context, string) (credential.Record, bool, error) {
	now := (*f)[0]
	if len(*f) > 1 {
		*f = (*f)[1:]
	}
	return now, now.Client.ID != "", nil
}

func (f *film) List(context.Context, string, int) ([]credential.Record, error)   { return nil, nil }
func (f *film) History(context.Context, string, int) ([]credential.Audit, error) { return nil, nil }

func scene(change func(*credential.Record)) credential.Record {
	rec := plannable(credential.ModeTwoSlot)
	change(&rec)
	return rec
}

func inRotation(phase credential.Phase) func(*credential.Record) {
	return func(r *credential.Record) {
		r.Rotation = &credential.Rotation{ID: "r", Phase: phase, Client: r.Client, Promoted: 5, RevokeAfter: monday()}
	}
}

func TestWaitingForARotationEndsWhereItDoes(t *testing.T) {
	asked := scene(func(r *credential.Record) { r.Request.Rotate = true })
	holding := func(paused bool) func(*credential.Record) {
		return func(r *credential.Record) {
			r.Hold = &credential.Hold{Code: credential.HoldCutover, Detail: "no overlap", Retry: true}
			if paused {
				r.Backoff.Until = monday().Add(time.Hour)
			}
		}
	}
	for name, test := range map[string]struct {
		before credential.Record
		film   film
		code   int
		text   string // of the error, or of the command
	}{
		"at the overlap":   {asked, film{asked, scene(inRotation(credential.PhaseIntent)), scene(inRotation(credential.PhaseOverlap))}, exitDone, "-version=5 apps/billing"},
		"past the overlap": {asked, film{scene(inRotation(credential.PhaseRevoking))}, exitDone, "-version=5"},
		"finished in between": {asked, film{asked, scene(func(r *credential.Record) {
			r.Last, r.Version = credential.Last{Rotation: "r", Outcome: "done"}, 5
		})}, exitDone, "-version=5"},
		"aborted":         {asked, film{scene(func(r *credential.Record) { r.Last = credential.Last{Rotation: "r", Outcome: "aborted"} })}, exitRefused, "ended: aborted"},
		"held on the way": {asked, film{asked, scene(holding(false))}, exitRefused, "held: cutover-not-allowed: no overlap"},
		"held all the time": {
			scene(holding(false)), film{scene(holding(false)), scene(holding(false)), scene(holding(true))}, exitRefused, "held: cutover-not-allowed",
		},
		"a hold that ends": {scene(holding(false)), film{scene(holding(false)), scene(inRotation(credential.PhaseOverlap))}, exitDone, "-version=5"},
		"gone":             {asked, film{{}}, exitRefused, "is gone"},
	} {
		t.Run(name, func(t *testing.T) {
			var said strings.Builder
			left := len(test.film)
			f := follower{app: &app{err: &said}, reader: &test.film, before: test.before, after: func(time.Duration) <-chan time.Time {
				if left--; left < 0 {
					t.Fatal("it waits for ever")
				}
				ch := make(chan time.Time, 1)
				ch <- monday()
				return ch
			}}
			got, err := f.follow(t.Context())
			code, text := exitDone, got.Command
			if failure, ok := errors.AsType[*failure](err); ok {
				code, text = failure.code, failure.Error()
			}
			if code != test.code || !strings.Contains(text, test.text) {
				t.Errorf("got %d, %q, %v", code, text, err)
			}
		})
	}
}

func TestAnInterruptEndsTheWaitAndNotTheRotation(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := follower{app: &app{err: &strings.Builder{}}, reader: &film{plannable(credential.ModeTwoSlot)}, after: func(time.Duration) <-chan time.Time {
		cancel()
		return nil
	}}
	_, err := f.follow(ctx)
	if err == nil || err.Error() != "interrupted; the rotation goes on" {
		t.Errorf("got %v", err)
	}
}
