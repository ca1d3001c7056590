package notify

import (
	"context"
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// MailChannel is the name of the channel that takes e-mail addresses. All others have the name that the configuration gives
// them, and one reader each.
const MailChannel = "smtp"

// Channel is a way to reach people. Send is called by several goroutines at once.
type Channel interface {
	// Name is the word for this channel in deliveries and metrics.
	Name() string
	// Send hands one message over. A nil error means that the other side has taken responsibility for it. Any other
	// outcome is a *SendError whose class says what may be concluded; an error of another type counts as ClassRetry.
	Send(ctx context.Context, m Message) (Receipt, error)
}

// Receipt is what the other side said when it took a message.
type Receipt struct {
	Reply string // one line, for example "2.0.0 Ok: queued as 4F2A"; empty = it said nothing
}

// Message is a rendered notice for one recipient: everything that a channel needs, and nothing secret. The same notice,
// recipient and moment give the same Message, so that a repeated send repeats the same bytes.
type Message struct {
	ID        string // Message-ID without angle brackets; stable per notice and recipient
	Thread    string // id of the thread's imaginary root, without angle brackets; empty = no thread
	Kind      credential.NoticeKind
	Client    string
	Milestone string
	Language  string // tag of the language that it is written in
	From      Address
	ReplyTo   Address // zero = From
	To        string  // one address
	Date      time.Time
	Urgent    bool // final, expired, or a hold that calls for a person
	Subject   string
	Text      string
	HTML      string
	Calendar  []byte // iCalendar object with CRLF line ends; nil = none
	Method    string // its METHOD: REQUEST, PUBLISH or CANCEL
	Digest    bool   // says several notices, of whom Calendar holds all events
	Card      *Card  // for channels that take no mail; nil = this is a mail
}

// Class says what may be concluded from a failed send.
type Class int

// The classes of a failed send. The zero value is the cautious one: not delivered, try again.
const (
	ClassRetry     Class = iota // not delivered; this message may succeed later
	ClassDown                   // not delivered; nothing can be sent over this channel now, for whatever recipient
	ClassPermanent              // not delivered and never will be
	ClassAmbiguous              // nobody knows: the answer to the last byte was lost (RFC 1047)
)

// String names the class as metrics and logs do.
func (c Class) String() string {
	switch c {
	case ClassDown:
		return "down"
	case ClassPermanent:
		return "permanent"
	case ClassAmbiguous:
		return "ambiguous"
	case ClassRetry:
	}
	return "retry"
}

// SendError is a failed send.
type SendError struct {
	Class    Class
	Stage    string // where it failed: address, dial, auth, mail, rcpt, data, body, dot; of HTTP: secret, post, answer
	Code     int    // reply code; 0 = there was no reply
	Enhanced string // enhanced status code (RFC 3463); empty = none
	Slow     bool   // trying again soon does harm: a refused login may lock the account
	// After is when the other side wants to be asked again, as it says; 0 = it said nothing.
	After time.Duration
	Err   error // may name the recipient: stored with the delivery, not logged
}

// Error says where and why. It may contain the recipient's address, so it is stored and never logged.
func (e *SendError) Error() string { return fmt.Sprintf("sending (%s): %v", e.Stage, e.Err) }

// Unwrap returns the cause.
func (e *SendError) Unwrap() error { return e.Err }
