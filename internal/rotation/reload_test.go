package rotation_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
)

// wave is a client with two destinations and three consumers, of which two have a health.
type wave struct {
	*copies
	did    []string // what was done and asked, in order
	at     map[string]time.Time
	broken map[string]bool // cannot be done
	ill    map[string]bool // does not get healthy
}

func newWave() *wave {
	w := &wave{copies: newCopies(), at: map[string]time.Time{}, broken: map[string]bool{}, ill: map[string]bool{}}
	w.executor.Reload = func(_ context.Context, r credential.Reload, o credential.Occasion) error {
		w.did = append(w.did, r.Name)
		w.at[r.Name] = w.world.Wall
		if w.broken[r.Name] {
			return errors.New("the unit is masked")
		}
		return nil
	}
	w.executor.Probe = func(_ context.Context, p credential.Probe) error {
		if w.did = append(w.did, p.URL); w.ill[p.URL] {
			return errors.New("the consumer answered 503")
		}
		return nil
	}
	c := &w.rec.Rotation.Client
	c.Stagger = time.Minute
	c.Reloads = []credential.Reload{
		{Name: "web-1", Command: []string{"/web-1"}, Health: &credential.Probe{URL: "web-1?"}},
		{Name: "web-2", Command: []string{"/web-2"}, Health: &credential.Probe{URL: "web-2?"}, Within: 20 * time.Second},
		{Name: "batch", Command: []string{"/batch"}},
	}
	return w
}

func (w *wave) done() string { return strings.Join(slices.Compact(slices.Clone(w.did)), " ") }

func TestConsumersAreReloadedOneAfterTheOther(t *testing.T) {
	w := newWave()
	w.down["raw"] = true
	w.until(t, credential.PhaseOverlap)
	w.turn(t, time.Hour)
	if len(w.did) != 0 {
		t.Fatalf("%s, before every destination holds the new secret", w.done())
	}
	w.down["raw"] = false
	w.turn(t, 2*time.Hour)
	if got := w.done(); got != "web-1 web-1? web-2 web-2? batch" {
		t.Errorf("done: %s", got)
	}
	if w.at["web-2"].Sub(w.at["web-1"]) < time.Minute || w.at["batch"].Sub(w.at["web-2"]) < time.Minute {
		t.Errorf("not staggered: %v", w.at)
	}
	w.turn(t, 10*day)
	if w.rec.Rotation != nil || w.done() != "web-1 web-1? web-2 web-2? batch" {
		t.Errorf("at the end: %s, %s", w.rec.Phase(), w.done())
	}
}

func TestAnIllConsumerStopsTheWave(t *testing.T) {
	w := newWave()
	w.ill["web-2?"] = true
	w.until(t, credential.PhaseOverlap)
	done := w.turn(t, 10*day)
	if w.done() != "web-1 web-1? web-2 web-2?" || slices.Contains(done, rotation.EffectGate) {
		t.Fatalf("%s", w.done())
	}
	h := w.rec.Hold
	if h == nil || h.Code != credential.HoldNotReloaded || h.Paging || !strings.Contains(h.Detail, "503") {
		t.Fatalf("hold %+v", h)
	}
	if n := len(w.did); n > 20 {
		t.Errorf("asked %d times", n)
	}
	w.ill["web-2?"] = false
	w.resume(t, credential.ResolveRetry)
	w.turn(t, day)
	if w.rec.Rotation != nil || !strings.HasSuffix(w.done(), "web-2 web-2? batch") {
		t.Errorf("after it was mended: %s, %s, %+v", w.rec.Phase(), w.done(), w.rec.Hold)
	}
}

func TestAStepThatCannotBeDoneIsTriedAgainAndCallsForAPerson(t *testing.T) {
	w := newWave()
	w.broken["web-1"] = true
	w.until(t, credential.PhaseOverlap)
	w.turn(t, 4*day)
	if w.done() != "web-1" || len(w.did) < rotationTries || w.rec.Hold == nil || !w.rec.Hold.Paging {
		t.Fatalf("tried %d times: %s, hold %+v", len(w.did), w.done(), w.rec.Hold)
	}
	w.broken["web-1"] = false
	w.turn(t, day)
	if w.rec.Rotation != nil || w.rec.Hold != nil {
		t.Errorf("after it was mended: %s, %+v", w.rec.Phase(), w.rec.Hold)
	}
}

// rotationTries is how often a step is tried at the least before anybody gives it up: nobody does.
const rotationTries = 10

func (w *wave) resume(t *testing.T, choice credential.Resolve) {
	t.Helper()
	d, err := rotation.Resume(choice, "")(w.rec, rotation.Person{Name: "anna"}, w.now())
	if err != nil {
		t.Fatal(err)
	}
	w.rec = d.Record
}

func TestAPersonEndsAWave(t *testing.T) {
	w := newWave()
	w.ill["web-1?"] = true
	w.until(t, credential.PhaseOverlap)
	w.turn(t, 4*day)
	w.resume(t, credential.ResolveUndelivered)
	w.turn(t, day)
	if w.rec.Rotation != nil || w.done() != "web-1 web-1?" {
		t.Errorf("%s, %s", w.rec.Phase(), w.done())
	}
}

func TestAHeldClientIsNotReloaded(t *testing.T) {
	w := newWave()
	w.until(t, credential.PhaseOverlap)
	d, err := rotation.HoldBy(w.rec, rotation.Person{Name: "anna"}, w.now())
	if err != nil {
		t.Fatal(err)
	}
	w.rec = d.Record
	if w.turn(t, 4*day); len(w.did) != 0 {
		t.Errorf("done: %s", w.done())
	}
	w.resume(t, credential.ResolveRetry)
	if w.turn(t, 4*day); w.rec.Rotation != nil {
		t.Errorf("%s, %s", w.rec.Phase(), w.done())
	}
}

// Restarting waits for the window; asking after health does not.
func TestReloadsKeepToTheWindow(t *testing.T) {
	w := newWave()
	w.until(t, credential.PhaseOverlap)
	opens := w.world.Wall.Add(5 * time.Hour)
	w.window = from(opens)
	if w.turn(t, 4*time.Hour); len(w.did) != 0 {
		t.Fatalf("before the window: %s", w.done())
	}
	if w.turn(t, 2*time.Hour); w.at["web-1"].Before(opens) || w.done() != "web-1 web-1? web-2 web-2? batch" {
		t.Errorf("in the window: %s", w.done())
	}
}

// from is a window that opens once.
type from time.Time

// Next returns when it opens.
func (f from) Next(t time.Time) time.Time {
	if t.Before(time.Time(f)) {
		return time.Time(f)
	}
	return time.Time{}
}

// Contains says whether it has opened.
func (f from) Contains(t time.Time) bool { return !t.Before(time.Time(f)) }

// A login of rotad's own restarts nothing, so that it need not wait; what comes after it does.
func TestALoginOfItsOwnWaitsForNoWindow(t *testing.T) {
	w := newWave()
	c := &w.rec.Rotation.Client
	c.Reloads = append([]credential.Reload{{Name: "rotad-vault", Login: "vault"}}, c.Reloads...)
	w.until(t, credential.PhaseOverlap)
	w.window = from(w.world.Wall.Add(5 * time.Hour))
	if w.turn(t, 4*time.Hour); w.done() != "rotad-vault" {
		t.Errorf("before the window: %s", w.done())
	}
}
