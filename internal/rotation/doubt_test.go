package rotation_test

import (
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/providers"
)

// These are rules about what one look, one list or one clock says: it is not believed at once.

// prepared is what an intent makes of a client that is due, by an independent clock that is off.
func prepared(off time.Duration) rotation.Decision {
	rec := steady(10 * day)
	o := rotation.Outcome{Result: rotation.Done, Look: look(rec), Clock: noon().Add(off)}
	return rotation.Apply(rec, rotation.EffectPrepare, o, env(noon(), policy()))
}

func TestNothingBeginsByAWrongWallClock(t *testing.T) {
	if d := prepared(time.Second); d.Record.Rotation == nil {
		t.Fatalf("nothing begins by a right one either: %+v", d.Record.Hold)
	}
	for _, off := range []time.Duration{-365 * day, 365 * day} {
		d := prepared(off)
		if d.Record.Rotation != nil || d.Record.Hold == nil || d.Record.Hold.Code != credential.HoldClockSuspect {
			t.Errorf("%s off: rotation %t, hold %+v; want clock-suspect", off, d.Record.Rotation != nil, d.Record.Hold)
		}
	}
}

// A list may be behind what Vault hands out: the only secret that it shows is then the old one.
func TestAPresumedIdentityIsConfirmed(t *testing.T) {
	rec := steady(60 * day)
	old := rec.Current
	rec.Sight, rec.Current = credential.SightNone, credential.Secret{}
	l := look(rec)
	l.Written, l.Snapshot.Secrets = noon().Add(-time.Second), []credential.Secret{old}
	e := env(noon(), policy())
	d := rotation.Apply(rec, rotation.EffectLook, rotation.Outcome{Result: rotation.Done, Look: l}, e)
	if again := d.Record.NextLook; !again.Before(e.NextLook) || again.Before(l.Written.Add(e.Timing.Propagation)) {
		t.Errorf("the next look comes at %s, want it as soon as every list is whole", again)
	}
	e = env(d.Record.NextLook, policy())
	l.Snapshot.Secrets = []credential.Secret{old, {ID: "secret-2", Start: noon()}}
	d = rotation.Apply(d.Record, rotation.EffectLook, rotation.Outcome{Result: rotation.Done, Look: l}, e)
	if d.Record.Sight != credential.SightUnknownID || d.Record.Current.ID != "" {
		t.Errorf("sight %q, current %q; two secrets are listed, and Vault's can be either", d.Record.Sight, d.Record.Current.ID)
	}
}

// A backup of Vault brings the staging entry of an earlier rotation back. What has been rotated since stays.
func TestAnOldStagingEntryIsNotTakenUp(t *testing.T) {
	rec := steady(60 * day)
	rec.Last = credential.Last{Rotation: "rotation-7", Staged: 14, Outcome: "done"}
	l := look(rec)
	for version, want := range map[int]string{12: "", 14: "", 15: "rotation-5"} {
		l.Staging = credential.Entry{Version: version, Staging: credential.Staging{
			Rotation: "rotation-5", Attempt: 1, Phase: credential.StagingStaged, Instance: "instance", New: credential.Secret{ID: "secret-5"},
		}}
		d := rotation.Apply(rec, rotation.EffectLook, rotation.Outcome{Result: rotation.Done, Look: l}, env(noon(), policy()))
		got := ""
		if r := d.Record.Rotation; r != nil {
			got = r.ID
		}
		if got != want {
			t.Errorf("version %d: took up %q, want %q", version, got, want)
		}
	}
}

// A provider caches what it accepts, and what it refuses: one refusal is asked about again.
func TestOneRefusedLookIsNotBelieved(t *testing.T) {
	rec := steady(60 * day)
	l := look(rec)
	l.Answer = providers.Refused
	for looks, held := range []bool{false, true} {
		d := rotation.Apply(rec, rotation.EffectLook, rotation.Outcome{Result: rotation.Done, Look: l}, env(noon(), policy()))
		if rec = d.Record; (rec.Hold != nil) != held {
			t.Errorf("after %d refused looks: hold %+v", looks+1, rec.Hold)
		}
	}
}

