package rotation

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// negativeEvery is the pause between two negative tests while an old secret is still accepted.
const negativeEvery = 5 * time.Second

// clockGrain is the unit in which Vault and HTTP servers tell the time.
const clockGrain = time.Second

// sweepPause is the pause before a refused destroy is tried again; it doubles sweepDoublings times at most.
const (
	sweepPause     = time.Minute
	sweepDoublings = 6
)

// overlapRules decide about two secrets that are both valid.
func overlapRules() []rule {
	return []rule{
		{"prove", func(s *step) bool { return s.rec.Rotation.Cutover && s.do(EffectProve) }},
		{"discard", (*step).deleteOrphan},
		{"nothing-to-revoke", (*step).nothingOld},
		{"hold", (*step).held},
		{"manual", (*step).manualOverlap},
		{"clock", (*step).promotedAhead},
		{"overlap", (*step).overlapRuns},
		{"deliver", (*step).undelivered},
		{"reload", (*step).unreloaded},
		{"in-use", (*step).inUse},
		{"which-secret", (*step).oldUnnamed},
		{"window", (*step).revokeWindow},
		{"gate", func(s *step) bool { return s.do(EffectGate) }},
	}
}

// withoutOld: a first secret has no predecessor, and neither has a value that was there before.
func withoutOld(r *credential.Rotation) bool { return r.OldVersion == 0 && r.Old.ID == "" }

func (s *step) nothingOld() bool {
	r := s.rec.Rotation
	if !withoutOld(r) {
		return false
	}
	r.Revoked, r.Negative = true, credential.NegativeSkipped
	s.enter(credential.PhaseRevoking)
	return s.do(EffectCleanUp)
}

// manualOverlap lasts until the old value is refused, expires, or a person says that it is gone.
func (s *step) manualOverlap() bool {
	if s.rec.Rotation.Caps.Mode != credential.ModeManual {
		return false
	}
	return s.do(EffectNegative)
}

// promotedAhead: a promote that lies in the future was dated by a clock that was ahead. The overlap does not wait for that
// clock's time: the gate asks an independent one.
func (s *step) promotedAhead() bool {
	return s.rec.Rotation.PromotedAt.After(s.env.Now.Add(clockAgreement)) && s.do(EffectGate)
}

func (s *step) overlapRuns() bool {
	r := s.rec.Rotation
	return s.env.Now.Before(r.RevokeAfter) && s.wait(r.RevokeAfter, "overlap")
}

// oldUnnamed: a secret whose id nobody knows is never revoked. A person names it, or ends the rotation without. Where a
// client has one secret at a time, what a person has made and brought has replaced it.
func (s *step) oldUnnamed() bool {
	r := s.rec.Rotation
	if r.Old.ID != "" || r.Caps.SlotRevoke || r.Caps.Mode == credential.ModeGraceWindow {
		return false
	}
	if r.Caps.Mode == credential.ModeHardCutover {
		r.Revoked = true
		s.enter(credential.PhaseRevoking)
		s.auditDetail(credential.EventRevoked, "by the provider, when the new one was made")
		return s.do(EffectNegative)
	}
	s.hold(credential.HoldWhichSecret, "which secret at the provider is the old one is not known; listed: "+ids(r.Before), nil)
	s.tellHold()
	return s.wait(time.Time{}, "hold")
}

// revokeWindow: a revoke happens inside the window.
func (s *step) revokeWindow() bool {
	at := retiresFrom(s.rec, s.env.Policy, s.env.window(s.rec.Rotation.Policy), s.env.Now)
	return at.After(s.env.Now) && s.wait(at, "window")
}

// lapses says whether the provider's own timer retires the old secret.
func lapses(r *credential.Rotation) bool {
	return r.Caps.Mode == credential.ModeGraceWindow && !r.Policy.DeleteEarly
}

func (s *step) applyGate(o Outcome) {
	switch {
	case s.oldCopy(o):
	case s.rec.Rotation.RollingBack != nil: // asked for meanwhile: the old one is about to be handed out again
	case o.Finding == FoundForeign:
		s.holdForeign(o)
	case o.Finding == FoundElsewhere:
		s.hold(credential.HoldChangedElsewhere, o.Failure.Text, nil)
	case o.Result != Done:
		s.fail(o.Failure)
	case s.datedAnew(o.Clock):
	case s.usedSince(o.LastUse):
	case s.clockTicks(o.Clock):
	case !s.clocksAgree(o.Clock):
		s.hold(credential.HoldClockSuspect, "the wall clock says that the overlap has ended; no second clock confirms it", retryable)
		s.rec.Backoff = credential.Backoff{Until: s.env.Now.Add(time.Minute)}
	default:
		s.openGate(o)
	}
}

