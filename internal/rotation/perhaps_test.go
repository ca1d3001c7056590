package rotation_test

import (
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/model"
	"github.com/rotad/rotad/internal/rotation"
)

// These are rules about what may have happened, and who must not act as if it had not.

// A promote is under way, and a restored backup takes the staged value away: what Vault hands out now may be the secret
// that is to be deleted.
func TestWhatMayHaveBeenPublishedIsNotDeleted(t *testing.T) {
	for _, landed := range []bool{false, true} {
		e := newEffects()
		e.world.Advance(time.Hour)
		e.until(t, credential.PhaseVerified)
		r := e.rec.Rotation
		r.Publishing, r.Phase, r.Orphan = true, credential.PhaseCompensating, r.New.ID
		value := e.vault.Staged()
		e.vault.Restore(noon())
		if landed {
			e.vault.Seed(value)
		}
		o := e.run(t, rotation.EffectCompensate)
		if kept := len(e.provider.Revoked) == 0; kept != landed || (o.Finding == rotation.FoundMany) != landed {
			t.Errorf("landed %t: %s %q, revoked %v", landed, o.Result, o.Finding, e.provider.Revoked)
		}
	}
}

// A person has ended a rotation; a restored backup of Vault brings its staging back.
func TestAnEndedRotationIsNotTakenUpAgain(t *testing.T) {
	rec := under(credential.PhaseStaged)
	rec.Rotation.Caps.Mode, rec.Caps.Mode = credential.ModeManual, credential.ModeManual
	rec.Rotation.Staged = 7
	d, err := rotation.Resume(credential.ResolveAbort, "")(rec, rotation.Person{Name: "anna"}, at(noon()))
	if err != nil || d.Record.Rotation != nil {
		t.Fatalf("%+v, %v", d.Record.Rotation, err)
	}
	if last := d.Record.Last; last.Outcome != "aborted" || last.Staged != 7 {
		t.Errorf("%+v; want the staging version to be remembered that must not be taken up", last)
	}
}

// Another process saw the unknown create a moment ago; this one has been at work for weeks.
func TestQuiescenceIsNotCountedFromBeforeTheCreate(t *testing.T) {
	rec := under(credential.PhaseIntent)
	rec.Rotation.Unsettled = &credential.Moment{At: noon().Add(-time.Second), Boot: "another boot"}
	now := at(noon())
	now.Elapsed = 24 * day
	d := rotation.Plan(rec, now)
	if d.Effect != rotation.EffectNone || d.Record.DueFor != "quiescence" || d.Record.Due.Sub(noon()) < now.Timing.Deadline {
		t.Errorf("%q, due %s for %s; want to wait until the create can no longer land", d.Effect, d.Record.Due, d.Record.DueFor)
	}
}

// A restored Vault has lost the value that a person brought. Nothing that stands at the provider is ours.
func TestALostSubmittedValueHasToBeBroughtAgain(t *testing.T) {
	rec := under(credential.PhaseStaged)
	rec.Rotation.New = credential.Secret{}
	d := rotation.Apply(rec, rotation.EffectVerify, rotation.Outcome{Result: rotation.Done, Finding: rotation.FoundLost, Fence: 1}, at(noon()))
	if d.Record.Rotation != nil || len(d.Notices) == 0 {
		t.Errorf("phase %s, notices %v; want the rotation to end and a person to hear of it", d.Record.Phase(), kindsOf(d))
	}
}

// The value of the newer secret is lost, and a wall clock says that the older one ends now. One clock is not enough to
// replace it.
func TestOneClockDoesNotReplaceALostSecret(t *testing.T) {
	rec := under(credential.PhaseIntent)
	r := rec.Rotation
	r.Caps.Mode, r.Client.AllowCut, r.Unsettled = credential.ModeGraceWindow, true, &credential.Moment{At: noon(), Boot: "boot"}
	rec.Hold = &credential.Hold{Code: credential.HoldSecretLost, Since: noon(), Deadline: noon().Add(day)}
	late := at(noon().Add(365 * day))
	late.Second = noon().Add(time.Hour)
	if d := rotation.Plan(rec, late); d.Effect != rotation.EffectSettle || d.Record.Rotation.Cutover {
		t.Fatalf("%q, cutover %t by a wall clock alone", d.Effect, d.Record.Rotation.Cutover)
	}
	again := rotation.Apply(rec, rotation.EffectSettle, rotation.Outcome{Result: rotation.Done, Finding: rotation.FoundLost, Clock: noon().Add(time.Hour)}, late)
	if again.Resync || !again.Record.Backoff.Until.After(late.Now) {
		t.Errorf("resync %t, asked again at %s", again.Resync, again.Record.Backoff.Until)
	}
	late.Second = late.Now
	if d := rotation.Plan(rec, late); d.Effect != rotation.EffectCreate || !d.Record.Rotation.Cutover {
		t.Errorf("%q, cutover %t; both clocks say that the old one ends", d.Effect, d.Record.Rotation.Cutover)
	}
}

