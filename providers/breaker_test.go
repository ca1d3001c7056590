package providers_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// moody is a provider whose calls end as it likes.
type moody struct {
	providers.Provider
	err error
}

func (m *moody) Inspect(context.Context, providers.Target) (providers.Snapshot, error) {
	return providers.Snapshot{}, m.err
}

func (m *moody) Verify(context.Context, providers.Target, credential.Bundle) (providers.Answer, error) {
	return providers.Unknown, m.err
}

func away() error { return &providers.Error{Class: providers.ClassUnavailable, Operation: "inspect"} }

// mood is a moody provider behind a breaker that opens after three silent calls.
type mood struct {
	inner   *moody
	limited *providers.Decorated
	breaker *providers.Breaker
	start   time.Time
}

func newMood() *mood {
	m := &mood{inner: &moody{}, breaker: providers.NewBreaker(3), start: time.Now()}
	elapsed := func() time.Duration { return time.Since(m.start) }
	m.limited = providers.Limited(m.inner, providers.Limits{Breaker: m.breaker}, providers.Clock{Elapsed: elapsed, After: time.After}, nil)
	return m
}

func (m *mood) now() time.Duration { return time.Since(m.start) }

func (m *mood) calls(t *testing.T, n int, err error) {
	t.Helper()
	m.inner.err = err
	for range n {
		_, _ = m.limited.Inspect(t.Context(), about("a"))
	}
}

func TestABreakerOpensAfterSilence(t *testing.T) {
	for name, test := range map[string]struct {
		errs []error
		open bool
	}{
		"three without an answer":              {[]error{away(), away(), away()}, true},
		"time-outs and server errors are none": {[]error{away(), &providers.Error{Class: providers.ClassIndeterminate, Status: 503}, context.DeadlineExceeded}, true},
		"two are not enough":                   {[]error{away(), away()}, false},
		"not in a row":                         {[]error{away(), away(), nil, away()}, false},
		"a refusal is an answer":               {[]error{away(), away(), &providers.Error{Class: providers.ClassRejected, Status: 400}, away()}, false},
		"so is a reply that proves nothing":    {[]error{away(), away(), &providers.Error{Class: providers.ClassUnavailable, Status: 401}}, false},
		"who gave up asking knows nothing":     {[]error{away(), away(), context.Canceled}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMood()
				for _, err := range test.errs {
					m.calls(t, 1, err)
				}
				if p := m.breaker.Look(m.now()); p.Open != test.open || (p.Wait > 0) != test.open {
					t.Errorf("%+v, want open %t", p, test.open)
				}
			})
		})
	}
}

// TestOneProbeAtATime: after each pause one call is let through, and until it has brought a verdict no other.
func TestOneProbeAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMood()
		m.calls(t, 3, away())
		if p := m.breaker.Admit(m.now()); p.Wait != 15*time.Second || p.Probing {
			t.Fatalf("right after it has opened: %+v", p)
		}
		time.Sleep(15 * time.Second)
		if p := m.breaker.Look(m.now()); p.Wait != 0 || p.Probing {
			t.Errorf("a look lets nothing through and keeps nothing: %+v", p)
		}
		first, second := m.breaker.Admit(m.now()), m.breaker.Admit(m.now())
		if first.Wait != 0 || !first.Probing || second.Wait == 0 || second.Probing {
			t.Fatalf("first %+v, second %+v", first, second)
		}
		m.calls(t, 1, away())
		if p := m.breaker.Admit(m.now()); p.Wait != 30*time.Second || p.Outage != 15*time.Second {
			t.Errorf("after a probe in vain: %+v, want twice the pause", p)
		}
		time.Sleep(30 * time.Second)
		if p := m.breaker.Admit(m.now()); !p.Probing {
			t.Fatalf("%+v", p)
		}
		time.Sleep(2 * time.Minute) // it never came to ask
		if p := m.breaker.Admit(m.now()); !p.Probing {
			t.Errorf("a probe without a verdict is waited for for ever: %+v", p)
		}
	})
}

func TestOneAnswerCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMood()
		m.calls(t, 3, away())
		time.Sleep(time.Minute)
		_ = m.breaker.Admit(m.now())
		m.calls(t, 1, &providers.Error{Class: providers.ClassNotFound, Status: 404})
		for range 3 {
			if p := m.breaker.Admit(m.now()); p != (providers.Pause{}) {
				t.Fatalf("%+v", p)
			}
		}
	})
}

