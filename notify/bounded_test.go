package notify_test

import (
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rotad/rotad/notify"
)

// endless is a mail server that talks without end: from the beginning, or in answer to a command.
type endless struct {
	listener net.Listener
	poured   atomic.Int64 // bytes that the other side has taken
}

// newEndless opens a server that says a beginning and then repeats a part for as long as it is listened to.
func newEndless(t *testing.T, beginning, part string) *endless {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	e := &endless{listener: listener}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go e.pour(conn, beginning, strings.Repeat(part, 1+(1<<16)/len(part)))
		}
	}()
	return e
}

func (e *endless) pour(conn net.Conn, text, part string) {
	defer func() { _ = conn.Close() }()
	for {
		n, err := conn.Write([]byte(text))
		e.poured.Add(int64(n))
		if err != nil {
			return
		}
		text = part
	}
}

// A server that never ends its answer must not fill the memory until the deadline: what is read of one answer is
// limited. Socket buffers take some megabytes beyond that.
func TestAnAnswerWithoutEndIsCutOff(t *testing.T) {
	for name, server := range map[string]struct{ beginning, part string }{
		"a line without end":            {"220 ", "x"},
		"a greeting of endless lines":   {"220-hello\r\n", "220-hello\r\n"},
		"an EHLO of endless lines":      {"220 ready\r\n", "250-STARTTLS\r\n"},
		"an answer without end to MAIL": {"220 ready\r\n250 ok\r\n", "250-ok\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEndless(t, server.beginning, server.part)
			c := smtpTo(t, e.listener.Addr().(*net.TCPAddr).Port)
			_, err := c.Send(t.Context(), letterTo(t, "a@example.com"))
			var failed *notify.SendError
			if !errors.As(err, &failed) || failed.Class == notify.ClassPermanent || failed.Class == notify.ClassAmbiguous {
				t.Errorf("an endless answer gives %v", err)
			}
			if !strings.Contains(err.Error(), "larger than the limit") {
				t.Errorf("the error does not say why: %v", err)
			}
			if poured := e.poured.Load(); poured > 32<<20 {
				t.Errorf("%d bytes were taken", poured)
			}
		})
	}
}
