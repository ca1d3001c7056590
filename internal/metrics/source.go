package metrics

import (
	"iter"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Source is what a scrape reads. Its methods are called by several goroutines at once. An error leaves out the series
// that would have come from the answer; all others are served.
type Source interface {
	// Totals returns counters over all clients. It has to be cheap whatever the number of clients: no walk.
	Totals() Totals
	// Expiring counts the clients whose current secret has expired at now, and for each duration those whose secret
	// expires after now and within it.
	Expiring(now time.Time, within ...time.Duration) (expired int, soon []int, err error)
	// MostUrgent yields at most n records, the most urgent first. It may read while the scrape goes on: nothing has to be
	// held meanwhile. An error is the last that it yields.
	MostUrgent(n int) iter.Seq2[credential.Record, error]
	// OldestDue returns the earliest moment at which a decision fell or falls due that no worker has taken up; ok is false
	// when none ever does.
	OldestDue() (at time.Time, ok bool, err error)
}

// Totals are counters over all clients. Keys with a count of 0 may be absent.
type Totals struct {
	Clients       map[Group]int
	Holds         map[credential.HoldCode]int
	Outbox        map[credential.NoticeState]int
	WithoutExpiry int // clients whose expiry nobody knows
	Providers     []Progress
}

// Progress is what begins under a provider, and what does not. Zero times mean that it is not so.
type Progress struct {
	Provider string
	Wave     credential.Wave // rotations that are due together
	Stopped  time.Time       // since when the wave stands still and waits for a person
	Away     time.Time       // since when the provider has not answered, so that only probes go there
	Creates  int             // secrets that were asked for on this day, in UTC
	Quota    int             // how many may be; 0 = no limit
}

// Group is a provider's clients of one overlap mode.
type Group struct {
	Provider string
	Mode     credential.Mode // empty = not looked at yet; shown as "unknown"
}

// clients returns the number of all clients.
func (t Totals) clients() int {
	n := 0
	for _, count := range t.Clients {
		n += count
	}
	return n
}
