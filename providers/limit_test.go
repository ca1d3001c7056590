package providers_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// slow is a provider whose calls take a second and which counts how many run at once.
type slow struct {
	now, most atomic.Int32
	calls     atomic.Int32
	err       error
}

func (s *slow) work() error {
	s.calls.Add(1)
	n := s.now.Add(1)
	for {
		most := s.most.Load()
		if n <= most || s.most.CompareAndSwap(most, n) {
			break
		}
	}
	time.Sleep(time.Second)
	s.now.Add(-1)
	return s.err
}

func (s *slow) Inspect(context.Context, providers.Target) (providers.Snapshot, error) {
	return providers.Snapshot{ClientID: "c"}, s.work()
}

func (s *slow) Create(context.Context, providers.Target, providers.Request) (providers.Issued, error) {
	return providers.Issued{Secret: credential.Secret{ID: "new"}}, s.work()
}

func (s *slow) Verify(context.Context, providers.Target, credential.Bundle) (providers.Answer, error) {
	return providers.Refused, s.work()
}

// able can do everything that is optional.
type able struct{ slow }

func (a *able) Recover(context.Context, providers.Target) (providers.Issued, error) {
	return providers.Issued{Secret: credential.Secret{ID: "recovered"}}, a.work()
}
func (a *able) Revoke(context.Context, providers.Target, string) error { return a.work() }
func (a *able) Decode(providers.Target, credential.Sensitive) (providers.Issued, error) {
	return providers.Issued{Secret: credential.Secret{ID: "decoded"}}, nil
}

func (a *able) List(context.Context, string) (providers.Page, error) { return providers.Page{}, nil }

func (a *able) Check(context.Context) []providers.Finding {
	return []providers.Finding{{What: "w"}, {What: "v"}}
}

func (a *able) Generate(providers.Target) (credential.Bundle, error) {
	return credential.Bundle{"x": credential.NewSensitive("y")}, nil
}
func (a *able) Timing() providers.Timing    { return providers.Timing{Deadline: time.Minute} }
func (a *able) Close(context.Context) error { return errors.New("closed") }

// clock is the clock of a bubble.
func clock() providers.Clock {
	start := time.Now()
	return providers.Clock{Elapsed: func() time.Duration { return time.Since(start) }, After: time.After}
}

func about(client string) providers.Target {
	return providers.Target{Client: client, Ref: credential.Ref{"client_id": client}}
}

// seen collects what is observed.
type seen struct {
	mu   sync.Mutex
	rows []string
	took time.Duration
}

func (s *seen) observe(operation, outcome string, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows, s.took = append(s.rows, operation+" "+outcome), took
}

func TestConcurrencyIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner, start := &slow{}, time.Now()
		p := providers.Limited(inner, providers.Limits{Concurrency: 3}, clock(), nil)
		var wg sync.WaitGroup
		for range 9 {
			wg.Go(func() { _, _ = p.Inspect(t.Context(), about("a")) })
		}
		wg.Wait()
		if inner.most.Load() != 3 || time.Since(start) != 3*time.Second {
			t.Errorf("%d at once, %v in all", inner.most.Load(), time.Since(start))
		}
	})
}

func TestRateIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner, start := &slow{}, time.Now()
		p := providers.Limited(inner, providers.Limits{Rate: 2, Burst: 4}, clock(), nil)
		var wg sync.WaitGroup
		for range 10 { // four at once, the other six half a second apart, a second for the last one
			wg.Go(func() { _, _ = p.Inspect(t.Context(), about("a")) })
		}
		wg.Wait()
		if got := time.Since(start); got != 4*time.Second {
			t.Errorf("10 calls took %v", got)
		}
		time.Sleep(time.Hour) // a pause refills the burst and no more
		start = time.Now()
		for range 5 {
			wg.Go(func() { _, _ = p.Inspect(t.Context(), about("a")) })
		}
		wg.Wait()
		if got := time.Since(start); got != 1500*time.Millisecond {
			t.Errorf("after a pause 5 calls took %v", got)
		}
	})
}

func TestOneCreateAtATimePerClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := &slow{}
		p := providers.Limited(inner, providers.Limits{CreateWait: time.Hour}, clock(), nil)
		create := func(client string) { _, _ = p.Create(t.Context(), about(client), providers.Request{}) }
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { create("a") })
		}
		wg.Wait()
		if inner.most.Load() != 1 || inner.calls.Load() != 4 {
			t.Errorf("%d at once for one client", inner.most.Load())
		}
		wg.Go(func() { create("a") })
		wg.Go(func() { create("b") })
		wg.Wait()
		if inner.most.Load() != 2 {
			t.Error("another client had to wait")
		}
	})
}

