package main

import (
	"container/heap"
	"context"
	"log/slog"
	"sync"
	"time"
)

// demoClock is the wall and the monotonic clock of the demo. It runs with real time and jumps ahead while nothing is
// under way, so that ninety days pass in ninety seconds and yet every deadline, pause and proof inside an effect lasts
// as long as it says.
//
//	now = start + real time + what has been jumped over        (both clocks move together)
//
// A jump never passes a moment at which something falls due: it lands on it, and waits there until that is done.
type demoClock struct {
	origin  time.Time
	started time.Time // on the real monotonic clock

	mu     sync.Mutex
	jumped time.Duration
	held   int // while more than 0 the clock runs in real time
	timers demoTimers
	dates  []demoDate
}

// demoDate is an appointment of the world outside: something that happens at a moment, in real time.
type demoDate struct {
	at time.Time
	do func()
}

// demoTimer is one call of after.
type demoTimer struct {
	at   time.Duration
	ring chan time.Time
}

// demoTimers is a heap of timers, the earliest first.
type demoTimers []demoTimer

func (t demoTimers) Len() int           { return len(t) }
func (t demoTimers) Less(i, j int) bool { return t[i].at < t[j].at }
func (t demoTimers) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t *demoTimers) Push(x any)        { *t = append(*t, x.(demoTimer)) } //nolint:forcetypeassert // of its own type only
func (t *demoTimers) Pop() any {
	last := len(*t) - 1
	popped := (*t)[last]
	*t = (*t)[:last]
	return popped
}

// newDemoClock returns a clock that shows origin now.
func newDemoClock(origin time.Time) *demoClock {
	return &demoClock{origin: origin.UTC(), started: time.Now()}
}

// clocks are the three functions that the daemon lives by. Its monotonic clock begins with this call.
func (c *demoClock) clocks() clocks {
	began := c.elapsed()
	return clocks{now: c.now, elapsed: func() time.Duration { return c.elapsed() - began }, after: c.after}
}

func (c *demoClock) now() time.Time { return c.origin.Add(c.elapsed()) }

func (c *demoClock) elapsed() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lapse()
}

// lapse is elapsed with the lock held.
func (c *demoClock) lapse() time.Duration { return time.Since(c.started) + c.jumped }

func (c *demoClock) after(d time.Duration) <-chan time.Time {
	ring := make(chan time.Time, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	heap.Push(&c.timers, demoTimer{c.lapse() + d, ring})
	return ring
}

// at makes an appointment.
func (c *demoClock) at(moment time.Time, do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dates = append(c.dates, demoDate{moment, do})
}

// stamp gives log lines the time of the demo.
func (c *demoClock) stamp(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Time(slog.TimeKey, c.now())
	}
	return a
}

// set moves the clock to a moment, back or ahead. It is for preparing a world, before anything lives by the clock.
func (c *demoClock) set(moment time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.jumped += moment.Sub(c.origin.Add(c.lapse()))
}

// hold makes the clock run in real time until release is called.
func (c *demoClock) hold() (release func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held++
	return sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.held--
	})
}

// Bounds of the jumps.
const (
	demoStep   = time.Millisecond // between two jumps, in real time
	demoHurry  = 4                // times the speed, while time that was spent on effects is made up for
	demoBehind = 2 * time.Second  // of real time: what is more is not made up for
)

// run jumps ahead until the context ends, so that on the whole time passes at a speed (demo time per second). busy says
// whether something is under way; due returns the next moment at which something is.
func (c *demoClock) run(ctx context.Context, speed time.Duration, busy func() bool, due func() (time.Time, bool)) {
	ticker := time.NewTicker(demoStep)
	defer ticker.Stop()
	owed := time.Duration(0) // demo time
	last, shown := time.Now(), c.elapsed()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		fair := demoScale(time.Since(last), speed)
		last = time.Now()
		owed = min(owed+fair-(c.elapsed()-shown), demoScale(demoBehind, speed))
		shown = c.elapsed()
		if !busy() {
			// What is due is asked first: a record that is claimed meanwhile is busy, and no longer due.
			next, known := due()
			if !busy() {
				c.jump(min(owed, demoHurry*fair), next, known)
			}
		}
		c.ring()
	}
}

// demoScale returns how much demo time a real span is worth.
func demoScale(d, speed time.Duration) time.Duration {
	return time.Duration(float64(d) * speed.Seconds())
}

// jump goes ahead, at most to the next due moment and to the next appointment.
func (c *demoClock) jump(d time.Duration, due time.Time, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held > 0 {
		return
	}
	now := c.origin.Add(c.lapse())
	if known {
		d = min(d, due.Sub(now))
	}
	for _, date := range c.dates {
		d = min(d, date.at.Sub(now))
	}
	c.jumped += max(d, 0)
}

// ring fires the timers whose time has come, and keeps the appointments. While one is kept the clock runs in real time.
func (c *demoClock) ring() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for lapse := c.lapse(); len(c.timers) > 0 && c.timers[0].at <= lapse; {
		timer := heap.Pop(&c.timers).(demoTimer) //nolint:forcetypeassert // of its own type only
		timer.ring <- c.origin.Add(lapse)
	}
	now := c.origin.Add(c.lapse())
	later := c.dates[:0]
	for _, date := range c.dates {
		if date.at.After(now) {
			later = append(later, date)
			continue
		}
		c.held++
		go c.keep(date)
	}
	c.dates = later
}

func (c *demoClock) keep(date demoDate) {
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.held--
	}()
	date.do()
}
