package config

import (
	"errors"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// window is the union of the spans [opening, opening + length) of a cron expression.
type window struct {
	openings wallCron
	length   time.Duration
}

// Window builds a policy's window. The zero spec is always open. A local time that a clock change skips opens at the
// moment of the change; one that comes twice opens the first time only.
func Window(spec credential.WindowSpec) (credential.Window, error) {
	if spec.IsZero() {
		return credential.Always{}, nil
	}
	switch {
	case spec.Cron == "":
		return nil, errors.New("a window needs a cron expression that says when it opens")
	case spec.Duration <= 0:
		return nil, errors.New("a window needs a duration that says how long it stays open")
	}
	zone, err := loadZone(spec.Timezone)
	if err != nil {
		return nil, err
	}
	openings, err := parseCron(spec.Cron, zone)
	if err != nil {
		return nil, err
	}
	return window{openings, spec.Duration}, nil
}

// Next returns the first opening after t; zero if there is none within five years.
func (w window) Next(t time.Time) time.Time { return w.openings.Next(t) }

// Contains says whether the window is open at t: whether the first opening after t - length has come. No earlier one
// can still be open.
func (w window) Contains(t time.Time) bool {
	opening := w.openings.Next(t.Add(-w.length))
	return !opening.IsZero() && !opening.After(t)
}

// maxOpenings bounds the search for the longest gap: every minute of a month, and some more.
const maxOpenings = 60_000

// longestGap returns the longest time that the window stays closed, looked for over five years; 0 = it is never closed.
func (w window) longestGap() time.Duration {
	var gap time.Duration
	opening := w.Next(reference)
	until := opening.AddDate(5, 0, 0)
	for range maxOpenings {
		next := w.Next(opening)
		if next.IsZero() || next.After(until) {
			break
		}
		gap = max(gap, next.Sub(opening.Add(w.length)))
		opening = next
	}
	return gap
}
