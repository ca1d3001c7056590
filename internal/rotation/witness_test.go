package rotation_test

import (
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/model"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/providers"
)

// These are rules about a witness that has fallen silent, and about who is asked instead.

// A process has sent a create and died, and a backup of Vault was restored: no fence tells of it any more. The next
// process asks the provider before it sends one.
func TestASecondProcessLooksForTracesOfACreate(t *testing.T) {
	for _, labels := range []bool{true, false} {
		e := newEffects()
		e.provider.Caps.Labels, e.rec.Rotation.Caps.Labels = labels, labels
		e.rec.Rotation.SinceBoot = "another boot"
		e.rec.Rotation.Before = []credential.Secret{{ID: "secret-1"}}
		e.world.Faults[2] = model.CrashAfter // inspect, fence, create
		func() {
			defer func() { _ = recover() }()
			e.create(t.Context())
		}()
		e.vault.Restore(e.world.Wall.Add(-time.Hour))
		o := e.create(t.Context())
		if o.Result != rotation.Unknown || e.provider.Creates != 1 {
			t.Errorf("labels %t: %s after %d creates; want it to be unknown whether there was one", labels, o.Result, e.provider.Creates)
		}
		after := rotation.Apply(e.rec, rotation.EffectCreate, o, e.now()).Record
		if after.Rotation.Unsettled == nil || after.Rotation.Fence == 0 {
			t.Errorf("labels %t: %+v; want it to be settled before anything new is made", labels, after.Rotation)
		}
	}
}

// A second process that finds nothing goes on at once.
func TestASecondProcessGoesOnWhereNothingWasMade(t *testing.T) {
	e := newEffects()
	e.rec.Rotation.SinceBoot = "another boot"
	e.rec.Rotation.Before = []credential.Secret{{ID: "secret-1"}}
	if o := e.create(t.Context()); o.Result != rotation.Done || e.provider.Creates != 1 {
		t.Errorf("%+v after %d creates", o, e.provider.Creates)
	}
}

// Vault refuses the fence because one stands there, and shows none a moment later: a backup was restored in between.
func TestAFenceThatIsGoneAgainIsAnUnknownCreate(t *testing.T) {
	e := newEffects()
	e.vault.Before = func(credential.Staging) {
		e.vault.Land(credential.Staging{Rotation: e.rec.Rotation.ID, Phase: credential.StagingIntent, Instance: "instance", Boot: "another boot"})
		e.vault.Before = nil
	}
	e.world.Calling = func(_ int, call string) {
		if call == "vault.read" {
			e.vault.Restore(e.world.Wall.Add(-time.Hour))
		}
	}
	if o := e.create(t.Context()); o.Result != rotation.Unknown || e.provider.Creates != 0 {
		t.Errorf("%s %q after %d creates; want it to be unknown whether there was one", o.Result, o.Failure.Text, e.provider.Creates)
	}
}

// An earlier attempt that was settled as "nothing created" has landed after all: the next settle takes it back.
func TestALateCreateOfAnEarlierAttemptIsSettled(t *testing.T) {
	e := newEffects()
	if _, err := e.provider.Create(t.Context(), providers.Target{}, providers.Request{Label: "rotad/" + e.rec.Rotation.ID + "/1"}); err != nil {
		t.Fatal(err)
	}
	r := e.rec.Rotation
	r.Attempt, r.Unsettled, r.Before = 2, &credential.Moment{At: e.world.Wall, Boot: "boot"}, []credential.Secret{{ID: "secret-1"}}
	e.vault.Land(credential.Staging{Rotation: r.ID, Attempt: 2, Phase: credential.StagingIntent, Instance: "instance", Boot: "boot"})
	r.Fence = 1
	if o := e.run(t, rotation.EffectSettle); o.Finding != rotation.FoundOrphan || o.Orphan == "" {
		t.Errorf("%s %q; want the secret of the first attempt to be found", o.Result, o.Finding)
	}
}

// Between the gate and the revoke somebody deletes the new secret, and the provider's logins do not know it yet.
func TestTheListIsASecondWitnessBeforeARevoke(t *testing.T) {
	e := newEffects()
	e.provider.Seed(true) // so that the old one is not the only one
	e.until(t, credential.PhaseRevoking)
	e.world.Advance(time.Hour)
	calls := len(e.world.Trace)
	e.world.Faults[calls+2] = model.Stale // the answer to the login
	e.provider.DeleteValue(e.vault.Hands())
	if o := e.run(t, rotation.EffectRevoke); o.Finding != rotation.FoundElsewhere || len(e.provider.Revoked) != 0 || e.world.Hit != 1 {
		t.Errorf("%s %q after %v, revoked %v", o.Result, o.Finding, e.world.Trace[calls:], e.provider.Revoked)
	}
}

