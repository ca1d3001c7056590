package notify_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
)

// named is a channel with a name of its own.
type named struct {
	name string

	mu     sync.Mutex
	answer func(m notify.Message) error // nil = takes everything
	seen   []notify.Message
	at     []time.Time
}

func (c *named) Name() string { return c.name }

func (c *named) Send(_ context.Context, m notify.Message) (notify.Receipt, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = append(c.at, time.Now())
	if c.answer != nil {
		if err := c.answer(m); err != nil {
			return notify.Receipt{}, err
		}
	}
	c.seen = append(c.seen, m)
	return notify.Receipt{Reply: "204"}, nil
}

// took returns "kind" of each message that was taken.
func (c *named) took() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var kinds []string
	for _, m := range c.seen {
		kinds = append(kinds, string(m.Kind))
	}
	return strings.Join(kinds, " ")
}

// fanned is a world with mail, two more channels of the owner, and one of the admins.
type fanned struct {
	*loopWorld
	ops, team, admins *named
}

func newFanned(t *testing.T, notices ...credential.Notice) fanned {
	t.Helper()
	f := fanned{newWorld(t, notices...), &named{name: "ops"}, &named{name: "team"}, &named{name: "watch"}}
	f.settings.World.Channels = append(f.settings.World.Channels, f.ops, f.team, f.admins)
	f.contacts(notify.Contact{Channels: []notify.Subscription{{Name: "ops"}}})
	return f
}

// contacts sets how the owner is reached; the admins are reached over their channel.
func (f fanned) contacts(owner notify.Contact) {
	f.settings.World.Directory = directory{
		owners: map[string]notify.Contact{"payments": owner}, admins: notify.Contact{Channels: []notify.Subscription{{Name: "watch"}}},
	}
}

func dead(notify.Message) error { return failure(notify.ClassPermanent) }

func TestANoticeGoesOverEveryChannelOfItsOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFanned(t, retired(1, "billing"))
		f.contacts(notify.Contact{Emails: []string{"a@example.com"}, Channels: []notify.Subscription{{Name: "ops"}, {Name: "team"}}})
		f.run(t)
		if len(f.channel.sends()) != 1 || f.ops.took() != "retired" || f.team.took() != "retired" || f.admins.took() != "" {
			t.Errorf("mail %d, ops %q, team %q, admins %q", len(f.channel.sends()), f.ops.took(), f.team.took(), f.admins.took())
		}
		n, ids := f.outbox.get(1), map[string]bool{}
		for _, d := range n.Deliveries {
			ids[d.MessageID] = true
		}
		if n.State != credential.NoticeSent || len(ids) != 3 || f.ops.seen[0].Card == nil || f.channel.sends()[0].message.Card != nil {
			t.Errorf("in the end %+v", n)
		}
	})
}

func TestWhatMattersTooLittleIsNotSentOverAChannel(t *testing.T) {
	warning := []notify.Subscription{{Name: "ops", Least: notify.SeverityWarning}}
	critical := []notify.Subscription{{Name: "ops", Least: notify.SeverityCritical}}
	for name, tt := range map[string]struct {
		kind  credential.NoticeKind
		owner notify.Contact
		mails int
		ops   string
		state credential.NoticeState
	}{
		"too little":             {credential.NoticeRetired, notify.Contact{Emails: []string{"a@example.com"}, Channels: critical}, 1, "", credential.NoticeSent},
		"enough":                 {credential.NoticeRotated, notify.Contact{Emails: []string{"a@example.com"}, Channels: warning}, 1, "rotated", credential.NoticeSent},
		"too little for anybody": {credential.NoticeRetired, notify.Contact{Channels: critical}, 0, "", credential.NoticeDropped},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := retired(1, "billing")
				n.Kind = tt.kind
				f := newFanned(t, n)
				f.contacts(tt.owner)
				f.run(t)
				if end := f.outbox.get(1); len(f.channel.sends()) != tt.mails || f.ops.took() != tt.ops || f.admins.took() != "" || end.State != tt.state || !end.Due.IsZero() {
					t.Errorf("mails %d, ops %q, admins %q, %+v", len(f.channel.sends()), f.ops.took(), f.admins.took(), end)
				}
			})
		})
	}
}

// A dead letter is told over another channel of the owner, or else to the admins.
func TestADeadLetterIsToldOverAnotherChannel(t *testing.T) {
	both := []notify.Subscription{{Name: "ops"}, {Name: "team"}}
	for name, tt := range map[string]struct {
		owner              notify.Contact
		dead               []string
		mails              int
		team, watch        string
		state              credential.NoticeState
		fallsBack, hopeful bool
	}{
		"to the owner's mailbox":             {notify.Contact{Emails: []string{"a@example.com"}, Channels: both[:1]}, []string{"ops"}, 2, "", "", credential.NoticeSent, false, true},
		"to the owner's chat":                {notify.Contact{Channels: both}, []string{"ops"}, 0, "retired channel", "", credential.NoticeSent, false, true},
		"to a chat that wanted to know less": {notify.Contact{Channels: []notify.Subscription{{Name: "ops"}, {Name: "team", Least: notify.SeverityCritical}}}, []string{"ops"}, 0, "retired channel", "", credential.NoticeSent, false, true},
		"to the admins":                      {notify.Contact{Channels: both[:1]}, []string{"ops"}, 0, "", "retired channel", credential.NoticeSent, true, true},
		"to nobody":                          {notify.Contact{Channels: both}, []string{"ops", "team", "watch"}, 0, "", "", credential.NoticeDead, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFanned(t, retired(1, "billing"))
				f.contacts(tt.owner)
				for _, c := range []*named{f.ops, f.team, f.admins} {
					if slices.Contains(tt.dead, c.name) {
						c.answer = dead
					}
				}
				f.run(t)
				pass(time.Hour)
				n := f.outbox.get(1)
				if len(f.channel.sends()) != tt.mails || f.team.took() != tt.team || f.admins.took() != tt.watch || n.State != tt.state || !n.Due.IsZero() {
					t.Errorf("mails %d, team %q, admins %q, in the end %+v", len(f.channel.sends()), f.team.took(), f.admins.took(), n)
				}
				if tt.fallsBack && !strings.Contains(f.admins.seen[0].Card.Why, "as an admin") {
					t.Errorf("the admins are told: %s", f.admins.seen[0].Card.Why)
				}
				if f.meter.count(notify.OutcomeDead) < len(tt.dead) {
					t.Errorf("counted %v", f.meter.counts)
				}
			})
		})
	}
}

