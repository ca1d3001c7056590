package notify_test

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
)

// challenger is the server's side of CRAM-MD5 (RFC 2195), which the library does not have.
type challenger struct {
	check    func(username, password string) error
	password string
	asked    bool
}

const challenge = "<1896.697170952@mail.test>"

func (c *challenger) Next(response []byte) ([]byte, bool, error) {
	if !c.asked {
		c.asked = true
		return []byte(challenge), false, nil
	}
	name, sum, _ := strings.Cut(string(response), " ")
	mac := hmac.New(md5.New, []byte(c.password))
	mac.Write([]byte(challenge))
	if subtle.ConstantTimeCompare([]byte(sum), []byte(hex.EncodeToString(mac.Sum(nil)))) != 1 {
		return nil, false, smtp.ErrAuthFailed
	}
	return nil, true, c.check(name, c.password)
}

// bearer is the server's side of XOAUTH2, which is no RFC.
type bearer func(username, token string) error

func (b bearer) Next(response []byte) ([]byte, bool, error) {
	user, rest, _ := strings.Cut(strings.TrimPrefix(string(response), "user="), "\x01")
	return nil, true, b(user, strings.TrimSuffix(strings.TrimPrefix(rest, "auth=Bearer "), "\x01\x01"))
}

func TestEveryWayToLogIn(t *testing.T) {
	server, client := certificate(t)
	for name, tt := range map[string]struct {
		offered []string
		wanted  notify.Mechanism
		fails   bool
	}{
		"the challenge, where nothing else is offered": {[]string{"CRAM-MD5"}, notify.MechanismAuto, false},
		"the challenge that is asked for":              {[]string{"PLAIN", "CRAM-MD5"}, notify.MechanismCRAM, false},
		"a token":                                      {[]string{"PLAIN", "XOAUTH2"}, notify.MechanismXOAUTH2, false},
		"LOGIN before what is better":                  {[]string{"PLAIN", "LOGIN"}, notify.MechanismLogin, false},
		"a token is never chosen by itself":            {[]string{"XOAUTH2"}, notify.MechanismAuto, true},
		"what is asked for and not offered":            {[]string{"PLAIN"}, notify.MechanismSCRAM, true},
	} {
		t.Run(name, func(t *testing.T) {
			password := "correct horse"
			box := &mailbox{mechanisms: tt.offered, password: password}
			c := smtpTo(t, start(t, box, server, false), login(&password), func(s *notify.SMTPSettings) {
				s.TLS, s.Roots, s.Auth = notify.TLSStartTLS, client, tt.wanted
			})
			_, err := c.Send(t.Context(), letterTo(t, "team@example.com"))
			if !tt.fails {
				if err != nil || len(box.got) != 1 {
					t.Fatalf("%v, %d letters", err, len(box.got))
				}
				return
			}
			checkSend(t, err, notify.ClassDown, "auth", 0)
			if !strings.Contains(err.Error(), tt.offered[0]) || len(box.got) != 0 {
				t.Errorf("the error does not say what the server offers: %v", err)
			}
		})
	}
}

// A token may end before its time. What the mail server refuses is not kept.
func TestARefusedTokenIsSaid(t *testing.T) {
	server, client := certificate(t)
	box := &mailbox{mechanisms: []string{"XOAUTH2"}, password: "fresh"}
	tokens := []string{"stale", "fresh"}
	var refused []string
	c := smtpTo(t, start(t, box, server, false), func(s *notify.SMTPSettings) {
		s.TLS, s.Roots, s.Auth, s.Username = notify.TLSStartTLS, client, notify.MechanismXOAUTH2, "rotad"
		s.Password = func(context.Context) (credential.Sensitive, error) { return credential.NewSensitive(tokens[0]), nil }
		s.Refused = func(token credential.Sensitive) {
			refused = append(refused, token.Reveal())
			tokens = tokens[1:]
		}
	})
	_, err := c.Send(t.Context(), letterTo(t, "team@example.com"))
	checkSend(t, err, notify.ClassDown, "auth", 535)
	if _, err = c.Send(t.Context(), letterTo(t, "team@example.com")); err != nil || !slices.Equal(refused, []string{"stale"}) {
		t.Errorf("%v; refused %q, want the first token", err, refused)
	}
}

// A server that asks for more than it should may be after the password, and what it has said may be it.
func TestALoginThatDoesNotEndIsBrokenOff(t *testing.T) {
	server, client := certificate(t)
	box := &mailbox{mechanisms: []string{"LOGIN"}, password: "correct horse"}
	box.curious = true
	password := "correct horse"
	c := smtpTo(t, start(t, box, server, false), login(&password), func(s *notify.SMTPSettings) { s.TLS, s.Roots = notify.TLSStartTLS, client })
	_, err := c.Send(t.Context(), letterTo(t, "team@example.com"))
	var failed *notify.SendError
	if !errors.As(err, &failed) || failed.Stage != "auth" || strings.Contains(err.Error(), password) {
		t.Errorf("%v; want a failed login that repeats nothing", err)
	}
}
