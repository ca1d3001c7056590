package rotation_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/providers"
)

// These are rules of the protocol that nothing asked for until a mutant broke them.

// windowed is a policy with a window of an hour a day.
func windowed() credential.Policy {
	return credential.Policy{
		Name: "default", Start: credential.StartAuto, Lifetime: 90 * day, RotateBefore: 14 * day, Overlap: 3 * day,
		Window: credential.WindowSpec{Cron: "0 9 * * *", Duration: time.Hour},
	}
}

// tomorrow is a window that opens tomorrow.
type tomorrow struct{}

func (tomorrow) Next(t time.Time) time.Time { return t.Add(day) }
func (tomorrow) Contains(time.Time) bool    { return false }

// at is what a decision depends on at a moment, while the window is open.
func at(now time.Time) rotation.Env {
	e := env(now, windowed())
	e.FreshID = "rotation-2"
	e.Windows = func(credential.WindowSpec) credential.Window { return credential.Always{} }
	return e
}

func twoSlot() credential.Capabilities {
	return credential.Capabilities{Mode: credential.ModeTwoSlot, Labels: true, StartReadable: true}
}

// under is a client with a rotation under way in a phase.
func under(phase credential.Phase) credential.Record {
	client := credential.Client{
		ID: "billing", Provider: "idp", Ref: credential.Ref{"client_id": "billing"}, Policy: "default",
		Vault: credential.VaultPath{Mount: "secret", Path: "apps/billing"},
	}
	old := credential.Secret{ID: "secret-1", Start: noon().Add(-80 * day), Expires: noon().Add(10 * day)}
	return credential.Record{
		Client: client, Since: noon().Add(-80 * day), Sight: credential.SightAdopted, Proved: true, Version: 3, Caps: twoSlot(), Current: old,
		Looked: noon(), NextLook: noon().Add(time.Hour), Boot: "boot",
		Rotation: &credential.Rotation{
			ID: "rotation-1", Attempt: 1, Phase: phase, Since: noon(), Started: noon(), Client: client, Policy: windowed(), Caps: twoSlot(),
			Before: []credential.Secret{old}, Old: old, OldVersion: 3, Fence: 1, FenceAt: noon(),
			New: credential.Secret{ID: "secret-2", Start: noon()}, Staged: 2, StagedAt: noon(),
		},
	}
}

// overlapped is a client whose overlap is over.
func overlapped() credential.Record {
	rec := under(credential.PhaseOverlap)
	rec.Rotation.Promoted, rec.Rotation.RevokeAfter = 4, noon().Add(-time.Minute)
	return rec
}

func TestNothingStopsWhatHasBeenCreated(t *testing.T) {
	stops := map[string]func(*credential.Record, *rotation.Env){
		"a shut window": func(_ *credential.Record, e *rotation.Env) {
			e.Windows = func(credential.WindowSpec) credential.Window { return tomorrow{} }
		},
		"a hold by a person": func(r *credential.Record, e *rotation.Env) {
			d, err := rotation.HoldBy(*r, rotation.Person{Name: "anna"}, *e)
			if err != nil {
				t.Fatal(err)
			}
			*r = d.Record
		},
		"no creates": func(_ *credential.Record, e *rotation.Env) { e.NoCreate = "little-disk" },
		"leaving":    func(r *credential.Record, _ *rotation.Env) { r.Leaving = true },
		"observe":    func(_ *credential.Record, e *rotation.Env) { e.Policy.Start = credential.StartObserve },
	}
	for name, stop := range stops {
		for _, phase := range []credential.Phase{credential.PhaseIntent, credential.PhaseStaged, credential.PhaseVerified} {
			t.Run(name+"/"+string(phase), func(t *testing.T) {
				rec, e := under(phase), at(noon())
				stop(&rec, &e)
				if d := rotation.Plan(rec, e); d.Effect == rotation.EffectNone {
					t.Errorf("a created secret waits for %s until %s", d.Reason, d.Record.Due)
				}
			})
		}
	}
}

