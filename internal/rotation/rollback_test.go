package rotation_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/model"
	"github.com/rotad/rotad/internal/rotation"
)

// overlapping is a client in its overlap, its destinations served and its consumers reloaded.
func overlapping(t *testing.T) *wave {
	t.Helper()
	w := newWave()
	w.until(t, credential.PhaseOverlap)
	w.turn(t, time.Hour)
	w.did = nil
	return w
}

func (w *wave) rollback(t *testing.T) {
	t.Helper()
	d, err := rotation.Rollback(w.rec, rotation.Person{Name: "anna", Reason: "logins fail"}, w.now())
	if err != nil {
		t.Fatal(err)
	}
	w.rec = d.Record
}

func TestARollbackBringsTheOldSecretBackAndRetiresTheNewOne(t *testing.T) {
	w := overlapping(t)
	old, fresh := w.rec.Rotation.Old.ID, w.rec.Rotation.New.ID
	w.turn(t, 2*day)
	w.rollback(t)
	w.turn(t, 2*time.Hour)
	if w.vault.Hands() != w.vault.Value(1) || w.got["raw"].Bundle.Secret().Reveal() != w.vault.Value(1) {
		t.Error("Vault or a destination does not hand out the old secret")
	}
	if w.done() != "web-1 web-1? web-2 web-2? batch" {
		t.Errorf("reloaded: %s", w.done())
	}
	if w.turn(t, 2*day); len(w.provider.Revoked) != 0 {
		t.Error("the overlap did not begin anew")
	}
	w.turn(t, 26*time.Hour)
	if !slices.Equal(w.provider.Revoked, []string{fresh}) || w.rec.Current.ID == fresh {
		t.Errorf("revoked %v, want %s and not %s; current %s", w.provider.Revoked, fresh, old, w.rec.Current.ID)
	}
}

// What cannot be brought back is left as it is, and somebody is told.
func TestARollbackThatCannotBeMadeChangesNothing(t *testing.T) {
	for name, spoil := range map[string]func(*wave){
		"the old secret is refused":      func(w *wave) { w.provider.DeleteValue(w.vault.Value(1)) },
		"its version has been destroyed": func(w *wave) { _ = w.vault.DestroyConsumer(t.Context(), credential.VaultPath{}, []int{1}) },
		"somebody else has edited Vault": func(w *wave) { w.vault.Seed("typed by hand") },
	} {
		t.Run(name, func(t *testing.T) {
			w := overlapping(t)
			spoil(w)
			hands := w.vault.Hands()
			w.rollback(t)
			for range 20 {
				w.effect(t)
			}
			r := w.rec.Rotation
			if r == nil || r.RollingBack != nil || w.vault.Hands() != hands || len(w.provider.Revoked) != 0 || r.Old.ID != "secret-1" {
				t.Errorf("%+v; revoked %v", r, w.provider.Revoked)
			}
		})
	}
}

func TestWhereARollbackIsRefused(t *testing.T) {
	set := func(f func(*credential.Record)) credential.Record {
		rec := overlapped()
		f(&rec)
		return rec
	}
	for why, rec := range map[string]credential.Record{
		"no rotation":            steady(60 * day),
		"counts down or is dead": set(func(r *credential.Record) { r.Rotation.Caps.Mode = credential.ModeGraceWindow }),
		"is in its overlap":      set(func(r *credential.Record) { r.Rotation.Promoted = 0 }),
		"point of no return":     set(func(r *credential.Record) { r.Rotation.Phase = credential.PhaseRevoking }),
		"is compromised":         set(func(r *credential.Record) { r.Rotation.Cause.Kind = credential.CauseCompromised }),
		"is not known":           set(func(r *credential.Record) { r.Rotation.Old.ID = "" }),
		"has expired":            set(func(r *credential.Record) { r.Rotation.Old.Expires = noon().Add(-time.Hour) }),
	} {
		_, err := rotation.Rollback(rec, rotation.Person{Name: "anna"}, at(noon()))
		no, ok := errors.AsType[*rotation.Refusal](err)
		if !ok || !strings.Contains(no.Why, why) || no.Hint == "" {
			t.Errorf("%v, want a refusal because it %q", err, why)
		}
	}
	if _, err := rotation.Rollback(overlapped(), rotation.Person{Name: "anna"}, at(noon())); err != nil {
		t.Errorf("a rotation in its overlap: %v", err)
	}
}

// Somebody asks for it while the gate is being looked through. What the gate has found does not open it any more: the secret
// that would be revoked is about to be handed out again.
func TestTheGateStaysShutDuringARollback(t *testing.T) {
	w := overlapping(t)
	w.world.Advance(4 * day)
	gate := w.run(t, rotation.EffectGate)
	before := w.rec
	w.rollback(t)
	for asked, rec := range map[bool]credential.Record{false: before, true: w.rec} {
		d := rotation.Apply(rec, rotation.EffectGate, gate, w.now())
		if opened := d.Record.Phase() == credential.PhaseRevoking; opened == asked {
			t.Errorf("asked %t: phase %s", asked, d.Record.Phase())
		}
	}
}

