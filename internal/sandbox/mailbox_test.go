package sandbox_test

import (
	"bytes"
	"io"
	"net"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
)

func newMailbox(t *testing.T, dir string) (*sandbox.Mailbox, string) {
	t.Helper()
	box := sandbox.NewMailbox(func() time.Time { return time.Unix(1, 0) }, dir)
	address, err := box.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	return box, address.String()
}

func TestMailboxKeepsMessagesByteForByte(t *testing.T) {
	dir := t.TempDir()
	box, address := newMailbox(t, dir)
	body := "Subject: x\r\n\r\n.leading dot\r\n..two\r\n" + strings.Repeat("long ", 2000) + "\r\n.\x20\r\nend\r\n"
	for range 2 {
		to := []string{"a@example.com", "b@example.com"}
		if err := smtp.SendMail(address, nil, "from@example.com", to, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	messages := box.Messages()
	if len(messages) != 2 {
		t.Fatalf("%d messages", len(messages))
	}
	m := messages[1]
	if m.From != "from@example.com" || len(m.To) != 2 || m.To[1] != "b@example.com" || !m.At.Equal(time.Unix(1, 0)) {
		t.Errorf("envelope %+v", m)
	}
	if string(m.Data) != body {
		t.Errorf("the message has changed: %d bytes, want %d", len(m.Data), len(body))
	}
	file, err := os.ReadFile(filepath.Join(dir, "000002.eml"))
	if err != nil || !bytes.Equal(file, m.Data) {
		t.Errorf("file of %d bytes, error %v", len(file), err)
	}
}

func TestMailboxAnswersWrongOrder(t *testing.T) {
	_, address := newMailbox(t, "")
	c, err := smtp.Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, step := range []struct {
		line string
		want int
	}{
		{"MAIL FROM:<a@b.c>", 503},
		{"RCPT TO:<a@b.c>", 503},
		{"DATA", 503},
		{"EHLO me", 250},
		{"MAIL to nobody", 501},
		{"mail from:<a@b.c> BODY=8BITMIME", 250},
		{"MAIL FROM:<a@b.c>", 503},
		{"RCPT TO:", 501},
		{"RCPT TO:<d@e.f>", 250},
		{"RSET", 250},
		{"DATA", 503},
		{"NOOP", 250},
		{"HELO me", 250},
		{"VRFY x", 252},
		{"STARTTLS", 500},
		{"QUIT", 221},
	} {
		if err := c.Text.PrintfLine("%s", step.line); err != nil {
			t.Fatal(err)
		}
		if code, _, _ := c.Text.ReadResponse(0); code != step.want {
			t.Errorf("%s: %d, want %d", step.line, code, step.want)
		}
	}
}

func TestMailboxOffersEightBit(t *testing.T) {
	_, address := newMailbox(t, "")
	c, err := smtp.Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if ok, _ := c.Extension("8BITMIME"); !ok {
		t.Error("8BITMIME is not offered")
	}
}

func TestMailboxThatIsDownTakesNothing(t *testing.T) {
	box, address := newMailbox(t, "")
	open, err := smtp.Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	if err := open.Hello("me"); err != nil {
		t.Fatal(err)
	}
	box.Down(true)
	if err := open.Noop(); err == nil {
		t.Error("an open connection goes on")
	}
	mail := func() error {
		return smtp.SendMail(address, nil, "a@b.c", []string{"d@e.f"}, []byte("Subject: x\r\n\r\nx\r\n"))
	}
	if mail() == nil || len(box.Messages()) != 0 {
		t.Error("a mail went through")
	}
	box.Down(false)
	if err := mail(); err != nil || len(box.Messages()) != 1 {
		t.Errorf("up again: %v", err)
	}
}

func TestAMessageThatCannotBeKeptIsNotAccepted(t *testing.T) {
	box, address := newMailbox(t, filepath.Join(t.TempDir(), "missing"))
	err := smtp.SendMail(address, nil, "a@b.c", []string{"d@e.f"}, []byte("x\r\n"))
	if err == nil || !strings.HasPrefix(err.Error(), "451") || len(box.Messages()) != 0 {
		t.Errorf("error %v, %d messages", err, len(box.Messages()))
	}
}

func FuzzMailboxSession(f *testing.F) {
	f.Add([]byte("EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<d@e.f>\r\nDATA\r\n..x\r\n.\r\nQUIT\r\n"))
	f.Add([]byte("HELO\nMAIL FROM:<>\nRCPT TO:<d>\nDATA\n.\n"))
	f.Add([]byte("EHLO x\r\nMAIL FROM:<a\r\nRCPT TO:d\r\nDATA\r\n"))
	f.Fuzz(func(t *testing.T, input []byte) {
		box := sandbox.NewMailbox(func() time.Time { return time.Unix(1, 0) }, "")
		mine, theirs := net.Pipe()
		go func() {
			_, _ = mine.Write(input)
			_ = mine.Close()
		}()
		go func() { _, _ = io.Copy(io.Discard, mine) }()
		box.Serve(theirs)
		_ = theirs.Close()
		for _, m := range box.Messages() {
			if len(m.To) == 0 || bytes.HasSuffix(m.Data, []byte("\n.\r\n")) {
				t.Errorf("message %+v", m)
			}
		}
	})
}