// A process has died in its attempt, and another program has written over the fence: a person who ends the rotation must
// not leave a secret behind.
func TestAnEntryOfAnotherHidesWhetherACreateWasSent(t *testing.T) {
	for boot, sent := range map[string]bool{"boot": false, "another boot": true} {
		rec := under(credential.PhaseIntent)
		r := rec.Rotation
		r.Fence, r.FenceAt, r.FenceBase, r.SinceBoot = 0, time.Time{}, 4, boot
		o := rotation.Outcome{Result: rotation.NotDone, Finding: rotation.FoundForeign}
		after := rotation.Apply(rec, rotation.EffectCreate, o, at(noon())).Record.Rotation
		if unsettled := after.Unsettled != nil && after.Fence == 5; unsettled != sent {
			t.Errorf("begun by %s: fence %d, unsettled %v", boot, after.Fence, after.Unsettled)
		}
	}
}

// discardSurplus lets somebody make one more secret, and a person discard it because of a hold.
func (e *effects) discardSurplus(t *testing.T, hold credential.HoldCode) (id string) {
	t.Helper()
	e.provider.Seed(false)
	secrets := e.provider.Secrets()
	id = secrets[len(secrets)-1].ID
	e.rec.Hold = &credential.Hold{Code: hold, Since: e.world.Wall}
	d, err := rotation.Resume(credential.ResolveDiscard, id)(e.rec, rotation.Person{Name: "anna"}, e.now())
	if err != nil {
		t.Fatal(err)
	}
	e.rec = rotation.Plan(d.Record, e.now()).Record
	e.rec = rotation.Apply(e.rec, rotation.EffectCompensate, e.run(t, rotation.EffectCompensate), e.now()).Record
	return id
}

// During the overlap a person names a secret that nobody needs: it is deleted, and the overlap goes on.
func TestADiscardDuringTheOverlapBeginsNothing(t *testing.T) {
	e := newEffects()
	e.until(t, credential.PhaseOverlap)
	surplus := e.discardSurplus(t, credential.HoldWhichSecret)
	if e.rec.Phase() != credential.PhaseOverlap || e.rec.Rotation.Orphan != "" || len(e.provider.Revoked) != 1 || e.provider.Revoked[0] != surplus {
		t.Errorf("phase %s, orphan %q, revoked %v", e.rec.Phase(), e.rec.Rotation.Orphan, e.provider.Revoked)
	}
}

// What a person discards during the overlap has become the only secret: it stays, and the person hears of it.
func TestTheOnlySecretIsNotDiscarded(t *testing.T) {
	rec := overlapped()
	rec.Rotation.Orphan = "secret-9"
	o := rotation.Outcome{Result: rotation.NotDone, Finding: rotation.FoundLast, Failure: rotation.Failure{Text: "secret-9 is the only one"}}
	after := rotation.Apply(rec, rotation.EffectCompensate, o, at(noon())).Record
	if after.Hold == nil || after.Hold.Code != credential.HoldWhichSecret || after.Rotation.Orphan != "" || after.Phase() != credential.PhaseOverlap {
		t.Errorf("hold %+v, orphan %q, phase %s", after.Hold, after.Rotation.Orphan, after.Phase())
	}
}

