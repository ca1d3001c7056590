package rotation

import (
	"fmt"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// preconditions are what must hold before an intent, in order. The first that fires stops the rotation before anything
// has been touched.
func preconditions(l *Look) []rule {
	check := func(f func(*step, *Look) bool) func(*step) bool {
		return func(s *step) bool { return f(s, l) }
	}
	return []rule{
		{"disabled", check((*step).disabled)},
		{"verifier", check((*step).verifierProvesNothing)},
		{"cannot-verify", check((*step).currentNotProved)},
		{"presumed", check((*step).presumed)},
		{"mode", check((*step).noMode)},
		{"cutover-not-allowed", check((*step).cutoverNotAllowed)},
		{"no-overlap", check((*step).stillCounting)},
		{"overlap-too-short", check((*step).overlapTooShort)},
		{"slots-full", check((*step).slotsFull)},
		{"quota", func(s *step) bool { return s.spent(*s.wanted()) }}, // another one was faster
		{"intent", check((*step).begin)},
	}
}

// applyPrepare records the intent, if everything that must hold does.
func (s *step) applyPrepare(o Outcome) {
	if o.Result != Done {
		s.fail(o.Failure)
		return
	}
	failures := s.rec.Backoff
	s.progress()
	if s.outdated(o.Look) {
		return
	}
	if !s.observe(o.Look) {
		s.withdraw()
		s.pauseUntil(s.rec.NextLook)
		return
	}
	cause := s.wanted()
	if cause == nil || s.env.NoCreate != "" {
		return
	}
	if s.clockIsWrong(o.Clock) {
		return
	}
	s.rec.Backoff = failures
	s.first(preconditions(o.Look))
}

// clockIsWrong: nothing begins by a wall clock that an independent one contradicts. One that is a year ahead would make
// every new secret due the moment it is made.
func (s *step) clockIsWrong(independent time.Time) bool {
	if independent.IsZero() {
		return false
	}
	off := s.env.Now.Sub(independent)
	if off < clockAgreement && off > -clockAgreement {
		return false
	}
	return s.refuse(credential.HoldClockSuspect, "the wall clock of this machine differs from Vault's by "+credential.FormatDuration(off.Round(time.Second))+"; nothing begins by it")
}

// refuse holds before anything was touched, and asks again with the next look: the cause may end by itself.
func (s *step) refuse(code credential.HoldCode, detail string) bool {
	s.hold(code, detail, func(h *credential.Hold) { h.Retry, h.Deadline = true, Ends(s.rec) })
	s.withdraw()
	s.pauseUntilLook()
	return true
}

// withdraw drops a person's request that a hold has refused: it must not begin by itself when the hold ends.
func (s *step) withdraw() {
	if s.rec.Hold != nil && s.rec.Request.Rotate {
		s.rec.Request.Rotate, s.rec.Request.Compromised = false, false
		s.auditDetail(credential.EventFailed, "the requested rotation was refused: "+string(s.rec.Hold.Code))
	}
}

func (s *step) pauseUntilLook() { s.pauseUntil(s.env.NextLook) }

func (s *step) pauseUntil(look time.Time) {
	s.rec.Backoff = credential.Backoff{Until: look}
	s.rec.Due, s.rec.DueFor = look, "look"
}

func (s *step) disabled(l *Look) bool {
	return l.Snapshot.Caps.Disabled && s.refuse(credential.HoldCannotVerify, "the client is switched off at the provider")
}

// verifierProvesNothing: once per client the verifier must have refused a random value.
func (s *step) verifierProvesNothing(l *Look) bool {
	switch {
	case s.rec.Proved || l.NoProof || !l.HasValue: // a first secret: the verifier is proved with its bundle
		return false
	case l.Random == providers.Accepted:
		return s.refuse(credential.HoldCannotVerify, "the verification accepted a random value, so it proves nothing; choose another verify.method")
	}
	return s.unproved(l, "the verification gave no answer to a random value")
}

// currentNotProved: before every intent Vault's value must be accepted, unless the provider says that it has expired,
// or Vault has none.
func (s *step) currentNotProved(l *Look) bool {
	if !l.HasValue || l.Answer == providers.Accepted || (l.Answer == providers.Refused && (s.saysExpired(l) || s.rec.Request.Compromised)) {
		return false
	}
	return s.unproved(l, "whether Vault's value is valid could not be found out")
}

// presumed: nothing begins while the secret that is to be replaced, and revoked in the end, is only presumed to be the one
// that Vault hands out. That is known within minutes.
func (s *step) presumed(l *Look) bool {
	if !s.rec.Presumed || !s.env.Now.Before(s.settled(l)) {
		return false
	}
	s.pauseUntil(s.rec.NextLook)
	return true
}

// unproved tries again like any failure, and holds after the bound.
func (s *step) unproved(l *Look, what string) bool {
	f := l.Failure
	f.Text = what + ": " + f.Text
	s.fail(f)
	if s.rec.Backoff.Attempts >= s.policy().Attempts() {
		s.refuse(credential.HoldCannotVerify, f.Text)
	}
	return true
}

func (s *step) noMode(l *Look) bool {
	switch l.Snapshot.Caps.Mode {
	case credential.ModeTwoSlot, credential.ModeStaged, credential.ModeCaller, credential.ModeKeySet, credential.ModeGraceWindow, credential.ModeHardCutover:
		return false
	case credential.ModeManual, credential.ModeUnknown:
	}
	return s.refuse(credential.HoldCannotVerify, "this provider has no way to rotate this client: "+l.Snapshot.Caps.Reason)
}

func (s *step) cutoverNotAllowed(l *Look) bool {
	c := l.Snapshot.Caps
	if s.rec.Client.AllowCut || s.rec.Request.Compromised {
		return false
	}
	if c.HMAC && c.Mode != credential.ModeHardCutover {
		return s.refuse(credential.HoldNoOverlap, "the secret is also a MAC key, so an overlap has no meaning; allow_cutover permits the rotation")
	}
	return c.Mode == credential.ModeHardCutover &&
		s.refuse(credential.HoldCutover, "the old secret would stop working at once: "+c.Reason)
}

// stillCounting: never again while a previous secret still counts down, because a second rotation would end it early. Where
// the secret is compromised, that is what is wanted.
func (s *step) stillCounting(l *Look) bool {
	if l.Snapshot.Caps.Mode != credential.ModeGraceWindow || s.rec.Request.Compromised {
		return false
	}
	for _, secret := range s.live(l.Snapshot.Secrets) {
		if secret.Slot == providers.SlotPrevious {
			return s.refuse(credential.HoldNoOverlap, "a previous secret is still valid at the provider"+until(secret))
		}
	}
	return false
}

func until(secret credential.Secret) string {
	if secret.Expires.IsZero() {
		return ""
	}
	return " until " + secret.Expires.UTC().Format("2006-01-02 15:04:05 MST")
}

func (s *step) overlapTooShort(l *Look) bool {
	c, p := l.Snapshot.Caps, s.env.Policy
	if c.Mode == credential.ModeHardCutover || s.rec.Request.Compromised {
		return false
	}
	if got := overlapOf(c, p); got < overlapMin(p) {
		return s.refuse(credential.HoldOverlapTooShort, fmt.Sprintf("the provider keeps the old secret for %s; the policy asks for at least %s (overlap_min)",
			credential.FormatDuration(got), credential.FormatDuration(overlapMin(p))))
	}
	if c.SetsExpiry && p.Lifetime > 0 && p.Lifetime <= p.Overlap {
		return s.refuse(credential.HoldOverlapTooShort, "lifetime is not longer than overlap: the new secret would expire before the old one is revoked")
	}
	return false
}

func (s *step) slotsFull(l *Look) bool {
	c := l.Snapshot.Caps
	return c.Mode != credential.ModeGraceWindow && c.Mode != credential.ModeHardCutover &&
		c.Slots > 0 && len(s.live(l.Snapshot.Secrets)) >= c.Slots &&
		s.refuse(credential.HoldSlotsFull, fmt.Sprintf("all %d slots are taken, by: %s", c.Slots, ids(l.Snapshot.Secrets)))
}

func ids(list []credential.Secret) string {
	var text strings.Builder
	for i, secret := range list {
		if i > 0 {
			text.WriteString(", ")
		}
		text.WriteString(secret.ID)
	}
	return text.String()
}

// begin records the intent: from here on a create may be sent. It names all that is needed to finish or to undo.
func (s *step) begin(l *Look) bool {
	cause := s.wanted()
	_, override := s.startsAt(*cause)
	s.rec.Rotation = &credential.Rotation{
		ID: s.env.FreshID, Attempt: 1, Phase: credential.PhaseIntent, Since: s.env.Now, SinceBoot: s.env.Boot, SinceElapsed: s.env.Elapsed, Started: s.env.Now,
		Cause: *cause, Client: s.rec.Client, Policy: s.env.Policy, Caps: l.Snapshot.Caps,
		Before: l.Snapshot.Secrets, Old: s.rec.Current, OldVersion: l.Version,
		FenceBase: l.Staging.Version, Override: override,
		Cutover: l.Snapshot.Caps.Mode == credential.ModeHardCutover,
	}
	if s.rec.Sight == credential.SightEmpty {
		s.rec.Rotation.Old, s.rec.Rotation.OldVersion = credential.Secret{}, 0
		s.rec.Rotation.ConsumerBase = l.Version
	}
	if r := s.rec.Rotation; compromised(r) {
		r.Policy, r.Client.AllowCut, r.Client.Stagger = atOnce(r.Policy, r.Caps), true, 0
	}
	s.release("the rotation could begin")
	s.countCreate(*cause)
	s.rec.Request = credential.Request{Acked: s.rec.Request.Acked, Snooze: s.rec.Request.Snooze}
	s.rec.Backoff = credential.Backoff{}
	s.audit(credential.EventIntent, func(a *credential.Audit) {
		a.Actor, a.Secret, a.Version = cause.Actor, s.rec.Current.ID, l.Version
		a.Detail = string(cause.Kind)
		if cause.Reason != "" {
			a.Detail += ": " + cause.Reason
		}
	})
	return true
}

// Label names one attempt of one rotation at the provider.
func Label(r *credential.Rotation) string {
	return credential.Label(r.ID, r.Attempt)
}

// labelOf is what the labels of all attempts of a rotation begin with.
func labelOf(r *credential.Rotation) string { return credential.LabelsOf(r.ID) }
