package notify_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
)

// everyMorning is a digest at nine o'clock UTC.
type everyMorning struct{}

func (everyMorning) Next(t time.Time) time.Time {
	next := time.Date(t.Year(), t.Month(), t.Day(), 9, 0, 0, 0, time.UTC)
	if !next.After(t) {
		next = next.AddDate(0, 0, 1)
	}
	return next
}

const day = 24 * time.Hour

// gathers lets the owner payments get digests. In a bubble it is midnight when the world begins.
func (w *loopWorld) gathers(edit func(*notify.Contact)) {
	contact := notify.Contact{Emails: []string{"payments@example.com"}, Digest: everyMorning{}}
	if edit != nil {
		edit(&contact)
	}
	w.settings.World.Directory = directory{
		owners: map[string]notify.Contact{"payments": contact}, admins: notify.Contact{Emails: []string{"admin@example.com"}},
	}
}

// many are so many notices about as many clients.
func many(n int) []credential.Notice {
	var out []credential.Notice
	for i := range n {
		out = append(out, retired(uint64(i+1), fmt.Sprintf("client-%03d", i+1)))
	}
	return out
}

func states(w *loopWorld) map[credential.NoticeState]int {
	out := map[credential.NoticeState]int{}
	w.outbox.mu.Lock()
	defer w.outbox.mu.Unlock()
	for _, n := range w.outbox.rows {
		out[n.State]++
	}
	return out
}

func TestATeamOfFiveHundredClientsGetsOneMail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, many(500)...)
		w.gathers(nil)
		w.channel.compose = true
		w.run(t)
		if got := states(w); got[credential.NoticeWaiting] != 500 || len(w.channel.sends()) != 0 {
			t.Fatalf("at midnight: %v, %d mails", got, len(w.channel.sends()))
		}
		pass(9*time.Hour + 2*time.Minute)
		sends := w.channel.sends()
		if got := states(w); got[credential.NoticeSent] != 500 || len(sends) != 1 {
			t.Fatalf("after nine: %v, %d mails", got, len(sends))
		}
		m := sends[0].message
		for i := range 500 {
			if name := fmt.Sprintf("client-%03d", i+1); strings.Count(m.Text, name+":") != 1 || !strings.Contains(m.HTML, name) {
				t.Fatalf("%s does not stand once in each part", name)
			}
		}
		if len(m.HTML) > 100_000 {
			t.Errorf("the page has %d bytes; some readers cut there", len(m.HTML))
		}
		if w.meter.count(notify.OutcomeSent) != 1 || w.meter.delays[0] > 2*time.Minute {
			t.Errorf("%d counted as sent, delays %v", w.meter.count(notify.OutcomeSent), w.meter.delays)
		}
	})
}

func TestWhatADigestCannotWaitFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kind := func(kind credential.NoticeKind, edit func(*credential.Notice)) credential.Notice {
			n := retired(1, "billing")
			n.Kind = kind
			n.Facts.Expires, n.Facts.OldDies, n.Facts.NextRotate, n.Facts.Hold = time.Now().Add(10*day), time.Time{}, time.Time{}, nil
			edit(&n)
			return n
		}
		none := func(*credential.Notice) {}
		for name, tt := range map[string]struct {
			notice credential.Notice
			waits  bool
		}{
			"a warning":                 {kind(credential.NoticeWarning, none), true},
			"a warning in the last day": {kind(credential.NoticeWarning, func(n *credential.Notice) { n.Facts.Expires = time.Now().Add(24 * time.Hour) }), false},
			"the last warning":          {kind(credential.NoticeFinal, none), false},
			"that it has expired":       {kind(credential.NoticeExpired, none), false},
			"a hold":                    {kind(credential.NoticeHeld, func(n *credential.Notice) { n.Facts.Hold = &credential.Hold{Code: "slots-full"} }), true},
			"a hold with a deadline": {kind(credential.NoticeHeld, func(n *credential.Notice) {
				n.Facts.Hold = &credential.Hold{Code: "slots-full", Deadline: time.Now().Add(day)}
			}), false},
			"a hold that pages":                 {kind(credential.NoticeHeld, func(n *credential.Notice) { n.Facts.Hold = &credential.Hold{Code: "secret-lost", Paging: true} }), false},
			"an old secret that dies in days":   {kind(credential.NoticeRotated, func(n *credential.Notice) { n.Facts.OldDies = time.Now().Add(3 * day) }), true},
			"an old secret that dies today":     {kind(credential.NoticeRotated, func(n *credential.Notice) { n.Facts.OldDies = time.Now().Add(10 * time.Hour) }), false},
			"an old secret that is dead":        {kind(credential.NoticeRotated, func(n *credential.Notice) { n.Facts.OldDies = time.Now() }), false},
			"what is not worth sending later":   {kind(credential.NoticeWarning, func(n *credential.Notice) { n.DropAfter = time.Now().Add(10 * time.Hour) }), false},
			"the word to the admins":            {kind(credential.NoticeAdmin, func(n *credential.Notice) { n.Admins = true }), false},
			"a rotation of next week":           {kind(credential.NoticeAnnounce, func(n *credential.Notice) { n.Facts.NextRotate = time.Now().Add(7 * day) }), true},
			"a rotation of this afternoon":      {kind(credential.NoticeAnnounce, func(n *credential.Notice) { n.Facts.NextRotate = time.Now().Add(14 * time.Hour) }), false},
			"an old secret that has gone":       {kind(credential.NoticeRetired, none), true},
			"a failure while the secret lasts":  {kind(credential.NoticeFailed, none), true},
			"a failure, and the secret is dead": {kind(credential.NoticeFailed, func(n *credential.Notice) { n.Facts.Expires = time.Now().Add(-time.Hour) }), false},
		} {
			w := newWorld(t, tt.notice)
			w.gathers(nil)
			w.records.record.Current.Expires = tt.notice.Facts.Expires
			w.records.record.Told.Failing = true
			w.records.record.Hold = tt.notice.Facts.Hold
			w.run(t)
			if waits := w.outbox.get(1).State == credential.NoticeWaiting; waits != tt.waits || len(w.channel.sends()) == 0 != tt.waits {
				t.Errorf("%s: it waits = %v, with %d mails: %+v", name, waits, len(w.channel.sends()), w.outbox.get(1))
			}
			w.stop()
		}
	})
}