// TestThePauseBetweenProbesIsBounded: a day of silence ends within five minutes of the provider's return.
func TestThePauseBetweenProbesIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMood()
		m.calls(t, 3, away())
		for m.now() < 24*time.Hour {
			time.Sleep(m.breaker.Look(m.now()).Wait)
			m.calls(t, 1, away())
			if p := m.breaker.Look(m.now()); p.Wait < 15*time.Second || p.Wait > 5*time.Minute {
				t.Fatalf("%+v", p)
			}
		}
	})
}

// TestRetryAfterHoldsForAll: what one call is told is obeyed by all, and no longer than an hour.
func TestRetryAfterHoldsForAll(t *testing.T) {
	for name, test := range map[string]struct{ asked, obeyed time.Duration }{
		"as long as asked":       {90 * time.Second, 90 * time.Second},
		"not asked":              {0, 0},
		"a header that is wrong": {365 * 24 * time.Hour, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMood()
				m.calls(t, 1, &providers.Error{Class: providers.ClassThrottled, Status: 429, After: test.asked})
				if p := m.breaker.Admit(m.now()); p.Wait != test.obeyed || p.Open {
					t.Fatalf("%+v, want a wait of %s", p, test.obeyed)
				}
				m.calls(t, 1, nil) // one that was on its way already ends nothing
				if p := m.breaker.Admit(m.now()); p.Wait != test.obeyed {
					t.Errorf("%+v: another answer ended the pause", p)
				}
				time.Sleep(test.obeyed)
				if p := m.breaker.Admit(m.now()); p.Wait != 0 {
					t.Errorf("%+v after the pause", p)
				}
			})
		})
	}
}

func TestAnOutageIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMood()
		outage := func() (told int) {
			m.calls(t, 3, away())
			for range 10 {
				if m.breaker.Tell(m.now(), 5*time.Minute) {
					told++
				}
				time.Sleep(time.Minute)
			}
			m.calls(t, 1, nil)
			return told
		}
		if first, second := outage(), outage(); first != 1 || second != 1 {
			t.Errorf("told %d and %d times", first, second)
		}
		if m.breaker.Tell(m.now(), 0) {
			t.Error("told that a provider is away which answers")
		}
	})
}

func TestNoBreakerIsClosed(t *testing.T) {
	b := providers.NewBreaker(0)
	if b != nil || b.Admit(time.Hour) != (providers.Pause{}) || b.Look(0) != (providers.Pause{}) || b.Tell(time.Hour, 0) {
		t.Errorf("%+v", b)
	}
}

// A provider that did not answer at the stop is asked once at the start. Whoever else comes waits for that answer.
func TestABreakerGoesOnWhereItHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keeper := &outages{}
		first := newMood()
		first.breaker.Restore(keeper)
		time.Sleep(time.Hour)
		first.calls(t, 4, away())
		first.breaker.Tell(first.now(), 0)
		want := []providers.Outage{{Since: time.Hour, Open: true}, {Since: time.Hour, Open: true, Told: true}}
		if !slices.Equal(keeper.kept, want) {
			t.Fatalf("kept %+v, want %+v", keeper.kept, want)
		}
		keeper.kept[1].Since -= first.now() // the next process counts from its own start

		second := newMood()
		second.breaker.Restore(keeper)
		if p := second.breaker.Look(second.now()); !p.Open || p.Wait > 0 || p.Outage != 0 {
			t.Errorf("at the start: %+v, want half open", p)
		}
		if p := second.breaker.Admit(second.now()); !p.Probing {
			t.Errorf("the first: %+v, want the probe", p)
		}
		if p := second.breaker.Admit(second.now()); p.Wait <= 0 {
			t.Errorf("the second: %+v, want it to wait", p)
		}
		if second.breaker.Tell(second.now()+time.Hour, 0) {
			t.Error("told twice of one outage")
		}
		second.calls(t, 1, away())
		if p := second.breaker.Look(second.now()); p.Wait < 15*time.Second {
			t.Errorf("after a probe without an answer: %+v, want a pause", p)
		}
		second.calls(t, 1, nil)
		if p := second.breaker.Admit(second.now()); p.Open || p.Wait > 0 || keeper.Last().Open {
			t.Errorf("after an answer: %+v, kept %+v", p, keeper.Last())
		}
		providers.NewBreaker(0).Restore(keeper) // which is never open
	})
}

// outages keep all that was so, in their order.
type outages struct{ kept []providers.Outage }

func (o *outages) Keep(now providers.Outage) { o.kept = append(o.kept, now) }

func (o *outages) Last() providers.Outage {
	if len(o.kept) == 0 {
		return providers.Outage{}
	}
	return o.kept[len(o.kept)-1]
}