// A create that has to wait too long is not sent at all: by then its fence would be stale.
func TestCreateDoesNotWaitLong(t *testing.T) {
	for name, test := range map[string]struct {
		limits providers.Limits
		client string
		want   providers.Class
	}{
		"for another create of this client": {providers.Limits{}, "a", providers.ClassBusy},
		"for a slot":                        {providers.Limits{Concurrency: 1}, "b", providers.ClassThrottled},
		"for the rate":                      {providers.Limits{Rate: 0.01}, "b", providers.ClassThrottled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inner, log := &hanging{release: make(chan struct{})}, &seen{}
				test.limits.Name = "corp"
				p := providers.Limited(inner, test.limits, clock(), log.observe)
				go func() { _, _ = p.Create(t.Context(), about("a"), providers.Request{}) }()
				synctest.Wait()
				start := time.Now()
				_, err := p.Create(t.Context(), about(test.client), providers.Request{})
				if providers.ClassOf(err) != test.want || !providers.Definite(err) || inner.calls.Load() != 1 {
					t.Errorf("%v after %d calls, want %s", err, inner.calls.Load(), test.want)
				}
				if !strings.HasPrefix(err.Error(), "corp: create: ") {
					t.Errorf("the error does not say where it comes from: %v", err)
				}
				if got := time.Since(start); got != providers.DefaultCreateWait {
					t.Errorf("it waited %v", got)
				}
				close(inner.release)
				synctest.Wait()
				if test.limits.Rate == 0 { // what was not used is free again
					if _, err := p.Create(t.Context(), about(test.client), providers.Request{}); err != nil {
						t.Error(err)
					}
				}
			})
		})
	}
}

// hanging creates only when it is released.
type hanging struct {
	slow

	release chan struct{}
}

func (h *hanging) Create(context.Context, providers.Target, providers.Request) (providers.Issued, error) {
	h.calls.Add(1)
	<-h.release
	return providers.Issued{}, nil
}

func TestWaitingHonoursTheContext(t *testing.T) {
	for name, limits := range map[string]providers.Limits{"slot": {Concurrency: 1}, "rate": {Rate: 0.01}} {
		synctest.Test(t, func(t *testing.T) {
			inner := &hanging{release: make(chan struct{})}
			p := providers.Limited(inner, limits, clock(), nil)
			go func() { _, _ = p.Create(t.Context(), about("a"), providers.Request{}) }()
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := p.Inspect(ctx, about("b")); providers.ClassOf(err) != providers.ClassUnavailable || inner.calls.Load() != 1 {
				t.Errorf("%s: %v", name, err)
			}
			close(inner.release)
		})
	}
}

// A call that gave up waiting has used nothing of the rate.
func TestGivingUpCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := &slow{}
		p := providers.Limited(inner, providers.Limits{Rate: 0.1}, clock(), nil)
		_, _ = p.Inspect(t.Context(), about("a"))
		for range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, _ = p.Inspect(ctx, about("a"))
			cancel()
		}
		start := time.Now() // six seconds after the first call began
		if _, err := p.Inspect(t.Context(), about("a")); err != nil || inner.calls.Load() != 2 {
			t.Errorf("%v, %d calls", err, inner.calls.Load())
		}
		if got := time.Since(start).Round(time.Millisecond); got != 5*time.Second {
			t.Errorf("4 s of waiting and 1 s of work took %v", got)
		}
	})
}

// Who comes after a call that gave up does not get the turn of another one that waits.
func TestGivingUpCrowdsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := &able{}
		p := providers.Limited(inner, providers.Limits{Rate: 0.1}, clock(), nil)
		var wg sync.WaitGroup
		var mu sync.Mutex
		turns := map[time.Duration]int{}
		start := time.Now()
		ask := func(ctx context.Context) {
			wg.Go(func() {
				if _, err := p.Inspect(ctx, about("a")); err == nil {
					mu.Lock()
					defer mu.Unlock()
					turns[time.Since(start).Round(time.Second)]++
				}
			})
			synctest.Wait()
		}
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		ask(t.Context()) // at once
		ask(impatient)   // would have its turn after ten seconds
		ask(t.Context()) // after twenty
		time.Sleep(2 * time.Second)
		ask(t.Context())
		wg.Wait()
		for at, n := range turns {
			if n > 1 {
				t.Errorf("%d calls at once, after %s: %v", n, at, turns)
			}
		}
	})
}

