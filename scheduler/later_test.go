package scheduler_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// bubble runs a test with a crowd in a bubble.
func bubble(t *testing.T, clients int, f func(t *testing.T, c *crowd)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, clients)
		defer func() { _ = c.store.Close() }()
		f(t, c)
		if err := c.store.Check(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestAResumedWaveReachesAll: the canary is refused once; a person resumes, and all are rotated.
func TestAResumedWaveReachesAll(t *testing.T) {
	bubble(t, 60, func(t *testing.T, c *crowd) {
		c.fails = func(create int) error {
			if create == 1 {
				return refusal()
			}
			return nil
		}
		c.run(t, 90*time.Minute)
		w := c.wave(t)
		if len(c.touched) != 1 || !w.Stopped(c.pace) || w.Waiting != 59 {
			t.Fatalf("%d touched, %+v", len(c.touched), w)
		}
		rec, _, err := c.store.Get(t.Context(), w.Failure.Client)
		if err != nil {
			t.Fatal(err)
		}
		resumed := credential.Stroke{Kind: credential.StrokeResumed, Provider: "idp", Wave: w.ID, At: time.Now()}
		if _, conflict, err := c.store.Commit(t.Context(), credential.Change{Record: rec, Keep: true, Strokes: []credential.Stroke{resumed}}); conflict || err != nil {
			t.Fatal(conflict, err)
		}
		c.restart(t)
		c.run(t, 30*time.Minute)
		if n := c.rotated(t); n != 60 {
			t.Errorf("%d of 60 rotated: %+v", n, c.wave(t))
		}
		if w := c.wave(t); !w.Over(time.Now()) {
			t.Errorf("all are through, and the wave goes on: %+v", w)
		}
	})
}

// TestARestartGoesOnWithItsWave: a process that ends in the middle of a wave leaves the next one neither stuck nor free to
// begin at its first step again.
func TestARestartGoesOnWithItsWave(t *testing.T) {
	bubble(t, 200, func(t *testing.T, c *crowd) {
		c.run(t, time.Hour+time.Second)
		for restarts := range 12 {
			before := c.wave(t)
			c.restart(t)
			c.run(t, 3*time.Second)
			if after := c.wave(t); after.ID != before.ID || after.Confirmed < before.Confirmed {
				t.Fatalf("restart %d: before %+v, after %+v", restarts, before, after)
			}
		}
		if n := c.rotated(t); n == 0 || n == 200 {
			t.Fatalf("%d rotated before the last restart: this test shows nothing", n)
		}
		c.restart(t)
		c.run(t, 20*time.Minute) // what was cut off has to be settled
		if n := c.rotated(t); n != 200 {
			t.Errorf("%d rotated: %+v", n, c.wave(t))
		}
	})
}

// TestFewAreNoWave: of nine clients the first is refused again and again; the others are rotated all the same, and nobody is
// called.
func TestFewAreNoWave(t *testing.T) {
	bubble(t, 9, func(t *testing.T, c *crowd) {
		first := ""
		c.failsFor = func(client string) error {
			if first == "" {
				first = client
			}
			if client == first {
				return refusal()
			}
			return nil
		}
		c.run(t, 2*time.Hour-time.Minute)
		if n := c.rotated(t); n != 8 || len(c.told(t, credential.NoticeStopped)) != 0 {
			t.Errorf("%d rotated, want the 8 others: %+v", n, c.wave(t))
		}
	})
}

// TestAProviderThatIsAwayIsProbed: a hundred clients, two hours without an answer. Without a breaker each of them would try
// again and again, and each owner be told.
func TestAProviderThatIsAwayIsProbed(t *testing.T) {
	bubble(t, 100, func(t *testing.T, c *crowd) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.run(t, 3*time.Hour)
		}()
		time.Sleep(30 * time.Minute) // all have been looked at
		c.away.Store(true)
		before := c.calls.Load()
		time.Sleep(2 * time.Hour)
		calls := c.calls.Load() - before
		c.away.Store(false)
		back := time.Now()
		time.Sleep(16 * time.Minute) // the next probe within five minutes, the others within ten
		for id := range c.of {
			rec, _, err := c.store.Get(t.Context(), id)
			if err != nil || rec.Looked.Before(back) || rec.Backoff.Attempts > 1 {
				t.Errorf("%s: looked at %s, provider back at %s, %d failures, %v", id, rec.Looked, back, rec.Backoff.Attempts, err)
			}
		}
		<-done
		told, failing := len(c.told(t, credential.NoticeStopped)), len(c.told(t, credential.NoticeFailed))
		t.Logf("two hours away, 100 clients: %d calls, the admins told %d times, owners %d times", calls, told, failing)
		if calls > 60 || told != 1 || failing != 0 {
			t.Errorf("%d calls, told %d times, owners %d times", calls, told, failing)
		}
	})
}

// TestTheQuotaLastsForTheDay: fifty are due together, seven secrets may be asked for on a day, and a restart forgets nothing.
func TestTheQuotaLastsForTheDay(t *testing.T) {
	bubble(t, 50, func(t *testing.T, c *crowd) { // the clock of a bubble begins at midnight
		c.pace = credential.Pace{Quota: 7}
		c.restart(t)
		for n, span := range []time.Duration{12 * time.Hour, 11 * time.Hour, 24 * time.Hour} {
			c.run(t, span)
			want := []int64{7, 7, 14}[n]
			if got := c.creates.Load(); got != want {
				t.Errorf("after span %d there were %d creates, want %d", n, got, want)
			}
			c.restart(t)
		}
	})
}
