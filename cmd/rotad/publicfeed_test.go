package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-ical"
)

func events(t *testing.T, object string) map[string]*ical.Event {
	t.Helper()
	cal, err := ical.NewDecoder(strings.NewReader(object)).Decode()
	if err != nil {
		t.Fatalf("%v: %s", err, object)
	}
	out := map[string]*ical.Event{}
	for _, e := range cal.Events() {
		uid, err := e.Props.Text(ical.PropUID)
		if err != nil {
			t.Fatal(err)
		}
		out[uid] = &e
	}
	return out
}

func TestAFeedHasTheEventsOfTheMails(t *testing.T) {
	l := newPublicLife(t)
	l.begin()
	first, second := l.letter("partner", "alice@example.com"), l.letter("second", "alice@example.com")
	address := strings.TrimSpace(l.rotad(exitDone, "calendar", "payments"))
	if !strings.HasPrefix(address, l.root+"/calendar/") || !strings.HasSuffix(address, ".ics") {
		t.Fatalf("the address is %q", address)
	}
	status, feed, header := l.get("GET", address, "")
	if status != 200 || header.Get("Cache-Control") != "private, no-cache" {
		t.Fatalf("%d %v", status, header)
	}
	for _, want := range []string{"METHOD:PUBLISH\r\n", "REFRESH-INTERVAL;VALUE=DURATION:PT6H\r\n", "X-PUBLISHED-TTL:PT6H\r\n", "X-WR-CALNAME:Secrets of payments\r\n"} {
		if !strings.Contains(feed, want) {
			t.Errorf("the feed lacks %q", want)
		}
	}
	if strings.Contains(feed, "ATTENDEE") || strings.Contains(feed, "elsewhere") {
		t.Errorf("the feed says too much:\n%s", feed)
	}
	found := events(t, feed)
	if len(found) != 2 {
		t.Errorf("%d events", len(found))
	}
	for _, mail := range [][]byte{first.calendar, second.calendar} {
		_, rest, _ := strings.Cut(string(mail), "BEGIN:VEVENT")
		body, _, _ := strings.Cut(rest, "END:VEVENT")
		if body == "" || !strings.Contains(feed, "BEGIN:VEVENT"+body+"END:VEVENT\r\n") {
			t.Errorf("the feed has another event than the mail:\n%s\n%s", feed, body)
		}
	}
	if status, _, _ := l.get("GET", address, "", "If-None-Match", header.Get("ETag")); status != 304 {
		t.Errorf("the same feed gets %d", status)
	}
	l.moves(address, header.Get("ETag"))

	other := strings.TrimSpace(l.rotad(exitDone, "calendar", "payments", "--revoke"))
	if status, _, _ := l.get("GET", address, ""); status != 404 || other == address {
		t.Errorf("a revoked address gets %d", status)
	}
	l.begin()
	if status, _, _ := l.get("GET", other, ""); status != 200 || strings.TrimSpace(l.rotad(exitDone, "calendar", "payments")) != other {
		t.Errorf("the new address gets %d after a restart", status)
	}
	if said := l.rotad(exitFailed, "calendar", "nobody"); !strings.Contains(said, `there is no owner "nobody"`) {
		t.Error(said)
	}
}

// A team that has chosen one calendar finds its deadlines there, once, and none of them in its mails.
func TestATeamWithOneCalendarReadsItThere(t *testing.T) {
	l := newPublicLife(t)
	l.begin()
	if mail := l.letter("elsewhere", "carol@example.com"); mail.calendar != nil {
		t.Errorf("the mail brings an event:\n%s", mail.calendar)
	}
	address := strings.TrimSpace(l.rotad(exitDone, "calendar", "others"))
	status, feed, _ := l.get("GET", address, "")
	if found := events(t, feed); status != 200 || len(found) != 1 || !strings.Contains(feed, "DTEND:"+l.ends.Format("20060102T150405Z")) {
		t.Errorf("%d, %d events:\n%s", status, len(found), feed)
	}
}

// moves lets a deadline move and a client leave, and looks at the feed again.
func (l *publicLife) moves(address, tag string) {
	l.Helper()
	file := filepath.Join(l.dir, "config.yaml")
	text, err := os.ReadFile(file)
	l.must(err)
	moved := l.ends.AddDate(0, 0, -5)
	lines := slices.DeleteFunc(strings.Split(string(text), "\n"), func(line string) bool { return strings.Contains(line, "{id: second,") })
	changed := strings.ReplaceAll(strings.Join(lines, "\n"), "expires: "+l.ends.Format(time.RFC3339), "expires: "+moved.Format(time.RFC3339))
	l.must(os.WriteFile(file, []byte(changed), 0o600))
	l.begin()
	l.await("the feed follows", func() bool {
		status, feed, header := l.get("GET", address, "", "If-None-Match", tag)
		return status == 200 && header.Get("ETag") != tag && strings.Count(feed, "BEGIN:VEVENT") == 1 &&
			strings.Contains(feed, "DTEND:"+moved.Format("20060102T150405Z")) && strings.Contains(feed, "SEQUENCE:1\r\n")
	})
}
