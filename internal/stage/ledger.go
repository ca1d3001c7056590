package stage

import (
	"crypto/sha256"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Fingerprint stands for a value that must not be shown.
type Fingerprint [sha256.Size]byte

// FingerprintOf returns the fingerprint of a secret.
func FingerprintOf(s credential.Sensitive) Fingerprint { return sha256.Sum256([]byte(s.Reveal())) }

// Answer is what came of a login.
type Answer string

// The answers.
const (
	Accepted   Answer = "accepted"
	Refused    Answer = "refused"
	Unanswered Answer = "unanswered" // Vault or the provider did not answer
)

// Login is one request for a token.
type Login struct {
	Client string
	By     string // which of the client's services asked
	Value  Fingerprint
	Answer Answer
	At     time.Time
}

// Run is a series of logins of one service with one value and one answer.
type Run struct {
	By     string    `json:"by"`
	Label  string    `json:"label"` // empty where nothing could be read
	Answer Answer    `json:"answer"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Logins int       `json:"logins"`
}

// Value is one secret of a client, known by its letter.
type Value struct {
	Label    string    `json:"label"`
	Version  int       `json:"version"` // in Vault, the first that held it
	Accepted int       `json:"accepted"`
	Refused  int       `json:"refused"`
	First    time.Time `json:"first,omitzero"` // login that was accepted
	Last     time.Time `json:"last,omitzero"`
}

// Span is the time that a client spent in a phase. The last one is open.
type Span struct {
	Phase credential.Phase `json:"phase"`
	From  time.Time        `json:"from"`
	To    time.Time        `json:"to,omitzero"`
}

// Mark is something that happened to a client at a moment.
type Mark struct {
	At   time.Time `json:"at"`
	What string    `json:"what"`
	Text string    `json:"text"`
}

// Written is a version in Vault, by whom, and which value it holds.
type Written struct {
	Version int
	Label   string
	By      string
}

// kept is how much of each list is remembered per client: a demo may run for hours.
const kept = 240

// Ledger keeps what every login was answered, for each value. It is safe for concurrent use.
type Ledger struct {
	mu    sync.Mutex
	books map[string]*book
}

// book is the ledger of one client.
type book struct {
	values  []*Value
	known   map[Fingerprint]*Value
	runs    []*Run
	open    map[string]*Run // by service
	spans   []Span
	marks   []Mark
	written []Written
}

// NewLedger returns an empty ledger.
func NewLedger() *Ledger { return &Ledger{books: map[string]*book{}} }

func (l *Ledger) book(client string) *book {
	b := l.books[client]
	if b == nil {
		b = &book{known: map[Fingerprint]*Value{}, open: map[string]*Run{}}
		l.books[client] = b
	}
	return b
}

// value returns the value with a fingerprint; a new one gets the next letter.
func (b *book) value(f Fingerprint) *Value {
	v := b.known[f]
	if v == nil {
		v = &Value{Label: letter(len(b.known))}
		b.known[f] = v
		b.values = last(append(b.values, v))
	}
	return v
}

// letter names the n-th value: A to Z, then A2.
func letter(n int) string {
	const letters = 26
	name := string(rune('A' + n%letters))
	if n >= letters {
		name += strconv.Itoa(n/letters + 1)
	}
	return name
}

// last keeps the end of a list that grows without end.
func last[T any](list []T) []T {
	if len(list) <= kept {
		return list
	}
	return slices.Delete(list, 0, len(list)-kept)
}

// Login notes one request for a token.
func (l *Ledger) Login(login Login) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, label := l.book(login.Client), ""
	if login.Value != (Fingerprint{}) {
		v := b.value(login.Value)
		label = v.Label
		v.count(login)
	}
	run := b.open[login.By]
	if run == nil || run.Label != label || run.Answer != login.Answer {
		run = &Run{By: login.By, Label: label, Answer: login.Answer, From: login.At}
		b.open[login.By] = run
		b.runs = last(append(b.runs, run))
	}
	run.To = login.At
	run.Logins++
}

func (v *Value) count(login Login) {
	switch login.Answer {
	case Accepted:
		v.Accepted++
		if v.First.IsZero() {
			v.First = login.At
		}
		v.Last = login.At
	case Refused:
		v.Refused++
	case Unanswered:
	}
}

// Wrote notes a version that was written to where a client's services read.
func (l *Ledger) Wrote(client string, version int, f Fingerprint, by string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.book(client)
	v := b.value(f)
	if v.Version == 0 {
		v.Version = version
	}
	b.written = last(append(b.written, Written{Version: version, Label: v.Label, By: by}))
}

// Phase notes the phase that a client is in.
func (l *Ledger) Phase(client string, phase credential.Phase, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.book(client)
	if n := len(b.spans); n > 0 {
		if b.spans[n-1].Phase == phase {
			return
		}
		b.spans[n-1].To = at
	}
	b.spans = last(append(b.spans, Span{Phase: phase, From: at}))
}

// Mark notes something that happened.
func (l *Ledger) Mark(client string, m Mark) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.book(client)
	b.marks = last(append(b.marks, m))
}

// Refusals returns how many logins of a client have been answered, and how many of them were refused. No client means
// all of them.
func (l *Ledger) Refusals(client string) (answered, refused int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, b := range l.books {
		for _, v := range b.values {
			if client != "" && id != client {
				break
			}
			answered += v.Accepted + v.Refused
			refused += v.Refused
		}
	}
	return answered, refused
}

// Tell fills in what the ledger knows of a client.
func (l *Ledger) Tell(c *Client) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.book(c.ID)
	c.Values, c.Runs, c.Spans, c.Marks = []Value{}, []Run{}, append([]Span{}, b.spans...), append([]Mark{}, b.marks...) // never null
	for _, v := range b.values {
		c.Values = append(c.Values, *v)
	}
	for _, run := range b.runs {
		c.Runs = append(c.Runs, *run)
	}
	for i := range c.Versions {
		for _, w := range b.written {
			if w.Version == c.Versions[i].Number {
				c.Versions[i].Label, c.Versions[i].By = w.Label, w.By
			}
		}
	}
}