// What cannot wait for nine o'clock and leaves more than a day is collected for an hour, and comes as one mail too.
func TestWhatCannotWaitIsCollectedForAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		soon := many(200)
		for i := range soon {
			soon[i].Kind, soon[i].Facts.OldDies = credential.NoticeRotated, time.Now().Add(32*time.Hour)
		}
		w := newWorld(t, soon...)
		w.gathers(nil)
		w.run(t)
		pass(time.Hour + 2*time.Minute)
		if sends := w.channel.sends(); len(sends) != 1 || strings.Count(sends[0].message.Text, "\n  - ") != 200 {
			t.Errorf("%d mails", len(sends))
		}
	})
}

// What has lost its reason by nine is not said, and what is left of a digest when only one has a reason is that one's mail.
func TestADigestSaysOnlyWhatIsTrue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held := retired(2, "held")
		held.Kind, held.Facts.Hold = credential.NoticeHeld, &credential.Hold{Code: credential.HoldSlotsFull}
		w := newWorld(t, retired(1, "gone"), held)
		w.gathers(nil)
		w.records.record.Hold = &credential.Hold{Code: credential.HoldSlotsFull}
		w.run(t)
		w.records.mu.Lock()
		w.records.record.Hold = nil
		w.records.mu.Unlock()
		pass(10 * time.Hour)
		sends := w.channel.sends()
		if len(sends) != 1 || sends[0].message.Kind != credential.NoticeRetired || sends[0].message.Client != "gone" {
			t.Fatalf("sent: %+v", sends)
		}
		if n := w.outbox.get(2); n.State != credential.NoticeDropped {
			t.Errorf("%+v", n)
		}
	})
}

// A crash at any settle of a digest loses nothing, and doubles it at most once, with the same id.
func TestADigestAfterACrash(t *testing.T) {
	for crash := range 3 {
		t.Run(fmt.Sprint("at settle ", crash+1), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, many(20)...)
				w.gathers(nil)
				dead, settles := errors.New("dead"), 0
				w.outbox.fail = func(n credential.Notice) error {
					if n.Seq == 10 && n.Digest && len(n.Deliveries) > 0 || crash == 0 {
						if settles++; settles == max(1, crash) {
							return dead
						}
					}
					return nil
				}
				w.run(t)
				if crash > 0 {
					pass(9*time.Hour + 2*time.Minute)
				}
				if err := <-w.done; !errors.Is(err, dead) {
					t.Fatalf("the loop ended with %v", err)
				}
				w.outbox.fail = nil
				w.run(t)
				pass(day)
				sends := w.channel.sends()
				if want := []int{1, 1, 2}[crash]; len(sends) != want || states(w)[credential.NoticeSent] != 20 {
					t.Fatalf("%d mails, %v", len(sends), states(w))
				}
				if last := sends[len(sends)-1].message; strings.Count(last.Text, "\n  - ") != 20 {
					t.Errorf("the last one says a part:\n%s", last.Text)
				}
				if first, last := sends[0].message, sends[len(sends)-1].message; first.ID != last.ID || first.Date != last.Date {
					t.Errorf("the second has another id or date: %v and %v", first, last)
				}
			})
		})
	}
}

