package scheduler

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// adopted is a client that was looked at once, whose provider is walked from then on.
func adopted(t *testing.T) (*life, providers.Snapshot) {
	t.Helper()
	l := newLife(overlapModes()[0])
	l.until(t, "sighted", func(r credential.Record) bool { return r.Sight == credential.SightAdopted && r.Rotation == nil })
	l.sch.Walks("model", true)
	return l, l.seen(t)
}

// asked returns how often the provider was asked anything since a point of the trace.
func (l *life) asked(since int) int {
	n := 0
	for _, call := range l.world.Trace[since:] {
		if !strings.HasPrefix(call, "vault.") && call != "commit" {
			n++
		}
	}
	return n
}

// What a page shows is as good as a look, and costs the provider nothing: the next look at this client alone waits until a whole walk
// has missed it.
func TestAPageIsALook(t *testing.T) {
	l, seen := adopted(t)
	before, at := l.store.rec, len(l.world.Trace)
	l.world.Advance(time.Hour)
	if err := l.sch.See(t.Context(), l.store.rec, seen); err != nil {
		t.Fatal(err)
	}
	rec := l.store.rec
	week := 7 * 24 * time.Hour
	if tick := (everyWeek{}).Next(l.world.Wall); !rec.NextLook.After(tick.Add(week)) || rec.NextLook.After(tick.Add(3*week)) {
		t.Errorf("the next look at it alone is at %s, the next walk at %s", rec.NextLook, tick)
	}
	if l.asked(at) != 0 || !rec.Looked.After(before.Looked) || rec.Hold != nil || rec.Current != before.Current {
		t.Errorf("the provider was asked %d times; looked %s, hold %+v, current %+v", l.asked(at), rec.Looked, rec.Hold, rec.Current)
	}
}

// How long a provider keeps a replaced secret may be a person's word alone. A list, which does not know it, takes nothing back.
func TestAPageTakesBackNoStatedGrace(t *testing.T) {
	l, seen := adopted(t)
	rec := l.store.rec
	rec.Client.Grace = 7 * 24 * time.Hour
	if _, _, err := l.store.Commit(t.Context(), credential.Change{Record: rec}); err != nil {
		t.Fatal(err)
	}
	seen.Caps = credential.Capabilities{Mode: credential.ModeGraceWindow, StartReadable: true}
	if err := l.sch.See(t.Context(), l.store.rec, seen); err != nil {
		t.Fatal(err)
	}
	if got := l.store.rec.Caps.Grace; got != 7*24*time.Hour {
		t.Errorf("the grace is %s", got)
	}
}

// What was changed by hand is seen in a page as in a look: it holds, and is never repaired.
func TestAPageShowsWhatWasChangedByHand(t *testing.T) {
	l, seen := adopted(t)
	seen.Secrets = slices.DeleteFunc(slices.Clone(seen.Secrets), func(s credential.Secret) bool { return s.ID == l.store.rec.Current.ID })
	at := len(l.world.Trace)
	if err := l.sch.See(t.Context(), l.store.rec, seen); err != nil {
		t.Fatal(err)
	}
	if h := l.store.rec.Hold; h == nil || h.Code != credential.HoldChangedElsewhere || l.asked(at) != 0 {
		t.Errorf("hold %+v, the provider was asked %d times", h, l.asked(at))
	}
}

// What falls due while a page is taken in is done by the loop, which looks for itself: a page makes and ends nothing.
func TestAPageBeginsNoRotation(t *testing.T) {
	l, seen := adopted(t)
	l.world.Advance(80 * 24 * time.Hour)
	at := len(l.world.Trace)
	if err := l.sch.See(t.Context(), l.store.rec, seen); err != nil {
		t.Fatal(err)
	}
	if rec := l.store.rec; rec.Rotation != nil || l.provider.Creates != 0 || l.asked(at) != 0 || rec.Due.After(l.world.Now()) {
		t.Errorf("phase %s, %d creates, asked %d times, due %s at %s", rec.Phase(), l.provider.Creates, l.asked(at), rec.Due, l.world.Now())
	}
	l.untilRotated(t)
	l.judge(t, overlapModes()[0])
	p := providers.Shown(l.provider, seen)
	if _, err := p.Create(t.Context(), providers.Target{}, providers.Request{}); providers.ClassOf(err) != providers.ClassUnsupported {
		t.Errorf("a page can create: %v", err)
	}
	if _, ok := providers.AsRevoker(p); ok {
		t.Error("a page can revoke")
	}
}

// Wherever more has to be asked than a page tells, the client is looked at alone.
func TestWhoIsNotSeenInPages(t *testing.T) {
	quiet := credential.Record{Sight: credential.SightAdopted, Current: credential.Secret{ID: "a"}}
	if !Quiet(quiet) {
		t.Fatal("a quiet client is not quiet")
	}
	for name, change := range map[string]func(*credential.Record){
		"a rotation is under way":        func(r *credential.Record) { r.Rotation = &credential.Rotation{} },
		"it is held":                     func(r *credential.Record) { r.Hold = &credential.Hold{} },
		"it is leaving":                  func(r *credential.Record) { r.Leaving = true },
		"it was never seen":              func(r *credential.Record) { r.Sight = credential.SightNone },
		"vault is empty":                 func(r *credential.Record) { r.Sight = credential.SightEmpty },
		"its secret has no id":           func(r *credential.Record) { r.Current.ID = "" },
		"its secret was presumed":        func(r *credential.Record) { r.Presumed = true },
		"it was missed once":             func(r *credential.Record) { r.Missing = 1 },
		"its secret was refused once":    func(r *credential.Record) { r.Refused = 1 },
		"the last look failed":           func(r *credential.Record) { r.Backoff.Attempts = 1 },
		"a person wants a rotation, now": func(r *credential.Record) { r.Request.Rotate = true },
	} {
		rec := quiet
		if change(&rec); Quiet(rec) {
			t.Errorf("%s: a page is enough for it", name)
		}
	}
}
