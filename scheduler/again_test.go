package scheduler_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/scheduler"
)

// lingering is told of every commit, and keeps the worker from going on: a machine with too much to do.
type lingering struct{ linger time.Duration }

func (l lingering) Committed(change credential.Change) {
	if !change.Keep {
		time.Sleep(l.linger)
	}
}

func (lingering) Effect(credential.Record, rotation.Effect, rotation.Outcome, time.Duration) {}
func (lingering) Late(string, time.Duration)                                                 {}
func (lingering) Turned()                                                                    {}

// TestARecordThatIsDueAgainBeforeItsWorkerHasGone: the last commit gives the claim free, and the record may be claimed
// again before the worker has ended. That claim was dropped, and kept everybody from the record for an hour.
func TestARecordThatIsDueAgainBeforeItsWorkerHasGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.sch.Watch = lingering{linger: 20 * time.Second} // the loop turns meanwhile
		p := b.add(t, "billing")
		b.conns["billing"] = scheduler.Connection{Provider: p, Timing: p.Timing()}
		ctx, stop := context.WithTimeout(t.Context(), 70*time.Minute)
		defer stop()
		if err := b.run(ctx)(); err != nil {
			t.Fatal(err)
		}
		if rec := b.record(t, "billing"); rec.Phase() != credential.PhaseOverlap {
			t.Errorf("ten minutes after its intent the rotation is %s, due for %s since %s", rec.Phase(), rec.DueFor, time.Since(rec.Due))
		}
	})
}
