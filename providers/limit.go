package providers

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"

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
	Breaker     *Breaker      // is told what the calls brought; nil = nobody is
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
	bucket  *rate.Limiter // nil = not limited; its times are the monotonic clock's, see onBucket

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
		d.bucket = rate.NewLimiter(rate.Limit(l.Rate), max(l.Burst, 1))
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
	now := d.clock.Elapsed()
	d.observe(operation, outcome, now-start)
	d.limits.Breaker.note(now, err)
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

// pace waits for the rate. A call that finds no token takes the next one that will be there, and gives it back if its own
// time is up before.
func (d *Decorated) pace(ctx context.Context, operation string, late <-chan time.Time) error {
	if d.bucket == nil {
		return nil
	}
	now := d.onBucket()
	token := d.bucket.ReserveN(now, 1)
	wait := token.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	select {
	case <-d.clock.After(wait):
		return nil
	case <-late:
		token.CancelAt(d.onBucket())
		return d.notSent(operation, ClassThrottled, errNoTurn)
	case <-ctx.Done():
		token.CancelAt(d.onBucket())
		return d.notSent(operation, ClassUnavailable, errNoTurn)
	}
}

// onBucket is now as the bucket counts it: no jump of the wall clock fills it.
func (d *Decorated) onBucket() time.Time { return time.Unix(0, 0).Add(d.clock.Elapsed()) }

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
