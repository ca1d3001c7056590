package rotation

import (
	"slices"
	"strconv"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// copyPause is the pause before a failed delivery is tried again; it doubles copyDoublings times at most.
const (
	copyPause     = 5 * time.Second
	copyDoublings = 8
)

// tellCopyAfter is how long a destination may be behind before its owner hears of it.
const tellCopyAfter = 15 * time.Minute

// handsOut says whether Vault hands out a secret of which copies can be made, and no step stands in the way: from the create
// to the promote nothing comes in between.
func handsOut(rec *credential.Record) bool {
	if rec.Version == 0 || rec.Leaving && rec.Rotation == nil || rec.Sight != credential.SightAdopted && rec.Sight != credential.SightUnknownID {
		return false
	}
	switch rec.Phase() {
	case credential.PhaseSteady, credential.PhaseOverlap, credential.PhaseRevoking:
		return true
	default:
		return false
	}
}

// oldBeside returns the version of the old secret that a destination is to hold beside the new one; 0 = none.
func oldBeside(rec *credential.Record, d credential.Destination) int {
	r := rec.Rotation
	if r == nil || !d.WantsOld() || r.Revoked || r.Cutover || r.Promoted == 0 {
		return 0
	}
	return r.OldVersion
}

// behind says whether a destination does not hold what is published, as far as is known.
func behind(rec *credential.Record, d credential.Destination) bool {
	c := rec.CopyAt(d.Name)
	return c.Version != rec.Version || c.Old != oldBeside(rec, d)
}

// toDeliver returns the destinations whose time has come: those that are behind, and, after each look, all: somebody may
// have changed a copy, or a machine may have started with an empty one. A pause that is longer than any can be was
// written by a clock that has been set back.
func toDeliver(rec *credential.Record, now time.Time) []credential.Destination {
	if len(rec.Published().Destinations) == 0 || !handsOut(rec) {
		return nil
	}
	var due []credential.Destination
	for _, d := range rec.Published().Destinations {
		c := rec.CopyAt(d.Name)
		waits := c.Next.After(now) && !c.Next.After(now.Add(longestPause))
		if !waits && (behind(rec, d) || !c.Look.Equal(rec.Looked)) {
			due = append(due, d)
		}
	}
	return due
}

// deliver copies what is published, at each destination's own pace: before all rules, because none of them waits for it, and
// most of them wait.
func (s *step) deliver() bool {
	if len(toDeliver(&s.rec, s.env.Now)) == 0 {
		return false
	}
	s.out.Reason = credential.Reason(EffectDeliver)
	return s.do(EffectDeliver)
}

// nextDelivery returns when a destination is tried again; zero = none waits.
func (s *step) nextDelivery() time.Time {
	var next time.Time
	if !handsOut(&s.rec) {
		return next
	}
	for _, d := range s.rec.Published().Destinations {
		if behind(&s.rec, d) {
			next = earliest(next, s.rec.CopyAt(d.Name).Next)
		}
	}
	return next
}

// soonerForConsumers falls due for those who use what is published. While a rotation goes back nothing is done for them, and
// falling due for it again and again would be a loop without a pause.
func (s *step) soonerForConsumers() {
	if s.goesBack() {
		return
	}
	s.sooner(s.nextDelivery(), "deliver")
	s.sooner(s.reloadAt(), "reload")
}

// undelivered keeps the old secret while a destination does not hold the new one, and calls for a person. Where the
// provider's own timer retires the old one, that is all that can be done.
func (s *step) undelivered() bool {
	r := s.rec.Rotation
	d := s.firstBehind()
	if d == nil || r.Undelivered || compromised(r) {
		return false
	}
	c := s.rec.CopyAt(d.Name)
	s.hold(credential.HoldNotDelivered, d.Name+" ("+d.Place()+") does not hold version "+strconv.Itoa(s.rec.Version)+" yet: "+orNever(c.Error),
		func(h *credential.Hold) { h.Paging, h.Deadline = true, r.OldDies })
	s.tellHold()
	return s.wait(s.nextDelivery(), "deliver")
}

// firstBehind returns the first destination that does not hold what is published; nil = all do.
func (s *step) firstBehind() *credential.Destination {
	list := s.rec.Published().Destinations
	i := slices.IndexFunc(list, func(d credential.Destination) bool { return behind(&s.rec, d) })
	if i < 0 {
		return nil
	}
	return &list[i]
}

func orNever(text string) string {
	if text == "" {
		return "not tried yet"
	}
	return text
}

func (s *step) applyDeliver(o Outcome) {
	for _, result := range o.Copies {
		if result.Failure.Text == "" {
			s.delivered(result)
		} else {
			s.notDelivered(result)
		}
	}
	if h := s.rec.Hold; h != nil && h.Code == credential.HoldNotDelivered && s.firstBehind() == nil {
		s.release("every destination holds the new secret")
	}
}

func (s *step) delivered(result CopyResult) {
	before := s.rec.CopyAt(result.Name)
	s.rec.Copies = s.rec.WithCopy(credential.CopyState{Name: result.Name, Version: result.Version, Old: result.Old, At: s.env.Now, Look: s.rec.Looked})
	if before.Version != result.Version || result.Written {
		s.audit(credential.EventDelivered, func(a *credential.Audit) { a.Version, a.Detail = result.Version, result.Name })
	}
}

// notDelivered pauses for this destination alone. What it held before counts until it is seen to hold something else.
func (s *step) notDelivered(result CopyResult) {
	c := s.rec.CopyAt(result.Name)
	if c.Tries == 0 {
		c.Since = s.env.Now
		s.auditDetail(credential.EventFailed, "delivering to "+result.Name+": "+result.Failure.Text)
	}
	c.Next = s.env.Now.Add(max(copyPause<<min(c.Tries, copyDoublings), result.Failure.After))
	c.Tries++
	c.Error = result.Failure.Text
	if !c.Told && s.env.Now.Sub(c.Since) >= tellCopyAfter { // once: it is tried some sixty times a day
		c.Told = true
		s.notice(credential.NoticeFailed, "destination "+result.Name, func(f *credential.Facts) {
			f.Error = "the destination " + result.Name + " cannot be written: " + result.Failure.Text
		})
	}
	s.rec.Copies = s.rec.WithCopy(c)
}