func TestADigestWhoseAnswerIsLostIsSentOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, many(3)...)
		w.gathers(nil)
		w.channel.compose = true
		w.channel.answer = func(n int, _ notify.Message) error {
			if n == 1 {
				return failure(notify.ClassAmbiguous)
			}
			return nil
		}
		w.run(t)
		pass(11 * time.Hour)
		sends := w.channel.sends()
		if len(sends) != 2 || sends[0].bytes != sends[1].bytes || states(w)[credential.NoticeSent] != 3 {
			t.Fatalf("%d mails, %v", len(sends), states(w))
		}
	})
}

// Every channel of the owner gets the digest, each those notices that matter enough for it; the next digest has another id.
func TestADigestGoesOverEveryChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := retired(2, "held")
		hold.Kind, hold.Facts.Hold = credential.NoticeHeld, &credential.Hold{Code: credential.HoldSlotsFull}
		again := retired(4, "held-too")
		again.Kind, again.Facts.Hold = hold.Kind, hold.Facts.Hold
		w := newWorld(t, retired(1, "gone"), hold, retired(3, "gone-too"), again)
		ops := &named{name: "ops"}
		w.records.record.Hold = hold.Facts.Hold
		w.gathers(func(c *notify.Contact) {
			c.Channels = []notify.Subscription{{Name: "ops", Least: notify.SeverityWarning}}
		})
		w.settings.World.Channels = append(w.settings.World.Channels, ops)
		w.run(t)
		pass(10 * time.Hour)
		if sends := w.channel.sends(); len(sends) != 1 || strings.Count(sends[0].message.Text, "\n  - ") != 4 {
			t.Fatalf("mails: %+v", sends)
		}
		posts := ops.seen
		if len(posts) != 1 || len(posts[0].Card.Facts.Notices) != 2 || posts[0].Card.Facts.Severity != notify.SeverityWarning {
			t.Fatalf("posted: %+v", posts)
		}
		w.outbox.add(retired(7, "a"), retired(8, "b"))
		w.loop.Wake()
		pass(day)
		if sends := w.channel.sends(); len(sends) != 2 || sends[0].message.ID == sends[1].message.ID {
			t.Errorf("the second digest: %+v", sends)
		}
	})
}

// An address that takes nothing lets the admins have the digest instead, as one mail.
func TestARefusedDigestGoesToTheAdmins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, many(30)...)
		w.gathers(nil)
		w.channel.answer = func(_ int, m notify.Message) error {
			if m.To == "payments@example.com" {
				return failure(notify.ClassPermanent)
			}
			return nil
		}
		w.run(t)
		pass(10 * time.Hour)
		sends := w.channel.sends()
		if len(sends) != 2 || sends[1].message.To != "admin@example.com" || sends[1].message.Kind != notify.KindDigest {
			t.Fatalf("%d mails: %+v", len(sends), sends)
		}
		if !strings.Contains(sends[1].message.Text, "as an admin") || states(w)[credential.NoticeSent] != 30 {
			t.Errorf("%v\n%s", states(w), sends[1].message.Text)
		}
	})
}

func TestTheEventsOfADigestAreOneFile(t *testing.T) {
	all := samples(t)
	s := all[slices.IndexFunc(all, func(s notify.Sample) bool { return len(s.Digest) > 0 })]
	cal := strictCalendar(t, s.Message.Calendar)
	if len(cal.Events()) != 4 || cal.Props.Get("METHOD").Value != "PUBLISH" {
		t.Fatalf("%d events, %v", len(cal.Events()), cal.Props.Get("METHOD"))
	}
	for _, e := range cal.Events() {
		if e.Props.Get("ATTENDEE") != nil || e.Props.Get("ORGANIZER") == nil || e.Props.Get("SEQUENCE") == nil {
			t.Errorf("an event that is published has no attendee, and has an organizer and a number: %v", e.Props)
		}
	}
	outline := outline(t, s.Mail)
	if strings.Count(outline, "text/calendar") != 1 || !strings.Contains(outline, "deadlines.ics") || strings.Contains(outline, "invite.ics") {
		t.Errorf("it is an invitation:\n%s", outline)
	}
}
