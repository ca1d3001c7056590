package notify_test

import (
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/notify"
	"github.com/rotad/rotad/notify/channeltest"
)

const (
	signingKey = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	otherKey   = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="
	slackToken = "XyZ0123456789abcdefGHIJK"
)

func sensitive(value string) func() (credential.Sensitive, error) {
	return func() (credential.Sensitive, error) { return credential.NewSensitive(value), nil }
}

// posted is a message for a channel of that name.
func posted(t testing.TB, channel string) notify.Message {
	t.Helper()
	n := rotated("billing")
	m, _, err := renderer(t).Render(n, notify.Recipient{Channel: channel}, noon)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// misbehave makes a stand-in behind faults do as it is told.
func misbehave(faults *sandbox.Faults, gone int) func(channeltest.Behaviour) {
	all := sandbox.When{Count: -1}
	return func(how channeltest.Behaviour) {
		faults.Clear()
		switch how {
		case channeltest.Takes:
		case channeltest.RefusesNow:
			faults.Status(all, 429, channeltest.Wait)
		case channeltest.RefusesEver:
			faults.Status(all, gone, 0)
		case channeltest.BreaksFirst:
			faults.Reset(all)
		case channeltest.BreaksAfter:
			faults.DropReply(all)
		case channeltest.Hangs:
			faults.Delay(all, time.Hour)
		}
	}
}

// webhookTo returns a channel to a server, and its stand-in behind faults.
func webhookTo(t *testing.T, keys string, known ...string) (*notify.Webhook, *sandbox.Hook, *sandbox.Faults) {
	t.Helper()
	hook, faults := sandbox.NewHook(time.Now, known...), sandbox.NewFaults(time.After)
	server := httptest.NewServer(faults.Wrap(hook))
	t.Cleanup(server.Close)
	c, err := notify.NewWebhook(notify.WebhookSettings{
		Name: "ops", URL: server.URL + sandbox.PathHook + "?token=path-secret", Keys: sensitive(keys), Now: time.Now, Timeout: 300 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, hook, faults
}

func slackTo(t *testing.T) (*notify.Slack, *sandbox.Slack, *sandbox.Faults) {
	t.Helper()
	chat, faults := sandbox.NewSlack(slackToken), sandbox.NewFaults(time.After)
	server := httptest.NewServer(faults.Wrap(chat))
	t.Cleanup(server.Close)
	c, err := notify.NewSlack(notify.SlackSettings{
		Name: "team", URL: sensitive(server.URL + sandbox.PathSlack + slackToken + "\n"), Now: time.Now, Timeout: 300 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, chat, faults
}

func TestEveryChannelKeepsTheContract(t *testing.T) {
	t.Run("webhook", func(t *testing.T) {
		channeltest.Run(t, func(t *testing.T) channeltest.Place {
			c, hook, faults := webhookTo(t, signingKey, signingKey)
			return channeltest.Place{
				Channel: c, Message: posted(t, "ops"), Behave: misbehave(faults, 410), Says: true, Bound: 5 * time.Second,
				Secrets: []string{signingKey[len("whsec_"):], "0123456789abcdef0123456789abcdef", "path-secret"},
				Arrived: func() (ids []string) {
					for _, e := range hook.Events() {
						ids = append(ids, e.ID)
					}
					return ids
				},
				Read: func() string { return string(hook.Events()[0].Body) },
			}
		})
	})
	t.Run("slack", func(t *testing.T) {
		channeltest.Run(t, func(t *testing.T) channeltest.Place {
			c, chat, faults := slackTo(t)
			m := posted(t, "team")
			return channeltest.Place{
				Channel: c, Message: m, Behave: misbehave(faults, 404), Says: true, Bound: 5 * time.Second,
				Secrets: []string{slackToken, "T00000000"},
				Arrived: func() (ids []string) { // Slack has no ids: the same card is the same message
					want, err := notify.SlackMessage(m)
					for _, card := range chat.Cards() {
						if err == nil && string(card.Raw) == string(want) {
							ids = append(ids, m.ID)
						} else {
							ids = append(ids, "another card")
						}
					}
					return ids
				},
				Read: func() string { return string(chat.Cards()[0].Raw) },
			}
		})
	})
	t.Run("smtp", func(t *testing.T) { channeltest.Run(t, mailPlace) })
	t.Run("smtp to a mailbox", func(t *testing.T) { deliversToAMailbox(t) })
}

// deliversToAMailbox is the one rule that another server than the scripted one has to confirm: what is taken is what was sent.
func deliversToAMailbox(t *testing.T) {
	mailbox := sandbox.NewMailbox(time.Now, "")
	address, err := mailbox.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mailbox.Close() })
	m := letterTo(t, "team@example.com")
	if _, err := smtpTo(t, address.(*net.TCPAddr).Port).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if got := mailbox.Messages(); len(got) != 1 || !strings.Contains(string(got[0].Data), m.ID) {
		t.Errorf("%d messages arrived", len(got))
	}
}

// mailPlace is a mail server that answers word by word.
func mailPlace(t *testing.T) channeltest.Place {
	password := "correct horse"
	server := newScripted(t, map[string][]string{
		"EHLO": {"250-scripted\r\n250-AUTH PLAIN\r\n250 ENHANCEDSTATUSCODES"}, "AUTH": {"235 2.7.0 welcome"},
	})
	c := smtpTo(t, server.port(), login(&password), func(s *notify.SMTPSettings) {
		s.Timeout, s.Answer = 300*time.Millisecond, 300*time.Millisecond
	})
	m := letterTo(t, "team@example.com")
	return channeltest.Place{
		Channel: c, Message: m, Bound: 5 * time.Second, Secrets: []string{password, "Y29ycmVjdCBob3JzZQ"},
		Behave: server.behave, Arrived: server.ids,
		Read: func() string { return server.messages[0] },
	}
}

// behave makes the server do as it is told, from the next conversation on.
func (s *scripted) behave(how channeltest.Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, command := range []string{"RCPT", "DATA", "."} {
		delete(s.answers, command)
	}
	switch how {
	case channeltest.Takes:
	case channeltest.RefusesNow:
		s.answers["RCPT"] = []string{"450 4.2.1 not now"}
	case channeltest.RefusesEver:
		s.answers["RCPT"] = []string{"550 5.1.1 there is no such mailbox"}
	case channeltest.BreaksFirst:
		s.answers["DATA"] = []string{"drop"}
	case channeltest.BreaksAfter:
		s.answers["."] = []string{"drop"}
	case channeltest.Hangs:
		s.answers["."] = []string{"hang"}
	}
}

// ids returns the Message-IDs of what was taken.
func (s *scripted) ids() (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.messages {
		_, after, _ := strings.Cut(m, "Message-ID: <")
		id, _, _ := strings.Cut(after, ">")
		ids = append(ids, id)
	}
	return ids
}