// datedAnew counts an overlap from now whose beginning lies in the future by two clocks. That makes it no shorter than it
// was meant to be, because the promote is past. By one clock alone nothing is changed, and the end of the overlap is not
// slept through: it is the wall clock that may be behind.
func (s *step) datedAnew(independent time.Time) bool {
	r := s.rec.Rotation
	if !r.PromotedAt.After(s.env.Now.Add(clockAgreement)) {
		return false
	}
	off := s.env.Now.Sub(independent)
	if independent.IsZero() || off >= clockAgreement || off <= -clockAgreement {
		s.rec.Backoff = credential.Backoff{Until: earliest(r.RevokeAfter, latest(s.env.NextLook, s.env.Now.Add(longestPause)))}
		return true
	}
	r.PromotedAt, r.RevokeAfter = s.env.Now, s.env.Now.Add(overlapOf(r.Caps, r.Policy))
	s.auditDetail(credential.EventSettled, "the overlap is counted from now: its beginning was dated by a clock that was ahead")
	return true
}

// clocksAgree: two clocks must say that the overlap has ended. The second is the watermark plus the time elapsed; where
// it is behind (the daemon was down), Vault's or the provider's time decides.
func (s *step) clocksAgree(independent time.Time) bool {
	end := s.rec.Rotation.RevokeAfter
	if s.env.Now.Before(end) {
		return false
	}
	if !s.env.Second.Before(end) {
		return true
	}
	return !independent.IsZero() && !independent.Before(end)
}

// clockTicks waits for the next second of a clock that shows whole ones, where only that is missing.
func (s *step) clockTicks(independent time.Time) bool {
	missing := s.rec.Rotation.RevokeAfter.Sub(independent)
	if s.clocksAgree(independent) || missing <= 0 || missing > clockGrain {
		return false
	}
	s.rec.Backoff = credential.Backoff{Until: s.env.Now.Add(clockGrain)}
	return true
}

// openGate passes the point of no return, which names one id.
func (s *step) openGate(o Outcome) {
	r := s.rec.Rotation
	s.release("the gate is open")
	s.enter(credential.PhaseRevoking)
	r.Revoked = o.Finding == FoundGone && r.Caps.Mode != credential.ModeStaged // there the new one has to take its place all the same
	s.audit(credential.EventRevoking, func(a *credential.Audit) {
		a.Secret, a.Version = r.Old.ID, r.OldVersion
		if r.Revoked {
			a.Detail = "past its expiry: nothing to revoke"
		}
	})
	if r.Revoked {
		s.audit(credential.EventRevoked, func(a *credential.Audit) { a.Secret, a.Detail = r.Old.ID, "expired" })
	}
}

// finishedBefore: staging says that this rotation ended; the state is an old copy.
func (s *step) finishedBefore() {
	r := s.rec.Rotation
	r.Revoked, r.Negative = true, credential.NegativeNotProved
	s.finish()
}

// revokingRules finish what cannot be undone.
func revokingRules() []rule {
	return []rule{
		{"hold", (*step).held},
		{"late-orphan", (*step).deleteOrphan},
		{"revoke", func(s *step) bool { return !s.rec.Rotation.Revoked && s.do(EffectRevoke) }},
		{"negative", func(s *step) bool { return s.rec.Rotation.Negative == "" && s.do(EffectNegative) }},
		{"reload", (*step).wavesOn},
		{"clean-up", func(s *step) bool { return s.do(EffectCleanUp) }},
	}
}

// deleteOrphan deletes what a person discards, or what an earlier attempt has left, beside a secret that is published.
func (s *step) deleteOrphan() bool { return s.rec.Rotation.Orphan != "" && s.do(EffectCompensate) }

func (s *step) applyRevoke(o Outcome) {
	r := s.rec.Rotation
	switch {
	case o.Finding == FoundForeign:
		s.holdForeign(o)
	case o.Finding == FoundElsewhere:
		s.hold(credential.HoldChangedElsewhere, o.Failure.Text, nil)
	case o.Finding == FoundWaiting:
		s.progress()
		s.rec.Backoff.Until = o.At
	case o.Result != Done:
		s.fail(o.Failure)
	default:
		s.progress()
		r.Revoked = true
		s.audit(credential.EventRevoked, func(a *credential.Audit) { a.Secret, a.Version = r.Old.ID, r.OldVersion })
	}
}

