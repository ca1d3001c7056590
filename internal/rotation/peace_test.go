package rotation_test

import (
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
)

// A person has ended a rotation that was due: it does not begin again under their hands, unless they ask for it.
func TestNothingBeginsRightAfterAPersonHasEndedARotation(t *testing.T) {
	rec := steady(10 * day) // due for four days
	rec.Last = credential.Last{Rotation: "rotation-0", At: noon(), Outcome: "aborted"}
	for name, c := range map[string]struct {
		after  time.Duration
		asked  bool
		effect rotation.Effect
	}{
		"at once":                {time.Second, false, rotation.EffectNone},
		"after half an hour":     {30 * time.Minute, false, rotation.EffectNone},
		"after an hour":          {time.Hour, false, rotation.EffectPrepare},
		"at once, when asked":    {time.Second, true, rotation.EffectPrepare},
		"the clock was set back": {-day, false, rotation.EffectPrepare},
	} {
		rec.Request.Rotate = c.asked
		now := noon().Add(c.after)
		rec.NextLook = now.Add(2 * time.Hour)
		e := env(now, policy())
		e.NextLook = rec.NextLook
		d := rotation.Plan(rec, e)
		if d.Effect != c.effect {
			t.Errorf("%s: %q, want %q", name, d.Effect, c.effect)
		}
		if d.Effect == rotation.EffectNone && (!d.Record.Due.After(now) || d.Record.Due.After(noon().Add(time.Hour))) {
			t.Errorf("%s: due %s; want it to begin an hour after the abort", name, d.Record.Due)
		}
	}
}

// What stands against a rotation is no reason to hold a client for which none is due any more.
func TestARefusalEndsWithTheRotationThatItRefused(t *testing.T) {
	for _, code := range []credential.HoldCode{credential.HoldNoOverlap, credential.HoldOverlapTooShort, credential.HoldSlotsFull, credential.HoldCutover} {
		for left, held := range map[time.Duration]bool{10 * day: true, 60 * day: false} {
			rec := steady(left)
			rec.Hold = &credential.Hold{Code: code, Since: noon().Add(-day), Retry: true}
			l := look(rec)
			d := rotation.Apply(rec, rotation.EffectLook, rotation.Outcome{Result: rotation.Done, Look: l}, env(noon(), policy()))
			if got := d.Record.Hold != nil; got != held {
				t.Errorf("%s, the secret ends in %s: held %t, want %t", code, left, got, held)
			}
		}
	}
}

// Vault tells the time in whole seconds: right at the end of an overlap that is a reason to wait for the next one, not to
// call for a person.
func TestTheGateWaitsForTheNextSecondOfVault(t *testing.T) {
	for late, held := range map[time.Duration]bool{900 * time.Millisecond: false, 3 * time.Second: true, time.Hour: true} {
		e := newEffects()
		e.until(t, credential.PhaseOverlap)
		e.world.Advance(e.rec.Rotation.RevokeAfter.Sub(e.world.Wall))
		now := e.now()
		now.Second = now.Now.Add(-day) // the process has just begun
		o := rotation.Outcome{Result: rotation.Done, Clock: e.rec.Rotation.RevokeAfter.Add(-late)}
		after := rotation.Apply(e.rec, rotation.EffectGate, o, now).Record
		if got := after.Hold != nil; got != held || after.Phase() != credential.PhaseOverlap {
			t.Errorf("Vault's clock lacks %s: hold %+v, want one: %t; phase %s", late, after.Hold, held, after.Phase())
		}
	}
}

// A destroy that Vault did not take is tried again soon, because a line may have been broken; where a right is missing, it
// is asked about ever more rarely.
func TestARefusedDestroyIsTriedAgainSoonAndThenRarely(t *testing.T) {
	rec := steady(60 * day)
	rec.Cleanup = &credential.Cleanup{Staging: []int{1}, Next: noon()}
	var pauses []time.Duration
	for now := noon(); len(pauses) < 8; now = rec.Cleanup.Next {
		o := rotation.Outcome{Result: rotation.NotDone, Cleanup: rec.Cleanup}
		rec = rotation.Apply(rec, rotation.EffectSweep, o, env(now, policy())).Record
		pauses = append(pauses, rec.Cleanup.Next.Sub(now))
	}
	if pauses[0] != time.Minute || pauses[1] != 2*time.Minute || pauses[7] != time.Hour {
		t.Errorf("pauses %v; want a minute at first, and an hour at most", pauses)
	}
}