func TestEveryCallIsObserved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner, log := &able{}, &seen{}
		p := providers.Limited(inner, providers.Limits{}, clock(), log.observe)
		ctx, a := t.Context(), about("a")
		_, _ = p.Inspect(ctx, a)
		_, _ = p.Create(ctx, a, providers.Request{})
		_, _ = p.Verify(ctx, a, nil)
		_, _ = p.Recover(ctx, a)
		inner.err = &providers.Error{Class: providers.ClassThrottled}
		_ = p.Revoke(ctx, a, "x")
		inner.err = errors.New("bare")
		_, _ = p.Create(ctx, a, providers.Request{})
		want := []string{"inspect ok", "create ok", "verify refused", "recover ok", "revoke throttled", "create indeterminate"}
		if !slices.Equal(log.rows, want) || log.took != time.Second {
			t.Errorf("%q, %v; want %q", log.rows, log.took, want)
		}
	})
}

func TestResultsPassThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := providers.Limited(&able{}, providers.Limits{Concurrency: 1, Rate: 1000}, clock(), nil)
		snapshot, _ := p.Inspect(t.Context(), about("a"))
		issued, _ := p.Create(t.Context(), about("a"), providers.Request{})
		recovered, _ := p.Recover(t.Context(), about("a"))
		decoded, _ := p.Decode(about("a"), credential.Sensitive{})
		bundle, _ := p.Generate(about("a"))
		got := strings.Join([]string{
			snapshot.ClientID, issued.Secret.ID, recovered.Secret.ID, decoded.Secret.ID, bundle["x"].Reveal(),
			p.Check(t.Context())[1].What, p.Timing().Deadline.String(), p.Close(t.Context()).Error(),
		}, " ")
		if want := "c new recovered decoded y v 1m0s closed"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

// The decorator neither hides an ability nor invents one.
func TestOptionalAbilities(t *testing.T) {
	abilities := func(p providers.Provider) []bool {
		_, recoverer := providers.AsRecoverer(p)
		_, revoker := providers.AsRevoker(p)
		_, decoder := providers.AsDecoder(p)
		_, checker := providers.AsChecker(p)
		_, lister := providers.AsLister(p)
		_, generator := providers.AsGenerator(p)
		_, timed := providers.AsTimed(p)
		_, closer := providers.AsCloser(p)
		return []bool{recoverer, revoker, decoder, checker, lister, generator, timed, closer}
	}
	for want, inner := range map[bool]providers.Provider{true: &able{}, false: &slow{}} {
		once := providers.Limited(inner, providers.Limits{}, clock(), nil)
		twice := providers.Limited(once, providers.Limits{}, clock(), nil)
		for _, p := range []providers.Provider{inner, once, twice} {
			for i, got := range abilities(p) {
				if got != want {
					t.Errorf("%T of %T: ability %d is %t, want %t", p, inner, i, got, want)
				}
			}
		}
		if once.Unwrap() != inner {
			t.Error("Unwrap returns another provider")
		}
	}
	if r, _ := providers.AsRevoker(providers.Limited(&able{}, providers.Limits{}, clock(), nil)); r != nil {
		if _, bare := r.(*able); bare {
			t.Error("the ability escapes the limits")
		}
	}
}

func TestLackingAbilitiesAreUnsupported(t *testing.T) {
	p := providers.Limited(&slow{}, providers.Limits{}, clock(), nil)
	_, errRecover := p.Recover(t.Context(), about("a"))
	_, errDecode := p.Decode(about("a"), credential.Sensitive{})
	_, errGenerate := p.Generate(about("a"))
	_, errList := p.List(t.Context(), "")
	for _, err := range []error{errList, errRecover, p.Revoke(t.Context(), about("a"), "x"), errDecode, errGenerate} {
		if providers.ClassOf(err) != providers.ClassUnsupported {
			t.Errorf("%v", err)
		}
	}
	if p.Check(t.Context()) != nil || p.Timing() != (providers.Timing{}) || p.Close(t.Context()) != nil {
		t.Error("something is invented")
	}
}
