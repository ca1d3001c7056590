package notify_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-ical"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
)

// eventful is a client whose event stands in a calendar, with every foreign text set to the same name.
func eventful(name string) credential.Record {
	n := rotated(name)
	return credential.Record{
		Client: credential.Client{ID: name, Owner: name, Provider: name, Vault: n.Facts.VaultPath}, Since: noon.AddDate(0, -1, 0), Version: 4,
		Calendar: credential.Calendar{UID: n.Calendar.UID, Sequence: 2, At: n.Calendar.At, Stamp: noon, What: n.Calendar.What, Sent: true},
	}
}

// A feed and a mail that were different events would give the client two entries, or one that jumps.
func TestTheEventOfAFeedIsThatOfTheMail(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(hostile(), "billing") {
		r := renderer(t)
		m, _ := render(t, r, rotated(name), notify.Recipient{Calendar: notify.CalendarPublish, Zone: zone})
		rec := eventful(name)
		feed := r.Feed(name, zone, "")
		event, err := feed.Event(&rec)
		if err != nil || len(event) == 0 || !bytes.Contains(m.Calendar, event) {
			t.Errorf("%q: %v: the feed has\n%s\nthe mail\n%s", name, err, event, m.Calendar)
		}
		whole := string(feed.Begin()) + string(event) + string(feed.End())
		cal, err := ical.NewDecoder(strings.NewReader(whole)).Decode()
		if err != nil || len(cal.Events()) != 1 || len(cal.Children) != 1 {
			t.Fatalf("%q: %v: %s", name, err, whole)
		}
		if err := ical.NewEncoder(&bytes.Buffer{}).Encode(cal); err != nil {
			t.Errorf("%q: %v: %s", name, err, whole)
		}
	}
}

// hostile are names that try to end a line, a text or an event.
func hostile() []string {
	return []string{"a\r\nATTENDEE:mailto:x@example.com", "a\nEND:VEVENT\nBEGIN:VEVENT", "a;b,c:\\d\"e'f", "ä\u202eö 🔑", strings.Repeat("x", 300), "-", "END:VCALENDAR"}
}

func TestWhatIsNotInAFeed(t *testing.T) {
	for name, change := range map[string]func(*credential.Record){
		"another owner's": func(r *credential.Record) { r.Client.Owner = "others" },
		"never sent":      func(r *credential.Record) { r.Calendar = credential.Calendar{} },
		"cancelled":       func(r *credential.Record) { r.Calendar.Sent = false },
	} {
		rec := eventful("billing")
		change(&rec)
		feed := renderer(t).Feed("billing", nil, "")
		if event, err := feed.Event(&rec); len(event) > 0 || err != nil || feed.Mark(&rec) != nil {
			t.Errorf("%s: %v %s", name, err, event)
		}
	}
}

// A state file of an older rotad does not say when the event was decided: it stands in the feed all the same.
func TestAnEventWithoutAStampHasThatOfItsClient(t *testing.T) {
	rec := eventful("billing")
	rec.Calendar.Stamp, rec.Calendar.What = time.Time{}, ""
	event, err := renderer(t).Feed("billing", nil, "").Event(&rec)
	if err != nil || !strings.Contains(string(event), "DTSTAMP:"+rec.Since.Format("20060102T150405Z")) || !strings.Contains(string(event), "SUMMARY;LANGUAGE=en:billing: deadline") {
		t.Errorf("%v: %s", err, event)
	}
}