func (s *step) applyNegative(o Outcome) {
	switch {
	case o.Finding == FoundForeign:
		s.holdForeign(o)
	case o.Finding == FoundNoValue:
		s.negative(credential.NegativeNotProved)
	case o.Finding == FoundNoProof && s.manual():
		s.manualStill()
	case o.Finding == FoundNoProof:
		s.negative(credential.NegativeNotProved)
	case o.Old == providers.Refused:
		s.negative(credential.NegativeProved)
	case o.Old == providers.Accepted && s.manual():
		s.manualStill()
	case o.Old == providers.Accepted:
		s.stillAccepted()
	default:
		s.fail(o.Failure)
	}
}

func (s *step) manual() bool {
	return s.rec.Rotation.Caps.Mode == credential.ModeManual && s.rec.Rotation.Phase == credential.PhaseOverlap
}

// manualStill: the old one still works. Its stated expiry ends the wait; else a person does.
func (s *step) manualStill() {
	r := s.rec.Rotation
	s.progress()
	if r.Old.Gone(s.env.Now, ExpirySkew) {
		s.negative(credential.NegativeNotProved)
		return
	}
	s.rec.Backoff.Until = s.env.NextLook
	if !r.Old.Expires.IsZero() && r.Old.Expires.Before(s.env.NextLook) {
		s.rec.Backoff.Until = r.Old.Expires.Add(ExpirySkew + time.Second)
	}
}

// stillAccepted asks again until the propagation bound; then a person has to look.
func (s *step) stillAccepted() {
	r := s.rec.Rotation
	if r.NegativeSince.IsZero() || r.NegativeSince.After(s.env.Now) {
		r.NegativeSince = s.env.Now
	}
	s.progress()
	s.rec.Backoff.Until = s.env.Now.Add(negativeEvery)
	if s.env.Now.Sub(r.NegativeSince) > s.env.Timing.Propagation+time.Minute {
		s.hold(credential.HoldAttempts, "the old secret is still accepted after it was revoked", nil)
	}
}

func (s *step) negative(result credential.Negative) {
	r := s.rec.Rotation
	s.progress()
	if r.Phase != credential.PhaseRevoking {
		s.enter(credential.PhaseRevoking)
		r.Revoked = true
	}
	r.Negative = result
	event := credential.EventOldRefused
	if result != credential.NegativeProved {
		event = credential.EventNotProved
	}
	s.audit(event, func(a *credential.Audit) { a.Secret, a.Version = r.Old.ID, r.OldVersion })
}

func (s *step) applyCleanUp(o Outcome) {
	if o.Result != Done {
		s.fail(o.Failure)
		return
	}
	if o.Finding == FoundOrphan {
		s.rec.Rotation.Orphan = o.Orphan
		s.audit(credential.EventOrphan, func(a *credential.Audit) { a.Secret, a.Detail = o.Orphan, "of an earlier attempt" })
		return
	}
	if o.Cleanup != nil {
		s.rec.Cleanup = o.Cleanup
		s.sweepLater()
	}
	s.finish()
}

// finish returns to steady.
func (s *step) finish() {
	r := s.rec.Rotation
	if r.Negative == credential.NegativeKept {
		s.drop("kept")
		s.hold(credential.HoldSecretKept, secretKept, func(h *credential.Hold) { h.Deadline = Ends(s.rec) })
		return
	}
	s.audit(credential.EventConfirmed, func(a *credential.Audit) { a.Secret, a.Version = r.New.ID, r.Promoted })
	s.release("the rotation is finished")
	s.rec.Last = credential.Last{Rotation: r.ID, At: s.env.Now, Outcome: "done", Staged: r.Staged, StagedAt: r.StagedAt, Negative: r.Negative}
	s.learnEnd(r)
	s.rec.Rotation, s.rec.Backoff = nil, credential.Backoff{}
	s.rec.NextLook, s.rec.Beside, s.rec.BesideAt = s.env.Now, nil, time.Time{}
	if r.New.ID == "" && r.Caps.StartReadable { // a person brought the value: the next look finds out which secret it is
		s.rec.Sight = credential.SightNone
	}
}

func (s *step) applySweep(o Outcome) {
	if o.Result == Done && o.Cleanup == nil {
		s.rec.Cleanup = nil
		return
	}
	if s.rec.Cleanup != nil {
		s.sweepLater()
	}
}

// sweepLater tries a refused destroy again: soon where a line was broken, ever more rarely where a right is missing.
func (s *step) sweepLater() {
	c := *s.rec.Cleanup
	c.Next = s.env.Now.Add(min(longestPause, sweepPause<<min(c.Tries, sweepDoublings)))
	c.Tries++
	s.rec.Cleanup = &c
}
