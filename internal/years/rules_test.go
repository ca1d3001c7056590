package years_test

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
)

// slack is how long a decision may have been under way when it is seen.
const slack = 5 * time.Second

// intent judges the beginning of a rotation: inside the window, or at the last moment before a deadline and announced;
// and never again so soon after the one before.
func (j *judge) intent(a *account, was credential.Record) {
	r, wall := a.file.rec.Rotation, j.clocks.wall()
	if j.clocks.skew.Load() != 0 {
		j.counts.astray.Add(1)
		if a.file.astray++; a.file.astray > 1 {
			j.violate(a, "rotates %d times by one wrong clock", a.file.astray)
		}
	}
	if r == nil || r.Cause.Kind != credential.CauseScheduled {
		return
	}
	j.reopened(a, "begins a rotation")
	if !a.file.rule.opening.open(wall) && !a.file.rule.opening.open(wall.Add(-slack)) {
		j.override(a, was, r, wall)
	}
	least := a.file.rule.Lifetime - a.file.rule.RotateBefore
	if past := j.clocks.truth().Sub(a.file.promoted); !a.file.promoted.IsZero() && past < least-day && !j.fleet.jumped(a.file.promoted) {
		j.violate(a, "rotates %s after the last time, of %s", past, least)
	}
}

// override: outside of the window a rotation begins only where the next opening is too late, and people know of it.
func (j *judge) override(a *account, was credential.Record, r *credential.Rotation, wall time.Time) {
	j.counts.overrides.Add(1)
	last := rotation.Ends(was).Add(-a.file.rule.Overlap)
	switch next := a.file.rule.opening.next(wall); {
	case !r.Override:
		j.violate(a, "begins outside of its window without saying so")
	case !next.After(last):
		j.violate(a, "begins outside of its window, which opens at %s, in time for %s", next, last)
	case len(a.file.told) == 0:
		j.violate(a, "begins outside of its window, and nobody was told")
	}
}

// revoking judges the point of no return: inside the window, by the clock that the daemon has.
func (j *judge) revoking(a *account, entry credential.Audit) {
	r := a.file.rec.Rotation
	if r == nil || r.Cutover || r.Caps.Mode == credential.ModeManual {
		return
	}
	if r.Caps.Mode == credential.ModeGraceWindow {
		return // the provider's own timer asks no window
	}
	j.reopened(a, "revokes")
	wall := j.clocks.wall()
	o, due := a.file.rule.opening, rotation.DueAt(a.file.rec, r.Policy)
	if !o.open(wall) && !o.open(wall.Add(-slack)) && !r.Old.Gone(wall, 0) && (due.IsZero() || due.After(o.next(wall))) {
		j.violate(a, "revokes %s outside of its window", entry.Secret)
	}
	from := a.file.overlaps.Add(r.Policy.Overlap)
	if lag, disturbed := j.late(a, span{from, j.clocks.truth()}); !disturbed && !j.fleet.jumped(from) {
		j.lags.revoke.see(lag, a.id)
	}
}

// settled: an overlap is counted anew only where a clock that was ahead had dated its beginning, once that clock is right
// again, and soon after that.
func (j *judge) settled(a *account, was credential.Record) {
	old, r := was.Rotation, a.file.rec.Rotation
	if old == nil || r == nil || old.PromotedAt.IsZero() || r.PromotedAt.Equal(old.PromotedAt) {
		return
	}
	now := j.clocks.truth()
	a.file.overlaps = now
	switch waited := now.Sub(j.fleet.changed()); {
	case !a.file.ahead:
		j.violate(a, "counts an overlap anew that a right clock has dated")
	case j.clocks.skew.Load() != 0:
		j.violate(a, "counts an overlap anew by a wrong clock")
	case waited > recoveredBound(j.fleet.scan):
		j.violate(a, "counts an overlap anew %s after the clock was set right", waited)
	}
}

// reopened: a wall clock that is set back does not open again a window that has closed.
func (j *judge) reopened(a *account, what string) {
	o := a.file.rule.opening
	if j.clocks.skew.Load() < 0 && o.open(j.clocks.wall()) && !o.open(j.clocks.truth()) {
		j.violate(a, "%s in a window that has been over since the clock was set back", what)
	}
}

// silent: what Vault hands out does not expire without a word to its people. A rotation under way is no word: it may
// take as long as an overlap.
func (j *judge) silent(a *account) {
	rec, now := a.file.rec, j.clocks.truth()
	s := a.find(j.vault.see(a.file.Client).hands)
	if s == nil || s.live(now) || rec.Hold != nil || rec.Told.Expired || rec.Told.Failing || rec.Client.AllowCut {
		return
	}
	if rec.Rotation != nil && now.Sub(rec.Rotation.Started) < day || j.clocks.skew.Load() != 0 {
		return
	}
	j.violate(a, "what Vault hands out expired at %s, and nobody was told", s.Expires)
}
