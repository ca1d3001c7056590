package rotation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/model"
	"github.com/rotad/rotad/internal/rotation"
)

// These are rules about what was true a moment ago and need not be true any more: each asks again right before it acts.

func (e *effects) now() rotation.Env {
	now := at(e.world.Wall)
	now.Elapsed, now.Timing = e.world.Uptime+time.Hour, e.provider.Timing()
	return now
}

// run carries out an effect, and forgets its outcome.
func (e *effects) run(t *testing.T, effect rotation.Effect) rotation.Outcome {
	t.Helper()
	return e.executor.Run(t.Context(), e.provider, e.rec, effect, e.now())
}

// until drives the client until its rotation is in a phase.
func (e *effects) until(t *testing.T, phase credential.Phase) {
	t.Helper()
	for range 100 {
		if e.rec.Phase() == phase {
			return
		}
		d := rotation.Plan(e.rec, e.now())
		if e.rec = d.Record; d.Effect == rotation.EffectNone {
			e.world.Advance(d.Record.Due.Sub(e.world.Wall))
			continue
		}
		e.rec = rotation.Apply(e.rec, d.Effect, e.run(t, d.Effect), e.now()).Record
	}
	t.Fatalf("phase %s, hold %+v; want %s", e.rec.Phase(), e.rec.Hold, phase)
}

// A backup of Vault is restored between the gate and the revoke: consumers read the old secret again.
func TestNothingIsRevokedThatVaultHandsOutAgain(t *testing.T) {
	e := newEffects()
	e.until(t, credential.PhaseRevoking)
	e.vault.RollBack()
	if o := e.run(t, rotation.EffectRevoke); o.Finding != rotation.FoundForeign || len(e.provider.Revoked) != 0 {
		t.Errorf("%s %q, revoked %v, which Vault hands out again", o.Result, o.Finding, e.provider.Revoked)
	}
}

// The provider forgets the new secret between the gate and the revoke: the old one is the only one that works.
func TestNothingIsRevokedWhileTheNewSecretIsRefused(t *testing.T) {
	e := newEffects()
	e.until(t, credential.PhaseRevoking)
	e.provider.Deaf = true
	if o := e.run(t, rotation.EffectRevoke); o.Finding != rotation.FoundElsewhere || len(e.provider.Revoked) != 0 {
		t.Errorf("%s %q, revoked %v although the new one is refused", o.Result, o.Finding, e.provider.Revoked)
	}
}

// A backup of Vault is restored after the revoke: what consumers read is the version that was to be destroyed.
func TestNothingIsDestroyedThatVaultHandsOutAgain(t *testing.T) {
	for _, restored := range []bool{false, true} {
		e := newEffects()
		e.until(t, credential.PhaseRevoking)
		if restored {
			e.vault.RollBack()
		}
		e.rec.Rotation.Revoked, e.rec.Rotation.Negative = true, credential.NegativeProved
		o := e.run(t, rotation.EffectCleanUp)
		if kept := e.vault.Value(1) != ""; o.Result != rotation.Done || kept != restored {
			t.Errorf("restored %t: %s, the old version is kept: %t", restored, o.Result, kept)
		}
	}
}

// Whoever named the old secret named the new one: the old one has been deleted by hand.
func TestTheOnlyListedSecretIsNeverRevoked(t *testing.T) {
	e := newEffects()
	e.until(t, credential.PhaseOverlap)
	e.world.Advance(e.rec.Rotation.RevokeAfter.Sub(e.world.Wall) + time.Minute)
	e.provider.Drop(0)
	e.rec.Rotation.Old.ID, e.rec.Rotation.New.ID = e.rec.Rotation.New.ID, ""
	o := e.run(t, rotation.EffectGate)
	d := rotation.Apply(e.rec, rotation.EffectGate, o, e.now())
	if d.Record.Phase() != credential.PhaseOverlap || d.Record.Hold == nil || d.Record.Hold.Code != credential.HoldChangedElsewhere {
		t.Errorf("phase %s, hold %+v; the gate opened before the only secret", d.Record.Phase(), d.Record.Hold)
	}
}

