package notify

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wneessen/go-mail/smtp"

	"github.com/rotad/rotad/internal/credential"
)

// Mechanism is a way to log in at a mail server (RFC 4954).
type Mechanism string

// The mechanisms. The zero value is MechanismAuto.
const (
	MechanismAuto    Mechanism = "auto"          // the first of PLAIN, LOGIN, SCRAM-SHA-256 and CRAM-MD5 that the server offers
	MechanismPlain   Mechanism = "plain"         // RFC 4616
	MechanismLogin   Mechanism = "login"         // as old servers have it; no document says it bindingly
	MechanismCRAM    Mechanism = "cram-md5"      // RFC 2195
	MechanismSCRAM   Mechanism = "scram-sha-256" // RFC 7677
	MechanismXOAUTH2 Mechanism = "xoauth2"       // the password is an access token: https://developers.google.com/workspace/gmail/imap/xoauth2-protocol
)

// offered are the names that servers announce a mechanism by, best first. The connection is protected, so what gives the
// password to the server comes first: servers offer the others also for accounts whose password they keep in a form that is
// of no use for them.
func (m Mechanism) offered() []string {
	if m == MechanismAuto || m == "" {
		return []string{"PLAIN", "LOGIN", "SCRAM-SHA-256", "CRAM-MD5"}
	}
	return []string{strings.ToUpper(string(m))}
}

// login is one login with what the server offers. It carries the password of one dial.
type login struct {
	mechanism Mechanism
	username  string
	password  credential.Sensitive
	clear     bool // allowed without TLS; the dialer has made sure that the server is this machine
	chosen    smtp.Auth
}

var (
	errNoMechanism = errors.New("the server does not offer the login that is wanted on this connection")
	errLoginBroken = errors.New("the server breaks off the login that it offers: smtp.auth can name another one")
)

// Start begins the login.
func (l *login) Start(server *smtp.ServerInfo) (string, []byte, error) {
	if !server.TLS && !l.clear {
		return "", nil, errClearPassword
	}
	for _, name := range l.mechanism.offered() {
		if slices.Contains(server.Auth, name) {
			l.chosen = l.speak(name, server.Name)
			return l.chosen.Start(server)
		}
	}
	return "", nil, fmt.Errorf("%w: it offers %q, and smtp.auth wants %s", errNoMechanism,
		server.Auth, strings.Join(l.mechanism.offered(), " or "))
}

// Next answers what the server asks. What it has said is not repeated in an error: it may be the password.
func (l *login) Next(asked []byte, more bool) ([]byte, error) {
	answer, err := l.chosen.Next(asked, more)
	if err != nil {
		return nil, errLoginBroken
	}
	return answer, nil
}

// speak returns the client's half of a mechanism. Whether the connection is protected has been judged before.
func (l *login) speak(name, host string) smtp.Auth {
	const evenInClear = true
	secret := l.password.Reveal()
	switch name {
	case "SCRAM-SHA-256":
		return smtp.ScramSHA256Auth(l.username, secret)
	case "CRAM-MD5":
		return smtp.CRAMMD5Auth(l.username, secret)
	case "XOAUTH2":
		return smtp.XOAuth2Auth(l.username, secret)
	case "LOGIN":
		return smtp.LoginAuth(l.username, secret, host, evenInClear)
	}
	return smtp.PlainAuth("", l.username, secret, host, evenInClear)
}
