package rotation

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// steadyRules decide about a client with nothing under way.
func steadyRules() []rule {
	return []rule{
		{"leaving", (*step).archive},
		{"backoff", (*step).backedOff},
		{"look", (*step).lookDue},
		{"sweep", (*step).sweepDue},
		{"discard", (*step).discardDue},
		{"watch", (*step).forgetWish},
		{"rotate", (*step).rotate},
		{"steady", (*step).waitSteady},
	}
}

func (s *step) archive() bool {
	if !s.rec.Leaving {
		return false
	}
	s.out.Archive = true
	s.leave()
	s.audit(credential.EventArchived, nil)
	return true
}

// lookDue also looks where the next look was planned by a clock that has been set back, or by a slower schedule.
func (s *step) lookDue() bool {
	return (!s.rec.NextLook.After(s.env.Now) || s.rec.NextLook.After(s.env.NextLook)) && s.do(EffectLook)
}

// sweepDue also sweeps where the next time was set by a clock that has been set back: no pause is as long as that.
func (s *step) sweepDue() bool {
	c := s.rec.Cleanup
	return c != nil && (!c.Next.After(s.env.Now) || c.Next.After(s.env.Now.Add(longestPause))) && s.do(EffectSweep)
}

// forgetWish drops what a person wanted before the policy only watched. It would be refused today, and must not begin a
// rotation on the day on which the policy rotates again.
func (s *step) forgetWish() bool {
	r := &s.rec.Request
	if s.env.Policy.OnlyWatches() && (r.Rotate || r.Approved) {
		r.Rotate, r.Approved, r.Compromised = false, false, false
		s.auditDetail(credential.EventSettled, "what was asked for is dropped: the policy "+s.env.Policy.Name+" only watches")
	}
	return false
}

// wanted says why a rotation is to begin now; nil means that none is.
func (s *step) wanted() *credential.Cause {
	r := s.rec.Request
	switch {
	case s.env.Policy.OnlyWatches():
		return nil
	case s.rec.Caps.Mode == credential.ModeManual || s.rec.Sight == credential.SightNone:
		return nil
	case r.Rotate && r.Compromised:
		return &credential.Cause{Kind: credential.CauseCompromised, Actor: r.Actor, Reason: r.Reason}
	case r.Rotate:
		return &credential.Cause{Kind: credential.CauseRequested, Actor: r.Actor, Reason: r.Reason}
	case s.rec.Sight == credential.SightEmpty:
		return s.wantedFirst()
	}
	return s.wantedByPlan()
}

// wantedFirst is about a client for which Vault holds nothing.
func (s *step) wantedFirst() *credential.Cause {
	if s.rec.Client.Bootstrap {
		return &credential.Cause{Kind: credential.CauseBootstrap}
	}
	return nil
}

func (s *step) wantedByPlan() *credential.Cause {
	due := DueAt(s.rec, s.env.Policy)
	switch {
	case due.IsZero() || due.After(s.env.Now):
		return nil
	case s.expired():
		return s.approved(credential.CauseExpired)
	case !s.rec.Caps.Required.IsZero() && !s.rec.Caps.Required.After(s.env.Now):
		return s.approved(credential.CauseRequired)
	}
	return s.approved(credential.CauseScheduled)
}

func (s *step) expired() bool {
	end := Ends(s.rec)
	return !end.IsZero() && !s.env.Now.Before(end)
}

// approved asks for a person's word where the policy wants it.
func (s *step) approved(kind credential.CauseKind) *credential.Cause {
	if s.env.Policy.Start != credential.StartApprove {
		return &credential.Cause{Kind: kind}
	}
	if s.rec.Request.Approved {
		return &credential.Cause{Kind: kind, Actor: s.rec.Request.Actor, Reason: s.rec.Request.Reason}
	}
	return nil
}

// rotate begins a rotation if one is wanted and nothing stands against it.
func (s *step) rotate() bool {
	cause := s.wanted()
	switch {
	case cause == nil, s.blockedByHold():
		s.leaveWave()
		return false
	case s.env.NoCreate != "":
		return s.wait(s.env.Now.Add(time.Minute), s.env.NoCreate)
	}
	if open, _ := s.startsAt(*cause); open.After(s.env.Now) || open.IsZero() {
		s.giveUpTurn()
		return false
	}
	if s.waitsForTomorrow(*cause) || s.waitsItsTurn(*cause) {
		return true
	}
	return s.do(EffectPrepare)
}

// blockedByHold says whether a hold stops new rotations. A hold that the next look may clear does not: Prepare asks
// again, at the pace of the looks, and holds again if nothing has changed.
func (s *step) blockedByHold() bool {
	return s.rec.Hold != nil && !s.rec.Hold.Retry
}

// startsAt returns when a wanted rotation may begin, and whether that is outside its window. What a person wants now,
// the first secret and an expired one do not wait for a window.
func (s *step) startsAt(c credential.Cause) (at time.Time, override bool) {
	switch c.Kind {
	case credential.CauseRequested, credential.CauseCompromised, credential.CauseBootstrap, credential.CauseExpired:
		return s.env.Now, false
	default:
		from := latest(latest(DueAt(s.rec, s.env.Policy), s.env.Now), s.afterAbort())
		return inWindow(from, lastStart(s.rec, s.env.Policy), s.env.window(s.env.Policy))
	}
}

// afterAbort returns until when a person who has ended a rotation is left in peace: one that is due already does not
// begin again under their hands. Zero = nobody has ended one lately.
func (s *step) afterAbort() time.Time {
	last := s.rec.Last
	if last.Outcome != "aborted" || last.At.After(s.env.Now) {
		return time.Time{}
	}
	return last.At.Add(abortPause)
}

// waitSteady sleeps until something has to be decided again: the minimum of all reasons.
func (s *step) waitSteady() bool {
	s.wait(s.rec.NextLook, "look")
	if c := s.rec.Cleanup; c != nil {
		s.sooner(c.Next, "sweep")
	}
	for _, o := range s.rec.Orphans {
		s.sooner(o.Next, "discard")
	}
	if s.blockedByHold() || s.rec.Caps.Mode == credential.ModeManual || s.env.Policy.OnlyWatches() {
		return true
	}
	if s.env.Policy.Start == credential.StartApprove && !s.rec.Request.Approved {
		return true
	}
	s.sooner(s.future(s.planned()), "rotate")
	return true
}

// planned returns the moment of the planned rotation, never in the past: what is due already waits for its window.
func (s *step) planned() time.Time {
	at, _ := Planned(s.rec, s.env.Policy, s.env.window(s.env.Policy))
	if at.IsZero() || at.After(s.env.Now) {
		return at
	}
	open, _ := s.startsAt(credential.Cause{Kind: credential.CauseScheduled})
	return open
}
