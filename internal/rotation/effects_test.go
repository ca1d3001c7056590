package rotation_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/model"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/state"
)

// effects is a modelled world with a client whose intent is durable, and what carries its effects out.
type effects struct {
	world    *model.World
	vault    *model.Vault
	provider *model.Provider
	executor rotation.Executor
	rec      credential.Record
}

func newEffects() *effects {
	w := model.NewWorld(noon())
	v := &model.Vault{World: w}
	p := &model.Provider{World: w, Caps: twoSlot(), Vault: v}
	v.Seed(p.Seed(false))
	rec := under(credential.PhaseIntent)
	r := rec.Rotation
	r.Fence, r.FenceAt, r.New, r.Staged, r.StagedAt, r.OldVersion, r.SinceBoot = 0, time.Time{}, credential.Secret{}, 0, time.Time{}, 1, "boot"
	return &effects{
		world: w, vault: v, provider: p, rec: rec,
		executor: rotation.Executor{Vault: v, Instance: "instance", Now: w.Now, Elapsed: w.Elapsed, After: w.After},
	}
}

func (e *effects) create(ctx context.Context) rotation.Outcome {
	now := at(e.world.Wall)
	now.Timing = e.provider.Timing()
	return e.executor.Run(ctx, e.provider, e.rec, rotation.EffectCreate, now)
}

// The machine sleeps between the fence and the create. By the time it wakes, another process may have taken over.
func TestACreateNeedsAFreshFence(t *testing.T) {
	e := newEffects()
	fences := 0
	e.vault.Before = func(s credential.Staging) {
		if s.Phase == credential.StagingIntent {
			if fences++; fences == 1 {
				e.world.Advance(time.Hour)
			}
		}
	}
	if o := e.create(t.Context()); o.Result != rotation.Done || e.provider.Creates != 1 {
		t.Fatalf("%+v after %d creates", o, e.provider.Creates)
	}
	if fences != 2 {
		t.Errorf("created on a fence that is an hour old (%d fences)", fences)
	}
}

// The staging write takes place, its reply is a 5xx, and the node that is asked for it is behind.
func TestAStaleReadIsNoFailure(t *testing.T) {
	e := newEffects()
	e.world.Faults[2], e.world.Faults[3] = model.ServerError, model.Stale
	e.provider.Before = func(call, _ string) {
		if call == "create" {
			e.world.Advance(time.Minute) // so that the fence is not what the node has missed
		}
	}
	o := e.create(t.Context())
	if o.Result != rotation.Done || o.Finding != rotation.FoundStaged || e.world.Hit != 2 {
		t.Errorf("%s %s after %d faults (%v), want staged", o.Result, o.Finding, e.world.Hit, e.world.Trace)
	}
	if len(e.provider.Revoked) != 0 {
		t.Errorf("revoked %v, which Vault holds", e.provider.Revoked)
	}
}

// What a created secret leaves in the state is its id, never its value.
func TestNoValueStandsInTheState(t *testing.T) {
	e := newEffects()
	o := e.create(t.Context())
	d := rotation.Apply(e.rec, rotation.EffectCreate, o, at(noon()))
	value := e.vault.Staged()
	if d.Record.Phase() != credential.PhaseStaged || value == "" {
		t.Fatalf("phase %s, staged %t", d.Record.Phase(), value != "")
	}
	text, err := state.Encode(&d.Record)
	if err != nil {
		t.Fatal(err)
	}
	written := [][]byte{text}
	for i := range d.Audit {
		entry, err := state.Encode(&d.Audit[i])
		if err != nil {
			t.Fatal(err)
		}
		written = append(written, entry)
	}
	if bytes.Contains(bytes.Join(written, nil), []byte(value)) {
		t.Error("the value of the new secret is written to the state")
	}
}
