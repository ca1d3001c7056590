package rotation

import (
	"hash/fnv"
	"strconv"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// Decision is what Plan or Apply decided: the record as it is to be committed, what to tell and to write down with it
// in the same commit, and the one effect to run after the commit.
type Decision struct {
	Record  credential.Record
	Effect  Effect // EffectNone: wait until Record.Due
	Reason  credential.Reason
	Notices []credential.Notice
	Audit   []credential.Audit
	Strokes []credential.Stroke // what it means for the tally of the client's provider
	Archive bool                // the client has left, and nothing is under way
	Resync  bool                // an independent clock agrees with the wall: the second clock may follow it
}

// step gathers one decision. Its methods are the rules; each that decides returns true, and the first to do so wins.
type step struct {
	rec    credential.Record
	env    Env
	out    Decision
	paused time.Time // until when the record paused before

	before  past // what the record was like
	applied bool // this is about the outcome of an effect
}

func newStep(rec credential.Record, env Env) *step {
	s := steps.Get().(*step) //nolint:forcetypeassert // nothing else is put there
	env.Now = env.Now.UTC().Truncate(time.Microsecond)
	env.Second = env.Second.UTC().Truncate(time.Microsecond)
	if rec.Rotation != nil {
		copied := *rec.Rotation
		if copied.Since.After(env.Now) { // the wall clock was set back; what counts from here counts from now
			copied.Since = env.Now
		}
		rec.Rotation = &copied
	}
	s.rec, s.env, s.paused, s.before = rec, env, rec.Backoff.Until, pastOf(&rec)
	return s
}

// steps keeps used ones: a step is large, and a simulation makes millions of them. Nothing holds on to one that has
// decided.
var steps = sync.Pool{New: func() any { return new(step) }}

// policy returns the policy that rules the record: the pinned one while a rotation is under way.
func (s *step) policy() credential.Policy {
	if s.rec.Rotation != nil {
		return s.rec.Rotation.Policy
	}
	return s.env.Policy
}

// rule is one check of an ordered list.
type rule struct {
	reason credential.Reason
	fires  func(*step) bool
}

// first runs the rules in order until one fires.
func (s *step) first(rules []rule) {
	for _, r := range rules {
		if r.fires(s) {
			if s.out.Reason == "" {
				s.out.Reason = r.reason
			}
			return
		}
	}
}

// do asks for an effect. The record is due until the effect's outcome is committed: a process that dies in between
// finds it again.
func (s *step) do(e Effect) bool {
	s.out.Effect = e
	s.rec.Due, s.rec.DueFor = s.env.Now, credential.Reason(e)
	return true
}

// wait asks for nothing until a moment.
func (s *step) wait(until time.Time, why credential.Reason) bool {
	s.rec.Due, s.rec.DueFor = until, why
	s.out.Effect, s.out.Reason = EffectNone, why
	return true
}

// sooner moves the due time forward if the moment is earlier.
func (s *step) sooner(at time.Time, why credential.Reason) {
	if at.IsZero() {
		return
	}
	if s.rec.Due.IsZero() || at.Before(s.rec.Due) {
		s.rec.Due, s.rec.DueFor = at, why
	}
}

// decision closes the step, which is not used any more.
func (s *step) decision() Decision {
	s.followWave()
	d := s.out
	d.Record = s.rec
	d.Record.Boot = s.env.Boot
	if b := &d.Record.Backoff; !b.Until.IsZero() && !b.Until.Equal(s.paused) {
		b.Set = s.env.Now
	}
	*s = step{}
	steps.Put(s)
	return d
}

// Plan decides what to do about a record now. It is pure: the same arguments give the same decision.
func Plan(rec credential.Record, env Env) Decision {
	s := newStep(rec, env)
	s.rec.Due, s.rec.DueFor = time.Time{}, ""
	s.tell()
	switch {
	case s.rollsBack(), s.deliver(), s.reload():
	case s.rec.Rotation == nil:
		s.first(steadyRules())
	case s.backedOff():
	default:
		s.first(phaseRules(s.rec.Rotation.Phase))
	}
	if s.out.Effect == EffectNone && !s.out.Archive {
		s.sooner(s.nextTelling(), "notice")
		s.soonerForConsumers()
	}
	return s.decision()
}

func phaseRules(p credential.Phase) []rule {
	switch p {
	case credential.PhaseIntent:
		return intentRules()
	case credential.PhaseCompensating:
		return compensatingRules()
	case credential.PhaseStaged:
		return stagedRules()
	case credential.PhaseVerified:
		return []rule{{"promote", (*step).publish}}
	case credential.PhaseOverlap:
		return overlapRules()
	case credential.PhaseRevoking:
		return revokingRules()
	case credential.PhaseSteady:
	}
	return nil
}

// Apply turns the outcome of an effect into the next record. It is pure.
func Apply(rec credential.Record, effect Effect, o Outcome, env Env) Decision {
	s := newStep(rec, env)
	s.applied = true
	s.out.Reason = credential.Reason(effect)
	s.rec.Due, s.rec.DueFor = s.env.Now, credential.Reason(effect)
	s.clock(o)
	if apply := appliers[effect]; apply != nil && s.stillApplies(effect) {
		apply(s, o)
	}
	s.tellHold()
	return s.decision()
}

// appliers is the list of what an outcome means, by effect, made once. Nothing changes it.
var appliers = map[Effect]func(*step, Outcome){
	EffectLook:       (*step).applyLook,
	EffectPrepare:    (*step).applyPrepare,
	EffectCreate:     (*step).applyCreate,
	EffectSettle:     (*step).applySettle,
	EffectCompensate: (*step).applyCompensate,
	EffectVerify:     (*step).applyVerify,
	EffectShown:      (*step).applyShown,
	EffectPromote:    (*step).applyPromote,
	EffectProve:      (*step).applyProve,
	EffectRestore:    (*step).applyRestore,
	EffectGate:       (*step).applyGate,
	EffectRevoke:     (*step).applyRevoke,
	EffectNegative:   (*step).applyNegative,
	EffectCleanUp:    (*step).applyCleanUp,
	EffectSweep:      (*step).applySweep,
	EffectDiscard:    (*step).applyDiscard,
	EffectDeliver:    (*step).applyDeliver,
	EffectReload:     (*step).applyReload,
	EffectRollback:   (*step).applyRollback,
}

// stillApplies guards against an outcome that meets a record which a person has changed meanwhile (an aborted
// rotation): looks fit a steady record, all else a rotation.
func (s *step) stillApplies(e Effect) bool {
	switch e {
	case EffectLook, EffectPrepare, EffectSweep, EffectDiscard:
		return s.rec.Rotation == nil
	case EffectDeliver:
		return true
	default:
		return s.rec.Rotation != nil
	}
}

// clock lets the second clock follow the wall where an independent clock agrees with it.
func (s *step) clock(o Outcome) {
	if o.Clock.IsZero() {
		return
	}
	if d := o.Clock.Sub(s.env.Now); d < clockAgreement && d > -clockAgreement {
		s.out.Resync = true
	}
}

// backedOff waits while the pause after a failure lasts. A pause that was written later than now, or is longer than any can
// be, was written by a clock that has been set back since: it is over for good, also when that clock's time has come.
func (s *step) backedOff() bool {
	b := &s.rec.Backoff
	switch {
	case !s.env.Now.Before(b.Until):
		return false
	case s.env.Now.Before(b.Set), b.Until.After(s.longestUntil()):
		b.Until, b.Set = time.Time{}, time.Time{}
		return false
	}
	return s.wait(b.Until, "backoff")
}

// longestUntil returns the latest moment to which a pause that begins now can last.
func (s *step) longestUntil() time.Time {
	end := s.env.Now.Add(s.longest())
	if s.neverInterrupted() {
		return end
	}
	return latest(end, s.env.NextLook)
}

// longest returns the longest pause that anything asks for: a failure, a provider that is busy, a quiescence, the
// interval of a verification.
func (s *step) longest() time.Duration {
	d := max(longestPause, s.env.Timing.Deadline+s.env.Timing.Propagation+FenceLife)
	if r := s.rec.Rotation; r != nil {
		d = max(d, r.Client.Verify.WithDefaults().Interval)
	}
	return d
}

// enter begins a phase: a fresh count of failures and successes.
func (s *step) enter(p credential.Phase) {
	r := s.rec.Rotation
	r.Phase, r.Since, r.Successes = p, s.env.Now, 0
	r.SinceBoot, r.SinceElapsed = s.env.Boot, s.env.Elapsed
	s.rec.Backoff = credential.Backoff{}
	if s.rec.Hold != nil && s.rec.Hold.Paging {
		s.release("the step succeeded")
	}
}

// progress forgets failures: the effect worked.
func (s *step) progress() {
	s.rec.Backoff = credential.Backoff{}
	s.rec.Told.Failing = false
}

// fail counts a failure without changing the phase, and pauses. After a bound it holds, or where a created secret is
// not published yet, only pages: attempts go on.
func (s *step) fail(f Failure) {
	s.count(f)
	s.failTooOften(f)
}

// count counts a failure, and pauses.
func (s *step) count(f Failure) {
	b := &s.rec.Backoff
	if b.Attempts == 0 {
		b.Since = s.env.Now
	}
	b.Attempts++
	b.Code, b.Error = string(f.Class), f.Text
	b.Until = s.env.Now.Add(s.pause(b.Attempts, f.After))
	s.rec.Due, s.rec.DueFor = b.Until, "backoff"
	if b.Attempts == 1 || b.Attempts == s.policy().Attempts() {
		s.auditDetail(credential.EventFailed, f.Text)
	}
}

// failTooOften holds after the bound. What fails because a server is away or busy ends by itself: during a rotation that
// only pages, while attempts go on; else what becomes late is told as late.
func (s *step) failTooOften(f Failure) {
	if s.rec.Backoff.Attempts < s.policy().Attempts() {
		return
	}
	transient := f.Class != providers.ClassAuth && f.Class != providers.ClassRejected && f.Class != providers.ClassUnsupported
	switch {
	case s.neverInterrupted(), transient && s.rec.Rotation != nil && !s.afterPromote():
		s.hold(credential.HoldAttempts, f.Text, func(h *credential.Hold) { h.Paging, h.Deadline = true, s.oldEnds() })
	case f.Class == providers.ClassAuth:
		s.hold(credential.HoldUnauthorized, f.Text, nil)
	case transient:
	default:
		s.hold(credential.HoldAttempts, f.Text, nil)
	}
}

// neverInterrupted says whether a created secret may exist that is not published yet.
func (s *step) neverInterrupted() bool {
	r := s.rec.Rotation
	if r == nil {
		return false
	}
	switch r.Phase {
	case credential.PhaseIntent:
		return r.Fence != 0
	case credential.PhaseStaged, credential.PhaseVerified, credential.PhaseCompensating:
		return true
	default:
		return false
	}
}

func (s *step) afterPromote() bool {
	return s.rec.Rotation != nil && s.rec.Rotation.Promoted != 0
}

// oldEnds returns when the secret that consumers still use ends; zero = not known.
func (s *step) oldEnds() time.Time {
	if r := s.rec.Rotation; r != nil {
		if !r.OldDies.IsZero() {
			return r.OldDies
		}
		return r.Old.Expires
	}
	return s.rec.Current.Expires
}

// pause returns the deterministic pause after the n-th failure in a row: doubling from two seconds, with a jitter that
// comes from a hash, so that a replay decides the same.
func (s *step) pause(n int, atLeast time.Duration) time.Duration {
	longest := longestPause
	if s.neverInterrupted() {
		longest = neverInterruptedPause
	}
	d := min(longest, 2*time.Second*(1<<min(n-1, 12)))
	d = min(s.longest(), max(d-d/4*time.Duration(hash(s.rec.Client.ID, n)%jitterSteps)/jitterSteps, atLeast))
	if end := s.oldEnds(); s.neverInterrupted() && end.After(s.env.Now) {
		d = min(d, max(time.Second, end.Sub(s.env.Now)/2))
	}
	return d.Round(time.Millisecond)
}

// jitterSteps is how finely the jitter is spread.
const jitterSteps = 1000

func hash(id string, n int) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id + "\x00" + strconv.Itoa(n)))
	return h.Sum32()
}

// hold stops the client for a person. The same code twice is one hold.
func (s *step) hold(code credential.HoldCode, detail string, fill func(*credential.Hold)) {
	h := credential.Hold{Code: code, Since: s.env.Now, Detail: detail}
	if fill != nil {
		fill(&h)
	}
	if old := s.rec.Hold; old != nil && old.Code == code {
		h.Since = old.Since
	} else {
		s.audit(credential.EventHeld, func(a *credential.Audit) { a.Detail = string(code) + ": " + detail })
	}
	s.rec.Hold = &h
}

// release ends a hold.
func (s *step) release(why string) {
	if s.rec.Hold == nil {
		return
	}
	s.auditDetail(credential.EventReleased, string(s.rec.Hold.Code)+": "+why)
	if s.rec.Told.HoldCode != "" {
		s.notice(credential.NoticeReleased, string(s.rec.Hold.Code), nil)
	}
	s.rec.Hold, s.rec.Told.HoldCode = nil, ""
}
