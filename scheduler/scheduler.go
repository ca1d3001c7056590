package scheduler

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/providers"
)

// Store is what the scheduler needs of the state.
type Store interface {
	// Claim returns due records of one provider that nobody has claimed, earliest first, at most n. Records that come
	// together with an error are good; the error is about others.
	Claim(ctx context.Context, now time.Time, provider string, n int, owner string, lease time.Duration) ([]credential.Record, error)
	// Commit makes a change if the record's revision is still the one that it was made from. With conflict, nothing
	// was changed and the returned record is the winner. ErrNothing: the change cannot be made (the client has gone), and
	// was not. Any other error is fatal: whether the change was made is not known.
	Commit(ctx context.Context, change credential.Change) (rec credential.Record, conflict bool, err error)
	// Providers returns the names of the providers that have due entries.
	Providers() []string
	// Hasten lets everything that is due after a moment fall due at that moment: the wall clock was set back to it.
	Hasten(ctx context.Context, to time.Time) error
	// NextDue returns when the next unclaimed record of a provider falls due; false if none ever does.
	NextDue(ctx context.Context, provider string) (time.Time, bool, error)
}

// Connection is a provider with its limits.
type Connection struct {
	Provider providers.Provider
	Timing   providers.Timing
	Pace     credential.Pace    // what may begin; zero = no bounds
	Breaker  *providers.Breaker // says whether the provider may be asked now; nil = always
}

// Schedule says when clients are looked at.
type Schedule interface {
	Next(t time.Time) time.Time
}

// World is the configuration as the scheduler sees it. A reload builds a new one whole and swaps it in.
type World struct {
	Connections map[string]Connection
	Policies    map[string]credential.Policy
	Windows     func(credential.WindowSpec) credential.Window
	Scan        Schedule
	Workers     int // per provider; 0 = 8
}

// Settings are what a Scheduler is made of.
type Settings struct {
	Store    Store
	Executor rotation.Executor
	Instance string // this rotad's id
	Boot     string // this process
	// Watermark is the second clock as the last commit left it; zero in a fresh state.
	Watermark time.Time
	Log       *slog.Logger

	Now     func() time.Time
	Elapsed func() time.Duration // monotonic, since the state was opened
	After   func(time.Duration) <-chan time.Time

	FreshID  func() string // ids of rotations
	FreshUID func() string // UIDs of calendar events

	// Guard says why a rotation that is not additive must not begin now (little disk, a short-lived token); empty = it
	// may. It may be nil.
	Guard func(credential.Record) credential.Reason
	// Tally returns what has been begun under a provider. It may be nil where no connection has a pace.
	Tally func(provider string) (credential.Tally, error)
	// Watch is told of what happened. It may be nil.
	Watch Watch
	// Drain is how long a shutdown waits for created secrets to be staged; 0 = DefaultDrain.
	Drain time.Duration
}

// Watch is told of what happened, for metrics and events.
type Watch interface {
	Committed(change credential.Change)
	Effect(rec credential.Record, effect rotation.Effect, o rotation.Outcome, took time.Duration)
	Late(provider string, lag time.Duration)
	Turned() // the loop has turned: a sign of life
}

// ErrNothing is what a Store wraps where a commit did nothing and could not have: the record is left alone.
var ErrNothing = errors.New("nothing was committed")

// Bounds of the loop.
const (
	// DefaultDrain is how long a shutdown waits for created secrets to be staged.
	DefaultDrain = 90 * time.Second
	// fatalDrain is how long a fatal commit error waits for them.
	fatalDrain = 10 * time.Second
	// lease of a claim. A record whose effect takes longer is not started twice, because the loop knows what it runs.
	lease = time.Hour
	// nap is the longest sleep: timers stand still while a machine is suspended, so the wall clock is compared again.
	nap            = 15 * time.Second
	defaultWorkers = 8
	claimAtOnce    = 64
)

// Scheduler drives every client through its life. Run it once.
type Scheduler struct {
	Settings
	world atomic.Pointer[World]
	clock secondClock
	wall  wall
	wake  chan struct{}

	detached context.Context // of creates: a shutdown does not cancel it
	release  context.CancelFunc
	draining atomic.Bool

	claiming atomic.Int32 // claims that have not reached running yet

	mu      sync.Mutex
	running map[string]*work // ids under way
	lanes   map[string]*lane // by provider
	walked  map[string]bool  // providers whose clients are seen in pages
	workers sync.WaitGroup
	fatal   chan error
}

