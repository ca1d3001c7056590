package rotation

import (
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// stagedRules decide about a secret that stands in staging and is not published. Nothing stops it: neither window nor
// hold nor shutdown.
func stagedRules() []rule {
	return []rule{
		{"cutover", func(s *step) bool { return s.rec.Rotation.Cutover && s.publish() }},
		{"caches", (*step).cachesFollow},
		{"shown", (*step).oldDiesSoon},
		{"verify", func(s *step) bool { return s.do(EffectVerify) }},
	}
}

// cachesFollow: a public key is read now and then by those who check with it, and a consumer that signs with its private half
// before all of them have it is refused by some.
func (s *step) cachesFollow() bool {
	r := s.rec.Rotation
	until := r.Since.Add(s.env.Timing.Propagation)
	return r.Caps.Mode == credential.ModeKeySet && s.env.Now.Before(until) && s.wait(until, "caches")
}

// publish asks for the promote. From here on it may land, whatever becomes of the process that sends it: nobody may take
// the new secret back.
func (s *step) publish() bool {
	s.rec.Rotation.Publishing = true
	return s.do(EffectPromote)
}

// oldDiesSoon: an unverified secret that the provider shows as current is better than one that is about to expire.
func (s *step) oldDiesSoon() bool {
	r := s.rec.Rotation
	if r.Caps.Mode != credential.ModeGraceWindow || r.OldDies.IsZero() || s.rec.Backoff.Attempts == 0 && r.Successes > 0 {
		return false
	}
	margin := min(10*time.Minute, r.OldDies.Sub(r.StagedAt)/10)
	if s.env.Now.Before(r.OldDies.Add(-margin)) {
		return false
	}
	return s.do(EffectShown)
}

func (s *step) applyShown(o Outcome) {
	switch {
	case s.oldCopy(o), s.stagingLost(o):
	case o.Finding == FoundForeign:
		s.pageForeign(o)
	case o.Finding == FoundElsewhere:
		s.pageUnproved(credential.HoldChangedElsewhere, "the staged secret is not the provider's current one")
	case o.Finding == FoundNotShown:
		s.pageUnproved(credential.HoldCannotVerify, "the provider neither accepts the new secret nor shows it as its current one")
	case o.Result != Done:
		s.fail(o.Failure)
	case o.Answer == providers.Accepted:
		s.verified("once: the old one is about to expire")
	default:
		why := "the new secret could not be verified; it is published because the old one is about to expire"
		s.notice(credential.NoticeFailed, "unverified", func(f *credential.Facts) { f.Error = why })
		s.enter(credential.PhaseVerified)
		s.auditDetail(credential.EventVerified, why)
	}
}

// pageUnproved calls for a person while attempts go on.
func (s *step) pageUnproved(code credential.HoldCode, what string) {
	s.hold(code, what, func(h *credential.Hold) { h.Paging, h.Deadline = true, s.oldEnds() })
	s.rec.Backoff.Until = s.env.Now.Add(time.Minute)
}

// oldCopy ends a rotation that Vault staging says has been finished, or followed by another one: the state is an old
// copy. The next look takes over what has become of it.
func (s *step) oldCopy(o Outcome) bool {
	switch o.Finding {
	case FoundFinished:
		s.finishedBefore()
	case FoundOther:
		s.drop("superseded")
	case FoundTurned:
		s.forgetTurned()
	default:
		return false
	}
	return true
}

// stagingLost: Vault has lost the staged bundle, because a backup was restored. What can be read back or deleted at the
// provider is found out like after an unknown create. What a person brought, that person has to bring again.
func (s *step) stagingLost(o Outcome) bool {
	r := s.rec.Rotation
	if o.Finding != FoundLost {
		return false
	}
	s.auditDetail(credential.EventFailed, "vault has lost the staged secret")
	if r.Caps.Mode == credential.ModeManual || additive(r.Caps.Mode) && r.New.ID == "" {
		s.notice(credential.NoticeFailed, "staging-lost", func(f *credential.Facts) {
			f.Error = "Vault has lost the submitted value before it was published; submit it again"
		})
		s.drop("aborted")
		return true
	}
	if additive(r.Caps.Mode) && r.New.ID != "" {
		r.Orphan, r.Fence = r.New.ID, o.Fence
		r.Publishing = r.Publishing || r.SinceBoot != s.env.Boot // the state may be an older one, which knows of no promote
		s.enter(credential.PhaseCompensating)
		return true
	}
	if r.FenceAt.IsZero() {
		r.FenceAt = earliest(r.New.Start, r.StagedAt)
	}
	r.New, r.Staged, r.StagedAt, r.Promoted = credential.Secret{}, 0, time.Time{}, 0
	s.enter(credential.PhaseIntent)
	r.Unsettled = s.env.moment()
	return true
}

func (s *step) applyVerify(o Outcome) {
	r := s.rec.Rotation
	settings := r.Client.Verify.WithDefaults()
	switch {
	case s.oldCopy(o), s.stagingLost(o):
	case o.Finding == FoundForeign:
		s.pageForeign(o)
	case o.Answer == providers.Accepted && !s.provedBy(o):
		r.Successes = 0
	case o.Answer == providers.Accepted:
		s.progress()
		r.Successes++
		if r.Successes < settings.Successes {
			s.rec.Backoff.Until = s.env.Now.Add(settings.Interval)
			return
		}
		s.verified("")
	case o.Finding == FoundNoProof:
		s.verified("this provider has no way to ask")
	case o.Answer == providers.Refused:
		r.Successes = 0
		s.refused(settings)
	default:
		r.Successes = 0
		s.fail(o.Failure)
	}
}

// provedBy says whether the verifier proves anything: once per client it must have refused a random value. For a first
// secret there is no earlier moment to ask.
func (s *step) provedBy(o Outcome) bool {
	switch {
	case s.rec.Proved:
		return true
	case o.Random == providers.Refused:
		s.rec.Proved = true
		return true
	case o.Random == providers.Accepted:
		s.hold(credential.HoldCannotVerify, "the verification accepted a random value, so it proves nothing; choose another verify.method",
			func(h *credential.Hold) { h.Paging, h.Deadline = true, s.oldEnds() })
		s.rec.Backoff.Until = s.env.Now.Add(time.Minute)
	default:
		s.fail(o.Failure)
	}
	return false
}

func (s *step) verified(detail string) {
	s.enter(credential.PhaseVerified)
	s.audit(credential.EventVerified, func(a *credential.Audit) { a.Secret, a.Detail = s.rec.Rotation.New.ID, detail })
}

// refused waits for a new secret to be known everywhere, up to the deadline. Then what was only added is taken back;
// what has replaced the old one keeps being asked.
func (s *step) refused(settings credential.VerifySettings) {
	r := s.rec.Rotation
	s.rec.Backoff.Until = s.env.Now.Add(settings.Interval)
	deadline := settings.Deadline
	if r.Caps.Mode == credential.ModeKeySet { // which begins when the caches have been waited for
		deadline += s.env.Timing.Propagation
	}
	if s.env.Now.Before(r.Since.Add(deadline)) {
		return
	}
	if additive(r.Caps.Mode) && r.New.ID != "" {
		r.Orphan, r.Fence = r.New.ID, r.Staged
		s.auditDetail(credential.EventFailed, "the new secret was refused until the deadline")
		s.enter(credential.PhaseCompensating)
		return
	}
	s.hold(credential.HoldCannotVerify, "the provider refuses the new secret", func(h *credential.Hold) {
		h.Paging, h.Deadline = true, s.oldEnds()
	})
}

// pageForeign calls for a person while attempts go on.
func (s *step) pageForeign(o Outcome) {
	s.hold(credential.HoldForeignWrite, o.Failure.Text, func(h *credential.Hold) { h.Paging, h.Deadline = true, s.oldEnds() })
	s.rec.Backoff.Until = s.env.Now.Add(time.Minute)
}

func (s *step) applyPromote(o Outcome) {
	switch {
	case s.oldCopy(o), s.stagingLost(o):
	case o.Finding == FoundForeign:
		s.rec.Rotation.Publishing = false
		s.pageForeign(o)
	case o.Finding == FoundRefused:
		s.auditDetail(credential.EventFailed, "the new secret is no longer accepted")
		s.enter(credential.PhaseStaged)
	case o.Result != Done:
		s.fail(o.Failure)
	case o.Finding == FoundKept:
		s.kept(o)
	default:
		s.promoted(o)
	}
}

// kept ends a rotation in which the provider has answered with the secret that it had before. What Vault holds now opens
// the provider again; what is left is to tidy up staging, and to say it.
func (s *step) kept(o Outcome) {
	r := s.rec.Rotation
	r.Publishing, r.Promoted, r.PromotedAt = false, o.Version, latest(o.At, s.env.Now)
	if s.rec.Current = r.Old; r.New.ID != "" {
		s.rec.Current = r.New // the same one, as the provider describes it now
	}
	s.stands(o.Version, o.At)
	s.enter(credential.PhaseRevoking)
	r.Revoked, r.Negative = true, credential.NegativeKept
}

// secretKept is what a person reads of the hold that follows.
const secretKept = "the provider was asked for a new secret and kept the old one: nothing was rotated, and consumers need not do anything. " +
	"Asking again will hardly help: see the README of the provider's kind for what this server can do"

// promoted begins the overlap: Vault hands out the new secret.
func (s *step) promoted(o Outcome) {
	r := s.rec.Rotation
	r.Publishing = false
	r.Promoted, r.PromotedAt, r.Restored = o.Version, latest(o.At, s.env.Now), false
	s.rec.Current, s.rec.Sight = r.New, credential.SightAdopted
	s.stands(o.Version, o.At)
	if r.Caps.Mode == credential.ModeManual && s.rec.Current.Expires.IsZero() {
		s.rec.Current.Expires = r.Client.Expires
	}
	r.RevokeAfter = r.PromotedAt.Add(overlapOf(r.Caps, r.Policy))
	s.rec.Told = credential.Told{}
	s.enter(credential.PhaseOverlap)
	about := func(a *credential.Audit) { a.Secret, a.Version = r.New.ID, o.Version }
	s.audit(credential.EventPromoted, about)
	if o.Finding == FoundSame {
		s.auditDetail(credential.EventSettled, fmt.Sprintf("version %d holds the same value: there is no old secret", r.OldVersion))
		r.Old, r.OldVersion = credential.Secret{}, 0
	}
	if r.Caps.Mode == credential.ModeHardCutover && !withoutOld(r) {
		r.Cutover = true // what a person has made and brought has replaced the old one, too
	}
	s.tellRotated()
	if r.Cutover || withoutOld(r) {
		return
	}
	s.audit(credential.EventOverlap, func(a *credential.Audit) {
		a.Secret, a.Version = r.Old.ID, r.OldVersion
		a.Detail = "until " + s.oldStops().Format(time.RFC3339)
	})
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
