package rotation_test

import (
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/model"
	"github.com/rotad/rotad/internal/rotation"
)

// These are rules about what is older than it looks: an entry of an attempt that has ended, a state of before a promote,
// a secret that has been replaced already.

// The staging entry of the first attempt has been brought back by a person while the second one was to begin.
func TestAnEndedAttemptIsNotTakenForTheNext(t *testing.T) {
	e := newEffects()
	if o := e.create(t.Context()); o.Result != rotation.Done {
		t.Fatalf("%+v", o)
	}
	r := e.rec.Rotation
	r.Attempt, r.FenceBase = 2, 1
	o := e.create(t.Context())
	if o.Result != rotation.NotDone || o.Finding != rotation.FoundEarlier || e.provider.Creates != 1 {
		t.Fatalf("%s %q after %d creates; want the first attempt's secret to be left alone", o.Result, o.Finding, e.provider.Creates)
	}
	e.rec = rotation.Apply(e.rec, rotation.EffectCreate, o, e.now()).Record
	if o := e.create(t.Context()); o.Result != rotation.Done || e.provider.Creates != 2 {
		t.Errorf("%s %q; want the second attempt to write over it", o.Result, o.Finding)
	}
	e.rec.Rotation.Attempt, e.rec.Rotation.Fence = 3, 3
	if o := e.run(t, rotation.EffectVerify); o.Finding != rotation.FoundForeign {
		t.Errorf("%s %q; want the second attempt's secret not to be verified for the third", o.Result, o.Finding)
	}
	if o := e.run(t, rotation.EffectSettle); o.Finding == rotation.FoundStaged {
		t.Error("the second attempt's secret is taken for the third one's")
	}
}

// The value of a secret that replaced the old one is lost, and the next create is refused. A person must not end the
// rotation there: what Vault hands out is dead.
func TestWhatHasBeenReplacedCannotBeGoneBackTo(t *testing.T) {
	rec := under(credential.PhaseIntent)
	r := rec.Rotation
	r.Caps.Mode, r.Cutover, r.Unsettled = credential.ModeHardCutover, true, &credential.Moment{At: noon(), Boot: "boot"}
	rec = rotation.Apply(rec, rotation.EffectSettle, rotation.Outcome{Result: rotation.Done, Finding: rotation.FoundLost, Fence: 2}, at(noon())).Record
	refused := rotation.Outcome{Result: rotation.NotDone, Fence: 3}
	rec = rotation.Apply(rec, rotation.EffectCreate, refused, at(noon())).Record
	if _, err := rotation.Resume(credential.ResolveAbort, "")(rec, rotation.Person{Name: "anna"}, at(noon())); err == nil {
		t.Error("a person may end the rotation although the old secret is dead")
	}
}

// A cutover that saves a client whose newer secret is lost is sent; the process does not know yet what became of it.
func TestACutBeforeTheDeadlineIsAskedForAsAnyCreate(t *testing.T) {
	rec := under(credential.PhaseIntent)
	r := rec.Rotation
	r.Caps.Mode, r.Client.AllowCut, r.Asked = credential.ModeGraceWindow, true, "boot"
	rec.Hold = &credential.Hold{Code: credential.HoldSecretLost, Since: noon(), Deadline: noon()}
	d := rotation.Plan(rec, at(noon()))
	if r := d.Record.Rotation; d.Effect != rotation.EffectCreate || r.Asked != "" || !r.Replaced {
		t.Errorf("%q, asked %q, replaced %t", d.Effect, r.Asked, r.Replaced)
	}
}

// An older copy of the state knows of no promote, and Vault has lost its staging. This process has not seen the phase
// begin, so that it cannot say what was sent.
func TestAnOlderStateDoesNotKnowOfAPromote(t *testing.T) {
	for boot, doubt := range map[string]bool{"boot": false, "another boot": true} {
		rec := under(credential.PhaseStaged)
		rec.Rotation.SinceBoot = boot
		o := rotation.Outcome{Result: rotation.Done, Finding: rotation.FoundLost, Fence: 1}
		after := rotation.Apply(rec, rotation.EffectVerify, o, at(noon())).Record
		if after.Phase() != credential.PhaseCompensating || after.Rotation.Publishing != doubt {
			t.Errorf("staged under %s: phase %s, publishing %t", boot, after.Phase(), after.Rotation.Publishing)
		}
	}
}