// work is what is done for one claimed record. Once its last commit is sent it touches nothing any more, and the record
// can be claimed again before it has gone: that claim must not be taken for one of its own.
type work struct{ over bool }

// lane is one provider's share: its queue of claimed records and its workers.
type lane struct {
	queue []credential.Record
	busy  int
}

// New builds a Scheduler.
func New(s Settings, w *World) *Scheduler {
	if s.Drain == 0 {
		s.Drain = DefaultDrain
	}
	sch := &Scheduler{
		Settings: s, wake: make(chan struct{}, 1), running: map[string]*work{}, lanes: map[string]*lane{},
		fatal: make(chan error, 1),
	}
	sch.clock.start(s.Watermark, s.Now(), s.Elapsed())
	sch.wall.start(s.Watermark, s.Elapsed())
	sch.world.Store(w)
	return sch
}

// Swap takes a new configuration. Work under way keeps the one that it began with, until its next step.
func (s *Scheduler) Swap(w *World) {
	s.world.Store(w)
	s.Wake()
}

// Wake makes the loop look at once.
func (s *Scheduler) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run drives clients until the context ends, then waits until created secrets are staged. It returns an error only
// where the state can no longer be written.
func (s *Scheduler) Run(ctx context.Context) error {
	s.detached, s.release = context.WithCancel(context.WithoutCancel(ctx))
	defer s.release()
	work, stop := context.WithCancel(ctx)
	defer stop()
	for {
		s.followWall(work)
		s.dispatch(work)
		if s.Watch != nil {
			s.Watch.Turned()
		}
		select {
		case <-ctx.Done():
			s.drain(stop, s.Drain)
			return s.fatalError()
		case err := <-s.fatal:
			s.Log.Error("the state cannot be written; stopping", "error", err)
			s.drain(stop, fatalDrain)
			return err
		case <-s.wake:
		case <-s.After(s.sleep(ctx)):
		}
	}
}

func (s *Scheduler) fatalError() error {
	select {
	case err := <-s.fatal:
		return err
	default:
		return nil
	}
}

// drain starts no creates and waits until those that were sent are staged.
func (s *Scheduler) drain(stop context.CancelFunc, limit time.Duration) {
	s.draining.Store(true)
	stop()
	done := make(chan struct{})
	go func() {
		s.workers.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-s.After(limit):
		s.Log.Error("giving up on created secrets that vault did not take", "after", limit)
	}
	s.release()
	<-done
}

// sleep returns how long nothing can be due.
func (s *Scheduler) sleep(ctx context.Context) time.Duration {
	d := nap
	now := s.Now()
	for _, name := range s.Store.Providers() {
		if s.full(name) {
			continue
		}
		if due, ok := s.nextDue(ctx, name); ok {
			d = min(d, due.Sub(now))
		}
	}
	return max(d, time.Millisecond)
}

// nextDue asks for the head of a provider's due entries. A state that cannot be read ends the loop.
func (s *Scheduler) nextDue(ctx context.Context, name string) (time.Time, bool) {
	due, ok, err := s.Store.NextDue(ctx, name)
	if err != nil && ctx.Err() == nil {
		s.fail(err)
	}
	return due, ok && err == nil
}

func (s *Scheduler) full(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lanes[name]
	return l != nil && (l.busy >= s.workersPerProvider() || len(l.queue) > 0)
}

func (s *Scheduler) workersPerProvider() int {
	if n := s.world.Load().Workers; n > 0 {
		return n
	}
	return defaultWorkers
}

// OldestWaiting returns the earliest moment at which a decision fell due whose record has been claimed and waits for a
// free worker; ok is false where none waits.
func (s *Scheduler) OldestWaiting() (at time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.lanes {
		for _, rec := range l.queue {
			if !ok || rec.Due.Before(at) {
				at, ok = rec.Due, true
			}
		}
	}
	return at, ok
}

// Busy says whether a record is claimed or under way. Whoever moves the clocks asks: while an effect runs, its deadlines
// and the waits that prove something must last as long as they say.
func (s *Scheduler) Busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.running) > 0 || s.claiming.Load() > 0
}

func (s *Scheduler) fail(err error) {
	select {
	case s.fatal <- err:
	default:
	}
}

// Adopt takes the id of this rotad as Vault keeps it. It is called before Run.
func (s *Scheduler) Adopt(instance string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Instance, s.Executor.Instance = instance, instance
}

// instance returns the id of this rotad. Commands ask for it while the state may still adopt another one.
func (s *Scheduler) instance() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Instance
}
