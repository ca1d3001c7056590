package notify

import (
	"github.com/rotad/rotad/internal/credential"
)

// tellOfTrouble tells over another channel that one takes no notices: because it refuses this one for good, or because it has
// taken nothing for an hour. Whoever relies on a channel has to learn of that by another, and once: a thousand notices that
// fail in the same way are one piece of news.
func (s *sending) tellOfTrouble() {
	for i := range s.notice.Deliveries {
		d := s.notice.Deliveries[i]
		why, lasting := s.down.lasting(d.Channel, s.Elapsed())
		switch {
		case d.About != "":
		case d.State == credential.NoticeDead:
			s.tell(d, s.audience(), s.world.Directory.Admins())
		case d.State == credential.NoticePending && lasting:
			s.notice.Deliveries[i].Error = orElse(d.Error, why)
			s.tell(d, s.world.Directory.Admins(), s.audience())
		}
	}
}

// tell adds the word about a delivery for the first of some contacts who can be reached over another channel.
func (s *sending) tell(d credential.Delivery, contacts ...Contact) {
	if !s.down.tell(d.Channel+"\x00"+d.To, s.Elapsed()) {
		return
	}
	for _, c := range contacts {
		told := false
		for _, w := range s.working(c.ways(SeverityCritical)) {
			if w.channel == d.Channel || s.down.left(w.channel, s.Elapsed()) > 0 || s.has(w, d.Channel) {
				continue
			}
			word := s.delivery(w, d.Channel)
			if w.channel != MailChannel || CheckAddress(w.to) == nil {
				s.notice.Deliveries, told = append(s.notice.Deliveries, word), true
			}
		}
		if told {
			return
		}
	}
	if d.State == credential.NoticeDead && d.Channel == MailChannel {
		return // an address is no channel, and that it refuses has been logged
	}
	s.Log.Error("a channel takes no notices, and there is no other to say so; see channels:, owners: and admins: in the configuration",
		"channel", d.Channel, "seq", s.notice.Seq, "client", s.notice.Client, "owner", s.notice.Owner)
}

// trouble is what is wrong with a channel, as its delivery of this notice has it.
func (s *sending) trouble(channel string) string {
	for _, d := range s.notice.Deliveries {
		if channel != "" && d.Channel == channel && d.About == "" && d.Error != "" {
			return d.Error
		}
	}
	return ""
}
