package rotation_test

import (
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
)

// Vault was edited to a value that the provider refuses. A person brings the value that stood there before, and takes the
// edit back as well. There is no old secret beside it: whoever removed "the old one" would remove the one in use.
func TestAValueThatIsBroughtBackHasNoPredecessor(t *testing.T) {
	for _, mode := range []credential.Mode{credential.ModeManual, credential.ModeTwoSlot, credential.ModeHardCutover} {
		for _, again := range []bool{true, false} {
			e := newEffects()
			value := e.provider.Seed(false)
			if again {
				value = e.vault.Value(1)
			}
			e.vault.Seed("edited")
			e.rec.Rotation, e.rec.Version, e.rec.Caps.Mode = nil, 1, mode
			e.rec.Hold = &credential.Hold{Code: credential.HoldMismatch, Since: noon(), Retry: true}
			e.submit(t, value)
			e.vault.BringBack(1)
			d := rotation.Apply(e.rec, rotation.EffectPromote, e.run(t, rotation.EffectPromote), e.now())
			if d.Record.Phase() != credential.PhaseOverlap {
				t.Fatalf("%s: phase %s, %+v", mode, d.Record.Phase(), d.Record.Hold)
			}
			told := d.Notices[len(d.Notices)-1]
			d = rotation.Plan(d.Record, e.now())
			without := d.Effect == rotation.EffectCleanUp && d.Record.Rotation.Negative == credential.NegativeSkipped
			if without != again || (told.Facts.OldVersion == 0) != again {
				t.Errorf("%s, the same value %t: %s, %+v; told of version %d as the old one", mode, again, d.Effect, d.Record.Rotation, told.Facts.OldVersion)
			}
		}
	}
}

// submit brings a value, which then counts as verified.
func (e *effects) submit(t *testing.T, value string) {
	t.Helper()
	fence, err := e.executor.Writable(t.Context(), e.rec, "rotation-9")
	if err != nil {
		t.Fatal(err)
	}
	bundle := credential.Bundle{
		credential.FieldClientID: credential.NewSensitive("client"), credential.FieldClientSecret: credential.NewSensitive(value),
	}
	o, err := e.executor.StageSubmitted(t.Context(), e.rec, "rotation-9", fence, bundle)
	if err != nil {
		t.Fatal(err)
	}
	now := e.now()
	now.FreshID = "rotation-9"
	d, err := rotation.Submit(e.rec, o, rotation.Person{Name: "anna"}, rotation.Expiry{}, now)
	if err != nil {
		t.Fatal(err)
	}
	e.rec = d.Record
	e.rec.Rotation.Phase = credential.PhaseVerified
}

// Somebody has edited Vault, and a person who knows it brings another value: it takes that one's place, whatever version
// rotad knew last. What is written after that is somebody else's again.
func TestASubmitReplacesWhatStandsThere(t *testing.T) {
	for _, later := range []bool{false, true} {
		e := newEffects()
		value := e.provider.Seed(false)
		e.vault.Seed("edited")
		e.rec.Rotation, e.rec.Version, e.rec.Caps.Mode = nil, 1, credential.ModeHardCutover
		e.rec.Hold = &credential.Hold{Code: credential.HoldChangedElsewhere, Since: noon()}
		e.submit(t, value)
		if later {
			e.vault.Seed("edited again")
		}
		d := rotation.Apply(e.rec, rotation.EffectPromote, e.run(t, rotation.EffectPromote), e.now())
		if published := e.vault.Hands() == value; published == later || (d.Record.Hold != nil) != later {
			t.Errorf("edited again %t: published %t, hold %+v", later, published, d.Record.Hold)
		}
	}
}

// Where a client has one secret at a time, what a person made has ended the old one: nothing overlaps, and no old one is
// missed later.
func TestASubmittedCutoverHasNoOverlap(t *testing.T) {
	e := newEffects()
	value := e.provider.Seed(false)
	e.rec.Rotation, e.rec.Version, e.rec.Caps.Mode = nil, 1, credential.ModeHardCutover
	e.rec.Current = credential.Secret{ID: "secret-1"}
	e.rec.Hold = &credential.Hold{Code: credential.HoldChangedElsewhere, Since: noon()}
	e.submit(t, value)
	d := rotation.Apply(e.rec, rotation.EffectPromote, e.run(t, rotation.EffectPromote), e.now())
	if d = rotation.Plan(d.Record, e.now()); d.Effect != rotation.EffectProve {
		t.Errorf("%s, due for %s: want the cutover to be proved", d.Effect, d.Record.DueFor)
	}
}