func TestOneSuccessIsNotEnough(t *testing.T) {
	rec := under(credential.PhaseStaged)
	answer := func(a providers.Answer) {
		o := rotation.Outcome{Result: rotation.Done, Answer: a}
		rec = rotation.Apply(rec, rotation.EffectVerify, o, at(noon())).Record
	}
	for i := range credential.DefaultSuccesses - 1 {
		answer(providers.Accepted)
		if rec.Phase() != credential.PhaseStaged {
			t.Fatalf("phase %s after %d successes", rec.Phase(), i+1)
		}
	}
	answer(providers.Refused) // another node of the provider does not know it yet
	for range credential.DefaultSuccesses - 1 {
		answer(providers.Accepted)
	}
	if rec.Phase() != credential.PhaseStaged {
		t.Errorf("phase %s, although the successes were not in a row", rec.Phase())
	}
	if answer(providers.Accepted); rec.Phase() != credential.PhaseVerified {
		t.Errorf("phase %s after enough successes in a row, want verified", rec.Phase())
	}
}

func TestAServerThatAsksToWaitIsLeftAlone(t *testing.T) {
	o := rotation.Outcome{Result: rotation.NotDone, Failure: rotation.Failure{Class: providers.ClassThrottled, Text: "too many", After: 20 * time.Minute}}
	d := rotation.Apply(under(credential.PhaseOverlap), rotation.EffectRevoke, o, at(noon()))
	if again := d.Record.Backoff.Until; again.Before(noon().Add(20 * time.Minute)) {
		t.Errorf("it is asked again at %s, before it may be", again)
	}
}

func TestAttemptsComeBeforeTheExpiry(t *testing.T) {
	rec, now := under(credential.PhaseStaged), noon()
	ends := now.Add(40 * time.Minute)
	rec.Rotation.OldDies = ends
	last := now
	for range 60 {
		o := rotation.Outcome{Result: rotation.NotDone, Failure: rotation.Failure{Class: providers.ClassUnavailable, Text: "away"}}
		rec = rotation.Apply(rec, rotation.EffectPromote, o, at(now)).Record
		if pause := rec.Backoff.Until.Sub(now); pause > 5*time.Minute {
			t.Fatalf("a pause of %s while a created secret is not published", pause)
		}
		if now = rec.Backoff.Until; now.After(ends) {
			break
		}
		last = now
	}
	if left := ends.Sub(last); left > time.Minute {
		t.Errorf("the last attempt comes %s before the secret in use ends", left)
	}
}

func TestAHoldStopsARevoke(t *testing.T) {
	for _, phase := range []credential.Phase{credential.PhaseOverlap, credential.PhaseRevoking} {
		rec := overlapped()
		rec.Rotation.Phase = phase
		if d := rotation.Plan(rec, at(noon())); d.Effect == rotation.EffectNone {
			t.Fatalf("%s: nothing is done without a hold either", phase)
		}
		d, err := rotation.HoldBy(rec, rotation.Person{Name: "anna"}, at(noon()))
		if err != nil {
			t.Fatal(err)
		}
		if d = rotation.Plan(d.Record, at(noon())); d.Effect != rotation.EffectNone {
			t.Errorf("%s: %s although a person holds the client", phase, d.Effect)
		}
	}
}

func TestQuiescenceIsNotCountedFromTheIntent(t *testing.T) {
	rec, e := under(credential.PhaseIntent), at(noon())
	rec.Rotation.Unsettled = &credential.Moment{At: noon().Add(-day), Boot: "an earlier process", Elapsed: time.Hour}
	e.Elapsed = time.Second
	d := rotation.Plan(rec, e)
	if d.Effect != rotation.EffectNone || d.Record.Due.Before(noon().Add(e.Timing.Deadline)) {
		t.Errorf("%s, due %s: the request of another process may still land", d.Effect, d.Record.Due)
	}
}

