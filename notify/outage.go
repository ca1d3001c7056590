package notify

import (
	"hash/fnv"
	"strconv"
	"sync"
	"time"
)

// AmbiguousPause is how long a delivery whose fate is unknown waits before its one repetition: time for the other side
// to finish what it may have begun.
const AmbiguousPause = 30 * time.Minute

// lease is how long a delivery that was begun stays aside when nothing more is heard of it, which means that the
// daemon died. The loop never claims while it sends, so this need not outlast a send; it only gives the first copy, if
// there is one, time to arrive before the second.
const lease = 2 * time.Minute

// giveUp is the number of answered refusals "for now" after which a delivery counts as refused for good: about five
// days of trying (RFC 5321 section 4.5.4.1).
const giveUp = 120

// pauseAfter returns the pause after so many failures: the first, then the next, then the last for ever. A channel that
// is down is probed in the same way.
func pauseAfter(failures int, slow bool) time.Duration {
	pauses := []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}
	if slow {
		pauses = pauses[1:]
	}
	return pauses[min(max(failures, 1), len(pauses))-1]
}

// jitter adds up to a fifth to a pause. It follows from its arguments, so that the same trouble gives the same times,
// and spreads the deliveries that failed together.
func jitter(d time.Duration, id string, attempt int) time.Duration {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id + "\x00" + strconv.Itoa(attempt)))
	return d + time.Duration(h.Sum64()%1000)*d/5000
}

// outages remembers which channels are down, on the monotonic clock.
type outages struct {
	mu    sync.Mutex
	since map[string]outage
}

type outage struct {
	until    time.Duration
	failures int
}

// begin notes that nothing can be sent over a channel. Several sends that fail together count once.
func (o *outages) begin(channel string, elapsed time.Duration, slow bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.since[channel]
	if now.until > elapsed {
		return
	}
	now.failures++
	// Hourly is for messages; a channel comes back for everybody, so it is probed at least every quarter of an hour.
	pause := pauseAfter(now.failures, slow)
	if !slow {
		pause = min(pause, 15*time.Minute)
	}
	now.until = elapsed + pause
	o.since[channel] = now
}

// end notes that a channel works.
func (o *outages) end(channel string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.since, channel)
}

// left returns for how long a channel counts as down; zero or less = it may be tried.
func (o *outages) left(channel string, elapsed time.Duration) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.since[channel].until - elapsed
}

// all returns for how long every channel counts as down, zero if any may be tried.
func (o *outages) all(channels []Channel, elapsed time.Duration) time.Duration {
	var shortest time.Duration
	for i, c := range channels {
		left := max(0, o.left(c.Name(), elapsed))
		if i == 0 || left < shortest {
			shortest = left
		}
	}
	return shortest
}

// forget lets every channel be tried again: its settings may have changed.
func (o *outages) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	clear(o.since)
}
