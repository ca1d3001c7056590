package rotation

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// applyProve judges a hard cutover by asking with both values: the new one must be accepted, the old one refused.
// Servers cache verifiers, so an answer counts for good only after the propagation bound.
func (s *step) applyProve(o Outcome) {
	if s.oldCopy(o) || s.stagingLost(o) {
		return
	}
	if o.Finding == FoundForeign {
		s.holdForeign(o)
		return
	}
	old := o.Old
	if o.Finding == FoundNoValue {
		old = providers.Refused
	}
	s.judgeCutover(o, o.Answer == providers.Accepted, o.Answer == providers.Refused, old)
}

func (s *step) judgeCutover(o Outcome, newIn, newOut bool, old providers.Answer) {
	oldIn, oldOut := old == providers.Accepted, old == providers.Refused
	switch {
	case newIn && s.rec.Rotation.Phase == credential.PhaseCompensating:
		s.backToNew()
	case newIn && oldOut:
		s.cutoverProved(o)
	case newIn && oldIn:
		s.untilBound(credential.HoldAttempts, "the old secret is still accepted after the cutover")
	case newOut && oldIn:
		s.cutoverDidNotTake()
	case newOut && oldOut:
		s.untilBound(credential.HoldBothRefused, "the provider refuses the old secret and the new one")
	default:
		s.fail(o.Failure)
	}
}

func (s *step) cutoverProved(o Outcome) {
	r := s.rec.Rotation
	s.enter(credential.PhaseRevoking)
	s.audit(credential.EventVerified, func(a *credential.Audit) { a.Secret = r.New.ID })
	r.Revoked = true
	s.audit(credential.EventRevoked, func(a *credential.Audit) { a.Secret, a.Detail = r.Old.ID, "by the provider, when the new one was made" })
	switch {
	case o.Old == providers.Refused:
		s.negative(credential.NegativeProved)
	case r.OldVersion == 0:
		r.Negative = credential.NegativeSkipped
	default:
		s.negative(credential.NegativeNotProved)
	}
}

// untilBound asks again soon; after the propagation bound it also calls for a person.
func (s *step) untilBound(code credential.HoldCode, what string) {
	s.askSoon()
	if s.pastBound() {
		s.hold(code, what, func(h *credential.Hold) { h.Paging = true })
		s.rec.Backoff.Until = latest(s.rec.Backoff.Until, s.env.Now.Add(negativeEvery))
	}
}

func (s *step) askSoon() {
	s.progress()
	s.rec.Backoff.Until = s.env.Now.Add(s.rec.Rotation.Client.Verify.WithDefaults().Interval)
}

func (s *step) pastBound() bool {
	return s.env.Now.Sub(s.rec.Rotation.Since) > s.env.Timing.Propagation
}

// cutoverDidNotTake: the new value is refused and the old one works. After the bound Vault hands out the old one again;
// from then on whichever is accepted is what Vault hands out, and the next window tries again.
func (s *step) cutoverDidNotTake() {
	r := s.rec.Rotation
	if r.Phase == credential.PhaseCompensating {
		s.resendInWindow()
		return
	}
	s.askSoon()
	if s.pastBound() {
		s.enter(credential.PhaseCompensating)
		s.auditDetail(credential.EventFailed, "the cutover did not take: the new secret is refused, the old one is accepted")
	}
}

func (s *step) resendInWindow() {
	r := s.rec.Rotation
	w := s.env.window(r.Policy)
	if s.env.quiet(since(r)) > 0 || !w.Contains(s.env.Now) {
		s.rec.Backoff.Until = s.env.Now.Add(time.Minute)
		return
	}
	s.nextAttempt(r.Staged)
}

// backToNew: the new value is accepted after all, so Vault hands it out again.
func (s *step) backToNew() {
	s.auditDetail(credential.EventSettled, "the new secret is accepted after all")
	s.enter(credential.PhaseStaged)
}

func (s *step) applyRestore(o Outcome) {
	switch {
	case s.oldCopy(o):
	case o.Finding == FoundForeign:
		s.pageForeign(o)
	case o.Result != Done:
		s.fail(o.Failure)
	default:
		s.progress()
		r := s.rec.Rotation
		r.Restored, r.OldVersion = true, o.Version
		r.SinceBoot, r.SinceElapsed = s.env.Boot, s.env.Elapsed
		s.rec.Current = r.Old
		s.stands(o.Version, o.At)
		s.audit(credential.EventSettled, func(a *credential.Audit) {
			a.Secret, a.Version, a.Detail = r.Old.ID, o.Version, "Vault hands out the old secret again"
		})
		s.notice(credential.NoticeFailed, "restored", func(f *credential.Facts) {
			f.Error = "the cutover did not take; Vault hands out the old secret again"
		})
	}
}
