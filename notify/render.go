package notify

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/templates"
)

// KindTest is the kind of the message that proves the way to a mailbox. It never stands in an outbox.
const KindTest credential.NoticeKind = "test"

// KindChannel is the kind of the word that a channel takes no notices. It goes along with a notice and has no row of its own.
const KindChannel credential.NoticeKind = "channel"

// Sender is who the mails come from. It is plain data.
type Sender struct {
	From    Address // also the organizer of calendar events; required
	ReplyTo Address // zero = From
	Key     []byte  // random, made once per installation and kept with the state; required
	Mount   string  // Vault mount for paths that name none
	// PublicURL is where people reach rotad; programs take it for the name of this installation. Empty = a name of its own.
	PublicURL string
	// Answers returns the links with which the reader at an address can answer a notice, each with its verb; nil = mails show
	// commands only.
	Answers func(n credential.Notice, to string) []templates.Answer
	// Fields names the field of a bundle that holds the secret, by provider; missing = client_secret.
	Fields map[string]string
	// Templates of one's own, which take the place of those of the same name; nil = none.
	Templates fs.FS
}

// Recipient is one reader.
type Recipient struct {
	To       string         // an address; empty with a channel that has a name of its own
	Channel  string         // empty = MailChannel
	Zone     *time.Location // nil = UTC
	Language string         // tag of the language that it reads; empty = English
	Calendar CalendarMode
	Fallback bool   // an admin who stands in for an owner that cannot be reached
	About    string // the channel that takes no notices, of which this is the word; empty = the notice itself
	Trouble  string // what is wrong with that channel
	Next     Rung   // who is told next where nobody acknowledges it; zero = nobody
}

// byMail says whether the reader gets a mail.
func (to Recipient) byMail() bool { return to.Channel == "" || to.Channel == MailChannel }

// Renderer turns a notice into a message. It does no I/O and reads no clock; it is safe for concurrent use.
type Renderer struct {
	sender Sender
	set    *templates.Set
}

// NewRenderer checks the sender and parses the templates.
func NewRenderer(s Sender) (*Renderer, error) {
	if err := CheckAddress(s.From.Addr); err != nil {
		return nil, fmt.Errorf("checking the sender: %w", err)
	}
	if !ascii(s.From.Addr) {
		return nil, fmt.Errorf("the sender %s is not ASCII; write its domain in the form that begins with xn--", s.From.Addr)
	}
	if !s.ReplyTo.IsZero() {
		if err := CheckAddress(s.ReplyTo.Addr); err != nil {
			return nil, fmt.Errorf("checking the reply address: %w", err)
		}
	}
	if len(s.Key) < 16 {
		return nil, fmt.Errorf("the key for message ids has %d bytes; it needs 16 random ones", len(s.Key))
	}
	if err := checkPublicURL(s.PublicURL); err != nil {
		return nil, err
	}
	set, err := templates.Parse(s.Templates)
	if err != nil {
		return nil, err
	}
	return &Renderer{sender: s, set: set}, nil
}

// Language returns a language by its tag, with the messages of one's own; English for one that there is not.
func (r *Renderer) Language(tag string) *templates.Language { return r.set.Language(tag) }

func checkPublicURL(s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil {
		return fmt.Errorf("reading public_url: %w", err)
	}
	if u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("public_url %q is not the root of a web page", u.Redacted())
	}
	return nil
}

// MessageID returns the id of the message about a notice to one address, without angle brackets.
func (r *Renderer) MessageID(n credential.Notice, to string) string {
	return messageID(r.sender.Key, r.sender.From.Domain(), n.Key, to)
}