// Only a person can tell whether Vault hands out the secret whose value was lost. Each answer ends the hold.
func TestAPersonSaysWhichSecretVaultHandsOut(t *testing.T) {
	rec := under(credential.PhaseCompensating)
	rec.Rotation.Publishing, rec.Rotation.Orphan = true, "secret-2"
	rec = rotation.Apply(rec, rotation.EffectCompensate, rotation.Outcome{Result: rotation.Done, Finding: rotation.FoundMany, Orphan: "secret-2"}, at(noon())).Record
	if d := rotation.Plan(rec, at(noon())); rec.Hold == nil || rec.Hold.Code != credential.HoldWhichSecret || d.Effect != rotation.EffectNone {
		t.Fatalf("hold %+v, %q; want nothing to be deleted", rec.Hold, d.Effect)
	}
	answer := func(choice credential.Resolve, id string) credential.Record {
		t.Helper()
		d, err := rotation.Resume(choice, id)(rec, rotation.Person{Name: "anna"}, at(noon()))
		if err != nil || d.Record.Hold != nil {
			t.Fatalf("%s %s: %v, hold %+v", choice, id, err, d.Record.Hold)
		}
		return d.Record
	}
	if after := answer(credential.ResolveAdopt, "secret-2"); after.Rotation != nil || after.Client.CurrentID != "secret-2" {
		t.Errorf("it is handed out: %+v, current %q", after.Rotation, after.Client.CurrentID)
	}
	other := answer(credential.ResolveAdopt, "secret-9")
	if r := other.Rotation; r == nil || r.Publishing || !r.Aborting || r.Orphan != "secret-2" || other.Client.CurrentID != "secret-9" {
		t.Errorf("another one is handed out: %+v", r)
	}
	if r := answer(credential.ResolveDiscard, "secret-2").Rotation; r == nil || r.Publishing || r.Orphan != "secret-2" {
		t.Errorf("it is discarded: %+v", r)
	}
}

// A process died in its create, an hour after the attempt began; its fence stands in Vault, and the record does not know it.
func TestTheTimeOfTheFenceIsBelieved(t *testing.T) {
	e := newEffects()
	e.provider.Caps.Labels, e.rec.Rotation.Caps.Labels = false, false
	e.rec.Rotation.Since = e.world.Wall
	e.world.Advance(time.Hour)
	e.world.Faults[1] = model.LostReply
	if o := e.create(t.Context()); o.Result != rotation.Unknown {
		t.Fatalf("%s %s; want a create whose reply is lost", o.Result, o.Finding)
	}
	r := e.rec.Rotation
	r.Fence, r.FenceAt, r.Unsettled = r.FenceBase+1, r.Since, &credential.Moment{At: noon(), Boot: "another boot"}
	e.world.Advance(time.Hour)
	if o := e.run(t, rotation.EffectSettle); o.Finding != rotation.FoundOrphan {
		t.Errorf("%s %q; want the secret that was made when the fence was written", o.Result, o.Finding)
	}
}

// The value that rotad chose was set, and its staging is gone. The list shows whose secret it is.
func TestAChosenValueThatIsLostIsFoundByItsLabel(t *testing.T) {
	e := newEffects()
	caps := credential.Capabilities{Mode: credential.ModeCaller, Labels: true, Repeatable: true, StartReadable: true}
	e.provider.Caps, e.rec.Rotation.Caps, e.rec.Caps = caps, caps, caps
	before := e.world.Wall
	e.world.Advance(time.Hour)
	if o := e.create(t.Context()); o.Result != rotation.Done {
		t.Fatalf("%+v", o)
	}
	e.vault.Restore(before)
	e.rec.Rotation.Fence, e.rec.Rotation.Unsettled = 2, &credential.Moment{At: noon(), Boot: "another boot"}
	o := e.run(t, rotation.EffectSettle)
	if made := e.provider.Secrets()[1].ID; o.Finding != rotation.FoundOrphan || o.Orphan != made {
		t.Errorf("%s %q, orphan %q; want %q", o.Result, o.Finding, o.Orphan, made)
	}
}

// A person ended a rotation, which could not be ended, and then brought a value: that is published.
func TestABroughtValueTakesTheEndBack(t *testing.T) {
	rec := under(credential.PhaseIntent)
	rec.Rotation.Aborting, rec.Hold = true, &credential.Hold{Code: credential.HoldSecretLost, Since: noon()}
	d, err := rotation.Submit(rec, rotation.Outcome{Result: rotation.Done, Version: 4, At: noon()}, rotation.Person{Name: "anna"}, rotation.Expiry{}, at(noon()))
	if err != nil || d.Record.Phase() != credential.PhaseStaged || d.Record.Rotation.Aborting {
		t.Errorf("%v: phase %s, aborting %t", err, d.Record.Phase(), d.Record.Rotation.Aborting)
	}
}
