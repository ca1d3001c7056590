package stage

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Post is what lies in people's mailboxes and stands in their calendars. It is safe for concurrent use.
type Post struct {
	mu      sync.Mutex
	mails   []Mail
	letters []Letter
	entries map[string]*Entry // by UID
}

// NewPost returns an empty post.
func NewPost() *Post { return &Post{entries: map[string]*Entry{}} }

// lettersShown is how many mails a page is given; all of them can be opened.
const lettersShown = 60

// Add takes a mail that has arrived.
func (p *Post) Add(raw []byte, at time.Time) error {
	m, err := ReadMail(raw)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mails = append(p.mails, m)
	p.letters = append(p.letters, Letter{
		N: len(p.mails), At: at, To: m.To, Subject: m.Subject, Client: m.Client, Kind: m.Kind, Event: len(m.Calendar) > 0,
	})
	if len(m.Calendar) == 0 {
		return nil
	}
	event, err := ReadEvent(m.Calendar)
	if err != nil {
		return err
	}
	p.enter(m.Client, event)
	return nil
}

// enter does what a calendar does with an event: one that is newer takes the place of the one with its UID.
func (p *Post) enter(client string, e Event) {
	there := p.entries[e.UID]
	if there == nil {
		p.entries[e.UID] = &Entry{Client: client, Summary: e.Summary, At: e.At, Gone: e.Cancelled, sequence: e.Sequence}
		return
	}
	if e.Sequence < there.sequence {
		return
	}
	if !e.At.Equal(there.At) {
		there.Was, there.At = there.At, e.At
		there.Moved++
	}
	there.Summary, there.Gone, there.sequence = e.Summary, e.Cancelled, e.Sequence
}

// Count returns how many mails there are.
func (p *Post) Count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.mails)
}

// Mail returns the n-th mail, counted from 1.
func (p *Post) Mail(n int) (Mail, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n < 1 || n > len(p.mails) {
		return Mail{}, false
	}
	return p.mails[n-1], true
}

// Fill puts mails, the newest first, and calendar into a scene.
func (p *Post) Fill(s *Scene) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.Mails = append([]Letter{}, p.letters[max(0, len(p.letters)-lettersShown):]...) // never null
	slices.Reverse(s.Mails)
	s.Entries = []Entry{}
	for entry := range maps.Values(p.entries) {
		s.Entries = append(s.Entries, *entry)
	}
	slices.SortFunc(s.Entries, func(a, b Entry) int { return strings.Compare(a.Client, b.Client) })
}
