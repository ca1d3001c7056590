package rotation_test

import (
	"slices"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/providers"
)

// These are rules about a Vault that was restored from a backup, and about what others have taken away.

// A number that Vault has given out twice is no proof that the value is the known one.
func TestAVersionNumberThatVaultReusesIsNoticed(t *testing.T) {
	rec := steady(60 * day)
	rec.VersionAt = noon().Add(-30 * day)
	for name, c := range map[string]struct {
		written time.Time
		held    bool
	}{
		"the same version":               {rec.VersionAt, false},
		"another one":                    {noon().Add(-time.Minute), true},
		"one whose time nobody can tell": {time.Time{}, false},
	} {
		l := look(rec)
		l.Written = c.written
		d := rotation.Apply(rec, rotation.EffectLook, rotation.Outcome{Result: rotation.Done, Look: l}, env(noon(), policy()))
		held := d.Record.Hold != nil && d.Record.Hold.Code == credential.HoldForeignWrite
		if held != c.held {
			t.Errorf("%s: hold %+v, want one: %t", name, d.Record.Hold, c.held)
		}
	}
}

// Staging knows a finished rotation and the state a later one: Vault is the old copy, and people have to hear of it.
func TestARestoredVaultIsNotTakenForAnOldState(t *testing.T) {
	for known, held := range map[int]bool{2: false, 3: true, 4: true} {
		rec := steady(60 * day)
		rec.Version = known
		l := look(rec)
		l.Version, l.Written = 3, noon().Add(-30*day)
		if known == 3 {
			rec.VersionAt = noon().Add(-day)
		}
		l.Staging = credential.Entry{Version: 5, Staging: credential.Staging{
			Rotation: "rotation-0", Phase: credential.StagingIdle, Instance: "instance", New: rec.Current, Consumer: 3,
		}}
		d := rotation.Apply(rec, rotation.EffectLook, rotation.Outcome{Result: rotation.Done, Look: l}, env(noon(), policy()))
		if got := d.Record.Hold != nil; got != held {
			t.Errorf("the state knows version %d, Vault has 3: hold %+v, want one: %t", known, d.Record.Hold, held)
		}
	}
}

// Others have deleted what consumers had, and a person ends the rotation: its secret is the only one left.
func TestTheOnlyListedSecretIsNotDeletedByAnAbort(t *testing.T) {
	e := newEffects()
	e.until(t, credential.PhaseVerified)
	for len(e.provider.Secrets()) > 1 {
		e.provider.Drop(0)
	}
	d, err := rotation.Resume(credential.ResolveAbort, "")(e.rec, rotation.Person{Name: "anna"}, e.now())
	if err != nil || d.Record.Phase() != credential.PhaseCompensating {
		t.Fatalf("phase %s, %v", d.Record.Phase(), err)
	}
	e.rec = d.Record
	o := e.run(t, rotation.EffectCompensate)
	if o.Finding != rotation.FoundLast || len(e.provider.Live()) != 1 {
		t.Fatalf("%s %q, live %v; want the last one to stay", o.Result, o.Finding, e.provider.Live())
	}
	after := rotation.Apply(e.rec, rotation.EffectCompensate, o, e.now()).Record
	if after.Phase() != credential.PhaseStaged || after.Rotation.Aborting {
		t.Errorf("phase %s, aborting %t; want the rotation to go on", after.Phase(), after.Rotation.Aborting)
	}
}

// A restored Vault gives numbers again that destinations and consumers have seen already: what they held under them was another
// secret.
func TestNumbersOfARestoredVaultSayNothing(t *testing.T) {
	rec := steady(60 * day)
	rec.Version = 2
	rec.Client.Destinations = []credential.Destination{{Name: "app", File: &credential.FilePlace{Path: "/run/app"}}}
	rec.Client.Consumers = []credential.NamedConsumer{{Name: "web"}, {Name: "batch"}}
	rec.Copies = []credential.CopyState{{Name: "app", Version: 3}}
	rec.Consumers = []credential.ConsumerState{{Name: "web", Version: 3, At: noon()}, {Name: "batch", Version: 1, At: noon()}}
	kept := slices.Clone(rec.Copies)
	l := look(rec)
	d := rotation.Apply(rec, rotation.EffectLook, rotation.Outcome{Result: rotation.Done, Look: l}, at(noon()))
	if c := d.Record.CopyAt("app"); c.Version != 0 {
		t.Errorf("the destination is taken to hold version %d", c.Version)
	}
	if d.Record.ConsumerAt("web").Version != 0 || d.Record.ConsumerAt("batch").Version != 1 {
		t.Errorf("%+v", d.Record.Consumers)
	}
	if !slices.Equal(rec.Copies, kept) {
		t.Error("the record that others hold was changed")
	}
}