// The old secret stood in staging already when Vault refused the write, and then the provider refuses it. Staging has to say
// again what Vault hands out, or the gate would take that for somebody else's.
func TestARefusedRollbackLeavesStagingAsItWas(t *testing.T) {
	w := overlapping(t)
	w.rollback(t)
	w.world.Calling = func(at int, call string) {
		if call == "vault.promote" {
			w.world.Faults[at] = model.Refused
		}
	}
	w.effect(t)
	w.world.Calling = nil
	if w.vault.Staged() != w.vault.Value(1) || w.vault.Hands() != w.vault.Value(2) {
		t.Fatal("the world is not as this test wants it")
	}
	w.provider.DeleteValue(w.vault.Value(1))
	w.world.Advance(time.Minute)
	for range 20 {
		w.effect(t)
	}
	if w.rec.Rotation.RollingBack != nil || w.vault.Staged() != w.vault.Value(2) {
		t.Errorf("rolling back %+v; staging holds what Vault hands out: %t", w.rec.Rotation.RollingBack, w.vault.Staged() == w.vault.Value(2))
	}
}

// The process died after the write. That is the rollback, whatever the provider says by now.
func TestARollbackThatWasMadeIsNoted(t *testing.T) {
	w := overlapping(t)
	old := w.rec.Rotation.Old.ID
	w.rollback(t)
	w.run(t, rotation.EffectRollback)
	w.effect(t)
	if r := w.rec.Rotation; r.RollingBack != nil || r.New.ID != old || w.vault.Versions() != 3 {
		t.Errorf("%+v, %d versions", r, w.vault.Versions())
	}
}

func TestACutShortRotationIsNotRolledBack(t *testing.T) {
	w := overlapping(t)
	w.compromise(t)
	_, err := rotation.Rollback(w.rec, rotation.Person{Name: "anna"}, w.now())
	if no, ok := errors.AsType[*rotation.Refusal](err); !ok || !strings.Contains(no.Why, "is compromised") {
		t.Errorf("%v, want a refusal", err)
	}
}

// A state from before a roll-back knows the secrets the wrong way round: it must not retire what Vault hands out.
func TestAStateFromBeforeARollbackRetiresNothing(t *testing.T) {
	w := overlapping(t)
	old := w.rec.Rotation.Old.ID
	before := w.rec
	w.rollback(t)
	w.turn(t, time.Hour)
	for _, phase := range []credential.Phase{credential.PhaseIntent, credential.PhaseStaged, credential.PhaseVerified, credential.PhaseOverlap} {
		t.Run(string(phase), func(t *testing.T) {
			rec, r := before, *before.Rotation
			r.Phase, rec.Rotation = phase, &r
			switch phase {
			case credential.PhaseOverlap:
			case credential.PhaseIntent:
				r.New, r.Staged, r.Promoted, r.Unsettled = credential.Secret{}, 0, 0, &credential.Moment{At: noon(), Boot: "boot"}
			default:
				r.Promoted = 0
			}
			w := *w
			w.copies = &copies{effects: &effects{world: w.world, vault: w.vault, provider: w.provider, executor: w.executor, rec: rec}, down: w.down, got: w.got}
			w.world.Advance(4 * day)
			for range 10 {
				w.effect(t)
			}
			if len(w.provider.Revoked) != 0 || w.vault.Hands() != w.vault.Value(1) {
				t.Errorf("revoked %v", w.provider.Revoked)
			}
			if now := w.rec.Rotation; now == nil || now.Old.ID == old || now.New.ID != old {
				t.Errorf("what Vault hands out is %s; the rotation is %+v", old, now)
			}
		})
	}
}

// While a rotation that goes back waits to try again, nothing is due for its consumers: it would fall due without a pause, and
// nothing would ever be done.
func TestARollbackThatWaitsFallsDueForNothingElse(t *testing.T) {
	for name, wait := range map[string]func(*wave){
		"a reload":   func(w *wave) { w.rec.Rotation.Reloads = nil },
		"a delivery": func(w *wave) { w.rec.Copies[0].Version, w.rec.Copies[0].Next = 0, w.world.Wall.Add(-time.Minute) },
	} {
		w := overlapping(t)
		wait(w)
		w.rollback(t)
		w.rec.Backoff = credential.Backoff{Until: w.world.Wall.Add(time.Minute), Set: w.world.Wall, Code: "indeterminate"}
		d := rotation.Plan(w.rec, w.now())
		if d.Effect != rotation.EffectNone || !d.Record.Due.Equal(w.rec.Backoff.Until) {
			t.Errorf("%s: %s, due %s for %s, want %s", name, d.Effect, d.Record.Due, d.Record.DueFor, w.rec.Backoff.Until)
		}
	}
}
