package notify_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
)

func insecure() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }

// certificate makes a certificate for 127.0.0.1 and the pool that trusts it.
func certificate(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, &tls.Config{RootCAs: pool}
}

// mailbox is a real SMTP server with accounts.
type mailbox struct {
	mechanisms []string
	curious    bool // asks once more than LOGIN does, in the words that it was told

	mu       sync.Mutex
	password string
	logins   int
	got      []letter
}

type letter struct {
	from, to string
	tls      bool
	body     []byte
}

func (m *mailbox) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &mailSession{box: m, conn: c}, nil
}

type mailSession struct {
	box      *mailbox
	conn     *smtp.Conn
	loggedIn bool
	letter   letter
}

func (s *mailSession) AuthMechanisms() []string { return s.box.mechanisms }

func (s *mailSession) Auth(mechanism string) (sasl.Server, error) {
	check := func(username, password string) error {
		s.box.mu.Lock()
		defer s.box.mu.Unlock()
		if username != "rotad" || password != s.box.password {
			return smtp.ErrAuthFailed
		}
		s.loggedIn = true
		s.box.logins++
		return nil
	}
	switch mechanism {
	case "LOGIN":
		return &loginServer{check: check, curious: s.box.curious}, nil
	case "CRAM-MD5":
		return &challenger{check: check, password: s.box.password}, nil
	case "XOAUTH2":
		return bearer(check), nil
	}
	return sasl.NewPlainServer(func(_, username, password string) error { return check(username, password) }), nil
}

// loginServer is the server's side of LOGIN, which the library does not have.
type loginServer struct {
	check   func(username, password string) error
	user    string
	step    int
	curious bool
}

func (l *loginServer) Next(response []byte) ([]byte, bool, error) {
	l.step++
	switch l.step {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		l.user = string(response)
		return []byte("Password:"), false, nil
	}
	if l.curious {
		return response, false, nil
	}
	return nil, true, l.check(l.user, string(response))
}

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	if !s.loggedIn && s.box.password != "" {
		return smtp.ErrAuthRequired
	}
	_, encrypted := s.conn.TLSConnectionState()
	s.letter = letter{from: from, tls: encrypted}
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if to == "nobody@example.com" {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
	}
	s.letter.to = to
	return nil
}

func (s *mailSession) Data(r io.Reader) error {
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.letter.body = body
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	s.box.got = append(s.box.got, s.letter)
	return nil
}

func (s *mailSession) Reset()        {}
func (s *mailSession) Logout() error { return nil }

// start serves a mailbox and returns its port. implicit protects the connection from the first byte.
func start(t *testing.T, box *mailbox, config *tls.Config, implicit bool) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	server := smtp.NewServer(box)
	server.Domain, server.ErrorLog = "mail.test", log.New(io.Discard, "", 0)
	server.AllowInsecureAuth = config == nil
	if implicit {
		listener = tls.NewListener(listener, config)
	} else {
		server.TLSConfig = config
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return port
}

func login(password *string) func(*notify.SMTPSettings) {
	return func(s *notify.SMTPSettings) {
		s.Username = "rotad"
		s.Password = func(context.Context) (credential.Sensitive, error) { return credential.NewSensitive(*password), nil }
	}
}

func TestTheWayToARealServer(t *testing.T) {
	server, client := certificate(t)
	for name, tt := range map[string]struct {
		mode       notify.TLSMode
		mechanisms []string
	}{
		"STARTTLS and PLAIN":     {notify.TLSStartTLS, []string{"PLAIN"}},
		"STARTTLS and LOGIN":     {notify.TLSStartTLS, []string{"LOGIN"}},
		"implicit TLS and PLAIN": {notify.TLSImplicit, []string{"LOGIN", "PLAIN"}},
		"this machine, no TLS":   {notify.TLSNone, []string{"PLAIN"}},
	} {
		t.Run(name, func(t *testing.T) {
			password := "correct horse"
			box := &mailbox{mechanisms: tt.mechanisms, password: password}
			config := server
			if tt.mode == notify.TLSNone {
				config = nil
			}
			port := start(t, box, config, tt.mode == notify.TLSImplicit)
			c := smtpTo(t, port, login(&password), func(s *notify.SMTPSettings) { s.TLS, s.Roots = tt.mode, client })
			if err := c.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			m := letterTo(t, "team@example.com")
			want, err := notify.Compose(m)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err := c.Send(t.Context(), m); err != nil {
					t.Fatal(err)
				}
			}
			if len(box.got) != 2 || box.logins != 2 {
				t.Fatalf("%d letters, %d logins", len(box.got), box.logins)
			}
			got := box.got[0]
			if got.tls != (tt.mode != notify.TLSNone) || got.to != "team@example.com" || got.from != "secrets@example.com" || !bytes.Equal(got.body, want) {
				t.Errorf("the letter to %s came with TLS %v:\n%s", got.to, got.tls, firstDifference(want, got.body))
			}
			_, err = c.Send(t.Context(), letterTo(t, "nobody@example.com"))
			checkSend(t, err, notify.ClassPermanent, "rcpt", 550)
		})
	}
}