// The promote has landed and its reply was lost. What is taken back for another reason is asked about first.
func TestNothingIsTakenBackThatVaultHandsOut(t *testing.T) {
	e := newEffects()
	e.until(t, credential.PhaseVerified)
	if o := e.run(t, rotation.EffectPromote); o.Result != rotation.Done {
		t.Fatalf("the promote failed: %+v", o)
	}
	r := e.rec.Rotation
	r.Phase, r.Orphan, r.Fence = credential.PhaseCompensating, r.New.ID, r.Staged
	o := e.run(t, rotation.EffectCompensate)
	if o.Finding != rotation.FoundPublished || len(e.provider.Revoked) != 0 {
		t.Fatalf("%s %q, deleted %v, which Vault hands out", o.Result, o.Finding, e.provider.Revoked)
	}
	d := rotation.Apply(e.rec, rotation.EffectCompensate, o, e.now())
	if d.Record.Rotation != nil || d.Record.Current.ID != r.New.ID || d.Record.Version != o.Version {
		t.Errorf("rotation %+v, current %q in version %d; want none, and the secret that Vault hands out", d.Record.Rotation, d.Record.Current.ID, d.Record.Version)
	}
}

// A backup of Vault is restored between the create and the stage, and the entry that stands there now is not of this
// rotad. The secret exists all the same.
func TestACreatedSecretThatMeetsARestoredVaultIsNotForgotten(t *testing.T) {
	e := newEffects()
	e.rec.Rotation.Caps = credential.Capabilities{Mode: credential.ModeGraceWindow, Grace: 7 * day, StartReadable: true}
	e.provider.Caps = e.rec.Rotation.Caps
	e.vault.Scribble(credential.Staging{Rotation: "of another", Instance: "another"})
	e.rec.Rotation.FenceBase = 1
	e.world.Advance(time.Hour)
	e.provider.Before = func(string, string) { e.vault.Restore(noon()) }
	o := e.run(t, rotation.EffectCreate)
	d := rotation.Apply(e.rec, rotation.EffectCreate, o, e.now())
	if r := d.Record.Rotation; e.provider.Creates != 1 || o.Result != rotation.Unknown || r.Unsettled == nil || r.Fence == 0 {
		t.Errorf("%s after %d creates, fence %d, unsettled %v: it counts as not created", o.Result, e.provider.Creates, r.Fence, r.Unsettled)
	}
}

// The same, where the entry that stands there now is an older one of this rotad, or none: the value must not be lost.
func TestACreatedSecretIsStagedInARestoredVault(t *testing.T) {
	e := newEffects()
	e.world.Advance(time.Hour)
	e.provider.Before = func(string, string) { e.vault.Restore(noon()) }
	if o := e.run(t, rotation.EffectCreate); o.Finding != rotation.FoundStaged || e.vault.Staged() == "" {
		t.Errorf("%s %q, staged %t: the value is lost", o.Result, o.Finding, e.vault.Staged() != "")
	}
}

// Another process of the same rotad fences in the same microsecond. Only one of the two may create.
func TestAFenceIsRecognisedByItsProcess(t *testing.T) {
	e := newEffects()
	e.vault.Before = func(s credential.Staging) {
		s.Boot = "another process"
		e.vault.Land(s)
	}
	if o := e.run(t, rotation.EffectCreate); o.Result != rotation.Unknown || e.provider.Creates != 0 {
		t.Errorf("%s after %d creates, by the fence of another process", o.Result, e.provider.Creates)
	}
}

// chosen is a client whose value rotad chooses, with a first create that had a fault, and was applied.
func chosen(t *testing.T, fault model.FaultKind) *effects {
	t.Helper()
	e := newEffects()
	e.rec.Rotation.Caps = credential.Capabilities{Mode: credential.ModeCaller, Labels: true, Repeatable: true, StartReadable: true}
	e.provider.Caps = e.rec.Rotation.Caps
	e.fault(1, fault)
	o := e.run(t, rotation.EffectCreate)
	if o.Result != rotation.Unknown || e.world.Hit != 1 {
		t.Fatalf("%s after %d faults (%v), want an unknown outcome", o.Result, e.world.Hit, e.world.Trace)
	}
	e.rec = rotation.Apply(e.rec, rotation.EffectCreate, o, e.now()).Record
	return e
}

// fault lets the n-th call from here on, counted from zero, go wrong.
func (e *effects) fault(n int, kind model.FaultKind) { e.world.Faults[len(e.world.Trace)+n] = kind }