// Nobody knows the value of an orphan: where it is the only one left it waits, and a person hears of it.
func TestAnOrphanThatIsTheOnlyOneWaits(t *testing.T) {
	e := newEffects()
	e.until(t, credential.PhaseStaged)
	e.rec.Rotation.Orphan, e.rec.Rotation.New, e.rec.Rotation.Staged = e.rec.Rotation.New.ID, credential.Secret{}, 0
	e.rec.Rotation.Phase = credential.PhaseCompensating
	for len(e.provider.Secrets()) > 1 {
		e.provider.Drop(0)
	}
	for range 10 {
		e.rec = rotation.Apply(e.rec, rotation.EffectCompensate, e.run(t, rotation.EffectCompensate), e.now()).Record
	}
	if h := e.rec.Hold; h == nil || !h.Paging || len(e.provider.Live()) != 1 || e.rec.Phase() != credential.PhaseCompensating {
		t.Errorf("hold %+v, live %v, phase %s", h, e.provider.Live(), e.rec.Phase())
	}
}

// What an earlier attempt has left is named in the record before it is deleted.
func TestALateOrphanIsNamedBeforeItIsDeleted(t *testing.T) {
	e := newEffects()
	e.until(t, credential.PhaseRevoking)
	r := e.rec.Rotation
	if _, err := e.provider.Create(t.Context(), providers.Target{}, providers.Request{Label: "rotad/" + r.ID + "/1"}); err != nil {
		t.Fatal(err)
	}
	r.Attempt, r.Revoked, r.Negative = 2, true, credential.NegativeProved
	o := e.run(t, rotation.EffectCleanUp)
	if o.Finding != rotation.FoundOrphan || len(e.provider.Revoked) != 0 {
		t.Fatalf("%s %q, revoked %v before the record named it", o.Result, o.Finding, e.provider.Revoked)
	}
	e.rec = rotation.Apply(e.rec, rotation.EffectCleanUp, o, e.now()).Record
	if d := rotation.Plan(e.rec, e.now()); d.Effect != rotation.EffectCompensate || d.Record.Rotation.Orphan != o.Orphan {
		t.Fatalf("%s, orphan %q", d.Effect, d.Record.Rotation.Orphan)
	}
	e.rec = rotation.Apply(e.rec, rotation.EffectCompensate, e.run(t, rotation.EffectCompensate), e.now()).Record
	if d := rotation.Plan(e.rec, e.now()); d.Effect != rotation.EffectCleanUp || len(e.provider.Revoked) != 1 || e.provider.Revoked[0] != o.Orphan {
		t.Errorf("%s, revoked %v, want %s and then to clean up", d.Effect, e.provider.Revoked, o.Orphan)
	}
}

// A backup of Vault is restored while a person is asked to remove the old secret, and another program writes its own field over
// it: the version is as new as the one that was published, and holds the old secret.
func TestNobodyIsAskedToRemoveWhatVaultHandsOutAgain(t *testing.T) {
	for _, touched := range []bool{false, true} {
		e := newEffects()
		e.until(t, credential.PhaseOverlap)
		e.rec.Rotation.Caps.Mode = credential.ModeManual
		if touched {
			e.vault.RollBack()
			e.vault.Touch()
		}
		o := e.run(t, rotation.EffectNegative)
		if foreign := o.Finding == rotation.FoundForeign; foreign != touched {
			t.Errorf("touched %t: %+v", touched, o)
		}
	}
}

// A backup of Vault is restored and somebody writes twice: what has the known number now is another version, and that it holds
// what Vault hands out proves nothing.
func TestAReusedVersionIsNotComparedWith(t *testing.T) {
	e := newEffects()
	e.until(t, credential.PhaseOverlap)
	e.rec.Rotation, e.rec.Last.Rotation = nil, e.rec.Rotation.ID
	e.vault.RollBack()
	e.world.Advance(time.Hour)
	e.vault.Touch()
	e.vault.Touch()
	d := rotation.Apply(e.rec, rotation.EffectLook, e.run(t, rotation.EffectLook), e.now())
	if h := d.Record.Hold; h == nil || h.Code != credential.HoldForeignWrite {
		t.Errorf("hold %+v, version %d; want one: Vault hands out the old secret again", h, d.Record.Version)
	}
}
