package providers

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Limits bound what rotad asks of one provider. Zero values mean "not limited", except for creates: whatever the
// limits, one client has one create at a time.
type Limits struct {
	Name        string        // of the configured provider, for errors
	Concurrency int           // calls at once; 0 = not limited
	Rate        float64       // calls per second in the long run; 0 = not limited
	Burst       int           // calls that may come at once after a pause; 0 = 1
	CreateWait  time.Duration // longest wait of a create for its turn; 0 = DefaultCreateWait
}

// DefaultCreateWait is how long a create waits for its turn before it gives up with nothing sent. It stays below the
// five seconds that may pass between the fence in Vault and the request, so that a create never starts under a stale
// fence.
const DefaultCreateWait = 3 * time.Second

// Clock are the two functions of time that the limits need: a monotonic clock and a timer on it.
type Clock struct {
	Elapsed func() time.Duration
	After   func(time.Duration) <-chan time.Time
}

// Observe is told of every call when it ends: the operation, how it ended ("ok", the answer of a verify, or the class
// of the error), and how long the provider took, waiting for the limits not counted.
type Observe func(operation, outcome string, took time.Duration)

// Decorated is a Provider within limits. It offers every optional interface; where the inner provider lacks one, its
// method fails with ClassUnsupported (or says nothing, for Check, Timing and Close). AsRecoverer and its siblings say
// exactly what the inner one has.
type Decorated struct {
	inner   Provider
	limits  Limits
	clock   Clock
	observe Observe
	slots   chan struct{} // nil = not limited
	bucket  *bucket       // nil = not limited

	mu       sync.Mutex
	creating map[string]*turn // by canonical reference
}

// turn is one client's right to create; waiters counts those who hold or want it.
type turn struct {
	held    chan struct{}
	waiters int
}

// Limited puts a provider within limits. Observe may be nil.
func Limited(p Provider, l Limits, c Clock, observe Observe) *Decorated {
	if l.CreateWait == 0 {
		l.CreateWait = DefaultCreateWait
	}
	if observe == nil {
		observe = func(string, string, time.Duration) {}
	}
	d := &Decorated{inner: p, limits: l, clock: c, observe: observe, creating: map[string]*turn{}}
	if l.Concurrency > 0 {
		d.slots = make(chan struct{}, l.Concurrency)
	}
	if l.Rate > 0 {
		d.bucket = newBucket(l.Rate, max(l.Burst, 1))
	}
	return d
}

// Unwrap returns the inner provider.
func (d *Decorated) Unwrap() Provider { return d.inner }

// The reasons why a call was not sent.
var (
	errNoTurn   = errors.New("nothing was sent: the limits of this provider left no turn in time")
	errCreating = errors.New("nothing was sent: another create for this client is under way")
)

// call runs one call within the limits and observes it. Late ends the wait for a turn; nil = only the context does.
func (d *Decorated) call(
	ctx context.Context, operation string, late <-chan time.Time, f func() (outcome string, err error),
) error {
	release, err := d.enter(ctx, operation, late)
	if err != nil {
		return err
	}
	defer release()
	start := d.clock.Elapsed()
	outcome, err := f()
	if err != nil {
		outcome = string(ClassOf(err))
	}
	d.observe(operation, outcome, d.clock.Elapsed()-start)
	return err
}