// Render writes the message about a notice for one reader at one moment. The same arguments give the same message.
// Where the calendar event would not be valid the message comes without it, and eventErr says why; err is a defect of
// the templates.
func (r *Renderer) Render(n credential.Notice, to Recipient, now time.Time) (m Message, eventErr, err error) {
	id := r.id(n, to)
	if to.About != "" {
		n = aboutChannel(n, to)
	}
	v := r.view(n, to, now)
	d := v.data()
	if r.sender.Answers != nil && to.byMail() {
		d.Answers = v.answers(r.sender.Answers(n, to.To))
	}
	m = Message{
		ID: id, Thread: threadID(r.sender.Key, r.sender.From.Domain(), n),
		Kind: n.Kind, Client: clean(n.Client, maxName), Milestone: clean(n.Milestone, maxName), Urgent: urgent(n),
		Language: d.Language, From: r.sender.From, ReplyTo: r.sender.ReplyTo, To: to.To, Date: later(n.At, n.Wait).UTC().Truncate(time.Second),
	}
	if to.byMail() {
		eventErr = r.addEvent(&m, &d, v)
	}
	mail, err := r.set.Render(d)
	if err != nil {
		return Message{}, nil, err
	}
	m.Subject, m.Text, m.HTML = templates.OneLine(v.upwards()+mail.Subject), mail.Text, mail.HTML
	if !to.byMail() {
		m.Card, err = r.card(v, d)
	}
	return m, eventErr, errors.Join(err, v.speech.wrong)
}

// answers says what each of the links does.
func (v view) answers(links []templates.Answer) []templates.Answer {
	out := slices.Clone(links)
	for i := range out {
		out[i].Does = v.say("answer."+out[i].Verb, nil)
	}
	return out
}

// aboutChannel is the notice that a channel takes no notices, such as this one.
func aboutChannel(n credential.Notice, to Recipient) credential.Notice {
	return credential.Notice{
		Seq: n.Seq, Key: n.Key, Kind: KindChannel, At: n.At, Client: n.Client, Owner: n.Owner,
		Facts: credential.Facts{Error: to.Trouble},
	}
}

// id names a message. The word about a channel is another message than the notice.
func (r *Renderer) id(n credential.Notice, to Recipient) string {
	if to.About != "" {
		n.Key += "|channel|" + to.About
	}
	if to.byMail() {
		return r.MessageID(n, to.To)
	}
	return r.EventID(n, to.Channel)
}

// urgent says whether the mail may claim importance: seldom, or nobody believes it.
func urgent(n credential.Notice) bool {
	switch n.Kind { //nolint:exhaustive // two kinds and one condition; all others are not urgent
	case credential.NoticeFinal, credential.NoticeExpired:
		return true
	case credential.NoticeHeld:
		return n.Facts.Hold != nil && n.Facts.Hold.Paging
	}
	return false
}

// addEvent adds the calendar object and the sentence about it, if the notice carries an invite and the reader wants
// one. A client's event goes to its owner only: an admin who stands in has no copy that could be moved later.
func (r *Renderer) addEvent(m *Message, d *templates.Data, v view) error {
	if !brings(v.notice, v.reader) {
		return nil
	}
	e, encoded, err := r.event(d, v)
	if err != nil {
		d.Event = templates.Event{}
		return err
	}
	m.Calendar, m.Method = encoded, string(e.method())
	d.Event.Note = v.eventNote(d.Event)
	return nil
}

// brings says whether a notice brings its reader an event.
func brings(n credential.Notice, to Recipient) bool {
	return n.Calendar != nil && to.Calendar.mailed() && !to.Fallback && n.Calendar.UID != "" && !n.Calendar.At.IsZero()
}

// event writes the event that a notice carries, alone, and reads it back.
func (r *Renderer) event(d *templates.Data, v view) (event, []byte, error) {
	d.Event = v.happens()
	summary, description, err := r.set.RenderEvent(*d)
	if err != nil {
		return event{}, nil, err
	}
	e := event{
		Invite: *v.notice.Calendar, Stamp: v.notice.At, Summary: calendarText(summary), Description: calendarText(description), Language: v.speech.Tag(),
		Organizer: r.sender.From, Attendee: v.reader.To, Mode: v.reader.Calendar,
	}
	encoded := e.encode()
	return e, encoded, e.validate(encoded)
}

// happens is what the event of a notice says.
func (v view) happens() templates.Event {
	i := v.notice.Calendar
	return templates.Event{What: v.speech.Phrase(sentence(i.What)), At: v.when(i.At), Cancel: i.Cancel}
}

// eventNote is the sentence in the mail about the attached event.
func (v view) eventNote(e templates.Event) string {
	switch i := v.notice.Calendar; {
	case i.Cancel:
		return v.say("event.note.cancel", e)
	case i.Sequence > 0:
		return v.say("event.note.move", e)
	}
	return v.say("event.note.new", e)
}
