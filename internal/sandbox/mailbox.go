package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Message is one mail as it arrived.
type Message struct {
	At   time.Time
	From string   // of the envelope
	To   []string // of the envelope
	Data []byte   // header and body, with CRLF
}

// Mailbox is an SMTP server that keeps what it gets (RFC 5321: EHLO, HELO, MAIL, RCPT, DATA, RSET, NOOP, QUIT, VRFY,
// and 8BITMIME of RFC 6152). It offers neither TLS nor authentication, so it belongs on a loopback address.
type Mailbox struct {
	now func() time.Time
	dir string

	mu       sync.Mutex
	messages []Message
	down     bool
	listener net.Listener
	conns    map[net.Conn]struct{}
	wait     sync.WaitGroup
}

// NewMailbox returns a mailbox that does not listen yet. dir is where every message is also written as a file of its
// own; empty = in memory only.
func NewMailbox(now func() time.Time, dir string) *Mailbox {
	return &Mailbox{now: now, dir: dir, conns: map[net.Conn]struct{}{}}
}

// Listen starts the server, for example on "127.0.0.1:0", and returns its address. It runs until Close.
func (m *Mailbox) Listen(ctx context.Context, address string) (net.Addr, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening for mail: %w", err)
	}
	m.mu.Lock()
	m.listener = listener
	m.mu.Unlock()
	m.wait.Go(func() { m.accept(listener) })
	return listener.Addr(), nil
}

func (m *Mailbox) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return // the listener has been closed
		}
		if !m.enter(conn) {
			_ = conn.Close()
			continue
		}
		m.wait.Go(func() {
			defer m.leave(conn)
			m.Serve(conn)
		})
	}
}

func (m *Mailbox) enter(conn net.Conn) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down || m.conns == nil {
		return false
	}
	m.conns[conn] = struct{}{}
	return true
}

func (m *Mailbox) leave(conn net.Conn) {
	_ = conn.Close()
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.conns, conn)
}

// Down switches the server off or on again. While it is down, connections are cut, open ones and new ones.
func (m *Mailbox) Down(down bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = down
	if down {
		for conn := range m.conns {
			_ = conn.Close()
		}
	}
}

// Close stops the server and waits for its connections. The messages stay.
func (m *Mailbox) Close() error {
	m.mu.Lock()
	listener := m.listener
	for conn := range m.conns {
		_ = conn.Close()
	}
	m.conns = nil
	m.mu.Unlock()
	if listener == nil {
		return nil
	}
	err := listener.Close()
	m.wait.Wait()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("closing the mailbox: %w", err)
	}
	return nil
}

// Messages returns every message so far, in the order of arrival.
func (m *Mailbox) Messages() []Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.messages)
}

// keep stores a message. It is accepted only when it stands everywhere it should.
func (m *Mailbox) keep(message Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	message.At = m.now()
	if m.dir != "" {
		name := filepath.Join(m.dir, fmt.Sprintf("%06d.eml", len(m.messages)+1))
		if err := os.WriteFile(name, message.Data, 0o600); err != nil {
			return fmt.Errorf("keeping a message: %w", err)
		}
	}
	m.messages = append(m.messages, message)
	return nil
}

// After returns the messages after the first n, in the order of arrival.
func (m *Mailbox) After(n int) []Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n >= len(m.messages) {
		return nil
	}
	return slices.Clone(m.messages[n:])
}
