package rotation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// lastCallBefore is how long before an old secret goes that is still in use people hear of it, at most: a quarter of the
// overlap, where that is less.
const lastCallBefore = 24 * time.Hour

// awaitsUse says whether an old secret is to outlive its overlap for as long as somebody uses it. One that is dead, or
// that a person has let go, or that somebody has who must not, waits for nobody.
func awaitsUse(r *credential.Rotation) bool {
	waits := r.Policy.OverlapEnds == credential.EndsMoved || r.Policy.OverlapEnds == credential.EndsUnused
	return waits && !r.Cutover && !r.Undelivered && !compromised(r) && !withoutOld(r) && r.Caps.Mode != credential.ModeManual
}

// unusedFrom returns from when on nobody is known to use the old secret; known is false as long as a consumer has to move
// first.
func unusedFrom(rec *credential.Record) (from time.Time, known bool) {
	r := rec.Rotation
	if r.Policy.OverlapEnds == credential.EndsMoved {
		return time.Time{}, len(rec.Late()) == 0
	}
	used := latest(r.PromotedAt, r.OldUsed)
	for _, c := range r.Client.Consumers {
		if state := rec.ConsumerAt(c.Name); !rec.RunsOn(state.Version) {
			used = latest(used, state.At)
		}
	}
	return used.Add(r.Policy.Quiet), true
}

// KeptUntil returns until when the old secret of an extended overlap stays at the longest; ok is false where the overlap is not
// extended, or waits for nobody any more.
func KeptUntil(rec *credential.Record) (until time.Time, ok bool) {
	r := rec.Rotation
	if r == nil || r.Extended.IsZero() || r.Phase != credential.PhaseOverlap || !awaitsUse(r) {
		return time.Time{}, false
	}
	return longestEnd(r), true
}

// longestEnd returns when the longest overlap is over.
func longestEnd(r *credential.Rotation) time.Time { return r.PromotedAt.Add(r.Policy.LongestOverlap()) }

// stillUsed says whether the old secret stays because it is in use. A provider's own timer asks nobody.
func (s *step) stillUsed() bool {
	r := s.rec.Rotation
	if !awaitsUse(r) || lapses(r) || r.Old.Gone(s.env.Now, ExpirySkew) {
		return false
	}
	if r.Policy.AtMax == credential.AtMaxRevoke && !s.env.Now.Before(longestEnd(r)) {
		return false
	}
	from, known := unusedFrom(&s.rec)
	return !known || from.After(s.env.Now)
}

// inUse keeps the old secret while somebody uses it, up to the longest overlap. Then the policy decides.
func (s *step) inUse() bool {
	r := s.rec.Rotation
	if !s.stillUsed() {
		s.unused()
		return false
	}
	s.extend()
	from, known := unusedFrom(&s.rec)
	if !known {
		from = time.Time{}
	}
	end := longestEnd(r)
	if s.env.Now.Before(end) {
		return s.wait(earliest(from, end), "in-use")
	}
	s.hold(credential.HoldStillUsed, s.users(), func(h *credential.Hold) { h.Paging, h.Deadline = true, r.OldDies })
	s.tellHold()
	return s.wait(from, "hold")
}

// unused ends the hold of an old secret that nobody uses any more.
func (s *step) unused() {
	if h := s.rec.Hold; h != nil && h.Code == credential.HoldStillUsed {
		s.release("nobody uses the old secret any more")
	}
}

// extend tells once that the overlap lasts longer than planned.
func (s *step) extend() {
	r := s.rec.Rotation
	if !r.Extended.IsZero() {
		return
	}
	r.Extended = s.env.Now
	s.audit(credential.EventExtended, func(a *credential.Audit) { a.Secret, a.Version, a.Detail = r.Old.ID, r.OldVersion, s.users() })
	s.invite(s.notice(credential.NoticeInUse, "extended", nil), longestEnd(r), "the old secret is still in use")
}

