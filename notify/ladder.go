package notify

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Rung is one step of an owner's ladder: who is told next of what nobody has acknowledged.
type Rung struct {
	After time.Duration // from the moment at which the owner was told
	To    string        // an owner, or ToAdmins
}

// ToAdmins is the name of the admins in a ladder.
const ToAdmins = "admins"

// calls says whether a notice calls for somebody, who has to say that it was seen. A healthy rotation asks for no answer: its
// mail would go up the ladder every time.
func calls(n credential.Notice) bool {
	switch n.Kind {
	case credential.NoticeAdmin, credential.NoticeRotated:
		return false
	case credential.NoticeWarning, credential.NoticeFinal, credential.NoticeExpired, credential.NoticeAnnounce,
		credential.NoticeApprove, credential.NoticeRetired, credential.NoticeFailed, credential.NoticeHeld, credential.NoticeReleased,
		credential.NoticeNoExpiry, credential.NoticeOldRemind, credential.NoticeLeft, credential.NoticeInUse,
		credential.NoticeStopped, credential.NoticeDrift:
	}
	return !n.Admins && SeverityOf(n) != SeverityInfo
}

// rungAfter returns the rung that follows for a notice; ok is false where its owner's ladder has none.
func (w *World) rungAfter(n credential.Notice) (Rung, bool) {
	owner, _ := w.Directory.Owner(n.Owner)
	if !calls(n) || n.Rung >= len(owner.Escalate) {
		return Rung{}, false
	}
	return owner.Escalate[n.Rung], true
}

// onRung is who a word up the ladder is for.
func (w *World) onRung(n credential.Notice) Contact {
	owner, _ := w.Directory.Owner(n.Owner)
	if n.Rung > len(owner.Escalate) {
		return Contact{}
	}
	to := owner.Escalate[n.Rung-1].To
	if to == ToAdmins {
		return w.Directory.Admins()
	}
	contact, _ := w.Directory.Owner(to)
	return contact
}

// climb queues the word to the next rung: for later, where somebody has been told, or for now, where nobody can be. It is
// written down together with what it follows from, and its key lets each rung be told once.
func (s *sending) climb(refused bool) bool {
	rung, ok := s.world.rungAfter(s.notice)
	if !ok || s.next != nil {
		return ok
	}
	from := s.notice.Told
	if from.IsZero() {
		from = s.firstTold()
	}
	if from.IsZero() && !refused {
		return false
	}
	due := from.Add(rung.After)
	if refused {
		due = s.Now()
	}
	n := s.notice
	n.Seq, n.Key, n.Rung, n.Told = 0, s.matter()+"|rung|"+strconv.Itoa(n.Rung+1), n.Rung+1, from
	n.State, n.Due, n.Wait, n.Digest, n.Calendar, n.Deliveries = credential.NoticeWaiting, due, due, false, nil, nil
	s.next = &n
	return true
}

// firstTold is when the first of the readers was told; zero = none was.
func (s *sending) firstTold() (first time.Time) {
	for _, d := range s.notice.Deliveries {
		if d.State == credential.NoticeSent && d.About == "" && (first.IsZero() || d.SentAt.Before(first)) {
			first = d.SentAt
		}
	}
	return first
}

// matter names what a notice is about. Reminders of one thing share it, so that a daily one does not begin a ladder each day;
// what comes after an answer is another matter.
func (s *sending) matter() string {
	if at := strings.LastIndex(s.notice.Key, "|rung|"); s.notice.Rung > 0 && at > 0 {
		return s.notice.Key[:at]
	}
	n, f := s.notice, s.notice.Facts
	unix := func(t time.Time) string { return strconv.FormatInt(t.Unix(), 36) }
	parts := []string{n.Client, string(n.Kind), f.SecretID, unix(f.Expires), f.Rotation, unix(f.NoExpiry.Until)}
	if f.Hold != nil {
		parts = append(parts, string(f.Hold.Code), unix(f.Hold.Since))
	}
	if record, found, err := s.Records.Get(n.Client); err == nil && found {
		parts = append(parts, unix(record.Request.Acked))
	}
	return strings.Join(parts, "|")
}

// save settles the notice, and with it the word to the next rung.
func (s *sending) save(ctx context.Context) error {
	defer s.yield()
	if err := s.settle(ctx, s.rows()...); err != nil {
		return err
	}
	s.written()
	return nil
}

func (s *sending) rows() []credential.Notice {
	rows := []credential.Notice{s.notice}
	if s.next != nil {
		rows = append(rows, *s.next)
	}
	return rows
}

// upwards begins the subject of a word up the ladder.
func (v view) upwards() string {
	switch {
	case v.notice.Rung == 0:
		return ""
	case v.notice.Told.IsZero():
		return v.say("ladder.subject_unreached", nil) + " "
	}
	return v.say("ladder.subject_silent", nil) + " "
}

// above is what the messages about a ladder are about.
type above struct{ Owner, After, To string }

// ladder says in a mail who is told next, or why its reader is who does not own the client. It is nothing for the word about a
// channel, which goes along with a notice.
func (v view) ladder() string {
	n, next := v.notice, v.reader.Next
	about := above{Owner: v.name(n.Owner), To: v.name(next.To)}
	switch {
	case v.reader.About != "":
		return ""
	case n.Rung > 0 && n.Told.IsZero():
		return v.say("ladder.unreached", about)
	case n.Rung > 0:
		return v.say("ladder.silent", about)
	case next.To == "":
		return ""
	case next.To == ToAdmins:
		about.To = v.say("ladder.admins", nil)
	}
	span, err := v.speech.Span(next.After)
	v.speech.wrong = errors.Join(v.speech.wrong, err)
	about.After = span
	return v.say("ladder.next", about)
}
