package rotation

import (
	"fmt"
	"strconv"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// remindEvery is the pause between two reminders of something that only a person can do.
const remindEvery = 7 * 24 * time.Hour

// finalBefore is how long before an expiry the last warning goes out.
const finalBefore = 24 * time.Hour

// tell adds the notices that have become due. Truth, once, on time, and quiet: each milestone is remembered in the same
// commit that carries its notice, and after a downtime only the latest one is sent.
func (s *step) tell() {
	s.forgetOld()
	s.tellHold()
	s.tellLate()
	if s.rec.Rotation != nil {
		s.tellOldRemains()
		s.tellLastCall()
		return
	}
	if s.rec.Leaving || s.rec.Sight == credential.SightNone {
		return
	}
	s.tellExpiry()
	s.tellNoExpiry()
	s.tellPlanned()
}

// forgetOld starts a new series when the secret or its expiry has changed. Secrets without an id are told apart by their
// start: the store keeps only the first notice of a key, so that a shared one would silence what is told of the next.
func (s *step) forgetOld() {
	name := s.rec.Current.ID
	if start := s.rec.Current.Start; name == "" && !start.IsZero() {
		name = strconv.FormatInt(start.Unix(), 10)
	}
	key := name + "@" + strconv.FormatInt(Ends(s.rec).Unix(), 10) + s.unendingSeries()
	if s.rec.Told.Secret == key {
		return
	}
	kept := s.rec.Told
	s.rec.Told = credential.Told{Secret: key, HoldCode: kept.HoldCode, HoldAt: kept.HoldAt, NoExpiry: kept.NoExpiry}
}

// notice queues one thing to tell the owner. part makes its key unique within the client's current secret or rotation.
func (s *step) notice(kind credential.NoticeKind, part string, fill func(*credential.Facts)) *credential.Notice {
	about := s.rec.Told.Secret
	if r := s.rec.Rotation; r != nil {
		about = r.ID
	}
	n := credential.Notice{
		Key:  fmt.Sprintf("%s|%s|%s|%s|%d", s.rec.Client.ID, about, kind, part, s.episode(kind)),
		Kind: kind, At: s.env.Now, Client: s.rec.Client.ID, Owner: s.rec.Client.Owner, Milestone: part,
		Facts: s.facts(), State: credential.NoticePending, Due: s.env.Now,
	}
	if fill != nil {
		fill(&n.Facts)
	}
	s.out.Notices = append(s.out.Notices, n)
	return &s.out.Notices[len(s.out.Notices)-1]
}

// episode tells repeated holds and failures apart: the same trouble on another day is news.
func (s *step) episode(kind credential.NoticeKind) int64 {
	switch kind {
	case credential.NoticeHeld, credential.NoticeReleased, credential.NoticeFailed, credential.NoticeOldRemind, credential.NoticeDrift:
		return s.env.Now.Unix()
	default:
		return 0
	}
}

func (s *step) facts() credential.Facts {
	f := credential.Facts{
		Provider: s.rec.Client.Provider, Mode: s.rec.Mode(), ClientRef: refForPeople(s.rec.Client.Ref),
		VaultPath: s.rec.Client.Vault, VaultVersion: s.rec.Version, SecretID: s.rec.Current.ID,
		Expires: Ends(s.rec), Hold: s.rec.Hold, Labels: s.rec.Client.Labels, Instructions: s.rec.Caps.Instructions, Effects: s.rec.Caps.Effects,
		Observed: s.env.Policy.OnlyWatches(),
	}
	if r := s.rec.Rotation; r != nil {
		f.Rotation, f.Cause, f.OldSecretID, f.OldVersion = r.ID, r.Cause, r.Old.ID, r.OldVersion
		f.OldDies, f.Cutover, f.Override, f.Negative = s.oldStops(), r.Cutover, r.Override, r.Negative
		f.Consumers = s.consumers()
	} else if s.env.Policy.Start == credential.StartAuto {
		f.NextRotate = s.planned()
	}
	return f
}

func refForPeople(r credential.Ref) string {
	for _, name := range []string{"client_id", "app_id", "role"} {
		if v, ok := r[name]; ok {
			return v
		}
	}
	return r.Canonical()
}

// oldStops returns until when consumers may count on the old secret.
func (s *step) oldStops() time.Time {
	r := s.rec.Rotation
	if r.Cutover {
		return r.PromotedAt
	}
	if withoutOld(r) {
		return time.Time{}
	}
	stops := r.RevokeAfter
	if lapses(r) && !r.OldDies.IsZero() {
		stops = r.OldDies
	}
	if r.Caps.Mode == credential.ModeManual {
		stops = r.Old.Expires
	}
	if end := r.Old.Expires; !end.IsZero() {
		stops = earliest(stops, end)
	}
	return stops
}

// invite moves the client's one calendar event, if it has to move.
func (s *step) invite(n *credential.Notice, at time.Time, what string) {
	if at.IsZero() || at.Equal(s.rec.Calendar.At) {
		return
	}
	c := &s.rec.Calendar
	if c.UID == "" {
		c.UID = s.env.FreshUID
	} else {
		c.Sequence++
	}
	c.At, c.Stamp, c.What, c.Sent = at, s.env.Now, what, true
	n.Calendar = &credential.Invite{UID: c.UID, Sequence: c.Sequence, At: at, What: what}
}

// leave cancels the calendar event of a client that has left.
func (s *step) leave() {
	n := s.notice(credential.NoticeLeft, "left", nil)
	if c := &s.rec.Calendar; c.Sent {
		c.Sequence++
		n.Calendar = &credential.Invite{UID: c.UID, Sequence: c.Sequence, At: c.At, What: "no longer watched", Cancel: true}
		c.Sent = false
	}
}

// tellHold tells of a hold once.
func (s *step) tellHold() {
	h := s.rec.Hold
	if h == nil || s.rec.Told.HoldCode == h.Code || h.Code == credential.HoldByPerson {
		return
	}
	s.rec.Told.HoldCode, s.rec.Told.HoldAt = h.Code, s.env.Now
	n := s.notice(credential.NoticeHeld, string(h.Code), nil)
	if !h.Deadline.IsZero() {
		s.invite(n, h.Deadline, "a held rotation has its deadline")
	}
}

// tellLate tells of a rotation that fails again and again.
func (s *step) tellLate() {
	b := s.rec.Backoff
	if s.rec.Told.Failing || b.Attempts < s.policy().Attempts() || s.rec.Hold != nil {
		return
	}
	s.rec.Told.Failing = true
	s.notice(credential.NoticeFailed, "failing", func(f *credential.Facts) { f.Error = b.Error })
}

// tellOldRemains reminds of an old secret that only a person can remove.
func (s *step) tellOldRemains() {
	r := s.rec.Rotation
	if r.Caps.Mode != credential.ModeManual || r.Phase != credential.PhaseOverlap {
		return
	}
	from := latest(r.RevokeAfter, s.rec.Told.Reminded.Add(remindEvery))
	if s.rec.Told.Reminded.IsZero() {
		from = r.RevokeAfter
	}
	if s.env.Now.Before(from) {
		return
	}
	s.rec.Told.Reminded = s.env.Now
	s.notice(credential.NoticeOldRemind, "old", nil)
}

// speaks says whether expiry warnings go out for this client now: always where the policy says so; else where people
// have to act, or where something is late, held or failing.
func (s *step) speaks() bool {
	p := s.env.Policy
	return p.WarnWhen == credential.WarnAlways || !Automatic(s.rec, p) || s.troubled()
}

func (s *step) troubled() bool {
	if s.rec.Hold != nil || s.rec.Told.Failing || s.rec.Sight == credential.SightMismatch {
		return true
	}
	at, _ := Planned(s.rec, s.env.Policy, s.env.window(s.env.Policy))
	return !at.IsZero() && s.env.Now.After(at.Add(s.late())) && s.env.Now.After(s.rec.Since.Add(lateAfter))
}

// tellExpiry sends the latest due warning, the final one, or the word that it has expired.
func (s *step) tellExpiry() {
	end := Ends(s.rec)
	if end.IsZero() || !s.speaks() || s.snoozed(end) {
		return
	}
	left := end.Sub(s.env.Now)
	told := &s.rec.Told
	switch {
	case left <= 0:
		s.tellExpired(end)
	case left <= finalBefore:
		if !told.Final {
			told.Final, told.Warned, told.WarnedAt = true, left, s.env.Now
			s.warn(credential.NoticeFinal, "final", end)
		}
	default:
		s.tellMilestone(end, left)
	}
}

func (s *step) tellExpired(end time.Time) {
	if s.rec.Told.Expired {
		return
	}
	s.rec.Told.Expired, s.rec.Told.Final = true, true
	s.warn(credential.NoticeExpired, "expired", end)
}

func (s *step) tellMilestone(end time.Time, left time.Duration) {
	before, ok := LatestMilestone(s.env.Policy.Warn, left)
	if told := &s.rec.Told; ok && (told.Warned == 0 || before < told.Warned) {
		told.Warned, told.WarnedAt = before, s.env.Now
		s.warn(credential.NoticeWarning, credential.FormatDuration(before), end)
	}
}

func (s *step) warn(kind credential.NoticeKind, milestone string, end time.Time) {
	s.warnOf(s.notice(kind, milestone, nil), milestone, end, "the secret expires")
}

func (s *step) warnOf(n *credential.Notice, milestone string, end time.Time, what string) {
	if end.After(s.env.Now) {
		n.DropAfter = end
	}
	s.invite(n, end, what)
	s.audit(credential.EventWarned, func(a *credential.Audit) { a.Detail = milestone })
}

// snoozed: a person wants no warnings before a moment. The final warning and the expiry are told all the same.
func (s *step) snoozed(end time.Time) bool {
	return s.env.Now.Before(s.rec.Request.Snooze) && end.Sub(s.env.Now) > finalBefore
}

// LatestMilestone returns the milestone that is due with so much time left: the one with the smallest distance to the
// expiry that is not smaller than the time left. ok is false while none is due.
func LatestMilestone(warn []credential.Warning, left time.Duration) (before time.Duration, ok bool) {
	for _, w := range warn {
		at := w.Before
		if left > at {
			continue
		}
		if w.Every > 0 {
			at -= (at - left) / w.Every * w.Every
		}
		if !ok || at < before {
			before, ok = at, true
		}
	}
	return before, ok
}

// NextMilestone returns the largest milestone below the time left; ok is false where none is left.
func NextMilestone(warn []credential.Warning, left time.Duration) (before time.Duration, ok bool) {
	for _, w := range warn {
		at := w.Before
		if at >= left {
			if w.Every <= 0 {
				continue
			}
			at -= ((at-left)/w.Every + 1) * w.Every
		}
		if at > finalBefore && (!ok || at > before) {
			before, ok = at, true
		}
	}
	return before, ok
}

// tellPlanned announces an automatic rotation once, and asks for approval where the policy wants it.
func (s *step) tellPlanned() {
	p := s.env.Policy
	if p.OnlyWatches() || s.rec.Caps.Mode == credential.ModeManual || s.blockedByHold() || s.rec.Sight == credential.SightEmpty {
		return
	}
	at := s.planned()
	if at.IsZero() || !s.rec.Told.Announced.IsZero() || s.env.Now.Before(at.Add(-p.Announce)) {
		return
	}
	switch {
	case p.Start == credential.StartApprove && !s.rec.Request.Approved:
		s.rec.Told.Announced = at
		s.invite(s.notice(credential.NoticeApprove, "approve", func(f *credential.Facts) { f.NextRotate = at }), at, "a rotation waits for approval")
	case p.Announce > 0:
		s.announce(at)
	}
}

func (s *step) announce(at time.Time) {
	s.rec.Told.Announced = at
	_, override := s.startsAt(credential.Cause{Kind: credential.CauseScheduled})
	n := s.notice(credential.NoticeAnnounce, "announce", func(f *credential.Facts) {
		f.NextRotate, f.Override, f.Cutover = at, override, s.rec.Caps.Mode == credential.ModeHardCutover
	})
	s.invite(n, at, "the secret is rotated")
	s.auditDetail(credential.EventAnnounced, "for "+at.UTC().Format(time.RFC3339))
}

// tellRotated confirms a published secret, to the owner and, where nobody had scheduled it, to the admins.
func (s *step) tellRotated() {
	r := s.rec.Rotation
	stops := s.oldStops()
	s.invite(s.notice(credential.NoticeRotated, "rotated", nil), stops, "the old secret stops working")
	if !r.Cause.Scheduled() {
		s.notice(credential.NoticeAdmin, "rotated", nil).Admins = true
	}
}

// nextTelling returns when the next notice may become due, so that the record wakes for it.
func (s *step) nextTelling() time.Time {
	if r := s.rec.Rotation; r != nil {
		if r.Caps.Mode == credential.ModeManual && r.Phase == credential.PhaseOverlap {
			return s.future(latest(r.RevokeAfter, s.rec.Told.Reminded.Add(remindEvery)))
		}
		if r.LastCall || r.Phase != credential.PhaseOverlap {
			return time.Time{}
		}
		return s.future(lastCallAt(r))
	}
	return earliest(s.future(s.nextWarning()), s.future(s.nextUnending()), s.future(s.nextAnnouncement()), s.future(s.troubledFrom()))
}

// future drops what has passed: whatever was due has been told by now, or is not to be told.
func (s *step) future(t time.Time) time.Time {
	if t.After(s.env.Now) {
		return t
	}
	return time.Time{}
}

func (s *step) nextWarning() time.Time {
	end := Ends(s.rec)
	left := end.Sub(s.env.Now)
	switch {
	case end.IsZero() || !s.speaks() || s.rec.Told.Expired:
		return time.Time{}
	case left <= finalBefore:
		return end
	case s.snoozed(end):
		return s.rec.Request.Snooze
	}
	next := end.Add(-finalBefore)
	if before, ok := NextMilestone(s.env.Policy.Warn, left); ok {
		next = end.Add(-before)
	}
	return next
}

// troubledFrom returns when a healthy rotation that has not begun counts as late.
func (s *step) troubledFrom() time.Time {
	at, _ := Planned(s.rec, s.env.Policy, s.env.window(s.env.Policy))
	if at.IsZero() || s.speaks() || !Automatic(s.rec, s.env.Policy) {
		return time.Time{}
	}
	return latest(at.Add(s.late()), s.rec.Since.Add(lateAfter)).Add(time.Second)
}

func (s *step) nextAnnouncement() time.Time {
	p := s.env.Policy
	if p.OnlyWatches() || !s.rec.Told.Announced.IsZero() || s.rec.Caps.Mode == credential.ModeManual {
		return time.Time{}
	}
	at := s.planned()
	if at.IsZero() || s.blockedByHold() {
		return time.Time{}
	}
	return at.Add(-p.Announce)
}
