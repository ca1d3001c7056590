package notify_test

import (
	"strings"
	"testing"

	"github.com/rotad/rotad/notify"
)

// An object in which something stands that nobody wrote is not sent.
func TestWhatWasSmuggledIntoAnEventIsSeen(t *testing.T) {
	object := []string{"BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", "UID:a", `SUMMARY;X="a:b":one\, two\;`, " three\\n\\\\four", "END:VEVENT", "END:VCALENDAR"}
	found, err := notify.ReadBack(strings.Join(object, "\r\n") + "\r\n")
	if err != nil || found["UID"] != "a" || found["SUMMARY"] != "one, two;three\n\\four" {
		t.Fatalf("read as %q, %v", found, err)
	}
	for name, tt := range map[string]struct {
		line string // instead of the UID's
		want string
	}{
		"another property":       {"UID:a\r\nATTACH:http://evil.example", "ATTACH that is not ours"},
		"a property twice":       {"UID:a\r\nUID:b", "UID that is not ours"},
		"a second event":         {"UID:a\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSTATUS:CANCELLED", "2 events"},
		"an end too many":        {"UID:a\r\nEND:VEVENT\r\nEND:VEVENT", "ends a VEVENT that is not open"},
		"an end of another part": {"UID:a\r\nEND:VCALENDAR", "ends a VCALENDAR that is not open"},
		"a part without an end":  {"UID:a\r\nBEGIN:VALARM", "ends a VEVENT that is not open"},
		"a lone line feed":       {"UID:a\nATTACH:x", "does not end in CRLF"},
		"a lone carriage return": {"UID:a\rATTACH:x", "does not end in CRLF"},
		"a line too long":        {"UID:" + strings.Repeat("a", 72), "76 octets"},
		"no property":            {"UID", "is no property"},
		"no name":                {":a", "is no property"},
		"quotes without an end":  {`UID;X="a:b`, "is no property"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(strings.Join(object, "\r\n")+"\r\n", "UID:a", tt.line, 1)
			if found, err := notify.ReadBack(text); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("read as %q, %v", found, err)
			}
		})
	}
	if _, err := notify.ReadBack(strings.Join(object[:6], "\r\n")); err == nil {
		t.Error("an object that breaks off was taken for a whole one")
	}
}
