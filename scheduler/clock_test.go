package scheduler

import (
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// intoOverlap brings a two-slot client to the overlap.
func intoOverlap(t *testing.T) (*life, overlapMode) {
	t.Helper()
	m := overlapModes()[0]
	l := newLife(m)
	l.until(t, "overlap", func(r credential.Record) bool { return r.Phase() == credential.PhaseOverlap })
	return l, m
}

// TestForwardJumpRevokesNothing: the wall clock jumps a year ahead during the overlap. No second clock confirms the
// end, so the old secret stays.
func TestForwardJumpRevokesNothing(t *testing.T) {
	l, _ := intoOverlap(t)
	l.world.Skew = 365 * 24 * time.Hour
	for range 20 {
		l.runNow()
	}
	if n := len(l.provider.Revoked); n != 0 {
		t.Fatalf("%d secrets were revoked because of a jump of the wall clock\n%s", n, l.story())
	}
	if h := l.store.rec.Hold; h == nil || h.Code != credential.HoldClockSuspect {
		t.Errorf("hold %+v, want clock-suspect", h)
	}
}

// TestJumpBackAndForthEndsWell: once the wall clock is right again the rotation ends by itself.
func TestJumpBackAndForthEndsWell(t *testing.T) {
	l, m := intoOverlap(t)
	l.world.Skew = 365 * 24 * time.Hour
	for range 5 {
		l.runNow()
	}
	l.world.Skew = 0
	l.world.Advance(80 * time.Hour)
	l.untilRotated(t)
	l.judge(t, m)
}

// TestBackwardJumpRevokesOnlyLater: a wall clock that is set back delays the revoke, and loses nothing.
func TestBackwardJumpRevokesOnlyLater(t *testing.T) {
	l, m := intoOverlap(t)
	l.world.Skew = -48 * time.Hour
	l.world.Advance(73 * time.Hour)
	l.runNow()
	if n := len(l.provider.Revoked); n != 0 {
		t.Fatalf("revoked %d before the wall clock says so\n%s", n, l.story())
	}
	l.world.Advance(48 * time.Hour)
	l.untilRotated(t)
	l.judge(t, m)
}

// TestDowntimeAsksAnIndependentClock: after a downtime the second clock is behind; Vault's time decides.
func TestDowntimeAsksAnIndependentClock(t *testing.T) {
	l, m := intoOverlap(t)
	l.world.Advance(100 * time.Hour)
	l.boot()
	l.untilRotated(t)
	l.judge(t, m)
}