// chosenIn is a rotation in which an attempt has set a value that rotad chose, up to the point of no return.
func chosenIn(t *testing.T, attempt int) *effects {
	t.Helper()
	e := newEffects()
	caps := credential.Capabilities{Mode: credential.ModeCaller, Labels: true, Repeatable: true, StartReadable: true}
	e.provider.Caps, e.rec.Rotation.Caps, e.rec.Caps = caps, caps, caps
	e.rec.Rotation.Attempt = attempt
	e.until(t, credential.PhaseRevoking)
	e.rec.Rotation.Revoked = true
	return e
}

// A process was paused with the value of the first attempt, which was refused meanwhile, and another one was set. Where
// the provider did not say which secret that is, its label does.
func TestALateChosenValueIsDeleted(t *testing.T) {
	named := chosenIn(t, 2)
	named.rec.Rotation.New.ID = ""
	if o := named.run(t, rotation.EffectCleanUp); o.Finding == rotation.FoundOrphan {
		t.Fatalf("secret %q is the one that was published", o.Orphan)
	}
	e := chosenIn(t, 1)
	e.rec.Rotation.Attempt, e.rec.Rotation.New.ID = 2, "another"
	o := e.run(t, rotation.EffectCleanUp)
	if made := e.provider.Secrets()[1].ID; o.Finding != rotation.FoundOrphan || o.Orphan != made {
		t.Errorf("%s %q, orphan %q; want %q", o.Result, o.Finding, o.Orphan, made)
	}
}

// A rotation began on a stale read: what the one before it has closed with stands where its fence was to be written.
func TestTheEndOfTheRotationBeforeIsNobodyElses(t *testing.T) {
	e := newEffects()
	e.vault.Land(credential.Staging{Rotation: "rotation-0", Phase: credential.StagingIdle, Instance: "instance"})
	e.rec.Last = credential.Last{Rotation: "rotation-0", Outcome: "done"}
	e.rec.Rotation.Fence, e.rec.Rotation.Unsettled = 1, &credential.Moment{At: e.world.Wall, Boot: "another boot"}
	if o := e.run(t, rotation.EffectSettle); o.Finding != rotation.FoundNotDone {
		t.Errorf("%s %q: %s", o.Result, o.Finding, o.Failure.Text)
	}
}

// Where a client has one secret, a submitted value has replaced the old one, and nobody is asked which that was.
func TestOneSecretAtATimeHasNoOldOneToName(t *testing.T) {
	rec := overlapped()
	r := rec.Rotation
	r.Caps.Mode, r.Old, r.New = credential.ModeHardCutover, credential.Secret{}, credential.Secret{}
	d := rotation.Plan(rec, at(noon()))
	if d.Record.Hold != nil || d.Effect != rotation.EffectNegative || !d.Record.Rotation.Revoked {
		t.Errorf("hold %+v, %q, revoked %t", d.Record.Hold, d.Effect, d.Record.Rotation.Revoked)
	}
	rec.Hold = &credential.Hold{Code: credential.HoldWhichSecret, Since: noon().Add(-time.Hour)}
	if _, err := rotation.Resume(credential.ResolveDiscard, "secret-9")(rec, rotation.Person{Name: "anna"}, at(noon())); err == nil {
		t.Error("the only secret of a client may be discarded")
	}
}

// Two processes fence one attempt, one after the other. The record knows the first fence, and the second one created.
func TestTheFenceThatWasWrittenLastIsLookedAround(t *testing.T) {
	e := newEffects()
	e.provider.Caps.Labels, e.rec.Rotation.Caps.Labels = false, false
	first := e.world.Wall
	e.world.Advance(time.Hour)
	e.world.Faults[1] = model.LostReply
	e.create(t.Context())
	r := e.rec.Rotation
	r.Fence, r.FenceAt, r.Unsettled = 1, first, &credential.Moment{At: first, Boot: "another boot"}
	e.world.Advance(time.Hour)
	e.fault(2, model.Rejected)
	if o := e.run(t, rotation.EffectSettle); o.Result != rotation.NotDone {
		t.Fatalf("%s %q; want a list that fails after the next fence", o.Result, o.Finding)
	}
	if o := e.run(t, rotation.EffectSettle); o.Finding != rotation.FoundOrphan {
		t.Errorf("%s %q; want the secret of the second fence", o.Result, o.Finding)
	}
}