// A clock that was ahead for a while has written when to destroy what is left over. When it is set right, nothing waits as
// long as it had jumped; a pause that the right clock wrote lasts.
func TestACleaningUpDoesNotWaitForAClockThatWasAhead(t *testing.T) {
	for left, effect := range map[time.Duration]rotation.Effect{
		365 * day: rotation.EffectSweep, time.Hour: rotation.EffectNone, time.Minute: rotation.EffectNone, 0: rotation.EffectSweep,
	} {
		rec := steady(60 * day)
		rec.NextLook = noon().Add(2 * time.Hour)
		rec.Cleanup = &credential.Cleanup{Staging: []int{1}, Next: noon().Add(left)}
		e := at(noon())
		e.NextLook = rec.NextLook
		if d := rotation.Plan(rec, e); d.Effect != effect {
			t.Errorf("planned in %s: %q, want %q", left, d.Effect, effect)
		}
	}
}

// A clock that was ahead for a while has written a pause. When it is set right, nothing waits for that clock's time.
func TestAPauseOfAWrongClockIsOver(t *testing.T) {
	rec := overlapped()
	ahead := at(noon().Add(day))
	ahead.Second, ahead.NextLook = noon().Add(-day), noon().Add(7*day)
	held := rotation.Apply(rec, rotation.EffectGate, rotation.Outcome{Result: rotation.Done, Clock: noon().Add(-day)}, ahead).Record
	if held.Hold == nil || !held.Backoff.Until.After(ahead.Now) {
		t.Fatalf("hold %+v, pause until %s", held.Hold, held.Backoff.Until)
	}
	right := at(noon())
	right.NextLook = ahead.NextLook
	if d := rotation.Plan(held, right); d.Effect != rotation.EffectGate {
		t.Errorf("%q, due %s for %s; want the gate to be asked by the right clock", d.Effect, d.Record.Due, d.Record.DueFor)
	} else if !d.Record.Backoff.Until.IsZero() {
		t.Errorf("the pause until %s is kept, and holds again when that clock's time comes", d.Record.Backoff.Until)
	}
	ahead.Now = ahead.Now.Add(time.Second)
	if d := rotation.Plan(held, ahead); d.Effect != rotation.EffectNone {
		t.Errorf("%q within the pause", d.Effect)
	}
}

// A person brings a value while the wall clock is a year behind: its life is counted from Vault's time, or it would be
// rotated again as soon as the clock is set right.
func TestASubmittedSecretBeginsByTheTimeOfVault(t *testing.T) {
	rec := steady(60 * day)
	rec.Caps.Mode = credential.ModeManual
	wrong := env(noon().Add(-365*day), policy())
	o := rotation.Outcome{Result: rotation.Done, Finding: rotation.FoundStaged, Version: 2, At: noon(), Secret: credential.Secret{Start: wrong.Now}}
	d, err := rotation.Submit(rec, o, rotation.Person{Name: "anna"}, rotation.Expiry{}, wrong)
	if err != nil || !d.Record.Rotation.New.Start.Equal(noon()) {
		t.Errorf("begins %s, %v; want Vault's time", d.Record.Rotation.New.Start, err)
	}
}

// The provider drops the old secret by a clock that is not quite ours. Before its time it was somebody else.
func TestTheEndOfAGraceIsNobodysDoing(t *testing.T) {
	for early, want := range map[time.Duration]rotation.Finding{
		-time.Second: rotation.FoundGone, time.Second: rotation.FoundGone, 2 * rotation.ClockSkew: rotation.FoundElsewhere,
	} {
		e := newEffects()
		e.until(t, credential.PhaseOverlap)
		e.provider.Drop(0)
		e.rec.Rotation.OldDies = e.world.Wall.Add(early)
		if o := e.run(t, rotation.EffectGate); o.Finding != want {
			t.Errorf("gone %s before its time: %q, want %q", early, o.Finding, want)
		}
	}
}
