package telicent

import (
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// status is what the server says about a client's secrets.
type status struct {
	current, previous *slot // nil = there is none
	required          bool
	time              time.Time // the server's clock
}

// slot is one secret as the server shows it.
type slot struct {
	start, expires time.Time // zero = not shown
}

func (s slot) known() bool { return !s.start.IsZero() || !s.expires.IsZero() }

// id names a secret by its start, in whole seconds: replies and lists need not show fractions the same way. The expiry
// is no substitute: it changes when the secret becomes the previous one. Empty = the start is not shown.
func (s slot) id() string {
	if s.start.IsZero() {
		return ""
	}
	return fmt.Sprintf("start-%d", s.start.Unix())
}

func (s slot) secret(name string) credential.Secret {
	return credential.Secret{ID: s.id(), Slot: name, Start: s.start, Expires: s.expires}
}

func (s status) secrets() []credential.Secret {
	var out []credential.Secret
	if s.current != nil {
		out = append(out, s.current.secret(providers.SlotCurrent))
	}
	if s.previous != nil {
		out = append(out, s.previous.secret(providers.SlotPrevious))
	}
	return out
}

// capabilities says what can be done for this client. stated is the grace that a person stated.
func (s status) capabilities(stated time.Duration) credential.Capabilities {
	c := credential.Capabilities{
		Mode:       credential.ModeGraceWindow,
		Reason:     "a rotation keeps the previous secret valid for the server's grace window",
		SlotRevoke: true,
		Slots:      2,
		Grace:      s.grace(stated),
		Required:   s.requiredSince(),
	}
	c.StartReadable = s.current != nil && !s.current.start.IsZero()
	return c
}

// grace is the window as the last rotation showed it, else as stated. The documented default is not assumed: an
// operator may have set another one.
func (s status) grace(stated time.Duration) time.Duration {
	if s.current == nil || s.previous == nil || s.current.start.IsZero() {
		return stated
	}
	if seen := s.previous.expires.Sub(s.current.start); !s.previous.expires.IsZero() && seen > 0 {
		return seen.Round(time.Second)
	}
	return stated
}

// requiredSince turns the flag into a time. The server does not say since when; what is certain is that it holds now,
// or, without the server's clock, since the secret began.
func (s status) requiredSince() time.Time {
	switch {
	case !s.required:
		return time.Time{}
	case !s.time.IsZero():
		return s.time
	case s.current != nil && !s.current.start.IsZero():
		return s.current.start
	}
	return time.Unix(earliest, 0).UTC()
}