// enter waits for a slot and then for the rate. Nothing has been sent when it fails.
func (d *Decorated) enter(ctx context.Context, operation string, late <-chan time.Time) (release func(), err error) {
	if d.slots != nil {
		select {
		case d.slots <- struct{}{}:
		case <-late:
			return nil, d.notSent(operation, ClassThrottled, errNoTurn)
		case <-ctx.Done():
			return nil, d.notSent(operation, ClassUnavailable, errNoTurn)
		}
	}
	release = func() {
		if d.slots != nil {
			<-d.slots
		}
	}
	if err := d.pace(ctx, operation, late); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

func (d *Decorated) pace(ctx context.Context, operation string, late <-chan time.Time) error {
	if d.bucket == nil {
		return nil
	}
	wait := d.bucket.take(d.clock.Elapsed())
	if wait == 0 {
		return nil
	}
	select {
	case <-d.clock.After(wait):
		return nil
	case <-late:
		d.bucket.giveBack()
		return d.notSent(operation, ClassThrottled, errNoTurn)
	case <-ctx.Done():
		d.bucket.giveBack()
		return d.notSent(operation, ClassUnavailable, errNoTurn)
	}
}

func (d *Decorated) notSent(operation string, class Class, cause error) error {
	return &Error{Class: class, Provider: d.limits.Name, Operation: operation, Err: cause}
}

// Inspect is Provider.Inspect.
func (d *Decorated) Inspect(ctx context.Context, t Target) (s Snapshot, err error) {
	err = d.call(ctx, "inspect", nil, func() (string, error) {
		s, err = d.inner.Inspect(ctx, t)
		return outcomeOK, err
	})
	return s, err
}

// Create is Provider.Create, one at a time per client. It waits at most Limits.CreateWait for its turn.
func (d *Decorated) Create(ctx context.Context, t Target, r Request) (issued Issued, err error) {
	late := d.clock.After(d.limits.CreateWait)
	leave, err := d.turn(ctx, t, late)
	if err != nil {
		return Issued{}, err
	}
	defer leave()
	err = d.call(ctx, "create", late, func() (string, error) {
		issued, err = d.inner.Create(ctx, t, r)
		return outcomeOK, err
	})
	return issued, err
}

// Verify is Provider.Verify.
func (d *Decorated) Verify(ctx context.Context, t Target, b credential.Bundle) (a Answer, err error) {
	err = d.call(ctx, "verify", nil, func() (string, error) {
		a, err = d.inner.Verify(ctx, t, b)
		return a.String(), err
	})
	return a, err
}

const outcomeOK = "ok"

// turn waits until no other create for this client is under way.
func (d *Decorated) turn(ctx context.Context, t Target, late <-chan time.Time) (leave func(), err error) {
	key := t.Ref.Canonical()
	d.mu.Lock()
	mine := d.creating[key]
	if mine == nil {
		mine = &turn{held: make(chan struct{}, 1)}
		d.creating[key] = mine
	}
	mine.waiters++
	d.mu.Unlock()
	select {
	case mine.held <- struct{}{}:
		return func() { <-mine.held; d.forget(key, mine) }, nil
	case <-late:
	case <-ctx.Done():
	}
	d.forget(key, mine)
	return nil, d.notSent("create", ClassBusy, errCreating)
}

// forget drops a turn that nobody holds or wants, so that the map does not grow with the number of clients.
func (d *Decorated) forget(key string, mine *turn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if mine.waiters--; mine.waiters == 0 {
		delete(d.creating, key)
	}
}

// bucket is a token bucket: full at first, one token per call, refilled at a steady rate. Debt is allowed: a call that
// finds no token reserves the next one and is told how long to wait for it.
type bucket struct {
	mu     sync.Mutex
	rate   float64 // tokens per second
	size   float64
	tokens float64
	last   time.Duration
}

func newBucket(rate float64, burst int) *bucket {
	return &bucket{rate: rate, size: float64(burst), tokens: float64(burst)}
}

// take takes a token and returns how long to wait before using it.
func (b *bucket) take(now time.Duration) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now > b.last {
		b.tokens = min(b.size, b.tokens+(now-b.last).Seconds()*b.rate)
		b.last = now
	}
	b.tokens--
	if b.tokens >= 0 {
		return 0
	}
	return time.Duration(-b.tokens / b.rate * float64(time.Second))
}

// giveBack returns the token of a call that was not made.
func (b *bucket) giveBack() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = min(b.size, b.tokens+1)
}
