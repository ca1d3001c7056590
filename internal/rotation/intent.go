package rotation

import (
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// intentRules decide about a rotation whose create may or may not have been sent.
func intentRules() []rule {
	return []rule{
		{"discard", (*step).deleteOrphan},
		{"deadline", (*step).cutBeforeDeadline},
		{"hold", (*step).held},
		{"settle", (*step).settle},
		{"create", (*step).create},
	}
}

// create asks for the create. From here on this process no longer knows that none was sent, until it has the outcome.
func (s *step) create() bool {
	s.rec.Rotation.Asked = ""
	return s.do(EffectCreate)
}

// held waits while a person is needed. A paging hold stops nothing, and one that may end by itself is asked about again
// after its pause.
func (s *step) held() bool {
	h := s.rec.Hold
	if h == nil || h.Paging || h.Retry {
		return false
	}
	s.wait(s.future(h.Deadline), "hold")
	if until := s.cutAt(); !until.IsZero() {
		s.sooner(until, "hold")
	}
	return true
}

// cutAt returns when a lost secret is replaced by a hard cutover rather than left to expire; zero = never.
func (s *step) cutAt() time.Time {
	h, r := s.rec.Hold, s.rec.Rotation
	if h == nil || h.Code != credential.HoldSecretLost || h.Deadline.IsZero() || !r.Client.AllowCut {
		return time.Time{}
	}
	return h.Deadline.Add(-s.env.Timing.Deadline - s.env.Timing.Propagation - time.Minute)
}

// cutBeforeDeadline creates again, as a hard cutover, shortly before the only secret that consumers have expires: the
// value of the newer one is lost, and a person has permitted cutovers.
func (s *step) cutBeforeDeadline() bool {
	at := s.cutAt()
	if at.IsZero() || s.env.Now.Before(at) {
		return false
	}
	if s.env.Second.Before(at) { // it stands still while no process runs: an independent clock tells
		return s.do(EffectSettle)
	}
	s.release("the secret in use expires soon; creating again as a hard cutover")
	s.rec.Rotation.Cutover, s.rec.Rotation.Replaced = true, true
	s.nextAttempt(s.rec.Rotation.Fence)
	return s.create()
}

// settle finds out about an unknown create before anything else is created. Where the value can be read back it is
// read at once; else nothing can be concluded before the request can no longer land.
func (s *step) settle() bool {
	r := s.rec.Rotation
	if r.Unsettled == nil {
		return false
	}
	if left := s.env.quiet(r.Unsettled); left > 0 && !readsBack(r.Caps) {
		return s.wait(s.env.Now.Add(left), "quiescence")
	}
	return s.do(EffectSettle)
}

func readsBack(c credential.Capabilities) bool {
	return c.Readable && (c.Mode == credential.ModeGraceWindow || c.Mode == credential.ModeHardCutover)
}

func (s *step) applyCreate(o Outcome) {
	if s.oldCopy(o) {
		return
	}
	r := s.rec.Rotation
	r.Asked = s.env.Boot
	switch {
	case o.Finding == FoundForeign && o.Result == Unknown:
		r.Fence, r.FenceAt, r.Unsettled = o.Fence, o.FenceAt, s.env.moment()
		s.holdForeign(o)
	case o.Finding == FoundForeign:
		s.perhapsSent()
		s.holdForeign(o)
	case o.Finding == FoundEarlier:
		r.FenceBase = o.Fence
		s.fail(o.Failure)
	case o.Finding == FoundOrphan:
		s.orphaned(o)
	case o.Result == Done:
		s.staged(o)
	case o.Finding == FoundPending:
		r.Fence, r.FenceAt = o.Fence, o.FenceAt
		r.Resent++
		if o.Result == Unknown {
			r.Sent = s.env.moment()
		}
		s.fail(o.Failure)
	case o.Result == Unknown:
		r.Fence, r.FenceAt, r.Unsettled = o.Fence, o.FenceAt, s.env.moment()
		s.auditDetail(credential.EventUnknown, o.Failure.Text)
	default:
		s.notCreated(o)
	}
}

// perhapsSent: somebody else's entry hides whether a process before this one has sent a create.
func (s *step) perhapsSent() {
	r := s.rec.Rotation
	if r.SinceBoot == s.env.Boot || r.Fence != 0 {
		return
	}
	r.Fence, r.FenceAt = r.FenceBase+1, r.Since
	if !r.Caps.Mode.Chosen() {
		r.Unsettled = s.env.moment()
	}
}

// notCreated is about a create that definitely did not happen: the fence, if it was written, is the base of the next.
func (s *step) notCreated(o Outcome) {
	r := s.rec.Rotation
	if o.Fence != 0 {
		r.FenceBase, r.Fence, r.FenceAt = o.Fence, 0, time.Time{}
		r.SinceBoot, r.SinceElapsed = s.env.Boot, s.env.Elapsed // the fence was ours: no process before us has sent one
	}
	if o.Finding == FoundRejected {
		r.Attempt++
		r.Sent = nil
		o.Failure.After = s.env.Timing.Deadline + s.env.Timing.Propagation
	}
	if o.Failure.Class == providers.ClassUnsupported && s.nothingCreated() {
		s.cannotCreate(o.Failure)
		return
	}
	s.fail(o.Failure)
	switch o.Failure.Class {
	case providers.ClassQuota:
		s.hold(credential.HoldSlotsFull, o.Failure.Text, nil)
	case providers.ClassNotFound:
		s.hold(credential.HoldClientMissing, o.Failure.Text, nil)
	default:
	}
}

// cannotCreate: the provider says that it cannot make a secret like this one, and none was made. Asking again would get the
// same answer, so the rotation ends here, and a person is asked.
func (s *step) cannotCreate(f Failure) {
	s.auditDetail(credential.EventFailed, f.Text)
	s.drop("the provider cannot do it")
	s.hold(credential.HoldAttempts, f.Text, nil)
}

func (s *step) holdForeign(o Outcome) {
	s.hold(credential.HoldForeignWrite, o.Failure.Text, nil)
}

// staged takes in a new secret whose bundle stands in Vault staging.
func (s *step) staged(o Outcome) {
	r := s.rec.Rotation
	r.New, r.Staged, r.StagedAt, r.OldDies = o.Secret, o.Version, o.At, o.OldDies
	r.Fence, r.Unsettled, r.Orphan = o.Version, nil, ""
	if r.OldDies.IsZero() && !r.Cutover {
		r.OldDies = graceEnds(r.Caps, earliest(r.FenceAt, o.FenceAt, s.env.Now))
	}
	about := func(a *credential.Audit) { a.Secret = o.Secret.ID }
	if o.Finding == FoundKept {
		s.auditDetail(credential.EventFailed, o.Failure.Text)
	} else {
		s.audit(credential.EventCreated, about)
	}
	s.enter(credential.PhaseStaged)
	s.audit(credential.EventStaged, func(a *credential.Audit) { a.Secret, a.Version = o.Secret.ID, o.Version })
	if r.Aborting && additive(r.Caps.Mode) && r.New.ID != "" {
		r.Orphan = r.New.ID
		s.enter(credential.PhaseCompensating)
	}
}

func (s *step) applySettle(o Outcome) {
	switch {
	case s.oldCopy(o):
	case o.Result != Done:
		s.unsettled(o)
	case o.Finding == FoundStaged:
		s.auditDetail(credential.EventSettled, "the new secret had landed")
		s.staged(o)
	case o.Finding == FoundNotDone:
		s.auditDetail(credential.EventSettled, "nothing had been created")
		if s.rec.Rotation.Aborting {
			s.drop("aborted")
			return
		}
		s.nextAttempt(o.Fence)
	case o.Finding == FoundOrphan:
		s.orphaned(o)
	case o.Finding == FoundLost:
		s.lost(o)
	default:
		s.settleHeld(o)
	}
}

// unsettled keeps asking: reading back costs little, other ways pause like any failure.
func (s *step) unsettled(o Outcome) {
	if o.Result == Unknown && o.Finding == FoundNothing && o.Failure.Class == "" {
		s.rec.Backoff = credential.Backoff{Until: s.env.Now.Add(readBackEvery)}
		return
	}
	s.fail(o.Failure)
}

func (s *step) orphaned(o Outcome) {
	r := s.rec.Rotation
	r.Orphan, r.Fence = o.Orphan, o.Fence
	s.audit(credential.EventOrphan, func(a *credential.Audit) { a.Secret = o.Orphan })
	s.enter(credential.PhaseCompensating)
}

// lost is about a create that landed and whose value nobody has. In a cutover nothing is left to protect: create again
// at once. Where the old secret counts down, a person has to decide.
func (s *step) lost(o Outcome) {
	if s.rec.Rotation.Cutover {
		s.rec.Rotation.Replaced = true
		s.auditDetail(credential.EventSettled, "created, and the reply was lost; the old secret is dead already")
		s.nextAttempt(o.Fence)
		return
	}
	if o.Fence != 0 {
		s.rec.Rotation.Fence = o.Fence
	}
	if h := s.rec.Hold; h != nil && h.Code == credential.HoldSecretLost {
		s.rec.Backoff = credential.Backoff{Until: s.env.Now.Add(time.Minute)}
	}
	s.hold(credential.HoldSecretLost, "the provider has a new secret whose value was never received", func(h *credential.Hold) {
		h.Deadline = s.lostDeadline(o)
	})
}

// lostDeadline returns when the secret that consumers still have ends: the provider says so, or it has replaced it when
// our create landed.
func (s *step) lostDeadline(o Outcome) time.Time {
	r := s.rec.Rotation
	switch {
	case !o.OldDies.IsZero():
		r.OldDies = o.OldDies
	case r.OldDies.IsZero():
		r.OldDies = graceEnds(r.Caps, r.FenceAt)
	}
	return s.oldEnds()
}

func (s *step) settleHeld(o Outcome) {
	deadline := func(h *credential.Hold) { h.Deadline = s.lostDeadline(o) }
	switch o.Finding {
	case FoundMany:
		s.hold(credential.HoldWhichSecret, "several new secrets at the provider could be the one that rotad made: "+o.Orphan, deadline)
	case FoundElsewhere:
		s.hold(credential.HoldChangedElsewhere, "the secret at the provider was changed by someone else during the rotation", deadline)
	case FoundReceived:
		s.hold(credential.HoldNotUnderstood, "the provider's reply stands in Vault staging, and could not be read: "+o.Failure.Text, deadline)
	case FoundForeign:
		s.holdForeign(o)
	default:
	}
}

// nextAttempt goes back to the intent with a fresh label, once the old attempt is settled.
func (s *step) nextAttempt(fence int) {
	r := s.rec.Rotation
	r.Attempt++
	r.FenceBase, r.Fence, r.FenceAt, r.Unsettled, r.Resent, r.Sent = fence, 0, time.Time{}, nil, 0, nil
	r.New, r.Staged, r.StagedAt, r.Orphan = credential.Secret{}, 0, time.Time{}, ""
	s.enter(credential.PhaseIntent)
	s.countCreate(r.Cause)
	if r.Attempt > rotationAttempts && !r.Cutover {
		s.hold(credential.HoldAttempts, fmt.Sprintf("%d creates in this rotation did not lead to a usable secret", r.Attempt-1), nil)
	}
}

// compensatingRules undo: delete the one orphan, or bring the old value back after a cutover that did not take.
func compensatingRules() []rule {
	return []rule{
		{"hold", (*step).held},
		{"orphan", func(s *step) bool { return s.rec.Rotation.Orphan != "" && s.do(EffectCompensate) }},
		{"restore", func(s *step) bool { return !s.rec.Rotation.Restored && s.do(EffectRestore) }},
		{"prove", func(s *step) bool { return s.do(EffectProve) }},
	}
}

func (s *step) applyCompensate(o Outcome) {
	if o.Finding == FoundLast && s.goesOn(o) {
		return
	}
	if o.Result != Done {
		s.fail(o.Failure)
		return
	}
	switch o.Finding {
	case FoundPublished:
		s.published(o)
		return
	case FoundMany:
		s.hold(credential.HoldWhichSecret, "Vault may hand out secret "+o.Orphan+", which was to be deleted: a backup of Vault was restored, and its value is not known any more", nil)
		return
	default:
	}
	orphan := s.rec.Rotation.Orphan
	if s.besides() {
		s.audit(credential.EventOrphan, func(a *credential.Audit) {
			a.Secret, a.Detail = orphan, "beside the one that the rotation makes; deleted"
		})
		s.rec.Rotation.Orphan = ""
		s.progress()
		return
	}
	s.audit(credential.EventOrphan, func(a *credential.Audit) { a.Secret, a.Detail = orphan, "deleted" })
	if s.rec.Rotation.Aborting {
		s.drop("aborted")
		return
	}
	s.nextAttempt(s.rec.Rotation.Fence)
}

// besides says whether a deletion is beside what the rotation is at: a person discards another secret than the one that
// it makes, and the rotation goes on.
func (s *step) besides() bool {
	return s.afterPromote() || s.rec.Rotation.Phase == credential.PhaseIntent
}

// published: nothing is taken back that consumers read. Vault hands out exactly what was staged, so that nobody has to
// find out which secret that is.
func (s *step) published(o Outcome) {
	r := s.rec.Rotation
	s.drop("superseded")
	s.rec.Sight, s.rec.Current = credential.SightNone, credential.Secret{}
	if r.New.ID == r.Orphan {
		s.rec.Sight, s.rec.Current = credential.SightAdopted, r.New
	}
	s.stands(o.Version, o.At)
}

// goesOn takes a person's end of a rotation back, where the staged secret has become the only one that logs in: to end
// it now would delete that. Beside a published secret, what a person discards is asked about again. Any other secret has no
// value that anybody knows, and waits for another beside it.
func (s *step) goesOn(o Outcome) bool {
	r := s.rec.Rotation
	if s.besides() {
		r.Orphan = ""
		s.hold(credential.HoldWhichSecret, o.Failure.Text, nil)
		return true
	}
	if !r.Aborting || r.Staged == 0 || r.Orphan != r.New.ID {
		return false
	}
	s.auditDetail(credential.EventFailed, o.Failure.Text+"; the rotation goes on")
	r.Orphan, r.Aborting = "", false
	s.enter(credential.PhaseStaged)
	return true
}

// drop ends a rotation without a new secret.
func (s *step) drop(outcome string) {
	r := s.rec.Rotation
	s.audit(credential.EventAborted, func(a *credential.Audit) { a.Detail = outcome })
	s.rec.Last = credential.Last{ // what a restored backup brings back of it is not taken up
		Rotation: r.ID, At: s.env.Now, Outcome: outcome,
		Staged: max(r.Staged, r.Fence, r.FenceBase), StagedAt: latest(r.StagedAt, r.FenceAt),
		Published: s.rec.Last.Published, PublishedAt: s.rec.Last.PublishedAt, // consumers may still have to move to that one
	}
	s.rec.Rotation, s.rec.Hold, s.rec.Backoff = nil, nil, credential.Backoff{}
	s.rec.NextLook = s.env.Now
}
