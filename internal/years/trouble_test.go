package years_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// span is a stretch of the true time. An open one has no end.
type span struct{ from, to time.Time }

// outage is a server that is away now and then.
type outage struct {
	clocks *clocks
	off    atomic.Bool

	mu    sync.Mutex
	spans []span
}

func (o *outage) now() bool { return o.off.Load() }

func (o *outage) begin() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.off.Swap(true) {
		o.spans = append(o.spans, span{from: o.clocks.truth()})
	}
}

func (o *outage) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.off.Swap(false) {
		o.spans[len(o.spans)-1].to = o.clocks.truth()
	}
}

// note writes down a stretch that has passed.
func (o *outage) note(s span) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.spans = append(o.spans, s)
}

// within returns how much of a stretch was spent in the outage, and for up to settle after it: pauses between attempts
// that failed meanwhile run on.
func (o *outage) within(s span, settle time.Duration) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	var sum time.Duration
	last := s.from
	for _, x := range o.spans {
		to := x.to.Add(settle)
		if x.to.IsZero() {
			to = s.to
		}
		from := later(x.from, last)
		if to.After(s.to) {
			to = s.to
		}
		if to.After(from) {
			sum += to.Sub(from)
			last = to
		}
	}
	return sum
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// happening is one thing that happens to a fleet from outside, so long after its beginning, and for so long.
type happening struct {
	at, lasts time.Duration
	what      event
	which     int           // of the providers
	by        time.Duration // of a jump
}

// event names what happens.
type event string

// The events.
const (
	providerAway event = "a provider is away"
	vaultAway    event = "vault is away"
	mailAway     event = "the mail server is away"
	restarts     event = "the daemon restarts"
	suspends     event = "the machine is suspended"
	jumps        event = "the wall clock jumps"
	nothing      event = "nothing"
)

const (
	day  = 24 * time.Hour
	year = 365*day + 6*time.Hour
)

// sort of trouble: how often a year, and how long at least and at most.
type trouble struct {
	what     event
	yearly   float64
	from, to time.Duration
}

func troubles() []trouble {
	return []trouble{
		{providerAway, 6, time.Minute, 12 * time.Hour},
		{providerAway, 1, day, 5 * day},
		{vaultAway, 2, time.Minute, 12 * time.Hour},
		{mailAway, 4, time.Minute, 3 * day},
		{restarts, 6, time.Second, 10 * time.Minute},
		{restarts, 1, time.Hour, 8 * day},
		{suspends, 3, time.Minute, 4 * day},
		{jumps, 1, time.Minute, 3 * time.Hour},
	}
}

// timetable draws what will happen to a fleet. Nothing of it overlaps: a trouble must be over before the next begins,
// with time to settle between, so that each delay has one cause.
func timetable(chance *rand.Rand, length time.Duration, providers int, only event) []happening {
	var list []happening
	for _, t := range troubles() {
		expected := t.yearly * length.Hours() / year.Hours()
		if only != "" {
			expected = 50 * length.Hours() / year.Hours()
		}
		if only != "" && only != t.what {
			continue
		}
		for range int(expected + chance.Float64()) {
			list = append(list, happening{
				at: between(chance, 2*day, length), lasts: between(chance, t.from, t.to), what: t.what,
				which: chance.IntN(providers), by: leap(chance),
			})
		}
	}
	slices.SortFunc(list, func(a, b happening) int { return int(a.at - b.at) })
	end := time.Duration(0)
	return slices.DeleteFunc(list, func(h happening) bool {
		if h.at < end {
			return true
		}
		end = h.at + h.lasts + between(chance, 6*time.Hour, 3*day)
		return end > length
	})
}

// leap is by how much a wall clock jumps: half of the time by a year, else by less.
func leap(chance *rand.Rand) time.Duration {
	by := []time.Duration{year, year, year, 10 * time.Minute, time.Hour, 26 * time.Hour, 40 * day}[chance.IntN(7)]
	if chance.IntN(2) == 0 {
		return -by
	}
	return by
}

func between(chance *rand.Rand, from, to time.Duration) time.Duration {
	return from + time.Duration(chance.Int64N(int64(max(1, to-from))))
}