// users says who uses the old secret, for people.
func (s *step) users() string {
	r := s.rec.Rotation
	var parts []string
	if late := s.rec.Late(); len(late) > 0 {
		moved, of := s.rec.Moved()
		var names []string
		for _, c := range late {
			names = append(names, c.Name)
		}
		parts = append(parts, fmt.Sprintf("%d of %d consumers run on the new secret; late: %s", moved, of, strings.Join(names, ", ")))
	}
	if !r.OldUsed.IsZero() {
		parts = append(parts, "the old secret was used last at "+r.OldUsed.UTC().Format(time.RFC3339))
	}
	if len(parts) == 0 {
		return "nobody has been quiet for " + credential.FormatDuration(r.Policy.Quiet) + " yet"
	}
	return strings.Join(parts, "; ")
}

// usedSince says whether the old secret was used, or a consumer went back to it, since the rules let it go.
func (s *step) usedSince(last time.Time) bool {
	r := s.rec.Rotation
	r.OldUsed = latest(r.OldUsed, last)
	if !s.stillUsed() {
		return false
	}
	s.progress()
	return true
}

// lastCallAt returns when people are told that the old secret goes although it is in use; zero = it does not go.
func lastCallAt(r *credential.Rotation) time.Time {
	var end time.Time
	switch {
	case !awaitsUse(r):
	case lapses(r):
		end = r.OldDies
	case r.Policy.AtMax == credential.AtMaxRevoke:
		end = longestEnd(r)
	}
	if end.IsZero() {
		return end
	}
	return end.Add(-min(lastCallBefore, end.Sub(r.PromotedAt)/4))
}

// tellLastCall tells once that the old secret goes although it is in use.
func (s *step) tellLastCall() {
	r := s.rec.Rotation
	at := lastCallAt(r)
	if r.Phase != credential.PhaseOverlap || r.LastCall || at.IsZero() || s.env.Now.Before(at) {
		return
	}
	if from, known := unusedFrom(&s.rec); known && !from.After(s.env.Now) {
		return
	}
	r.LastCall = true
	s.notice(credential.NoticeInUse, "last-call", nil)
}

// consumers are what notices say of those that use the secret.
func (s *step) consumers() credential.Consumers {
	var c credential.Consumers
	c.Moved, c.Of = s.rec.Moved()
	r := s.rec.Rotation
	if r == nil || r.Promoted == 0 || r.Cutover || withoutOld(r) {
		return c
	}
	c.Late, c.Used = s.rec.Late(), r.OldUsed
	if awaitsUse(r) && !lapses(r) {
		c.Until, c.Then = longestEnd(r), r.Policy.AtMax
	}
	return c
}

// saidAgain is how soon a consumer may repeat itself without anything being written down.
const saidAgain = 10 * time.Minute

// SaidLately says whether a consumer tells nothing that is not written down already.
func SaidLately(rec *credential.Record, name string, version int, now time.Time) bool {
	c := rec.ConsumerAt(name)
	return c.Version == version && version != 0 && now.Sub(c.At) < saidAgain && !c.At.After(now)
}

// RunsOn notes which version of Vault a consumer runs on. A rotation that waits for it decides again at once.
func RunsOn(name string, version int) Wish {
	return func(rec credential.Record, by Person, env Env) (Decision, error) {
		d, err := personal(rec, env, func(s *step) error { return s.runsOn(name, version, by) })
		if err == nil && rec.Rotation == nil {
			d.Record.Due, d.Record.DueFor = rec.Due, rec.DueFor
		}
		return d, err
	}
}

func (s *step) runsOn(name string, version int, by Person) error {
	id, newest := s.rec.Client.ID, s.rec.Version
	if r := s.rec.Rotation; r != nil && r.Publishing { // Vault may hand it out already, and only the note of it is missing
		newest++
	}
	switch {
	case !slices.ContainsFunc(s.rec.Published().Consumers, func(c credential.NamedConsumer) bool { return c.Name == name }):
		return refuse("write it under consumers: of the client, and reload", "%s has no consumer %s", id, name)
	case version <= 0 || version > newest:
		return refuse("say the version of "+s.rec.Client.Vault.String()+" that it has read, or ask again in a moment", "version %d of %s is not published; the newest is %d", version, id, s.rec.Version)
	}
	before := s.rec.ConsumerAt(name)
	s.rec.Consumers = s.rec.WithConsumer(credential.ConsumerState{Name: name, Version: version, At: s.env.Now})
	s.learnMove(name, before.Version, version)
	if before.Version != version {
		s.audit(credential.EventMoved, func(a *credential.Audit) { a.Actor, a.Version, a.Detail = by.Name, version, name })
	}
	return nil
}
