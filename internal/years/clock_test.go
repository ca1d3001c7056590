package years_test

import (
	"sync"
	"sync/atomic"
	"time"
)

// clocks are the clocks of one machine within a bubble, and the true time beside them. A suspended machine is one whose
// timers stand still while the truth goes on; a clock that jumps is an offset that changes.
type clocks struct {
	began  time.Time    // of the bubble
	origin time.Time    // the true time then
	slept  atomic.Int64 // suspended in all
	skew   atomic.Int64 // by how much the wall clock is ahead of the truth
	booted atomic.Int64 // when the present process began, on the bubble's clock
}

func newClocks(origin time.Time) *clocks {
	return &clocks{began: time.Now(), origin: origin.UTC()}
}

// ran is the bubble's own time: what timers go by.
func (c *clocks) ran() time.Duration { return time.Since(c.began).Truncate(time.Microsecond) }

// truth is the time of providers, of Vault and of the judge.
func (c *clocks) truth() time.Time {
	return c.origin.Add(c.ran() + time.Duration(c.slept.Load())).Truncate(time.Microsecond)
}

// wall is the clock that the daemon reads.
func (c *clocks) wall() time.Time { return c.truth().Add(time.Duration(c.skew.Load())) }

// elapsed is the monotonic clock of the present process.
func (c *clocks) elapsed() time.Duration { return c.ran() - time.Duration(c.booted.Load()) }

func (c *clocks) boot() { c.booted.Store(int64(c.ran())) }

// nap is the timer of one loop. A loop that has nothing to do looks at its clock every few seconds all the same; a year
// has two million such naps, of which only those matter before which something happened. So a nap lasts until the loop's
// next due entry, or the full hour, and is cut short where the wall clock changes, after at most as long as the real nap
// would have lasted.
type nap struct {
	clocks *clocks
	length time.Duration            // of a real nap of this loop
	next   func() (time.Time, bool) // when something of it is due, on the wall clock

	mu    sync.Mutex
	timer *time.Timer
}

const tick = time.Hour

// after is the loop's timer.
func (n *nap) after(d time.Duration) <-chan time.Time {
	if d == n.length {
		d = n.folded()
	}
	t := time.NewTimer(d)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.timer = t
	return t.C
}

func (n *nap) folded() time.Duration {
	left := tick - n.clocks.ran()%tick
	if due, ok := n.next(); ok {
		left = min(left, due.Sub(n.clocks.wall()))
	}
	return max(left, n.length)
}

// cut ends the present nap as a real one ends after the clock has changed: at some moment of its length.
func (n *nap) cut(within time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.timer != nil && n.timer.Stop() {
		n.timer.Reset(within)
	}
}