// The value of the new secret is lost, and the provider has dropped the old one already: what it shows of the end is
// nothing, and the old one's own expiry means nothing any more.
func TestALostSecretIsJudgedByTheGrace(t *testing.T) {
	rec := under(credential.PhaseIntent)
	r := rec.Rotation
	r.Caps = credential.Capabilities{Mode: credential.ModeGraceWindow, Grace: time.Hour, StartReadable: true}
	r.New, r.Staged, r.Unsettled = credential.Secret{}, 0, &credential.Moment{At: noon(), Boot: "boot"}
	after := rotation.Apply(rec, rotation.EffectSettle, rotation.Outcome{Result: rotation.Done, Finding: rotation.FoundLost}, at(noon().Add(2*time.Hour))).Record
	if h := after.Hold; h == nil || !h.Deadline.Equal(r.FenceAt.Add(time.Hour)) {
		t.Errorf("hold %+v; want the end of the grace at %s", h, r.FenceAt.Add(time.Hour))
	}
}

// Slots are full before anything was created. The secret that a person discards is nobody's attempt: this one goes on, and
// what an older state has forgotten of it is found.
func TestADiscardBeforeTheCreateEndsNoAttempt(t *testing.T) {
	e := newEffects()
	surplus := e.discardSurplus(t, credential.HoldSlotsFull)
	r := e.rec.Rotation
	if r.Phase != credential.PhaseIntent || r.Attempt != 1 || r.Orphan != "" || len(e.provider.Revoked) != 1 || e.provider.Revoked[0] != surplus {
		t.Errorf("phase %s, attempt %d, orphan %q, revoked %v", r.Phase, r.Attempt, r.Orphan, e.provider.Revoked)
	}
}

// A new secret is deleted again so soon that the server which is asked may not know it yet, and neither may the list.
func TestAnIdThatIsNotKnownYetIsNotGone(t *testing.T) {
	for waited, want := range map[time.Duration]rotation.Result{0: rotation.Unknown, time.Hour: rotation.Done} {
		e := newEffects()
		e.until(t, credential.PhaseStaged)
		d, err := rotation.Resume(credential.ResolveAbort, "")(e.rec, rotation.Person{Name: "anna"}, e.now())
		if err != nil {
			t.Fatal(err)
		}
		e.rec = d.Record
		if waited > 0 {
			e.provider.Drop(1)
		}
		e.world.Advance(waited)
		e.fault(3, model.Missing)
		e.fault(4, model.Stale)
		if o := e.run(t, rotation.EffectCompensate); o.Result != want || e.world.Hit != 2 {
			t.Errorf("after %s: %s, %d faults; want %s", waited, o.Result, e.world.Hit, want)
		}
	}
}

// A wall clock that was a year ahead has dated a promote. When it is right again the overlap does not last for a year; by
// a clock that is wrong now nothing is changed.
func TestAnOverlapThatWasDatedAheadIsCountedAnew(t *testing.T) {
	rec := overlapped()
	r := rec.Rotation
	r.PromotedAt, r.RevokeAfter = noon().Add(365*day), noon().Add(365*day+r.Policy.Overlap)
	now := at(noon())
	if d := rotation.Plan(rec, now); d.Effect != rotation.EffectGate {
		t.Fatalf("%q, due %s for %s; want an independent clock to be asked", d.Effect, d.Record.Due, d.Record.DueFor)
	}
	wrong := rotation.Apply(rec, rotation.EffectGate, rotation.Outcome{Result: rotation.Done, Clock: noon().Add(365 * day)}, now).Record
	if wrong.Rotation.RevokeAfter.Before(noon().Add(365*day)) || wrong.Backoff.Until.Before(noon().Add(time.Minute)) {
		t.Errorf("one clock alone: the overlap ends at %s, asked again at %s", wrong.Rotation.RevokeAfter, wrong.Backoff.Until)
	}
	behind := at(noon().Add(-7 * time.Hour))
	behind.NextLook = noon().Add(30 * day)
	rec.Rotation.PromotedAt, rec.Rotation.RevokeAfter = noon(), noon().Add(r.Policy.Overlap)
	soon := rotation.Apply(rec, rotation.EffectGate, rotation.Outcome{Result: rotation.Done, Clock: noon()}, behind).Record
	if got := soon.Backoff.Until; !got.Equal(rec.Rotation.RevokeAfter) {
		t.Errorf("a clock that was set back: asked again at %s; want the end of the overlap, %s", got, rec.Rotation.RevokeAfter)
	}
	rec.Rotation.PromotedAt, rec.Rotation.RevokeAfter = noon().Add(365*day), noon().Add(365*day+r.Policy.Overlap)
	right := rotation.Apply(rec, rotation.EffectGate, rotation.Outcome{Result: rotation.Done, Clock: noon().Add(time.Second)}, now).Record
	if got := right.Rotation.RevokeAfter; right.Phase() != credential.PhaseOverlap || !got.Equal(noon().Add(r.Policy.Overlap)) {
		t.Errorf("phase %s, the overlap ends at %s; want it to last from now", right.Phase(), got)
	}
}
