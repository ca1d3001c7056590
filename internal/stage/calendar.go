package stage

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Event is the one event of a calendar object.
type Event struct {
	UID, Summary string
	At           time.Time
	Sequence     int
	Cancelled    bool
}

var errNoEvent = errors.New("there is no event in it")

// icsTime is how a time in UTC is written (RFC 5545 section 3.3.5).
const icsTime = "20060102T150405Z"

// ReadEvent reads the event out of an iCalendar object (RFC 5545).
func ReadEvent(raw []byte) (Event, error) {
	var e Event
	within := "" // the component that the line stands in
	for line := range strings.Lines(unfold(string(raw))) {
		name, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		name, _, _ = strings.Cut(name, ";")
		switch {
		case name == "BEGIN":
			within = value
		case name == "END" && value == "VALARM":
			within = "VEVENT"
		case name == "METHOD" && value == "CANCEL":
			e.Cancelled = true
		case within == "VEVENT":
			if err := e.take(name, value); err != nil {
				return Event{}, err
			}
		}
	}
	if e.UID == "" || e.At.IsZero() {
		return Event{}, fmt.Errorf("reading a calendar: %w", errNoEvent)
	}
	return e, nil
}

// unfold joins lines that were folded because they were long.
func unfold(text string) string {
	return strings.NewReplacer("\r\n ", "", "\r\n\t", "", "\n ", "", "\n\t", "").Replace(text)
}

func (e *Event) take(name, value string) (err error) {
	switch name {
	case "UID":
		e.UID = value
	case "SUMMARY":
		e.Summary = strings.NewReplacer(`\,`, ",", `\;`, ";", `\n`, " ", `\\`, `\`).Replace(value)
	case "SEQUENCE":
		e.Sequence, err = strconv.Atoi(value)
	case "DTSTART":
		e.At, err = time.Parse(icsTime, value)
	case "STATUS":
		e.Cancelled = e.Cancelled || value == "CANCELLED"
	}
	if err != nil {
		return fmt.Errorf("reading %s of an event: %w", name, err)
	}
	return nil
}
