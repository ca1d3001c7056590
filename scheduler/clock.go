package scheduler

import (
	"context"
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

// setBack is how far the wall clock may fall behind the monotonic one before that counts as having been set back. What
// is less is drift, and at most this late.
const setBack = time.Minute

// wall watches the wall clock for being set back. What was written by the clock before would else sleep for as long as
// the jump was: a pause of two seconds, after a jump of a year, for a year.
type wall struct {
	from time.Time // the wall when the monotonic clock was at zero, by the last look; zero = not looked at yet
}

// start begins at the watermark: a wall clock before it was set back while no process ran.
func (w *wall) start(watermark time.Time, elapsed time.Duration) {
	if !watermark.IsZero() {
		w.from = watermark.Add(-elapsed)
	}
}

// back says whether the wall clock was set back since it was last looked at.
func (w *wall) back(now time.Time, elapsed time.Duration) bool {
	from := now.Add(-elapsed)
	fell := !w.from.IsZero() && from.Before(w.from.Add(-setBack))
	if w.from.IsZero() || fell || from.After(w.from) {
		w.from = from
	}
	return fell
}

// followWall lets everything be decided anew after the wall clock was set back.
func (s *Scheduler) followWall(ctx context.Context) {
	now := s.Now()
	if !s.wall.back(now, s.Elapsed()) {
		return
	}
	s.Log.Warn("the wall clock was set back; everything is decided anew", "now", now)
	if err := s.Store.Hasten(ctx, now); err != nil && ctx.Err() == nil {
		s.fail(err)
	}
}
