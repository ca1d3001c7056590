package notify

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/rotad/rotad/internal/credential"
)

// feedRefresh is how often programs are asked to come again (RFC 7986 section 5.7, and the older name that Outlook reads).
const feedRefresh = "PT6H"

// Feed writes the events of an owner's clients as one calendar, a piece at a time: Begin, Event for each client, End. The events are
// those that mails carry, byte for byte, as they look without an attendee.
type Feed struct {
	r     *Renderer
	owner string
	as    Recipient
}

// Feed returns the feed of an owner, who reads it in a zone and a language as a Recipient has them.
func (r *Renderer) Feed(owner string, zone *time.Location, language string) Feed {
	return Feed{r, owner, Recipient{Zone: zone, Language: language, Calendar: CalendarPublish}}
}

const (
	endCalendar = "END:VCALENDAR\r\n"
	beginEvent  = "BEGIN:VEVENT\r\n"
)

// Begin returns what stands before the events.
func (f Feed) Begin() []byte {
	cal := ics.NewCalendar()
	cal.SetProductId("-//rotad//rotad//EN")
	cal.SetCalscale("GREGORIAN")
	cal.SetMethod(ics.MethodPublish)
	cal.SetName(calendarText(f.r.view(credential.Notice{}, f.as, time.Time{}).say("event.feed", clean(f.owner, maxName)))) // and X-WR-CALNAME
	cal.SetRefreshInterval(feedRefresh)
	cal.SetXPublishedTTL(feedRefresh)
	return bytes.TrimSuffix([]byte(cal.Serialize(ics.WithNewLineWindows)), []byte(endCalendar))
}

// End returns what stands after the events.
func (f Feed) End() []byte { return []byte(endCalendar) }

// errNoEvent says that an event reads back as another one, and is left out.
var errNoEvent = errors.New("the calendar object has no event")

// Event returns the event of a client; nil = it has none. One that was cancelled is not there any more, which is how programs that
// read feeds learn of it.
func (f Feed) Event(rec *credential.Record) ([]byte, error) {
	n, ok := f.notice(rec)
	if !ok {
		return nil, nil
	}
	v := f.r.view(n, f.as, n.At)
	d := v.data()
	_, encoded, err := f.r.event(&d, v)
	if err = errors.Join(err, v.speech.wrong); err != nil {
		return nil, err
	}
	_, body, found := bytes.Cut(encoded, []byte(beginEvent))
	if !found {
		return nil, errNoEvent
	}
	return append([]byte(beginEvent), bytes.TrimSuffix(body, []byte(endCalendar))...), nil
}

// notice is the notice whose mail would carry the event of a client as it stands now.
func (f Feed) notice(rec *credential.Record) (credential.Notice, bool) {
	c := rec.Calendar
	if rec.Client.Owner != f.owner || !c.Sent || c.UID == "" || c.At.IsZero() {
		return credential.Notice{}, false
	}
	stamp := c.Stamp
	if stamp.IsZero() {
		stamp = rec.Since
	}
	return credential.Notice{
		At: stamp, Client: rec.Client.ID, Owner: rec.Client.Owner,
		Facts:    credential.Facts{Provider: rec.Client.Provider, VaultPath: rec.Client.Vault, VaultVersion: rec.Version},
		Calendar: &credential.Invite{UID: c.UID, Sequence: c.Sequence, At: c.At, What: c.What},
	}, true
}

// Mark returns a sum over everything that Event makes of a client, at a fraction of its cost; nil = there is no event.
func (f Feed) Mark(rec *credential.Record) []byte {
	n, ok := f.notice(rec)
	if !ok {
		return nil
	}
	encoded, _ := json.Marshal(n) // texts, numbers and times of the state: it cannot fail
	sum := sha256.Sum256(encoded)
	return sum[:]
}

// Shape is what else the bytes of a feed depend on.
func (f Feed) Shape() []byte {
	return append(f.Begin(), (f.r.sender.From.Addr + "\x00" + f.r.sender.From.Name + "\x00" + f.r.sender.Mount + "\x00" + zoneName(f.as.Zone) + "\x00" + f.as.Language)...)
}

func zoneName(z *time.Location) string {
	if z == nil {
		return ""
	}
	return z.String()
}