// The word names the channel and the reason, and comes once however many notices are refused.
func TestTheWordAboutAChannelComesOnceADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var notices []credential.Notice
		for i := range 48 {
			n := retired(uint64(i+1), fmt.Sprintf("client-%d", i))
			n.Due = n.Due.Add(time.Duration(i) * time.Hour)
			notices = append(notices, n)
		}
		f := newFanned(t, notices...)
		f.contacts(notify.Contact{Emails: []string{"a@example.com"}, Channels: []notify.Subscription{{Name: "ops"}}})
		f.ops.answer = func(notify.Message) error { return failure(notify.ClassPermanent) }
		f.run(t)
		pass(72 * time.Hour)
		words := 0
		for _, s := range f.channel.sends() {
			if s.message.Kind != notify.KindChannel {
				continue
			}
			words++
			if plain := strings.Join(strings.Fields(s.message.Text), " "); !strings.Contains(s.message.Subject, "ops") || !strings.Contains(plain, "As told") && !strings.Contains(plain, "as told") ||
				!strings.Contains(plain, "rotad send-test --channel ops") || s.message.Calendar != nil {
				t.Errorf("it says %s: %s", s.message.Subject, s.message.Text)
			}
		}
		if words != 2 || len(f.channel.sends()) != 50 {
			t.Errorf("%d words and %d mails in two days", words, len(f.channel.sends()))
		}
	})
}

// A channel that has taken nothing for an hour is told of, whichever it is: also the mail.
func TestAChannelThatStaysAwayIsToldOverAnother(t *testing.T) {
	for name, class := range map[string]notify.Class{"down": notify.ClassDown, "refusing": notify.ClassRetry} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFanned(t, retired(1, "billing"))
				f.contacts(notify.Contact{Emails: []string{"a@example.com"}})
				away := true
				var mu sync.Mutex
				f.channel.answer = func(int, notify.Message) error {
					mu.Lock()
					defer mu.Unlock()
					if away {
						return failure(class)
					}
					return nil
				}
				f.run(t)
				pass(55 * time.Minute)
				if f.admins.took() != "" {
					t.Errorf("told at once: %q", f.admins.took())
				}
				pass(2 * time.Hour)
				if f.admins.took() != "channel" || f.admins.seen[0].Card.Facts.Channel != "smtp" || f.admins.seen[0].Card.Facts.Error == "" {
					t.Errorf("after three hours the admins were told %q", f.admins.took())
				}
				mu.Lock()
				away = false
				mu.Unlock()
				pass(2 * time.Hour)
				if n := f.outbox.get(1); n.State != credential.NoticeSent || !n.Due.IsZero() {
					t.Errorf("when mail is back: %+v", n)
				}
			})
		})
	}
}

func TestAChannelIsAskedAgainWhenItSays(t *testing.T) {
	for name, class := range map[string]notify.Class{"busy": notify.ClassDown, "refusing": notify.ClassRetry} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFanned(t, retired(1, "billing"))
				f.ops.answer = func(notify.Message) error {
					if len(f.ops.at) > 1 {
						return nil
					}
					return &notify.SendError{Class: class, Stage: "answer", Code: 429, After: 40 * time.Minute, Err: errors.New("later")}
				}
				f.run(t)
				pass(3 * time.Hour)
				if len(f.ops.at) != 2 || f.ops.at[1].Sub(f.ops.at[0]) < 40*time.Minute || f.ops.at[1].Sub(f.ops.at[0]) > 50*time.Minute {
					t.Errorf("asked at %v", f.ops.at)
				}
			})
		})
	}
}

// A notice that waits for a channel which has another name since the last reload is not lost.
func TestANoticeOutlivesTheNameOfItsChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFanned(t, retired(1, "billing"))
		f.ops.answer = func(notify.Message) error { return failure(notify.ClassDown) }
		f.run(t)
		world := f.settings.World
		world.Channels = []notify.Channel{f.channel, f.team, f.admins}
		world.Directory = directory{owners: map[string]notify.Contact{"payments": {Channels: []notify.Subscription{{Name: "team"}}}}}
		if err := f.loop.Replace(world); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)
		if n := f.outbox.get(1); f.team.took() != "retired" || n.State != credential.NoticeSent {
			t.Errorf("team got %q: %+v", f.team.took(), n)
		}
	})
}
