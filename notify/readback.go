package notify

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxLine is the length in octets at which a line of a calendar object is folded (RFC 5545 section 3.1).
const maxLine = 75

// eventProperties are all that an event of ours has. A line of any other name was not written: it was smuggled in.
var eventProperties = []string{
	"ATTENDEE", "DESCRIPTION", "DTEND", "DTSTAMP", "DTSTART", "ORGANIZER", "SEQUENCE", "STATUS", "SUMMARY", "TRANSP", "UID",
	"X-MICROSOFT-CDO-BUSYSTATUS", "X-MICROSOFT-DISALLOW-COUNTER",
}

// readBack reads the properties of the one event of a calendar object, without those of its alarm, texts unescaped. It shares
// nothing with the library that has written the object, so that it does not share its errors.
func readBack(object string) (map[string]string, error) {
	lines, err := unfold(object)
	if err != nil {
		return nil, err
	}
	r := reading{found: make(map[string]string, len(eventProperties))}
	for _, line := range lines {
		if err := r.line(line); err != nil {
			return nil, err
		}
	}
	if r.events != 1 || len(r.inside) > 0 {
		return nil, fmt.Errorf("the calendar object has %d events, and %d parts without an end", r.events, len(r.inside))
	}
	return r.found, nil
}

// reading is how far an object has been read.
type reading struct {
	inside []string // the parts that are open, the outermost first
	events int
	found  map[string]string
}

func (r *reading) line(line string) error {
	name, value, ok := property(line)
	last := len(r.inside) - 1
	switch {
	case !ok:
		return errors.New("a line of the calendar object is no property")
	case name == "BEGIN":
		r.inside = append(r.inside, value)
		if value == "VEVENT" {
			r.events++
		}
	case name == "END" && (last < 0 || r.inside[last] != value):
		return fmt.Errorf("the calendar object ends a %s that is not open", value)
	case name == "END":
		r.inside = r.inside[:last]
	case slices.Equal(r.inside, []string{"VCALENDAR", "VEVENT"}):
		if _, twice := r.found[name]; twice || !slices.Contains(eventProperties, name) {
			return fmt.Errorf("the calendar object has a %s that is not ours", name)
		}
		r.found[name] = unescape(name, value)
	}
	return nil
}

// unfold joins the lines that were folded (RFC 5545 section 3.1).
func unfold(object string) ([]string, error) {
	object = strings.TrimSuffix(object, "\r\n")
	for line := range strings.SplitSeq(object, "\r\n") {
		switch {
		case len(line) > maxLine:
			return nil, fmt.Errorf("a line of the calendar object has %d octets", len(line))
		case strings.ContainsAny(line, "\r\n"):
			return nil, errors.New("a line of the calendar object does not end in CRLF")
		}
	}
	return strings.Split(strings.ReplaceAll(object, "\r\n ", ""), "\r\n"), nil
}

// property splits a line into its name and its value, and leaves its parameters out: the value begins after the first colon
// that no quotes enclose.
func property(line string) (name, value string, ok bool) {
	quoted := false
	for i := range len(line) {
		switch {
		case line[i] == '"':
			quoted = !quoted
		case line[i] == ':' && !quoted:
			name, _, _ = strings.Cut(line[:i], ";")
			return name, line[i+1:], name != ""
		}
	}
	return "", "", false
}

// escaped is made once: making one costs more than using it.
var escaped = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\N`, "\n", `\,`, ",", `\;`, ";")

// unescape undoes the escapes of a text (RFC 5545 section 3.3.11); other values have none.
func unescape(name, value string) string {
	if name == "SUMMARY" || name == "DESCRIPTION" {
		return escaped.Replace(value)
	}
	return value
}
