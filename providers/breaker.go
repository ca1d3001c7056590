package providers

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// Breaker remembers whether a provider answers, from what its calls brought. It holds up no call: whoever begins something
// that can wait asks it first, so that a provider which is away, or has asked for a pause, is not asked by every client in
// turn. It keeps time on a monotonic clock and is safe for concurrent use; what has to outlive the process it hands to who keeps
// it. A nil Breaker is always closed.
type Breaker struct {
	failures int          // that open it
	keeper   OutageKeeper // is told of every change, one at a time; nil = nobody is

	mu      sync.Mutex
	silent  int // calls in a row that brought no answer
	open    bool
	told    bool          // of this outage
	since   time.Duration // of the first of them
	until   time.Duration // no probe before this
	pause   time.Duration // before the next probe
	slow    time.Duration // the provider has asked to be left alone until then
	probing time.Duration // until when a probe that was let through is waited for
}

// The pauses of a Breaker.
const (
	// firstProbe is how long nothing is asked after it has opened.
	firstProbe = 15 * time.Second
	// longestProbe is the longest pause between two probes.
	longestProbe = 5 * time.Minute
	// probeLife is how long a probe is waited for that brings no verdict: its effect may have ended before it came to ask.
	probeLife = 2 * time.Minute
	// longestAsked bounds the pause that a provider can ask for: a header with a wrong unit must not stop it for a year.
	longestAsked = time.Hour
)

// NewBreaker returns a closed breaker that opens after so many calls in a row without an answer; nil if that is not at least
// one.
func NewBreaker(failures int) *Breaker {
	if failures < 1 {
		return nil
	}
	return &Breaker{failures: failures}
}

// Outage is what a Breaker knows that has to outlive a process.
type Outage struct {
	Since time.Duration // monotonic: when the first call brought no answer
	Open  bool          // the provider does not answer; false = it does, and the rest means nothing
	Told  bool          // people know
}

// OutageKeeper keeps an Outage for the process that comes after. Its methods must not ask the Breaker.
type OutageKeeper interface {
	// Last returns what was kept last.
	Last() Outage
	// Keep takes what is so from now on.
	Keep(o Outage)
}

// Restore takes over what an earlier process kept, and from now on hands every change to the keeper. An outage goes on half open:
// one probe is let through at once, and everything else waits for its answer.
func (b *Breaker) Restore(k OutageKeeper) {
	if b == nil {
		return
	}
	was := k.Last()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.keeper = k; was.Open && !b.open {
		b.silent, b.since, b.told, b.open = b.failures, was.Since, was.Told, true
	}
}

// kept hands a change to who keeps it.
func (b *Breaker) kept() {
	if b.keeper != nil {
		b.keeper.Keep(Outage{Since: b.since, Open: b.open, Told: b.told})
	}
}

// Pause is what a Breaker says about its provider.
type Pause struct {
	Wait    time.Duration // ask again then; 0 = go on
	Silent  int           // calls in a row without an answer
	Open    bool          // the provider does not answer; false with a Wait: it has asked for a pause
	Outage  time.Duration // how long it has not answered, where Open
	Probing bool          // go on, as the one call that finds out whether it answers again
}

// Admit says whether something may begin now. While the breaker is open it lets one through after each pause: the probe.
// The next one waits until that has brought an answer, or has had its time.
func (b *Breaker) Admit(now time.Duration) Pause {
	if b == nil {
		return Pause{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.pauseAt(now)
	if p.Open && p.Wait <= 0 {
		b.probing = now + probeLife
		p.Probing, p.Wait = true, 0
	}
	return p
}

// Look says the same as Admit and lets nothing through.
func (b *Breaker) Look(now time.Duration) Pause {
	if b == nil {
		return Pause{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pauseAt(now)
}

// Tell says whether it is time to tell people of the outage: once, after so long.
func (b *Breaker) Tell(now, after time.Duration) bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.told || !b.open || now-b.since < after {
		return false
	}
	b.told = true
	b.kept()
	return true
}

func (b *Breaker) pauseAt(now time.Duration) Pause {
	p := Pause{Silent: b.silent, Open: b.open, Wait: max(0, b.slow-now)}
	if b.open {
		p.Outage = now - b.since
		p.Wait = max(p.Wait, b.until-now, b.probing-now)
	}
	return p
}

// note takes in what a call brought.
func (b *Breaker) note(now time.Duration, err error) {
	if b == nil || errors.Is(err, context.Canceled) { // who has asked does not want to know any more
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !silence(err) {
		was := b.open
		b.silent, b.open, b.told, b.pause, b.probing = 0, false, false, 0, 0
		if was {
			b.kept()
		}
		if ClassOf(err) == ClassThrottled {
			b.slow = max(b.slow, now+min(RetryAfter(err), longestAsked))
		}
		return
	}
	if b.silent++; b.silent == 1 {
		b.since = now
	}
	if b.silent < b.failures || b.open && now < b.until {
		return // what had been sent before it opened says nothing new
	}
	was := b.open
	b.pause = min(longestProbe, max(firstProbe, 2*b.pause))
	b.open, b.until, b.probing = true, now+b.pause, 0
	if !was {
		b.kept()
	}
}

// silence says whether an error means that nobody answered: a broken connection, a time-out, or a server error. An answer,
// be it a refusal, is one.
func silence(err error) bool {
	switch ClassOf(err) {
	case ClassUnavailable, ClassIndeterminate:
	default:
		return false
	}
	e, ok := errors.AsType[*Error](err)
	return !ok || e.Status == 0 || e.Status >= http.StatusInternalServerError
}