// Where nobody knows which of the listed secrets is Vault's, no list shows that it was deleted: the login is asked.
func TestASecretWithoutAnIDIsTriedAtEveryLook(t *testing.T) {
	e := newEffects()
	e.rec.Rotation, e.rec.Sight, e.rec.Proved, e.rec.Version, e.rec.Current = nil, credential.SightUnknownID, true, 1, credential.Secret{}
	e.provider.Seed(true)
	e.provider.Seed(true)
	e.provider.DeleteValue(e.vault.Hands())
	for range 2 {
		e.rec = rotation.Apply(e.rec, rotation.EffectLook, e.run(t, rotation.EffectLook), e.now()).Record
	}
	if h := e.rec.Hold; h == nil || h.Code != credential.HoldMismatch {
		t.Errorf("hold %+v; want people to hear that Vault's value is refused", h)
	}
}

// A value that rotad chose has been set, its process has died, and a restored backup has taken the pending entry away.
func TestAChosenValueThatVaultHasLostIsTakenBackFirst(t *testing.T) {
	e := newEffects()
	e.provider.Caps.Mode, e.rec.Rotation.Caps.Mode = credential.ModeCaller, credential.ModeCaller
	e.rec.Rotation.SinceBoot = "another boot"
	e.rec.Rotation.Before = []credential.Secret{{ID: "secret-1"}}
	if _, err := e.provider.Create(t.Context(), providers.Target{}, providers.Request{Label: "rotad/" + e.rec.Rotation.ID + "/1"}); err != nil {
		t.Fatal(err)
	}
	creates := e.provider.Creates
	o := e.create(t.Context())
	after := rotation.Apply(e.rec, rotation.EffectCreate, o, e.now()).Record
	if o.Finding != rotation.FoundOrphan || e.provider.Creates != creates || after.Phase() != credential.PhaseCompensating {
		t.Errorf("%s %q, %d creates, phase %s", o.Result, o.Finding, e.provider.Creates-creates, after.Phase())
	}
}

// What this process failed to do says nothing about what the one before it did.
func TestAnAbortAfterARestartFindsOutFirst(t *testing.T) {
	for boot, over := range map[string]bool{"boot": true, "another boot": false} {
		rec := under(credential.PhaseIntent)
		r := rec.Rotation
		r.Fence, r.FenceAt, r.Asked, r.SinceBoot = 0, time.Time{}, "boot", boot
		d, err := rotation.Resume(credential.ResolveAbort, "")(rec, rotation.Person{Name: "anna"}, at(noon()))
		if err != nil || (d.Record.Rotation == nil) != over {
			t.Errorf("begun by %s: %+v, %v; want it to be over: %t", boot, d.Record.Rotation, err, over)
		}
		if r := d.Record.Rotation; !over && r != nil && r.Unsettled == nil {
			t.Errorf("begun by %s: nobody finds out what was created", boot)
		}
	}
}

// Versions of staging begin anew after a restore. An entry that Vault wrote after the last rotation is of a later one.
func TestANewEntryWithAnOldNumberIsTakenUp(t *testing.T) {
	rec := steady(60 * day)
	rec.Last = credential.Last{Rotation: "rotation-0", At: noon().Add(-day), Outcome: "done", Staged: 9, StagedAt: noon().Add(-day)}
	for written, taken := range map[time.Duration]bool{-2 * day: false, -time.Hour: true} {
		l := look(rec)
		l.Staging = credential.Entry{Version: 2, Created: noon().Add(written), Staging: credential.Staging{
			Rotation: "rotation-1", Attempt: 1, Phase: credential.StagingStaged, Instance: "instance", New: credential.Secret{ID: "secret-2"}, Consumer: 3,
		}}
		d := rotation.Apply(rec, rotation.EffectLook, rotation.Outcome{Result: rotation.Done, Look: l}, env(noon(), policy()))
		if (d.Record.Rotation != nil) != taken {
			t.Errorf("written %s ago: rotation %v", -written, d.Record.Rotation)
		}
	}
}

