package years_test

import (
	"sort"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
)

// calendar is a schedule whose moments are remembered: the configuration's own Next is asked once for each, and what
// lies between two of them has been answered. It is asked millions of times, and the answers are the same.
type calendar struct {
	real interface{ Next(t time.Time) time.Time }

	mu      sync.Mutex
	from    time.Time   // there is no moment between it and the first
	moments []time.Time // one after the other, without a gap
}

const chunk = 512

// Next returns the first moment after t, as the real schedule does.
func (c *calendar) Next(t time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.moments) == 0 || t.Before(c.from) || t.Sub(c.moments[len(c.moments)-1]) > 100*day {
		c.from = t.Add(-40 * day)
		if c.moments = append(c.moments[:0], c.real.Next(c.from)); c.moments[0].IsZero() {
			c.moments = nil // there is none within five years, as around the year 2100
			return c.real.Next(t)
		}
	}
	for !c.moments[len(c.moments)-1].After(t) {
		for range chunk {
			next := c.real.Next(c.moments[len(c.moments)-1])
			if next.IsZero() {
				return c.real.Next(t)
			}
			c.moments = append(c.moments, next)
			if next.Sub(t) > year {
				break
			}
		}
	}
	return c.moments[sort.Search(len(c.moments), func(i int) bool { return c.moments[i].After(t) })]
}

// remembered is a window of the configuration over a remembered calendar.
type remembered struct {
	calendar
	window credential.Window
	length time.Duration
}

// Contains asks the calendar for the question that the configuration's window asks of its own.
func (r *remembered) Contains(t time.Time) bool {
	opening := r.Next(t.Add(-r.length))
	return !opening.IsZero() && !opening.After(t)
}

// windows are the windows of all policies, each parsed once by the configuration.
type windows struct{ parsed sync.Map }

func (w *windows) get(spec credential.WindowSpec) credential.Window {
	if known, ok := w.parsed.Load(spec); ok {
		return known.(credential.Window)
	}
	real, err := config.Window(spec)
	if err != nil {
		panic(err)
	}
	r := &remembered{window: real, length: spec.Duration}
	r.real = real
	known, _ := w.parsed.LoadOrStore(spec, r)
	return known.(credential.Window)
}
