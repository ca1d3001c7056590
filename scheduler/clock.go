package scheduler

import (
	"sync"
	"time"
)

// secondClock is a clock that a jump of the wall clock cannot move: a watermark from the state, plus the time that has
// elapsed on the monotonic clock since. It is behind after a downtime, and follows the wall again once an independent
// clock (Vault's, a provider's) has agreed with the wall.
type secondClock struct {
	mu   sync.Mutex
	base time.Time
	at   time.Duration
}

// start begins at the watermark; a fresh state begins at the wall.
func (c *secondClock) start(watermark, wall time.Time, elapsed time.Duration) {
	if watermark.IsZero() {
		watermark = wall
	}
	c.base, c.at = watermark.UTC(), elapsed
}

func (c *secondClock) now(elapsed time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.base.Add(elapsed - c.at)
}

// resync lets the clock follow the wall, which an independent clock has confirmed.
func (c *secondClock) resync(wall time.Time, elapsed time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.base, c.at = wall.UTC(), elapsed
}
