package stage_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/stage"
	"github.com/rotad/rotad/notify"
)

func TestPostReadsEveryMailThatRotadSends(t *testing.T) {
	samples, err := notify.Samples(nil, "")
	if err != nil || len(samples) == 0 {
		t.Fatal(len(samples), err)
	}
	post := stage.NewPost()
	for i, s := range samples {
		if err := post.Add(s.Mail, noon); err != nil {
			t.Fatalf("%s: %v", s.Name, err)
		}
		m, ok := post.Mail(i + 1)
		if !ok || m.Subject != s.Message.Subject || strings.TrimSpace(strings.ReplaceAll(m.HTML, "\r", "")) != strings.TrimSpace(s.Message.HTML) {
			t.Errorf("%s: read as %q", s.Name, m.Subject)
		}
		if (len(m.Calendar) > 0) != (len(s.Message.Calendar) > 0) || m.Text == "" || !strings.Contains(m.To, "@") {
			t.Errorf("%s: its parts or its recipient are missing", s.Name)
		}
	}
	var scene stage.Scene
	post.Fill(&scene)
	if len(scene.Mails) != len(samples) || scene.Mails[0].N != len(samples) || len(scene.Entries) == 0 {
		t.Errorf("%d mails, %d entries", len(scene.Mails), len(scene.Entries))
	}
}

// invitation is a mail with nothing but an event.
func invitation(uid string, sequence int, at time.Time, status string) []byte {
	event := strings.Join([]string{
		"BEGIN:VCALENDAR", "METHOD:REQUEST", "BEGIN:VEVENT", "UID:" + uid, fmt.Sprintf("SEQUENCE:%d", sequence),
		"DTSTART:" + at.Format("20060102T150405Z"), "SUMMARY:a\\, and a ", " long line", "STATUS:" + status,
		"BEGIN:VALARM", "TRIGGER:-P1D", "SUMMARY:not this", "END:VALARM", "END:VEVENT", "END:VCALENDAR", "",
	}, "\r\n")
	return []byte("To: <a@example.com>\r\nSubject: =?utf-8?q?f=C3=BCr?=\r\nX-Rotad-Client: a\r\nContent-Type: text/calendar\r\n" +
		"Content-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte(event)))
}

func TestCalendarHasOneEventThatMoves(t *testing.T) {
	post := stage.NewPost()
	entry := func(raw []byte) stage.Entry {
		t.Helper()
		if err := post.Add(raw, noon); err != nil {
			t.Fatal(err)
		}
		var scene stage.Scene
		post.Fill(&scene)
		if len(scene.Entries) != 1 || scene.Mails[0].Subject != "für" || scene.Mails[0].To != "a@example.com" {
			t.Fatalf("%+v %+v", scene.Entries, scene.Mails[0])
		}
		return scene.Entries[0]
	}
	later := noon.AddDate(0, 0, 7)
	steps := []struct {
		raw  []byte
		want string
	}{
		{invitation("u", 0, noon, "CONFIRMED"), "2026-03-02 moved 0 gone false"},
		{invitation("u", 1, later, "CONFIRMED"), "2026-03-09 moved 1 gone false"},
		{invitation("u", 0, noon, "CONFIRMED"), "2026-03-09 moved 1 gone false"}, // what comes late changes nothing
		{invitation("u", 2, later, "CANCELLED"), "2026-03-09 moved 1 gone true"},
	}
	for i, s := range steps {
		e := entry(s.raw)
		if got := fmt.Sprintf("%s moved %d gone %t", e.At.Format(time.DateOnly), e.Moved, e.Gone); got != s.want || e.Summary != "a, and a long line" {
			t.Errorf("step %d: %s, %q", i, got, e.Summary)
		}
	}
}

func TestPostRefusesWhatIsNoMail(t *testing.T) {
	for name, raw := range map[string]string{
		"nothing":         "",
		"no type":         "To: a@example.com\r\n\r\nx",
		"no boundary":     "Content-Type: multipart/mixed\r\n\r\nx",
		"broken parts":    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nx",
		"broken encoding": "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%",
		"no event":        "Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
		"broken time":     "Content-Type: text/calendar\r\n\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTART:yesterday\r\nEND:VEVENT\r\n",
	} {
		if err := stage.NewPost().Add([]byte(raw), noon); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
