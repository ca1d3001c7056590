package rotation

import (
	"errors"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// ErrAnswered says that a notice, or a later one about the same client, has been answered already.
var ErrAnswered = errors.New("it has been answered already")

// ErrOutdated says that a notice is about a secret, or a registration, that is no longer the present one.
var ErrOutdated = errors.New("it is no longer about the present secret")

// About is the notice that somebody answers: when it was decided, and the end of the secret that it is about.
type About struct {
	Noted time.Time
	Ends  time.Time // zero = it is about something else than that end
}

// Open says whether the notice still waits for an answer. Moments are compared as a link writes them, to the microsecond.
func (a About) Open(rec *credential.Record) error {
	noted := a.Noted.Truncate(time.Microsecond)
	replaced := !a.Ends.IsZero() && !a.Ends.Truncate(time.Microsecond).Equal(Ends(*rec).Truncate(time.Microsecond))
	switch {
	case noted.Before(rec.Since.Truncate(time.Microsecond)), rec.Leaving, replaced:
		return ErrOutdated
	case !noted.After(rec.Answered):
		return ErrAnswered
	}
	return nil
}

// Answer grants a wish as the answer to a notice, once: that it was answered is committed with what was wanted, so that no crash
// lies between the two. Who answers a notice has answered those before it, too.
func Answer(about About, wish Wish) Wish {
	return func(rec credential.Record, by Person, env Env) (Decision, error) {
		if err := about.Open(&rec); err != nil {
			return Decision{}, err
		}
		d, err := wish(rec, by, env)
		d.Record.Answered = about.Noted.UTC().Truncate(time.Microsecond)
		return d, err
	}
}
