package rotation_test

import (
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/providers"
)

// Whoever checks signatures reads the public keys now and then: a new one is neither asked about nor handed out before they have it.
func TestAKeyWaitsForCaches(t *testing.T) {
	rec := under(credential.PhaseStaged)
	rec.Rotation.Caps.Mode = credential.ModeKeySet
	early, late := at(noon().Add(59*time.Second)), at(noon().Add(time.Minute))
	if d := rotation.Plan(rec, early); d.Effect != rotation.EffectNone || d.Reason != "caches" || !d.Record.Due.Equal(noon().Add(time.Minute)) {
		t.Errorf("%s because of %s, due %s", d.Effect, d.Reason, d.Record.Due)
	}
	if d := rotation.Plan(rec, late); d.Effect != rotation.EffectVerify {
		t.Errorf("when they have it: %s", d.Effect)
	}
	rec.Rotation.Caps.Mode = credential.ModeTwoSlot
	if d := rotation.Plan(rec, early); d.Effect != rotation.EffectVerify {
		t.Errorf("a secret: %s", d.Effect)
	}
}

// The deadline of the proof begins when the caches have been waited for.
func TestAKeyIsGivenUpAfterItsDeadlineAlone(t *testing.T) {
	rec := under(credential.PhaseStaged)
	rec.Rotation.Caps.Mode = credential.ModeKeySet
	refused := rotation.Outcome{Result: rotation.Done, Answer: providers.Refused}
	if d := rotation.Apply(rec, rotation.EffectVerify, refused, at(noon().Add(15*time.Minute+30*time.Second))); d.Record.Phase() != credential.PhaseStaged {
		t.Errorf("given up early: %s", d.Record.Phase())
	}
	if d := rotation.Apply(rec, rotation.EffectVerify, refused, at(noon().Add(16*time.Minute+time.Second))); d.Record.Phase() != credential.PhaseCompensating || d.Record.Rotation.Orphan != "secret-2" {
		t.Errorf("not given up: %s", d.Record.Phase())
	}
}