func TestAPreviousSecretThatCountsDownIsLeftAlone(t *testing.T) {
	rec, e := under(credential.PhaseSteady), at(noon())
	rec.Rotation = nil
	rec.Caps = credential.Capabilities{Mode: credential.ModeGraceWindow, Grace: 7 * day, StartReadable: true}
	rec.Request.Rotate = true
	rec.Current.Slot = providers.SlotCurrent
	look := &rotation.Look{Found: true, Version: rec.Version, HasValue: true, Answer: providers.Accepted, Random: providers.Refused}
	look.Snapshot = providers.Snapshot{Caps: rec.Caps, Secrets: []credential.Secret{
		rec.Current, {ID: "secret-0", Slot: providers.SlotPrevious, Expires: noon().Add(day)},
	}}
	d := rotation.Apply(rec, rotation.EffectPrepare, rotation.Outcome{Result: rotation.Done, Look: look}, e)
	if d.Record.Rotation != nil || d.Record.Hold == nil || d.Record.Hold.Code != credential.HoldNoOverlap {
		t.Errorf("rotation %v, hold %+v; want no-overlap", d.Record.Rotation, d.Record.Hold)
	}
	look.Snapshot.Secrets = look.Snapshot.Secrets[:1]
	if d = rotation.Apply(rec, rotation.EffectPrepare, rotation.Outcome{Result: rotation.Done, Look: look}, e); d.Record.Rotation == nil {
		t.Errorf("without it nothing begins either: %+v", d.Record.Hold)
	}
}

func TestEveryAttemptHasItsOwnLabel(t *testing.T) {
	seen := map[string]string{}
	for _, id := range []string{"rotation-1", "rotation-2"} {
		for attempt := 1; attempt <= 3; attempt++ {
			label := rotation.Label(&credential.Rotation{ID: id, Attempt: attempt, Started: noon()})
			who := fmt.Sprintf("attempt %d of %s", attempt, id)
			if other, taken := seen[label]; taken {
				t.Errorf("%s and %s are both called %q: an orphan of one is taken for the other", other, who, label)
			}
			seen[label] = who
		}
	}
}

// A provider's word that a secret is gone is not enough: the old value is tried, and what was done is written down.
func TestARevokeIsWrittenDownAndTried(t *testing.T) {
	rec := overlapped()
	rec.Rotation.Phase = credential.PhaseRevoking
	var events []credential.Event
	apply := func(e rotation.Effect, o rotation.Outcome) {
		d := rotation.Plan(rec, at(noon()))
		if d.Effect != e {
			t.Fatalf("%s is next, want %s", d.Effect, e)
		}
		d = rotation.Apply(d.Record, e, o, at(noon()))
		for _, a := range d.Audit {
			if a.Secret == "secret-1" {
				events = append(events, a.Event)
			}
		}
		rec = d.Record
	}
	apply(rotation.EffectRevoke, rotation.Outcome{Result: rotation.Done})
	apply(rotation.EffectNegative, rotation.Outcome{Result: rotation.Done, Old: providers.Refused})
	apply(rotation.EffectCleanUp, rotation.Outcome{Result: rotation.Done})
	if want := []credential.Event{credential.EventRevoked, credential.EventOldRefused}; !slices.Equal(events, want) {
		t.Errorf("written down of the old secret: %v, want %v", events, want)
	}
	if rec.Last.Negative != credential.NegativeProved {
		t.Errorf("the negative test ended with %q", rec.Last.Negative)
	}
}

// A client that is overdue on the day on which it is registered is looked at, and nothing more.
func TestTheFirstLookOnlyLooks(t *testing.T) {
	rec := under(credential.PhaseSteady)
	rec.Rotation, rec.Sight, rec.Current, rec.Version = nil, credential.SightNone, credential.Secret{}, 0
	ends := credential.Secret{ID: "secret-1", Start: noon().Add(-89 * day), Expires: noon().Add(day)}
	look := &rotation.Look{Found: true, Version: 3, HasValue: true, Answer: providers.Accepted, Random: providers.Refused}
	look.Snapshot = providers.Snapshot{Caps: rec.Caps, Secrets: []credential.Secret{ends}}
	e := at(noon())
	d := rotation.Apply(rec, rotation.EffectLook, rotation.Outcome{Result: rotation.Done, Look: look}, e)
	if d.Record.Rotation != nil || d.Record.Sight != credential.SightAdopted {
		t.Errorf("sight %q, rotation %v; want adopted and nothing under way", d.Record.Sight, d.Record.Rotation)
	}
	if due := rotation.DueAt(d.Record, e.Policy); !due.Before(noon()) {
		t.Errorf("it is not overdue (%s), so this shows nothing", due)
	}
}