// The value was set and the reply lost; sent again it is refused, because it is the one that is set.
func TestAValueThatWasSetIsNotChosenAnew(t *testing.T) {
	e := chosen(t, model.LostReply)
	value := e.vault.Staged()
	e.fault(1, model.Rejected)
	o := e.run(t, rotation.EffectCreate)
	if o.Result != rotation.Done || o.Finding != rotation.FoundStaged || e.world.Hit != 2 {
		t.Errorf("%s %q after %d faults (%v): the value that works was given up", o.Result, o.Finding, e.world.Hit, e.world.Trace)
	}
	if e.vault.Staged() != value || !e.provider.Accepts(value) {
		t.Error("another value stands in staging than the one that was set")
	}
}

// The value was sent and may still land; sent again it is refused. Another one is chosen only once it cannot land.
func TestAValueThatMayStillLandIsNotGivenUp(t *testing.T) {
	e := chosen(t, model.Timeout)
	again := func() rotation.Outcome {
		e.fault(1, model.Rejected)
		return e.run(t, rotation.EffectCreate)
	}
	if o := again(); o.Finding != rotation.FoundPending {
		t.Errorf("%s %q at once, want the same value to be sent again", o.Result, o.Finding)
	}
	e.world.Advance(time.Hour)
	if o := again(); o.Finding != rotation.FoundRejected {
		t.Errorf("%s %q an hour later, want another value", o.Result, o.Finding)
	}
}

// A promote failed, and in the seconds until the next one a person has deleted the new secret in the portal.
func TestWhatFailedToBePublishedIsAskedAboutAgain(t *testing.T) {
	for _, mode := range []credential.Mode{credential.ModeTwoSlot, credential.ModeManual} {
		e := newEffects()
		e.until(t, credential.PhaseVerified)
		e.rec.Rotation.Caps.Mode = mode
		e.rec.Backoff.Attempts = 1
		e.provider.DeleteValue(e.vault.Staged())
		before := e.vault.Hands()
		if o := e.run(t, rotation.EffectPromote); o.Finding != rotation.FoundRefused || e.vault.Hands() != before {
			t.Errorf("%s: %+v", mode, o)
		}
	}
}

// Of a secret that was created and cannot be staged nobody else knows. That it could not be deleted at once is no reason to
// leave it.
func TestWhatCannotBeStagedIsDeletedWithPatience(t *testing.T) {
	e := newEffects()
	e.provider.Before = func(call, _ string) {
		if call == "create" {
			e.vault.Scribble(credential.Staging{Rotation: "of another", Instance: "another"})
		}
	}
	e.fault(4, model.Rejected) // fence, create, stage, read, and then the deletion
	if o := e.run(t, rotation.EffectCreate); o.Result != rotation.Unknown || e.world.Hit != 1 || len(e.provider.Live()) != 1 {
		t.Errorf("%s %q, %d faults in %v, live %v; want the new one gone", o.Result, o.Failure.Text, e.world.Hit, e.world.Trace, e.provider.Live())
	}
}

// The delete of a secret that could not be staged has taken place, its reply is lost, and the next try finds nothing: it is gone.
// Without a try before it, not found says only that this server does not know the new secret yet.
func TestWhatIsNotFoundAfterALostReplyIsDeleted(t *testing.T) {
	tests := map[string]struct {
		first, second model.FaultKind // of the deletion
		hit           int
		deletes       int
	}{
		"the reply is lost":             {model.LostReply, model.Missing, 2, 2},
		"a server does not know it yet": {model.Missing, "", 1, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			e := newEffects()
			e.provider.Before = func(call, _ string) {
				if call == "create" {
					e.vault.Scribble(credential.Staging{Rotation: "of another", Instance: "another"})
				}
			}
			e.fault(4, test.first) // fence, create, stage, read, and then the deletion
			if test.second != "" {
				e.fault(5, test.second)
			}
			o := e.run(t, rotation.EffectCreate)
			deletes := 0
			for _, call := range e.world.Trace {
				if call == "revoke" {
					deletes++
				}
			}
			if !strings.Contains(o.Failure.Text, "was deleted again") || len(e.provider.Live()) != 1 {
				t.Errorf("%s %q, live %v; want the new one gone, and said so", o.Result, o.Failure.Text, e.provider.Live())
			}
			if e.world.Hit != test.hit || deletes != test.deletes {
				t.Errorf("%d faults, %d deletes in %v; want %d, %d", e.world.Hit, deletes, e.world.Trace, test.hit, test.deletes)
			}
		})
	}
}
