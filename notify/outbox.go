package notify

import (
	"context"
	"errors"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Outbox is the durable queue of notices. Rows are put into it by the commits that decide them.
type Outbox interface {
	// Claim returns at most limit notices whose Due is set and not after now, the earliest first; more only where those that
	// wait for a digest at one moment would be parted. One loop works on an
	// outbox, and it settles what it has claimed before it claims again; until then the outbox may keep those notices
	// back. Notices may come together with an error about others, which could not be read.
	Claim(ctx context.Context, now time.Time, limit int) ([]credential.Notice, error)
	// Settle replaces the notices with the same Seq, durably, all or none. A zero Due takes one out of the queue. One without
	// a Seq is added, unless its key is known already. Where an error is returned, they may or may not have been replaced.
	Settle(ctx context.Context, notices ...credential.Notice) error
	// NextDue returns the earliest Due in the queue; ok is false when nothing waits.
	NextDue(ctx context.Context) (due time.Time, ok bool, err error)
	// Prune forgets notices that were settled long ago, and returns how many.
	Prune(ctx context.Context, now time.Time) (int, error)
}

// Taken remembers past a kill of the process, and not past a power cut, which messages were taken. Its methods are called by several
// goroutines at once.
type Taken interface {
	// Note remembers a message by its id, and the answer to it. Where it returns an error nothing is remembered.
	Note(id, answer string) error
	// Answer returns what was answered when a message was sent, by this process or one before; ok is false where nothing is noted.
	Answer(id string) (answer string, ok bool)
	// Done forgets a message that the outbox knows as sent.
	Done(id string) error
}

type noTaken struct{}

func (noTaken) Note(string, string) error    { return errors.ErrUnsupported }
func (noTaken) Answer(string) (string, bool) { return "", false }
func (noTaken) Done(string) error            { return nil }

// Records gives the present state of a client, to ask whether a notice is still true.
type Records interface {
	// Get returns the record of a client; ok is false when there is none (or it has been archived).
	Get(id string) (r credential.Record, ok bool, err error)
}

// Directory knows who answers for a client. Its methods are called by several goroutines at once.
type Directory interface {
	// Owner returns the contact of an owner; ok is false for a name that the configuration does not have.
	Owner(name string) (c Contact, ok bool)
	// Admins returns the contact of the people who run rotad. They also get what no address of an owner takes.
	Admins() Contact
}

// Contact is how to reach a team, and how it reads dates.
type Contact struct {
	Emails   []string       // one message goes to each
	Channels []Subscription // and one over each
	Zone     *time.Location // nil = UTC
	Language string         // tag of the language that it reads; empty = English
	Calendar CalendarMode
	Digest   Timetable // when what is not urgent goes out together; nil = each notice goes at once
	Quiet    Hours     // when only what is urgent is told; nil = never
	Escalate []Rung    // who is told next of what calls for somebody and is not acknowledged, the soonest first
}

// Timetable says when the digests of a team go out.
type Timetable interface {
	// Next returns the first moment after t; zero = there is none.
	Next(t time.Time) time.Time
}

// Hours are the quiet hours of a team.
type Hours interface {
	// End returns the end of the quiet hours that t lies in; zero = it lies in none.
	End(t time.Time) time.Time
}

// Subscription is a channel of a team that is no mailbox.
type Subscription struct {
	Name  string   // of the channel
	Least Severity // what matters less is not sent over it; empty = everything is
}

// CalendarMode says how a team gets the calendar event of a client.
type CalendarMode string

// The calendar modes. The zero value is CalendarRequest.
const (
	CalendarRequest CalendarMode = "request" // an invitation that moves and can be cancelled (RFC 5546 section 3.2.2)
	CalendarPublish CalendarMode = "publish" // an event without attendee, for lists and ticket systems
	CalendarFeed    CalendarMode = "feed"    // one calendar of the whole team, which programs read; mails bring no events
	CalendarOff     CalendarMode = "off"     // no event
)

// mailed says whether events come with the mails.
func (m CalendarMode) mailed() bool { return m != CalendarFeed && m != CalendarOff }

// Outcome is the fate of a delivery, or of a whole notice, as metrics count it.
type Outcome string

// The outcomes.
const (
	OutcomeSent      Outcome = "sent"
	OutcomeRetry     Outcome = "retry"
	OutcomeAmbiguous Outcome = "ambiguous"
	OutcomeDead      Outcome = "dead"        // refused for good
	OutcomeDropped   Outcome = "dropped"     // no longer true, or no longer worth sending
	OutcomeNoEvent   Outcome = "no-calendar" // sent without its calendar event, which was not valid
)

// Outcomes lists all outcomes, so that metrics can show each from the start.
func Outcomes() []Outcome {
	return []Outcome{OutcomeSent, OutcomeRetry, OutcomeAmbiguous, OutcomeDead, OutcomeDropped, OutcomeNoEvent}
}

// Meter counts. Its methods are called by several goroutines at once.
type Meter interface {
	// Notice counts one outcome. The channel is empty for a notice that was dropped before it had recipients.
	Notice(channel string, kind credential.NoticeKind, outcome Outcome)
	// Delay observes the time between the decision to tell people and the moment a message was taken.
	Delay(kind credential.NoticeKind, delay time.Duration)
}

type noMeter struct{}

func (noMeter) Notice(string, credential.NoticeKind, Outcome) {}
func (noMeter) Delay(credential.NoticeKind, time.Duration)    {}
