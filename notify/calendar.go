package notify

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/rotad/rotad/internal/credential"
)

// eventLength is how long the event lasts. It ends at the deadline; RFC 5545 section 3.8.2.2 wants the end to be later
// than the start.
const eventLength = 15 * time.Minute

// event is what a calendar object says. Summary and Description have passed calendarText.
type event struct {
	Invite      credential.Invite
	Stamp       time.Time // DTSTAMP: when this version of the event was decided
	Summary     string
	Description string
	Language    string // tag of the language of both; empty = not said
	Organizer   Address
	Attendee    string
	Mode        CalendarMode
}

// method returns the METHOD of the object (RFC 5546 section 1.4).
func (e event) method() ics.Method {
	switch {
	case e.Invite.Cancel:
		return ics.MethodCancel
	case e.Mode == CalendarPublish:
		return ics.MethodPublish
	}
	return ics.MethodRequest
}

// encode writes the iCalendar object with CRLF line ends. Times are UTC, because a changed definition of a zone makes
// some calendars ignore an update in silence; the zone of the reader stands in the text.
func (e event) encode() []byte { return encodeAll(e.method(), e) }

// encodeAll writes one object for several events. Only PUBLISH may have more than one (RFC 5546 section 3.2.2).
func encodeAll(method ics.Method, events ...event) []byte {
	cal := ics.NewCalendar()
	cal.SetProductId("-//rotad//rotad//EN")
	cal.SetCalscale("GREGORIAN")
	cal.SetMethod(method)
	for _, e := range events {
		e.addTo(cal)
	}
	var out bytes.Buffer
	out.Grow(eventSize * len(events))
	_ = cal.SerializeTo(&out, ics.WithNewLineWindows) // to memory: it cannot fail
	return out.Bytes()
}

// eventSize is more than most events take, in bytes.
const eventSize = 2 << 10

func (e event) addTo(cal *ics.Calendar) {
	v := cal.AddEvent(e.Invite.UID)
	v.SetDtStampTime(e.Stamp)
	v.SetSequence(e.Invite.Sequence)
	v.SetStartAt(e.Invite.At.Add(-eventLength))
	v.SetEndAt(e.Invite.At)
	v.SetSummary(e.Summary, e.spoken()...)
	v.SetDescription(e.Description, e.spoken()...)
	v.SetStatus(ics.ObjectStatusConfirmed)
	v.SetTimeTransparency(ics.TransparencyTransparent)
	v.SetProperty("X-MICROSOFT-CDO-BUSYSTATUS", "FREE")
	v.SetProperty("X-MICROSOFT-DISALLOW-COUNTER", "TRUE")
	e.people(v)
	if e.Invite.Cancel {
		v.SetStatus(ics.ObjectStatusCancelled)
	} else {
		alarm := v.AddAlarm()
		alarm.SetAction(ics.ActionDisplay)
		alarm.SetTrigger("-P1D")
		alarm.SetDescription(e.Summary, e.spoken()...)
	}
}

// spoken says in which language a text is (RFC 5545 section 3.2.10): readers that speak it aloud, or translate it, ask.
func (e event) spoken() []ics.PropertyParameter {
	if e.Language == "" {
		return nil
	}
	return []ics.PropertyParameter{&ics.KeyValues{Key: string(ics.ParameterLanguage), Value: []string{e.Language}}}
}

// people adds ORGANIZER, and ATTENDEE unless the event is published: RFC 5546 section 3.2.1 forbids it there.
func (e event) people(v *ics.VEvent) {
	var name []ics.PropertyParameter
	if cn := calendarName(e.Organizer.Name); cn != "" {
		name = append(name, ics.WithCN(cn))
	}
	v.SetOrganizer(mailto(e.Organizer.Addr), name...)
	if e.Mode == CalendarPublish {
		return
	}
	v.AddAttendee(mailto(e.Attendee), ics.CalendarUserTypeIndividual, ics.ParticipationRoleReqParticipant,
		ics.ParticipationStatusNeedsAction, &ics.KeyValues{Key: string(ics.ParameterRsvp), Value: []string{"FALSE"}},
		ics.WithCN(calendarName(e.Attendee)))
}

// endsAddress is made once: making one costs more than using it.
var endsAddress = strings.NewReplacer("%", "%25", "?", "%3F", "#", "%23", "&", "%26", "/", "%2F")

// mailto writes an address as a URI (RFC 6068 section 2). The encoder escapes nothing there, and an address has passed
// CheckAddress, so only what would end the address part is left to escape.
func mailto(addr string) string {
	return "mailto:" + endsAddress.Replace(addr)
}

// calendarText removes what the encoder does not escape: a CR in a text would end the line and begin a new property.
func calendarText(s string) string {
	lines := cleanLines(s)
	return strings.Join(lines, "\n")
}

// calendarName makes a parameter value that needs neither quotes nor escapes: the encoder would escape with
// backslashes, which no reader undoes and which can hide the address behind it (RFC 5545 section 3.2).
func calendarName(s string) string {
	s = strings.Map(func(r rune) rune {
		switch r {
		case '\'':
			return '’'
		case '"', '\\', ',', ';', ':', '^':
			return ' '
		}
		return r
	}, clean(s, maxName))
	return clean(s, maxName)
}

// validate reads the object back and compares. It is asked for every event before it is sent, so that a name nobody
// thought of costs the invite and never the mail.
func (e event) validate(encoded []byte) error {
	found, err := readBack(string(encoded))
	if err != nil {
		return err
	}
	want := map[string]string{
		"UID":         e.Invite.UID,
		"SEQUENCE":    strconv.Itoa(e.Invite.Sequence),
		"DTEND":       e.Invite.At.UTC().Format("20060102T150405Z"),
		"DTSTAMP":     e.Stamp.UTC().Format("20060102T150405Z"),
		"SUMMARY":     e.Summary,
		"DESCRIPTION": e.Description,
		"ORGANIZER":   mailto(e.Organizer.Addr),
	}
	if e.Mode != CalendarPublish {
		want["ATTENDEE"] = mailto(e.Attendee)
	}
	for name, value := range want {
		if got, ok := found[name]; !ok || got != value {
			return fmt.Errorf("the calendar object reads back with another %s", name)
		}
	}
	return nil
}
