package mail_test

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/emersion/go-ical"

	"github.com/rotad/rotad/test/servers"
)

// client is what stands between a mailbox and a calendar: it carries the events of mails over, as RFC 5546 section 2.1.5
// says. A REQUEST stores the event under its UID, a CANCEL removes it, and what is older than what is there is history.
type client struct {
	*servers.Radicale
}

// receive carries over the event of one mail, and says whether it was news.
func (c client) receive(ctx context.Context, m servers.Mail) (news bool, err error) {
	event, err := m.Event()
	if err != nil {
		return false, err
	}
	uid, sequence, err := identity(event)
	if err != nil {
		return false, err
	}
	name := url.PathEscape(uid) + ".ics"
	have, found, err := c.sequence(ctx, name)
	if err != nil || found && sequence <= have {
		return false, err
	}
	switch strings.ToUpper(m.Method) {
	case "REQUEST":
		object, err := stored(m.Calendar)
		if err != nil {
			return false, err
		}
		return true, c.Put(ctx, name, object)
	case "CANCEL":
		if !found {
			return false, fmt.Errorf("the mail %q cancels an event that the calendar does not have", m.Subject)
		}
		return true, c.Delete(ctx, name)
	}
	return false, fmt.Errorf("the mail %q has the method %q", m.Subject, m.Method)
}

// sequence returns that of the event that the calendar has.
func (c client) sequence(ctx context.Context, name string) (n int, found bool, err error) {
	object, found, err := c.Get(ctx, name)
	if err != nil || !found {
		return 0, false, err
	}
	calendar, err := ical.NewDecoder(bytes.NewReader(object)).Decode()
	if err != nil {
		return 0, false, fmt.Errorf("reading what the calendar has: %w", err)
	}
	_, n, err = identity(calendar.Events()[0])
	return n, true, err
}

// identity is what tells events apart, and versions of an event.
func identity(event ical.Event) (uid string, sequence int, err error) {
	if uid, err = event.Props.Text(ical.PropUID); err != nil {
		return "", 0, err
	}
	sequence, err = strconv.Atoi(event.Props.Get(ical.PropSequence).Value)
	return uid, sequence, err
}

// stored is an event as it is kept: without a method (RFC 4791 section 4.1).
func stored(calendar *ical.Calendar) ([]byte, error) {
	kept := ical.NewCalendar()
	kept.Children = calendar.Children
	for name, values := range calendar.Props {
		if name != ical.PropMethod {
			kept.Props[name] = values
		}
	}
	var out bytes.Buffer
	err := ical.NewEncoder(&out).Encode(kept)
	return out.Bytes(), err
}

// events returns the events of the whole calendar.
func (c client) events(ctx context.Context) ([]ical.Event, error) {
	raw, err := c.All(ctx)
	if err != nil || !bytes.Contains(raw, []byte("BEGIN:VEVENT")) {
		return nil, err
	}
	calendar, err := ical.NewDecoder(bytes.NewReader(raw)).Decode()
	if err != nil {
		return nil, fmt.Errorf("reading the calendar: %w", err)
	}
	return calendar.Events(), nil
}