// The fence of a submit proves that Vault can be written to. Nothing is created for it, and nothing is taken up.
func TestTheFenceOfASubmitIsNoRotation(t *testing.T) {
	e := newEffects()
	e.rec.Rotation = nil
	if _, err := e.executor.Writable(t.Context(), e.rec, "rotation-9"); err != nil {
		t.Fatal(err)
	}
	rec := steady(60 * day)
	l := look(rec)
	entry, err := e.vault.Staging(t.Context(), "")
	if err != nil || entry.Phase != credential.StagingIntent {
		t.Fatalf("%+v, %v", entry, err)
	}
	l.Staging = entry
	if d := rotation.Apply(rec, rotation.EffectLook, rotation.Outcome{Result: rotation.Done, Look: l}, env(noon(), policy())); d.Record.Rotation != nil {
		t.Errorf("taken up: %+v", d.Record.Rotation)
	}
}

// A person brings a value for a client that rotad rotates itself. Which secret that is nobody knows, so that none is named
// as the old one.
func TestASubmitDoesNotNameTheOldSecret(t *testing.T) {
	rec := steady(60 * day)
	rec.Hold = &credential.Hold{Code: credential.HoldMismatch, Since: noon(), Retry: true}
	o := rotation.Outcome{Result: rotation.Done, Finding: rotation.FoundStaged, Version: 2, At: noon()}
	d, err := rotation.Submit(rec, o, rotation.Person{Name: "anna"}, rotation.Expiry{}, env(noon(), policy()))
	if err != nil || d.Record.Rotation.Old.ID != "" {
		t.Errorf("old %+v, %v", d.Record.Rotation.Old, err)
	}
}

// A destroy that was refused is tried again, and meanwhile a backup was restored: a version of the same value is what
// consumers read.
func TestASweepLeavesAValueThatVaultHandsOutAgain(t *testing.T) {
	for _, again := range []bool{false, true} {
		e := newEffects()
		e.until(t, credential.PhaseRevoking)
		value := e.vault.Value(1)
		if again {
			e.vault.Seed(value)
		}
		e.rec.Rotation, e.rec.Cleanup = nil, &credential.Cleanup{Consumer: []int{1}}
		o := e.run(t, rotation.EffectSweep)
		if kept := e.vault.Value(1) != ""; o.Result != rotation.Done || kept != again {
			t.Errorf("handed out again %t: %s, kept %t", again, o.Result, kept)
		}
	}
}

// The provider shows another value than Vault's, under an id that an old answer had taught us: the value decides.
func TestAnotherValueAtTheProviderIsAChange(t *testing.T) {
	rec := steady(60 * day)
	rec.Caps.Mode, rec.Caps.Readable = credential.ModeHardCutover, true
	for back, held := range map[rotation.ReadBack]bool{rotation.ReadEqual: false, rotation.ReadOther: true, rotation.ReadNot: false} {
		l := look(rec)
		l.ReadBack = back
		d := rotation.Apply(rec, rotation.EffectLook, rotation.Outcome{Result: rotation.Done, Look: l}, env(noon(), policy()))
		if got := d.Record.Hold != nil && d.Record.Hold.Code == credential.HoldChangedElsewhere; got != held {
			t.Errorf("read back %q: hold %+v, want one: %t", back, d.Record.Hold, held)
		}
	}
}

// The machine slept in the middle of a look. What was accepted before may have ended since.
func TestALookFromBeforeASleepIsNotJudged(t *testing.T) {
	rec := steady(60 * day)
	rec.Sight, rec.Current = credential.SightNone, credential.Secret{}
	l := look(steady(60 * day))
	for age, judged := range map[time.Duration]bool{time.Minute: true, 10 * day: false} {
		l.At = noon().Add(-age)
		for _, effect := range []rotation.Effect{rotation.EffectLook, rotation.EffectPrepare} {
			d := rotation.Apply(rec, effect, rotation.Outcome{Result: rotation.Done, Look: l}, env(noon(), policy()))
			if got := d.Record.Sight != credential.SightNone; got != judged || !judged && d.Record.NextLook.After(noon()) {
				t.Errorf("%s %s old: sight %q, next look %s", effect, age, d.Record.Sight, d.Record.NextLook)
			}
		}
	}
}

