package notify

import (
	"slices"

	"github.com/rotad/rotad/internal/credential"
)

// way is one way to reach somebody: an address over the mail channel, or a channel with one reader.
type way struct{ channel, to string }

// ways returns how a contact is reached with what matters so much.
func (c Contact) ways(s Severity) []way {
	out := make([]way, 0, len(c.Emails)+len(c.Channels))
	for _, to := range c.Emails {
		out = append(out, way{MailChannel, to})
	}
	for _, sub := range c.Channels {
		if s.reaches(sub.Least) {
			out = append(out, way{sub.Name, ""})
		}
	}
	return out
}

// calendar says how a contact gets events. Who gets digests gets files: an invitation that comes alone, with an urgent mail,
// could not be moved by a digest.
func (c Contact) calendar() CalendarMode {
	if c.Digest != nil && c.Calendar.mailed() {
		return CalendarPublish
	}
	return c.Calendar
}

// has says whether a delivery goes to this contact.
func (c Contact) has(d *credential.Delivery) bool {
	return slices.Contains(c.ways(SeverityCritical), way{d.Channel, d.To})
}

// resolve turns the audience into deliveries. An owner whom the configuration does not know, or who has no usable
// address, is no reason to tell nobody: the admins stand in. An owner who does not want to hear of so little is.
func (s *sending) resolve() {
	who, severity := s.audience(), SeverityOf(s.notice)
	s.unsaid = len(who.ways(severity)) == 0 && len(who.ways(SeverityCritical)) > 0
	if s.unsaid {
		return
	}
	s.address(who.ways(severity))
	s.standIn()
}

func (s *sending) audience() Contact { return s.world.audience(s.notice) }

// audience is who a notice is for.
func (w *World) audience(n credential.Notice) Contact {
	if n.Admins {
		return w.Directory.Admins()
	}
	if n.Rung > 0 {
		return w.onRung(n)
	}
	contact, _ := w.Directory.Owner(n.Owner)
	return contact
}

// standIn adds other ways where none has told anybody: first those of the same readers, also where they did not want to hear
// of so little over them, then the next rung of the ladder, in a word of its own, or the admins where there is none. It says
// whether it has added one that may work.
func (s *sending) standIn() bool {
	if s.unsaid || s.reached() {
		return false
	}
	if s.address(s.working(s.audience().ways(SeverityCritical))) {
		return true
	}
	return !s.notice.Admins && !s.climb(true) && s.address(s.world.Directory.Admins().ways(SeverityCritical))
}

// reached says whether somebody was told or may still be. Without any channel what was dropped stays so.
func (s *sending) reached() bool {
	return slices.ContainsFunc(s.notice.Deliveries, func(d credential.Delivery) bool {
		switch d.State {
		case credential.NoticePending, credential.NoticeSent:
			return d.About == ""
		case credential.NoticeDropped:
			return len(s.world.Channels) == 0
		case credential.NoticeDead, credential.NoticeWaiting:
		}
		return false
	})
}

// working leaves the ways over channels that are configured.
func (s *sending) working(all []way) []way {
	return slices.DeleteFunc(all, func(w way) bool { return s.channel(w.channel) == nil })
}

// address adds a delivery per way that has none yet, and says whether one of them may work.
func (s *sending) address(ways []way) (added bool) {
	for _, w := range ways {
		if s.has(w, "") {
			continue
		}
		d := s.delivery(w, "")
		if err := CheckAddress(w.to); err != nil && w.channel == MailChannel {
			s.bury(&d, &SendError{Class: ClassPermanent, Stage: stageAddress, Err: err})
		}
		s.notice.Deliveries = append(s.notice.Deliveries, d)
		added = added || d.State == credential.NoticePending
	}
	return added
}

func (s *sending) has(w way, about string) bool {
	return slices.ContainsFunc(s.notice.Deliveries, func(d credential.Delivery) bool {
		return d.Channel == w.channel && d.To == w.to && d.About == about
	})
}

func (s *sending) delivery(w way, about string) credential.Delivery {
	n := s.notice
	if s.digest != "" {
		n.Key = s.digest
	}
	id := s.world.Renderer.id(n, Recipient{Channel: w.channel, To: w.to, About: about})
	return credential.Delivery{Channel: w.channel, To: w.to, About: about, MessageID: id, State: credential.NoticePending, Next: s.Now()}
}

// recipient says in which language and zone the reader behind a delivery reads.
func (s *sending) recipient(d *credential.Delivery) Recipient {
	contact, admins := s.audience(), s.world.Directory.Admins()
	standIn := !s.notice.Admins && !contact.has(d) && admins.has(d)
	if standIn {
		contact = admins
	}
	next, _ := s.world.rungAfter(s.notice)
	return Recipient{
		Channel: d.Channel, To: d.To, Zone: contact.Zone, Language: contact.Language, Calendar: contact.calendar(),
		Fallback: standIn && d.About == "", About: d.About, Trouble: s.trouble(d.About), Next: next,
	}
}
