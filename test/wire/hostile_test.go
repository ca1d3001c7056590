package wire_test

import (
	"bufio"
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/test/servers"
)

// The manners of a hostile server: it answers every connection without end, as fast as it can or a byte at a time.
const (
	poursHeader = "endless-header"
	poursBody   = "endless-body"
	dripsBody   = "dripping-body"
)

func manners() []string { return []string{poursHeader, poursBody, dripsBody} }

// hostile is a server in the place of a real one.
type hostile struct{ addresses map[string]string }

// startHostile opens a port for every line and manner.
func startHostile(t *testing.T) *hostile {
	t.Helper()
	h := &hostile{addresses: map[string]string{}}
	for _, line := range []string{lineProvider, lineVault, lineMail} {
		for _, manner := range manners() {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = listener.Close() })
			h.addresses[line+manner] = listener.Addr().String()
			go serveHostile(t.Context(), listener, line, manner)
		}
	}
	return h
}

func (h *hostile) address(line, manner string) string { return h.addresses[line+manner] }

func serveHostile(ctx context.Context, listener net.Listener, line, manner string) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go answer(ctx, conn, line, manner)
	}
}

// answer speaks until the other side hangs up.
func answer(ctx context.Context, conn net.Conn, line, manner string) {
	defer func() { _ = conn.Close() }()
	start, pause, chunk := opening(line, manner)
	if line != lineMail {
		if _, err := bufio.NewReader(conn).ReadString('\n'); err != nil { // the request line
			return
		}
	}
	if _, err := conn.Write([]byte(start)); err != nil {
		return
	}
	for {
		if _, err := conn.Write([]byte(chunk)); err != nil {
			return
		}
		if pause > 0 {
			servers.Pause(ctx, pause)
		}
	}
}

// opening returns what comes first, and what is then repeated for ever.
func opening(line, manner string) (start string, pause time.Duration, chunk string) {
	const body = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
	const begun = "9\r\n{\"data\":\"\r\n" // a text that a decoder has to keep until it ends
	switch {
	case line == lineMail && manner == poursHeader: // one line that never ends
		return "220 ", 0, strings.Repeat("x", 1<<16)
	case line == lineMail && manner == poursBody: // one reply of endless lines
		return "", 0, strings.Repeat("220-"+strings.Repeat("x", 60)+"\r\n", 1000)
	case line == lineMail:
		return "220 ", 50 * time.Millisecond, "x"
	case manner == poursHeader:
		return "HTTP/1.1 200 OK\r\nX-Long: ", 0, strings.Repeat("x", 1<<16)
	case manner == poursBody:
		return body + begun, 0, "10000\r\n" + strings.Repeat("x", 1<<16) + "\r\n"
	default:
		return body + begun, 50 * time.Millisecond, "1\r\nx\r\n"
	}
}