func TestAPasswordThatWasChangedNeedsNoRestart(t *testing.T) {
	server, client := certificate(t)
	box := &mailbox{mechanisms: []string{"PLAIN"}, password: "second"}
	password := "first"
	c := smtpTo(t, start(t, box, server, false), login(&password), func(s *notify.SMTPSettings) { s.TLS, s.Roots = notify.TLSStartTLS, client })
	_, err := c.Send(t.Context(), letterTo(t, "team@example.com"))
	checkSend(t, err, notify.ClassDown, "auth", 535)
	var failed *notify.SendError
	if errors.As(err, &failed); !failed.Slow || strings.Contains(err.Error(), "first") {
		t.Errorf("a refused login is retried soon, or tells too much: %v", err)
	}
	password = "second"
	if _, err := c.Send(t.Context(), letterTo(t, "team@example.com")); err != nil {
		t.Error(err)
	}
}

// TestImplicitTLSNeverFallsBackToClearText: with a dialer of one's own the library would do that without an error.
func TestImplicitTLSNeverFallsBackToClearText(t *testing.T) {
	plain := newScripted(t, nil)
	c := smtpTo(t, plain.port(), func(s *notify.SMTPSettings) { s.TLS = notify.TLSImplicit })
	_, err := c.Send(t.Context(), letterTo(t, "team@example.com"))
	checkSend(t, err, notify.ClassDown, "dial", 0)
	if _, _, messages := plain.state(); messages != 0 {
		t.Error("the mail went out in clear text")
	}
	eventually(t, "the connection is closed", func() bool { _, open, _ := plain.state(); return open == 0 })
}

func TestACertificateThatNobodyKnowsIsRefused(t *testing.T) {
	server, _ := certificate(t)
	for _, mode := range []notify.TLSMode{notify.TLSStartTLS, notify.TLSImplicit} {
		box := &mailbox{}
		c := smtpTo(t, start(t, box, server, mode == notify.TLSImplicit), func(s *notify.SMTPSettings) { s.TLS = mode })
		_, err := c.Send(t.Context(), letterTo(t, "team@example.com"))
		checkSend(t, err, notify.ClassDown, "dial", 0)
		if len(box.got) != 0 {
			t.Errorf("%s: the mail went to a server that nobody knows", mode)
		}
	}
}

func TestAPasswordIsNeverSentInClearTextToAnotherMachine(t *testing.T) {
	other := otherAddress(t)
	listener, err := net.Listen("tcp", net.JoinHostPort(other, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	heard := make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		_ = conn.SetDeadline(time.Now().Add(2 * time.Second))
		_, _ = fmt.Fprint(conn, "220 ready\r\n")
		said, _ := io.ReadAll(conn)
		heard <- string(said)
	}()
	password := "correct horse"
	c := smtpTo(t, listener.Addr().(*net.TCPAddr).Port, login(&password), func(s *notify.SMTPSettings) { s.Host = other })
	_, err = c.Send(t.Context(), letterTo(t, "team@example.com"))
	checkSend(t, err, notify.ClassDown, "auth", 0)
	if said := <-heard; said != "" {
		t.Errorf("the other machine heard %q", said)
	}
}

// otherAddress returns an address of this machine that is not loopback, which is what another machine looks like.
func otherAddress(t *testing.T) string {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && n.IP.To4() != nil {
			return n.IP.String()
		}
	}
	t.Fatal("this machine has no address but loopback")
	return ""
}

func TestSendTestSaysThatThereIsNothingToDo(t *testing.T) {
	server := newScripted(t, nil)
	c := smtpTo(t, server.port())
	if _, err := notify.SendTest(t.Context(), c, renderer(t), notify.Recipient{To: "team@example.com"}, noon); err != nil {
		t.Fatal(err)
	}
	parts := leaves(t, []byte(server.messages[0]))
	if !strings.Contains(strings.Join(strings.Fields(parts["text/plain"]), " "), "nothing to do") || parts["text/calendar"] != "" {
		t.Errorf("got %s", parts["text/plain"])
	}
	if _, err := notify.SendTest(t.Context(), c, renderer(t), notify.Recipient{To: "no address"}, noon); err == nil {
		t.Error("a bad address was accepted")
	}
}