// From the moment at which a promote may land, nobody can take the new secret back.
func TestAnAbortComesTooLateForASecretThatIsBeingPublished(t *testing.T) {
	abort := rotation.Resume(credential.ResolveAbort, "")
	rec, anna := under(credential.PhaseVerified), rotation.Person{Name: "anna"}
	d, err := abort(rec, anna, at(noon()))
	if err != nil || d.Record.Phase() != credential.PhaseCompensating {
		t.Fatalf("before the promote: phase %s, %v; want it undone", d.Record.Phase(), err)
	}
	if d = rotation.Plan(rec, at(noon())); d.Effect != rotation.EffectPromote {
		t.Fatalf("%s is next, want the promote", d.Effect)
	}
	if d, err = abort(d.Record, anna, at(noon())); err == nil {
		t.Errorf("phase %s: consumers may read what is being deleted", d.Record.Phase())
	}
}

// What a rotation replaces it revokes in the end, so it does not begin with a secret that is only presumed to be Vault's.
func TestNothingBeginsWithAPresumedIdentity(t *testing.T) {
	rec := steady(10 * day)
	old := rec.Current
	rec.Sight, rec.Current = credential.SightNone, credential.Secret{}
	l := look(rec)
	e := env(noon(), policy())
	for written, begins := range map[time.Duration]bool{-time.Second: false, -2 * e.Timing.Propagation: true} {
		l.Written, l.Snapshot.Secrets = noon().Add(written), []credential.Secret{old}
		d := rotation.Apply(rec, rotation.EffectPrepare, rotation.Outcome{Result: rotation.Done, Look: l, Clock: noon()}, e)
		if (d.Record.Rotation != nil) != begins {
			t.Errorf("written %s ago: rotation %+v, hold %+v", -written, d.Record.Rotation, d.Record.Hold)
		}
		if settled := l.Written.Add(e.Timing.Propagation); !begins && (d.Record.Due.Before(settled) || d.Record.Due.After(settled.Add(time.Minute))) {
			t.Errorf("due at %s, want it once every list is whole, at %s", d.Record.Due, settled)
		}
	}
}

// A provider says that its current secret has expired, and refuses what Vault hands out. The other secret that still works is
// not what Vault hands out, or it would not have been refused.
func TestARefusedValueIsNoneOfThoseThatLive(t *testing.T) {
	rec := steady(60 * day)
	rec.Sight, rec.Current = credential.SightNone, credential.Secret{}
	l := look(rec)
	l.Answer = providers.Refused
	l.Snapshot.Secrets = []credential.Secret{
		{ID: "secret-1", Slot: providers.SlotCurrent, Expires: noon().Add(-day)},
		{ID: "secret-3", Slot: providers.SlotStaged},
	}
	d := rotation.Apply(rec, rotation.EffectLook, rotation.Outcome{Result: rotation.Done, Look: l}, env(noon(), policy()))
	if d.Record.Current.ID != "secret-1" {
		t.Errorf("sight %q, current %q; want the expired one", d.Record.Sight, d.Record.Current.ID)
	}
}

// What was presumed of a value is not true of the next one, or of none.
func TestAPresumptionEndsWithItsValue(t *testing.T) {
	rec := steady(60 * day)
	rec.Sight, rec.Presumed = credential.SightNone, true
	l := look(rec)
	l.HasValue = false
	d := rotation.Apply(rec, rotation.EffectLook, rotation.Outcome{Result: rotation.Done, Look: l}, env(noon(), policy()))
	if d.Record.Presumed || d.Record.Sight != credential.SightEmpty {
		t.Errorf("sight %q, presumed %t; Vault hands out nothing", d.Record.Sight, d.Record.Presumed)
	}
}

// What a rotation that was broken off has left behind is not known: the provider may have changed the secret all the same. The
// next look asks, and the ones after it need not.
func TestALookAfterARotationThatWasBrokenOffAsks(t *testing.T) {
	for outcome, asks := range map[string]bool{"aborted": true, "done": false} {
		e := newEffects()
		e.rec = steady(60 * day)
		e.rec.Version, e.rec.Proved, e.rec.Last = 1, true, credential.Last{Rotation: "rotation-0", At: e.world.Wall, Outcome: outcome}
		for looked, want := range map[time.Duration]bool{-time.Hour: asks, time.Hour: false} {
			e.rec.Looked = e.rec.Last.At.Add(looked)
			o := e.run(t, rotation.EffectLook)
			if o.Look == nil || (o.Look.Answer != providers.Unknown) != want {
				t.Errorf("%s, looked at %s after it: %+v, want an answer: %t", outcome, looked, o.Look, want)
			}
		}
	}
}
