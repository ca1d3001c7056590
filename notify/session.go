package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// session is one conversation with a mail server. One goroutine at a time speaks.
type session struct {
	client   *smtp.Client
	conn     *bounded
	settings SMTPSettings
	timer    *time.Timer // of an idle session
	login    *login      // nil = none
	// connected ends the watch over a dial; false means that the connection has been closed because time was up. The
	// library looks at its context only while it connects, not while it waits for a greeting or a login.
	connected func() bool
	// midway means that the server waits for a message that does not come: nothing else can be said any more.
	midway bool
}

// dial connects, protects the connection and logs in. Whatever fails, the socket is closed: the library does not.
func dial(ctx context.Context, s SMTPSettings) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	out := &session{settings: s}
	client, err := s.configure(ctx, out)
	if err != nil {
		return nil, dialError(stageDial, err)
	}
	out.client, err = client.DialToSMTPClientWithContext(ctx)
	if out.connected != nil && !out.connected() {
		err = errors.Join(err, ctx.Err())
	}
	if err != nil {
		out.abandon()
		failed := dialError(stageDial, err)
		if failed.Stage == stageAuth && failed.Code != 0 && s.Refused != nil {
			s.Refused(out.login.password)
		}
		return nil, failed
	}
	return out, nil
}

// configure builds the library's settings. Implicit TLS is done by our own dialer, and the library told not to protect
// the connection again: with its own switch for it and a dialer of ours it would speak clear text without a word.
func (s SMTPSettings) configure(ctx context.Context, out *session) (*mail.Client, error) {
	policy := mail.TLSMandatory
	if s.TLS != TLSStartTLS {
		policy = mail.NoTLS
	}
	// The library ends its own context when it returns, so the watch over the dial needs the one that we have.
	connect := func(_ context.Context, network, address string) (net.Conn, error) {
		return out.connect(ctx, network, address)
	}
	options := []mail.Option{
		mail.WithPort(s.Port), mail.WithTimeout(s.Timeout), mail.WithTLSPolicy(policy), mail.WithTLSConfig(s.tlsConfig()),
		mail.WithoutNoop(), mail.WithoutRset(), mail.WithDialContextFunc(connect),
	}
	if s.HELO != "" {
		options = append(options, mail.WithHELO(s.HELO))
	}
	if s.Username != "" {
		password, err := s.Password(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the mail server's password: %w", err)
		}
		out.login = &login{mechanism: s.Auth, username: s.Username, password: password, clear: s.TLS == TLSNone}
		options = append(options, mail.WithSMTPAuthCustom(out.login))
	}
	return mail.NewClient(s.Host, options...)
}

// connect is the dialer. It remembers the connection, so that it can be closed by us, and closes it when the context
// ends before the login is done.
func (s *session) connect(ctx context.Context, network, address string) (net.Conn, error) {
	raw, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	conn := newBounded(raw)
	s.conn = conn
	s.connected = context.AfterFunc(ctx, func() { _ = conn.Close() })
	if s.settings.TLS == TLSNone && s.settings.Username != "" && !loopback(conn.RemoteAddr()) {
		return nil, errors.Join(errClearPassword, conn.Close())
	}
	if s.settings.TLS != TLSImplicit {
		return conn, nil
	}
	protected := tls.Client(conn, s.settings.tlsConfig())
	if err := protected.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("protecting the connection: %w", err), conn.Close())
	}
	return protected, nil
}

var errClearPassword = errors.New("a password is not sent in clear text to another machine; set smtp.tls")

func loopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// quit says farewell and closes the socket, whatever the server answers.
func (s *session) quit() {
	if s.client.UpdateDeadline(quitTimeout) == nil {
		_ = s.client.Quit()
	}
	s.abandon()
}

// abandon closes the socket.
func (s *session) abandon() {
	if s.conn != nil {
		_ = s.conn.Close()
	}
}
