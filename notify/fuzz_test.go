package notify_test

import (
	"bufio"
	"bytes"
	"net/mail"
	"net/textproto"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
	"github.com/rotad/rotad/templates"
)

// FuzzParseAddress reads the senders and readers of a configuration: one mailbox that SMTP can be told of, or an error.
func FuzzParseAddress(f *testing.F) {
	for _, text := range []string{
		"a@example.com", "Secrets <secrets@example.com>", `"O'Brien, Anna" <a@example.com>`, "=?utf-8?q?a?= <a@example.com>", "a@b, c@d",
		"<a@example.com> b", "(c) a@example.com", "\"a\r\nBcc: x\" <a@example.com>", "group: a@b;", "ünïcödé <ü@exämple.com>", "",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := notify.ParseAddress(text)
		if err != nil {
			return
		}
		if notify.CheckAddress(a.Addr) != nil || strings.ContainsFunc(a.Name, unicode.IsControl) {
			t.Fatalf("%q is read as %q %q", text, a.Name, a.Addr)
		}
		written := (&mail.Address{Name: a.Name, Address: a.Addr}).String()
		if again, err := notify.ParseAddress(written); err != nil || again.Addr != a.Addr {
			t.Errorf("%q is read as %+v, written %q, and read as %+v, %v", text, a, written, again, err)
		}
	})
}

// FuzzFacts renders notices whose facts are numbers and moments that nobody thought of. A mail is always made; what it says
// about time is whole; no text of a client can be taken for a link of ours.
func FuzzFacts(f *testing.F) {
	f.Add(uint8(0), "billing", int64(1_796_558_400), int64(3_600), 4, "Europe/Berlin")
	f.Add(uint8(1), "../admin?x=1#y", int64(-62_135_596_800), int64(-1), -1, "America/St_Johns")
	f.Add(uint8(5), "a/b", int64(253_402_300_799), int64(1<<40), 1<<30, "Pacific/Apia")
	f.Add(uint8(12), "", int64(0), int64(0), 0, "")
	f.Add(uint8(8), "%2e%2e", int64(2_147_483_648), int64(86_400*366), 1, "Asia/Kathmandu")
	const answer = "https://rotad.example.com/answer/abc-_0"
	r := renderer(f, func(s *notify.Sender) {
		s.Answers = func(credential.Notice, string) []templates.Answer {
			return []templates.Answer{{Verb: "snooze", Link: answer}}
		}
	})
	f.Fuzz(func(t *testing.T, kind uint8, client string, second, later int64, number int, zone string) {
		at := time.Unix(second%(1<<37), 0).UTC()
		next := at.Add(time.Duration(later%(1<<33)) * time.Second)
		place, err := time.LoadLocation(zone)
		if err != nil {
			place = time.UTC
		}
		kinds := allKinds(rotated(client))
		n := kinds[int(kind)%len(kinds)]
		n.At, n.Calendar.At, n.Calendar.Sequence = at, next, number
		n.Facts.Expires, n.Facts.NextRotate, n.Facts.OldDies = next, at, next
		n.Facts.VaultVersion, n.Facts.OldVersion = number, number-1
		n.Facts.Hold = &credential.Hold{Code: credential.HoldSecretLost, Since: at, Deadline: next, Paging: number%2 == 0}
		m, _, err := r.Render(n, notify.Recipient{To: "team@example.com", Zone: place, Language: map[bool]string{true: "de"}[number%3 == 0]}, at)
		if err != nil {
			t.Fatal(err)
		}
		if m.Subject == "" || m.Text == "" || strings.ContainsAny(m.Subject, "\r\n") {
			t.Errorf("the subject is %q", m.Subject)
		}
		for _, broken := range []string{"<no value>", "%!", "NaN", "0001-01-01"} {
			if strings.Contains(m.Text, broken) && !strings.Contains(client, broken) {
				t.Errorf("the mail says %q:\n%s", broken, m.Text)
			}
		}
		if _, err := notify.Compose(m); err != nil {
			t.Errorf("the mail cannot be written: %v", err)
		}
		if links := strings.Count(m.Text, "\n        "+answer+"\n"); links != 1 {
			t.Errorf("the link stands %d times on a line of its own:\n%s", links, m.Text)
		}
	})
}

// FuzzDotted gives a message as the standard library writes it, whatever its lines are, and never an end in the middle.
func FuzzDotted(f *testing.F) {
	for _, text := range []string{"a\r\nb\r\n", ".\r\n", "a\r\n.\r\nb\r\n", "a\n.\nb\n", "a\r.\r\nb", "a\r\n..\r\n", "", "\r\n", "a", "\n.\r\n", "\r\r\n.\r\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var want bytes.Buffer
		w := textproto.NewWriter(bufio.NewWriter(&want)).DotWriter()
		_, _ = w.Write(body)
		_ = w.Close()
		got := notify.Dotted(bytes.Clone(body))
		if !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%q goes as %q, the standard library writes %q", body, got, want.Bytes())
		}
		if at := bytes.Index(got, []byte("\n.\r\n")); at >= 0 && at != len(got)-4 {
			t.Errorf("%q ends in the middle: %q", body, got)
		}
	})
}
