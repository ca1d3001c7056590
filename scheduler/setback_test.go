package scheduler_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/scheduler"
)

// TestAWallClockThatIsSetBackIsNoticed: for two hours the wall clock is a year ahead, and what is decided then falls due
// in a year. Once the clock is right again, everything is decided anew.
func TestAWallClockThatIsSetBackIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		right := time.Now().Add(2 * time.Hour)
		b.sch.Now = func() time.Time {
			if now := time.Now(); !now.Before(right) {
				return now
			}
			return time.Now().Add(365 * 24 * time.Hour)
		}
		b.sch.Executor.Now = b.sch.Now
		p := b.add(t, "billing")
		ctx, stop := context.WithTimeout(t.Context(), 3*time.Hour-time.Minute)
		defer stop()
		if err := b.run(ctx)(); err != nil {
			t.Fatal(err)
		}
		rec := b.record(t, "billing")
		if p.Creates != 1 || rec.Phase() != credential.PhaseOverlap || rec.Hold != nil {
			t.Errorf("%d creates, hold %+v; due for %s in %s", p.Creates, rec.Hold, rec.DueFor, rec.Due.Sub(right))
		}
	})
}

// TestAWallClockThatWasSetBackWhileNobodyRan: the watermark of the state tells a new process.
func TestAWallClockThatWasSetBackWhileNobodyRan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.add(t, "billing")
		ahead := time.Now().Add(365 * 24 * time.Hour)
		rec := b.record(t, "billing")
		rec.Due, rec.NextLook = ahead, ahead
		if _, _, err := b.store.Commit(t.Context(), credential.Change{Record: rec, Watermark: ahead}); err != nil {
			t.Fatal(err)
		}
		b.restart(ahead)
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
		defer stop()
		if err := b.run(ctx)(); err != nil {
			t.Fatal(err)
		}
		if rec = b.record(t, "billing"); rec.Looked.IsZero() {
			t.Errorf("not looked at in ten minutes; due for %s in %s", rec.DueFor, time.Until(rec.Due))
		}
	})
}

// restart makes the scheduler that a new process makes of a state with this watermark.
func (b *bench) restart(watermark time.Time) {
	settings := b.sch.Settings
	settings.Watermark = watermark
	b.sch = scheduler.New(settings, b.world())
}
