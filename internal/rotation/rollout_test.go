package rotation_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
)

// fleet is a wave whose first consumer is a workload, which takes a while to be rolled out.
type fleet struct {
	*wave
	takes     time.Duration
	occasions []credential.Occasion
	asked     []time.Time
}

func newFleet(takes time.Duration) *fleet {
	f := &fleet{wave: newWave(), takes: takes}
	do := f.executor.Reload
	f.executor.Reload = func(ctx context.Context, r credential.Reload, o credential.Occasion) error {
		f.occasions = append(f.occasions, o)
		return do(ctx, r, o)
	}
	f.executor.Settled = func(_ context.Context, r credential.Reload, o credential.Occasion) error {
		f.did, f.asked = append(f.did, r.Name+"..."), append(f.asked, f.world.Wall)
		f.occasions = append(f.occasions, o)
		if f.world.Wall.Sub(f.at[r.Name]) < f.takes {
			return errors.New("1 of 3 pods are new")
		}
		return nil
	}
	f.rec.Rotation.Client.Reloads = []credential.Reload{
		{Name: "pods", Rollout: &credential.RolloutReload{Namespace: "shop", Workload: "deployment/billing"}, Health: &credential.Probe{URL: "pods?"}},
		{Name: "batch", Command: []string{"/batch"}},
	}
	return f
}

// A rollout takes minutes, and nobody is called as long as Kubernetes itself would wait. The old pods are healthy from the
// beginning: their health says nothing.
func TestASlowRolloutIsWaitedFor(t *testing.T) {
	f := newFleet(9 * time.Minute)
	f.until(t, credential.PhaseOverlap)
	for f.rec.Rotation != nil && !slices.Contains(f.did, "batch") {
		f.turn(t, 10*time.Second)
		if f.rec.Hold != nil {
			t.Fatalf("held after %s: %+v", f.world.Wall.Sub(f.at["pods"]), f.rec.Hold)
		}
	}
	if f.done() != "pods pods... pods? batch" || f.at["batch"].Sub(f.at["pods"]) < f.takes {
		t.Errorf("%s; the next step after %s", f.done(), f.at["batch"].Sub(f.at["pods"]))
	}
	want := credential.Occasion{Client: f.rec.Client.ID, Version: f.rec.Version, Rotation: f.rec.Rotation.ID}
	if got := slices.Compact(f.occasions); len(got) != 1 || got[0] != want || want.Version == 0 || want.Rotation == "" || want.Client == "" {
		t.Errorf("done for %+v, want %+v", got, want)
	}
}

// A person is called, and the cluster is asked all the same: what its people mend goes on without rotad's.
func TestARolloutThatTakesTooLongCallsForAPersonAndIsAskedOn(t *testing.T) {
	f := newFleet(3 * time.Hour)
	f.until(t, credential.PhaseOverlap)
	done := f.turn(t, 2*time.Hour)
	h := f.rec.Hold
	if h == nil || h.Code != credential.HoldNotReloaded || !h.Paging || !strings.Contains(h.Detail, "has not come to its end since: 1 of 3 pods are new") {
		t.Fatalf("hold %+v", h)
	}
	if after := h.Since.Sub(f.at["pods"]); after < 10*time.Minute || after > 11*time.Minute {
		t.Errorf("held after %s", after)
	}
	if f.done() != "pods pods..." || slices.Contains(done, rotation.EffectGate) {
		t.Errorf("%s, %v", f.done(), done)
	}
	last := f.asked[len(f.asked)-2:]
	if pause := last[1].Sub(last[0]); pause < time.Minute || pause > 2*time.Minute {
		t.Errorf("asked every %s after that", pause)
	}
	f.turn(t, 10*day)
	if f.rec.Rotation != nil || f.rec.Hold != nil || f.done() != "pods pods... pods? batch" {
		t.Errorf("after it was mended: %s, %s, %+v", f.rec.Phase(), f.done(), f.rec.Hold)
	}
}

// How long it may take can be said.
func TestWithinBoundsARollout(t *testing.T) {
	f := newFleet(time.Hour)
	f.rec.Rotation.Client.Reloads[0].Within = 30 * time.Minute
	f.until(t, credential.PhaseOverlap)
	if f.turn(t, 29*time.Minute); f.rec.Hold != nil {
		t.Fatalf("held: %+v", f.rec.Hold)
	}
	if f.turn(t, 5*time.Minute); f.rec.Hold == nil {
		t.Error("not held")
	}
}

// What a person does again is done for the same occasion.
func TestARetryRestartsForTheSameOccasion(t *testing.T) {
	f := newFleet(3 * time.Hour)
	f.until(t, credential.PhaseOverlap)
	f.turn(t, time.Hour)
	f.takes = 0
	f.resume(t, credential.ResolveRetry)
	f.turn(t, 10*day)
	if f.rec.Rotation != nil || f.done() != "pods pods... pods pods... pods? batch" || len(slices.Compact(f.occasions)) != 1 {
		t.Errorf("%s, %s, %v", f.rec.Phase(), f.done(), slices.Compact(f.occasions))
	}
}
