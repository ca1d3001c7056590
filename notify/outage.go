package notify

import (
	"hash/fnv"
	"slices"
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

// aside is the least time for which a delivery is put aside because its channel is down: a channel that wants to be left alone
// for a second at a time must not have every waiting notice written anew each second.
const aside = 5 * time.Second

// tellAfter is how long a channel takes nothing before that is told over another: a server that is restarted is no news.
const tellAfter = time.Hour

// tellAgain is the pause before the same trouble of the same channel is told again.
const tellAgain = 24 * time.Hour

// outages remembers which channels are down, on the monotonic clock.
type outages struct {
	mu    sync.Mutex
	since map[string]outage
	told  map[string]time.Duration // when the trouble of a channel was told last
}

type outage struct {
	until    time.Duration
	failures int
	failing  time.Duration // since when nothing was taken
	why      string
}

// fails notes that a channel has not taken a message, for whatever reason that may pass.
func (o *outages) fails(channel string, elapsed time.Duration, why string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now, failed := o.since[channel]
	if !failed {
		now.failing, now.until = elapsed, elapsed
	}
	now.why = why
	o.since[channel] = now
}

// begin notes that nothing can be sent over a channel. Several sends that fail together count once.
func (o *outages) begin(channel string, elapsed time.Duration, failed *SendError) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.since[channel]
	if now.until > elapsed {
		return
	}
	now.failures++
	// Hourly is for messages; a channel comes back for everybody, so it is probed at least every quarter of an hour.
	pause := pauseAfter(now.failures, failed.Slow)
	if !failed.Slow {
		pause = min(pause, 15*time.Minute)
	}
	now.until = elapsed + orElse(failed.After, pause)
	o.since[channel] = now
}

// failing says for how long each channel that takes nothing has done so.
func (o *outages) failing(elapsed time.Duration) map[string]time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := make(map[string]time.Duration, len(o.since))
	for channel, now := range o.since {
		out[channel] = elapsed - now.failing
	}
	return out
}

// lasting says whether a channel has taken nothing for so long that others have to know, and why.
func (o *outages) lasting(channel string, elapsed time.Duration) (why string, yes bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now, failed := o.since[channel]
	return now.why, failed && elapsed-now.failing >= tellAfter
}

// tell says whether the trouble of a channel, or of one address, is to be told now, and takes it for told.
func (o *outages) tell(whose string, elapsed time.Duration) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if last, told := o.told[whose]; told && elapsed-last < tellAgain {
		return false
	}
	o.told[whose] = elapsed
	return true
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

// retry lets every channel be tried again at once: its settings may have changed. Since when one of those that are left takes
// nothing stays known, as does what was told of it: a configuration that is loaded every ten minutes must not hide a channel
// that is down for a day.
func (o *outages) retry(left []Channel) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for name, now := range o.since {
		if !slices.ContainsFunc(left, func(c Channel) bool { return c.Name() == name }) {
			delete(o.since, name)
			continue
		}
		now.until, now.failures = now.failing, 0
		o.since[name] = now
	}
}
