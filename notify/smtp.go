package notify

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// SMTP is the channel that hands mails to a server (RFC 5321). It keeps a few connections open between messages and
// closes them when they have been idle for a while. It is safe for concurrent use.
type SMTP struct {
	domains

	settings SMTPSettings
	mu       sync.Mutex
	idle     []*session
	closed   bool
}

var (
	_ Channel  = (*SMTP)(nil)
	_ rationed = (*SMTP)(nil)
)

// NewSMTP checks the settings. It does not connect: a mail server that is down must not keep rotad from starting.
func NewSMTP(s SMTPSettings) (*SMTP, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	return &SMTP{settings: s.WithDefaults(), domains: domains{limit: s.PerDomain, turns: map[string]chan struct{}{}}}, nil
}

// Name returns MailChannel.
func (c *SMTP) Name() string { return MailChannel }

// composed are what messages are composed in. Nothing keeps a message once it was sent.
var composed = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// Send hands one message over. A connection that was kept may have been closed by the server in the meantime; where
// that shows before the server has accepted the sender, nothing has been sent, and a fresh one is tried at once.
func (c *SMTP) Send(ctx context.Context, m Message) (Receipt, error) {
	buffer, _ := composed.Get().(*bytes.Buffer)
	defer composed.Put(buffer)
	buffer.Reset()
	if err := compose(buffer, m); err != nil {
		return Receipt{}, &SendError{Class: ClassPermanent, Stage: stageAddress, Err: err}
	}
	body := buffer.Bytes()
	s, fresh, err := c.take(ctx)
	if err != nil {
		return Receipt{}, err
	}
	receipt, err := c.deliver(ctx, s, m, body)
	if !fresh && stale421(err) {
		if s, err = dial(ctx, c.settings); err != nil {
			return Receipt{}, err
		}
		receipt, err = c.deliver(ctx, s, m, body)
	}
	return receipt, err
}

// deliver sends over one connection, and keeps it only where its state is certain: after a success, or after a refused
// recipient and a clean reset.
func (c *SMTP) deliver(ctx context.Context, s *session, m Message, body []byte) (Receipt, error) {
	receipt, err := s.send(ctx, m.From.Addr, m.To, body)
	if err == nil || s.reset(ctx, err) {
		c.keep(s)
	} else {
		s.abandon()
	}
	return receipt, err
}

// stale421 recognises a kept connection that the server had given up: it fails at the first command, by a lost
// connection or by 421 (RFC 5321 section 3.8).
func stale421(err error) bool {
	var failed *SendError
	return errors.As(err, &failed) && failed.Stage == stageMail && (failed.Code == 0 || failed.Code == 421)
}

// take returns a kept connection, or a fresh one. Whoever takes a session out of the list owns it, so a timer that
// fires at the same moment finds nothing and leaves it alone.
func (c *SMTP) take(ctx context.Context) (s *session, fresh bool, err error) {
	c.mu.Lock()
	if last := len(c.idle) - 1; last >= 0 {
		s, c.idle = c.idle[last], c.idle[:last]
	}
	c.mu.Unlock()
	if s != nil {
		s.timer.Stop()
		return s, false, nil
	}
	s, err = dial(ctx, c.settings)
	return s, true, err
}

// keep puts a connection aside, to be closed when nobody has taken it for a while.
func (c *SMTP) keep(s *session) {
	c.mu.Lock()
	full := c.closed || len(c.idle) >= c.settings.Keep
	if !full {
		s.timer = time.AfterFunc(c.settings.Idle, func() { c.drop(s) }) //nolint:forbidigo // only how long a connection idles
		c.idle = append(c.idle, s)
	}
	c.mu.Unlock()
	if full {
		s.quit()
	}
}

// drop closes an idle connection, unless it has been taken in the meantime.
func (c *SMTP) drop(s *session) {
	c.mu.Lock()
	i := slices.Index(c.idle, s)
	if i >= 0 {
		c.idle = slices.Delete(c.idle, i, i+1)
	}
	c.mu.Unlock()
	if i >= 0 {
		s.quit()
	}
}

// Check connects, logs in and leaves, without sending anything.
func (c *SMTP) Check(ctx context.Context) error {
	s, err := dial(ctx, c.settings)
	if err != nil {
		return err
	}
	s.quit()
	return nil
}

// Close closes the kept connections. Messages under way finish.
func (c *SMTP) Close() error {
	c.mu.Lock()
	idle := c.idle
	c.idle, c.closed = nil, true
	c.mu.Unlock()
	for _, s := range idle {
		s.timer.Stop()
		s.quit()
	}
	return nil
}

// quitTimeout bounds the farewell: what matters has been said.
const quitTimeout = 5 * time.Second
