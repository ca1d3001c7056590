package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/templates"
)

// now returns the daemon's time, which is not the wall clock in the demo; the wall clock where no daemon runs.
func (a *app) now(ctx context.Context) (time.Time, error) {
	client, err := a.client()
	if err != nil {
		return time.Time{}, err
	}
	world, err := client.World(ctx)
	switch {
	case errors.Is(err, admin.ErrNoDaemon):
		return time.Now().UTC(), nil
	case err != nil:
		return time.Time{}, told(err)
	}
	return world.Now, nil
}

// stamp writes a moment in the zone of whoever reads it, with the zone's name and its distance from UTC.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	local := t.Local()
	if name, offset := local.Zone(); offset == 0 || strings.ContainsAny(name, "+-0123456789") {
		return local.Format("2006-01-02 15:04 MST")
	}
	return local.Format("2006-01-02 15:04 MST (-07:00)")
}

// away writes how far a moment is: "in 23d", "in 5h", "3d ago". Days are those of the mails, in the zone of whoever reads it.
func away(t, now time.Time) string {
	distance := coarse(t.Sub(now).Abs())
	if days, far := templates.Days(now.Local(), t); far {
		distance = fmt.Sprintf("%dd", max(days, -days))
	}
	if t.Before(now) {
		return distance + " ago"
	}
	return "in " + distance
}

// coarse writes a duration below two days in its largest unit that tells enough, rounded down.
func coarse(d time.Duration) string {
	switch {
	case d >= 2*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d >= 2*time.Minute:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

// when writes a moment with its distance.
func when(t, now time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return stamp(t) + " (" + away(t, now) + ")"
}

// clean makes one line of a text that a server may have sent: a terminal obeys control characters.
func clean(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r) || r == unicode.ReplacementChar || unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, text))
}