// A promote has failed, or another process verified the secret: it is asked about again before it replaces one that works.
func TestAProofIsRepeatedWithThePromote(t *testing.T) {
	for name, spoil := range map[string]func(*effects){
		"a failure":       func(e *effects) { e.rec.Backoff.Attempts = 1 },
		"another process": func(e *effects) { e.rec.Rotation.SinceBoot = "another boot" },
	} {
		e := newEffects()
		e.until(t, credential.PhaseVerified)
		e.provider.DeleteValue(e.vault.Staged())
		spoil(e)
		if o := e.run(t, rotation.EffectPromote); o.Finding != rotation.FoundRefused || e.vault.Versions() != 1 {
			t.Errorf("after %s: %s %q, %d versions; want nothing to be published", name, o.Result, o.Finding, e.vault.Versions())
		}
	}
}

// What was revoked was not what had the old value. A person who sees that can end the rotation, and keeps the old secret.
func TestARevokeOfTheWrongSecretCanBeEnded(t *testing.T) {
	rec := overlapped()
	r := rec.Rotation
	r.Phase, r.Revoked = credential.PhaseRevoking, true
	rec.Hold = &credential.Hold{Code: credential.HoldAttempts, Since: noon()}
	d, err := rotation.Resume(credential.ResolveAbort, "")(rec, rotation.Person{Name: "anna"}, at(noon()))
	if err != nil || d.Record.Hold != nil || d.Record.Rotation.Negative != credential.NegativeNotProved {
		t.Fatalf("%+v, %v", d.Record.Rotation, err)
	}
	if next := rotation.Plan(d.Record, at(noon())); next.Effect != rotation.EffectCleanUp {
		t.Errorf("%q, want the rotation to end", next.Effect)
	}
}

// A restored backup has brought the value of an ended rotation back into staging: it keeps nobody from bringing a new one.
func TestAnOldValueInStagingDoesNotStopASubmit(t *testing.T) {
	for last, refused := range map[int]bool{0: true, 5: false} {
		e := newEffects()
		e.rec.Rotation = nil
		e.rec.Last = credential.Last{Rotation: "rotation-8", Outcome: "aborted", Staged: last, StagedAt: e.world.Wall}
		if last == 0 {
			e.rec.Last = credential.Last{}
		}
		e.vault.Land(credential.Staging{Rotation: "rotation-7", Attempt: 1, Phase: credential.StagingStaged, Instance: "instance"})
		if _, err := e.executor.Writable(t.Context(), e.rec, "rotation-9"); (err != nil) != refused {
			t.Errorf("the last rotation staged version %d: %v", last, err)
		}
	}
}

// A cutover whose state was lost had been permitted, be it by a person for a secret that has leaked. That the configuration
// forbids cutovers does not end it between its two secrets.
func TestACutoverThatIsTakenUpWasPermitted(t *testing.T) {
	rec := steady(60 * day)
	rec.Caps.Mode, rec.Client.AllowCut = credential.ModeHardCutover, false
	l := look(rec)
	l.Staging = credential.Entry{Version: 2, Created: noon().Add(-time.Hour), Staging: credential.Staging{
		Rotation: "rotation-1", Attempt: 1, Phase: credential.StagingIntent, Instance: "instance", Consumer: 3, FencedAt: noon().Add(-time.Hour),
	}}
	d := rotation.Apply(rec, rotation.EffectLook, rotation.Outcome{Result: rotation.Done, Look: l}, env(noon(), policy()))
	if r := d.Record.Rotation; r == nil || !r.Cutover || !r.Client.AllowCut || d.Record.Client.AllowCut {
		t.Errorf("rotation %+v; want a permitted cutover, and a client whose next one is not", r)
	}
}

// Somebody replaces the secret while a look is under way: the list was read before that, the value after it. The old one ends
// with the provider's grace then, not at the end that the list has shown.
func TestAReplacementDuringALookEndsWithTheGrace(t *testing.T) {
	rec := steady(60 * day)
	rec.Caps.Mode, rec.Caps.Readable, rec.Caps.Grace = credential.ModeGraceWindow, true, time.Hour
	l := look(rec)
	l.ReadBack, l.Snapshot.Caps = rotation.ReadOther, rec.Caps
	d := rotation.Apply(rec, rotation.EffectLook, rotation.Outcome{Result: rotation.Done, Look: l}, env(noon(), policy()))
	if h := d.Record.Hold; h == nil || h.Code != credential.HoldChangedElsewhere || !h.Deadline.Equal(noon().Add(time.Hour)) {
		t.Errorf("%+v, want a deadline in an hour", h)
	}
}
