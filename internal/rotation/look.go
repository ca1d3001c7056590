package rotation

import (
	"fmt"
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// missingLooks is the number of looks in a row that must miss a known client before that is believed: lists of some
// providers are eventually consistent.
const missingLooks = 2

// applyLook takes in what a look saw.
func (s *step) applyLook(o Outcome) {
	if o.Result != Done {
		s.fail(o.Failure)
		return
	}
	failures := s.rec.Backoff
	s.progress()
	if s.outdated(o.Look) {
		return
	}
	s.observe(o.Look)
	if s.rec.Sight == credential.SightNone && s.rec.Hold != nil && s.rec.Hold.Code == credential.HoldCannotVerify {
		s.rec.Backoff = failures // no answer is a failure, and is asked for again as after any other
		s.count(o.Look.Failure)
		s.rec.NextLook = s.rec.Backoff.Until
	}
}

// outdated: what was seen before the machine slept is not judged by the present time.
func (s *step) outdated(l *Look) bool {
	if l.At.IsZero() || s.env.Now.Sub(l.At) < outdatedAfter {
		return false
	}
	s.rec.NextLook = s.env.Now
	return true
}

// observe brings the record up to date with what was seen. It returns false where that ended in a hold or in a rotation
// taken up, so that nothing else may follow.
func (s *step) observe(l *Look) bool {
	s.rec.Looked, s.rec.NextLook = s.env.Now, s.env.NextLook
	if !l.Found {
		s.missing()
		return false
	}
	s.found()
	s.rec.Caps = l.Snapshot.Caps
	if l.Random == providers.Refused {
		s.rec.Proved = true
	}
	switch {
	case s.foreignStaging(l), s.takeUp(l):
		return false
	case s.rec.Sight == credential.SightNone, s.unsighted(l):
		return s.firstSight(l)
	case s.foreignWrite(l), s.changedElsewhere(l), s.noLongerAccepted(l), s.byHand(l):
		return false
	}
	if s.rec.Sight == credential.SightMismatch {
		return false // asked again with the next look: no answer is not a good one
	}
	s.refresh(l)
	s.clearRetry(l)
	return true
}

// missing counts looks that did not find the client.
func (s *step) missing() {
	s.rec.Missing++
	if s.rec.Missing >= missingLooks || s.rec.Sight == credential.SightNone {
		s.hold(credential.HoldClientMissing, "the provider does not know this client",
			func(h *credential.Hold) { h.Retry = true })
		return
	}
	s.rec.NextLook = s.env.Now.Add(time.Minute)
}

func (s *step) found() {
	s.rec.Missing = 0
	if h := s.rec.Hold; h != nil && (h.Code == credential.HoldClientMissing || h.Code == credential.HoldUnauthorized) {
		s.release("the provider shows the client again")
	}
}

// clearRetry ends a hold whose cause a look that found nothing wrong has disproved.
func (s *step) clearRetry(l *Look) {
	h := s.rec.Hold
	if h == nil || !h.Retry {
		return
	}
	proved := l.Answer == providers.Accepted || l.NoProof || l.Answer == providers.Refused && s.saysExpired(l)
	switch h.Code {
	case credential.HoldMismatch, credential.HoldCannotVerify:
		if proved { // no answer is not a good one
			s.release("the cause has ended")
		}
	case credential.HoldForeignWrite, credential.HoldChangedElsewhere:
		s.release("the cause has ended")
	case credential.HoldNoOverlap, credential.HoldOverlapTooShort, credential.HoldSlotsFull, credential.HoldCutover:
		if s.wanted() == nil { // each of them stands against a rotation; the next one that is due asks again
			s.release("no rotation is due any more")
		}
	default:
	}
}

// unsighted says whether a client that had nothing in Vault, or whose value was refused, has something new there.
func (s *step) unsighted(l *Look) bool {
	switch s.rec.Sight {
	case credential.SightEmpty:
		return l.HasValue
	case credential.SightMismatch:
		return l.Answer == providers.Accepted || !l.HasValue
	case credential.SightAdopted:
		return s.rec.Presumed && (l.Answer == providers.Accepted || l.NoProof || l.Answer == providers.Refused && s.saysExpired(l))
	default:
		return false
	}
}

// firstSight judges a client that has not been adopted. It never rotates.
func (s *step) firstSight(l *Look) bool {
	before := s.rec.Sight
	s.rec.Presumed = false
	s.rec.Sight = s.judge(l)
	s.stands(l.Version, l.Written)
	if s.rec.Sight != before {
		s.auditDetail(credential.EventSighted, string(s.rec.Sight))
	}
	switch s.rec.Sight {
	case credential.SightMismatch:
		s.hold(credential.HoldMismatch, "the provider refuses the value that Vault hands out", retryable)
		return false
	case credential.SightNone:
		s.hold(credential.HoldCannotVerify, "whether Vault's value is valid could not be found out: "+l.Failure.Text, retryable)
		return false
	case credential.SightEmpty:
		return true
	default:
		s.clearRetry(l)
		return true
	}
}

func retryable(h *credential.Hold) { h.Retry = true }

func (s *step) judge(l *Look) credential.FirstSight {
	switch {
	case !l.HasValue:
		return credential.SightEmpty
	case l.Answer == providers.Accepted, l.NoProof:
		return s.identify(l)
	case l.Answer == providers.Refused && s.saysExpired(l): // what is refused can be none of those that still live
		s.rec.Current, _ = l.Snapshot.Current()
		return credential.SightAdopted
	case l.Answer == providers.Refused:
		return credential.SightMismatch
	}
	return credential.SightNone
}

// saysExpired: the provider itself says that the current secret has expired, so a refusal proves nothing else.
func (s *step) saysExpired(l *Look) bool {
	current, ok := l.Snapshot.Current()
	return ok && current.Expired(s.env.Now)
}

// identify finds out which of the listed secrets Vault's value is.
func (s *step) identify(l *Look) credential.FirstSight {
	if found, ok := s.whichIsVaults(l); ok {
		s.rec.Current = found
		return credential.SightAdopted
	}
	s.rec.Current = credential.Secret{Expires: soonest(l.Snapshot.Secrets)}
	return credential.SightUnknownID
}

func (s *step) whichIsVaults(l *Look) (credential.Secret, bool) {
	live := s.live(l.Snapshot.Secrets)
	for _, id := range []string{s.rec.Client.CurrentID, publishedID(l), s.stillOurs(l)} {
		if found, ok := l.Snapshot.Find(id); ok && id != "" {
			return found, true
		}
	}
	if current, ok := l.Snapshot.Current(); ok && l.ReadBack == ReadEqual {
		return current, true
	}
	if len(live) == 1 && l.ReadBack != ReadOther {
		s.presume(l)
		return live[0], true
	}
	if len(l.Hinted) == 1 {
		return l.Snapshot.Find(l.Hinted[0])
	}
	return credential.Secret{}, len(live) == 0
}

// publishedID returns the id of the secret that our last rotation published, if nobody has written to Vault since.
func publishedID(l *Look) string {
	if e := l.Staging; e.Version != 0 && e.Phase == credential.StagingIdle && e.Consumer == l.Version {
		return e.New.ID
	}
	return ""
}

// stillOurs returns the id of the secret that a rotation published before a person accepted what Vault hands out, if that is
// its value still. Without it a client with two secrets would not know its own.
func (s *step) stillOurs(l *Look) string {
	same := l.Version == s.rec.Version && !reused(&s.rec, l.Version, l.Written) || l.Compared && l.Same
	if s.rec.Sight != credential.SightNone || s.rec.Version == 0 || !same {
		return ""
	}
	return s.rec.Current.ID
}

// presume notes that the only listed secret was taken for Vault's although the list may be behind: some lists are
// eventually consistent. It is looked at again as soon as the secret must stand in every list.
func (s *step) presume(l *Look) {
	s.rec.Presumed = !l.Written.IsZero() && s.env.Now.Before(s.settled(l))
	if s.rec.Presumed {
		s.rec.NextLook = earliest(s.rec.NextLook, s.settled(l).Add(time.Second))
	}
}

// settled is when every list shows what Vault hands out.
func (s *step) settled(l *Look) time.Time { return l.Written.Add(s.env.Timing.Propagation) }

// live returns the listed secrets that have not gone.
func (s *step) live(list []credential.Secret) []credential.Secret {
	var live []credential.Secret
	for _, secret := range list {
		if !secret.Gone(s.env.Now, ExpirySkew) {
			live = append(live, secret)
		}
	}
	return live
}

// soonest returns the earliest expiry of a list; zero if one of them never expires or nothing is known.
func soonest(list []credential.Secret) time.Time {
	var first time.Time
	for _, secret := range list {
		first = earliest(first, secret.Expires)
	}
	return first
}

// stands notes which consumer version is known, and Vault's time of it.
func (s *step) stands(version int, at time.Time) {
	s.forgetAfter(version)
	s.rec.Version, s.rec.VersionAt = version, at.UTC().Truncate(time.Microsecond)
}

// forgetAfter: where a backup of Vault was restored, later versions are no more, and their numbers will be given again. Who held
// one of them, or said so, holds nothing that counts.
func (s *step) forgetAfter(version int) {
	later := func(v int) bool { return version != 0 && v > version }
	copied := slices.ContainsFunc(s.rec.Copies, func(c credential.CopyState) bool { return later(c.Version) })
	if copied {
		s.rec.Copies = slices.Clone(s.rec.Copies)
	}
	for i := range s.rec.Copies {
		if c := &s.rec.Copies[i]; copied && later(c.Version) {
			c.Version, c.Old = 0, 0
		}
	}
	said := func(c credential.ConsumerState) bool { return later(c.Version) }
	if slices.ContainsFunc(s.rec.Consumers, said) {
		s.rec.Consumers = slices.DeleteFunc(slices.Clone(s.rec.Consumers), said)
	}
}

// reused says whether a consumer version that has the known number is another one: a backup of Vault was restored, and
// somebody has written since.
func reused(rec *credential.Record, version int, at time.Time) bool {
	return version == rec.Version && version != 0 && !at.IsZero() && !rec.VersionAt.IsZero() && !at.UTC().Truncate(time.Microsecond).Equal(rec.VersionAt)
}

// foreignWrite holds where the mapped fields in Vault are no longer those that rotad knows. Other keys may change.
func (s *step) foreignWrite(l *Look) bool {
	again := reused(&s.rec, l.Version, l.Written)
	if l.Version == s.rec.Version && !again && (l.HasValue || l.Version == 0 || s.rec.Sight == credential.SightEmpty) {
		s.stands(l.Version, l.Written)
		return false
	}
	if !l.HasValue && s.rec.Sight == credential.SightAdopted {
		s.hold(credential.HoldForeignWrite, fmt.Sprintf("version %d of %s has been deleted, or holds no secret any more", l.Version, s.rec.Client.Vault), nil)
		return true
	}
	if l.Compared && l.Same {
		s.stands(l.Version, l.Written)
		return false
	}
	if s.broughtByStaging(l) {
		return false
	}
	known := fmt.Sprintf("last known: %d", s.rec.Version)
	if again {
		known = "another version had that number before: Vault was restored from a backup"
	}
	s.hold(credential.HoldForeignWrite,
		fmt.Sprintf("version %d of %s was written by someone else (%s); the provider's answer to its value: %s",
			l.Version, s.rec.Client.Vault, known, l.Answer), nil)
	return true
}

// changedElsewhere holds where the secret that Vault hands out is no longer the one that the provider shows.
func (s *step) changedElsewhere(l *Look) bool {
	known := s.rec.Current
	if known.ID == "" || l.ReadBack == ReadEqual || s.rec.Sight == credential.SightUnknownID {
		return false
	}
	found, listed := l.Snapshot.Find(known.ID)
	if listed && l.ReadBack != ReadOther && (known.Slot == "" || found.Slot != providers.SlotPrevious) {
		return false
	}
	if !listed && len(l.Snapshot.Secrets) == 0 && !l.Snapshot.Caps.StartReadable {
		return false
	}
	s.hold(credential.HoldChangedElsewhere, "the secret in Vault is no longer the provider's current one", func(h *credential.Hold) {
		h.Deadline = earliest(s.replacedDies(l, listed), known.Expires)
	})
	return true
}

// replacedDies is until when the secret that somebody has replaced works, as far as that can be known; zero = it cannot.
func (s *step) replacedDies(l *Look, listed bool) time.Time {
	dies := previousDies(l.Snapshot)
	if caps := l.Snapshot.Caps; listed && dies.IsZero() && caps.Mode == credential.ModeGraceWindow && caps.Grace > 0 {
		return s.env.Now.Add(caps.Grace) // replaced since the list was read, which shows nothing of it: later it is not
	}
	return dies
}

// refusedLooks is the number of looks in a row that must see Vault's value refused before that is believed: providers
// cache what they accept.
const refusedLooks = 2

// noLongerAccepted holds where looks asked with Vault's value and it was refused.
func (s *step) noLongerAccepted(l *Look) bool {
	switch {
	case l.Answer == providers.Accepted, l.NoProof, l.Answer == providers.Refused && s.saysExpired(l):
		s.rec.Refused = 0
		return false
	case l.Answer != providers.Refused:
		return false
	}
	if s.rec.Refused++; s.rec.Refused < refusedLooks && s.rec.Sight != credential.SightMismatch {
		s.rec.NextLook = earliest(s.env.NextLook, s.env.Now.Add(s.env.Timing.Propagation+time.Minute))
		return true
	}
	s.hold(credential.HoldMismatch, "the provider refuses the value that Vault hands out", retryable)
	return true
}

// refresh takes over what the provider says about the current secret now.
func (s *step) refresh(l *Look) {
	found, ok := l.Snapshot.Find(s.rec.Current.ID)
	if s.rec.Current.ID == "" || !ok {
		if s.rec.Sight == credential.SightUnknownID {
			s.rec.Current.Expires = soonest(l.Snapshot.Secrets)
			return
		}
		if found, ok = l.Snapshot.Current(); !ok {
			return
		}
	}
	s.rec.Current = found
}
