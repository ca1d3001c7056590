package scheduler_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/rotad/rotad/internal/model"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/scheduler"
)

// cutOff is a provider that is still being asked when the daemon is stopped.
type cutOff struct {
	*model.Provider
	stop context.CancelFunc
}

func (c cutOff) Inspect(ctx context.Context, _ providers.Target) (providers.Snapshot, error) {
	c.stop()
	<-ctx.Done()
	return providers.Snapshot{}, &providers.Error{Class: providers.ClassIndeterminate, Provider: "model", Operation: "inspect", Err: ctx.Err()}
}

// TestShutdownIsNoFailure: a look that a shutdown cuts off says nothing about the provider. The record stays as it was,
// and due, so that a daemon that is restarted often never holds a healthy client.
func TestShutdownIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		p := b.add(t, "billing")
		ctx, stop := context.WithCancel(t.Context())
		b.conns["billing"] = scheduler.Connection{Timing: p.Timing(), Provider: cutOff{p, stop}}
		before := b.record(t, "billing")
		if err := b.run(ctx)(); err != nil {
			t.Fatal(err)
		}
		after := b.record(t, "billing")
		if after.Backoff.Attempts != 0 || after.Backoff.Error != "" || after.Hold != nil || after.Due.After(before.Due) {
			t.Errorf("backoff %+v, hold %+v, due %s after the first look was cut off", after.Backoff, after.Hold, after.Due.Sub(before.Due))
		}
	})
}
