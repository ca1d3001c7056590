package scheduler

import (
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/providers"
)

// TestAnOutcomeIsNotAppliedToAnotherStage: a daemon deletes the secret of the first attempt. Before it has written that
// down, another one has done the same, and has sent the create of the second attempt, whose outcome is unknown. That the
// first secret is gone says nothing about the second.
func TestAnOutcomeIsNotAppliedToAnotherStage(t *testing.T) {
	l := newLife(overlapModes()[0])
	l.until(t, "sighted", func(r credential.Record) bool { return r.Sight != credential.SightNone })
	l.provider.Slow = 30 * 24 * time.Hour // the new secret is refused until the deadline, and taken back
	l.store.rec.Client.Verify.Interval = time.Minute
	overtaken := false
	l.world.Calling = func(_ int, call string) {
		if call == "revoke" && !overtaken {
			overtaken = true
			l.overtake()
		}
	}
	l.until(t, "overtaken", func(credential.Record) bool { return overtaken })
	if r := l.store.rec.Rotation; r == nil || r.Attempt != 2 || r.Unsettled == nil {
		t.Errorf("rotation %+v; want the second attempt, whose create is to be settled\n%s", r, l.story())
	}
	for _, entry := range l.store.audit {
		if entry.Event == credential.EventOrphan && strings.HasPrefix(entry.Detail, "beside") {
			t.Errorf("a deletion of the first attempt is written down for the second: %q", entry.Detail)
		}
	}
}

// overtake makes the commits of another daemon: the orphan is gone, and the next create has an unknown outcome.
func (l *life) overtake() {
	e := l.sch.Env(l.store.rec)
	rec := rotation.Apply(l.store.rec, rotation.EffectCompensate, rotation.Outcome{Result: rotation.Done}, e).Record
	lost := rotation.Outcome{
		Result: rotation.Unknown, Fence: rec.Rotation.FenceBase + 1, FenceAt: e.Now,
		Failure: rotation.Failure{Class: providers.ClassIndeterminate, Text: "the reply was lost"},
	}
	rec = rotation.Apply(rec, rotation.EffectCreate, lost, e).Record
	rec.Rev += 2
	l.store.rec = rec
}

// TestALookIsNotAppliedToAnotherQuiet: while one daemon looks, another one rotates and ends that. What was seen before says
// nothing of what stands there now, and no rotation begins on it.
func TestALookIsNotAppliedToAnotherQuiet(t *testing.T) {
	l := newLife(overlapModes()[0])
	l.until(t, "sighted", func(r credential.Record) bool { return r.Sight != credential.SightNone })
	overtaken := false
	l.world.Calling = func(n int, call string) {
		if call == "vault.time" && !overtaken && l.world.Trace[n-1] == "verify" { // the look right before an intent
			overtaken = true
			l.store.rec.Last = credential.Last{Rotation: "another", At: l.world.Wall, Outcome: "aborted"}
			l.store.rec.Rev++
		}
	}
	l.until(t, "overtaken", func(credential.Record) bool { return overtaken })
	if r := l.store.rec.Rotation; r != nil {
		t.Errorf("a rotation began on what was seen before another one\n%s", l.story())
	}
}
