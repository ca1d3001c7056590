package rotation_test

import (
	"context"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/model"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/providers"
)

// A provider that cannot do it says so once. Nothing was made, so nothing is left to be tried again.
func TestACreateThatTheProviderCannotDoEndsTheRotation(t *testing.T) {
	unsupported := rotation.Outcome{
		Result: rotation.NotDone, Failure: rotation.Failure{Class: providers.ClassUnsupported, Text: "no such thing here"}, Fence: 2,
	}
	rec := under(credential.PhaseIntent)
	rec.Rotation.New, rec.Rotation.Staged, rec.Rotation.Fence = credential.Secret{}, 0, 0
	d := rotation.Apply(rec, rotation.EffectCreate, unsupported, at(noon()))
	if d.Record.Rotation != nil || d.Record.Hold == nil || d.Record.Hold.Code != credential.HoldAttempts || d.Record.Backoff.Attempts != 0 {
		t.Fatalf("rotation %v, hold %+v, %+v", d.Record.Rotation, d.Record.Hold, d.Record.Backoff)
	}
	if d = rotation.Plan(d.Record, at(noon().Add(time.Minute))); d.Record.Rotation != nil {
		t.Error("it begins again by itself")
	}

	replaced := under(credential.PhaseIntent) // an earlier attempt has replaced the old secret, and its value is lost
	replaced.Rotation.Fence, replaced.Rotation.Replaced = 0, true
	if d = rotation.Apply(replaced, rotation.EffectCreate, unsupported, at(noon())); d.Record.Rotation == nil {
		t.Error("a rotation is dropped that cannot go back")
	}
}

// Whoever accepts what Vault hands out during an overlap may mean the secret that rotad has just published.
func TestAcceptingVaultInAnOverlapKnowsTheOwnSecret(t *testing.T) {
	for name, test := range map[string]struct {
		version int
		want    credential.FirstSight
	}{
		"it is still there":         {4, credential.SightAdopted},
		"somebody has written over": {5, credential.SightUnknownID},
	} {
		t.Run(name, func(t *testing.T) {
			rec := overlapped()
			rec.Version = 4
			rec.Hold = &credential.Hold{Code: credential.HoldChangedElsewhere, Since: noon()}
			old, fresh := rec.Rotation.Old, rec.Rotation.New
			d, err := rotation.Resume(credential.ResolveAcceptVault, "")(rec, rotation.Person{Name: "anna"}, at(noon()))
			if err != nil {
				t.Fatal(err)
			}
			seen := &rotation.Look{Found: true, Version: test.version, HasValue: true, Answer: providers.Accepted, Random: providers.Refused}
			seen.Snapshot = providers.Snapshot{Caps: rec.Caps, Secrets: []credential.Secret{old, fresh}}
			d = rotation.Apply(d.Record, rotation.EffectLook, rotation.Outcome{Result: rotation.Done, Look: seen}, at(noon()))
			if d.Record.Sight != test.want || (d.Record.Current.ID == fresh.ID) != (test.want == credential.SightAdopted) {
				t.Errorf("sight %q of %q", d.Record.Sight, d.Record.Current.ID)
			}
		})
	}
}

// plain hides what a provider can do beyond looking, making and proving.
type plain struct{ providers.Provider }

// stubborn says that it cannot end the previous secret.
type stubborn struct{ *model.Provider }

func (stubborn) Revoke(context.Context, providers.Target, string) error {
	return &providers.Error{Class: providers.ClassUnsupported, Operation: "revoke"}
}

// Where the policy wants an early end and the provider cannot give it, its own timer is waited for. For a secret that has
// leaked that is not good enough.
func TestAnEarlyEndThatCannotBeHadIsWaitedFor(t *testing.T) {
	for name, test := range map[string]struct {
		of    func(*model.Provider) providers.Provider
		cause credential.CauseKind
		want  rotation.Finding
	}{
		"the kind has no revoke":    {func(p *model.Provider) providers.Provider { return plain{p} }, credential.CauseScheduled, rotation.FoundWaiting},
		"it says that it cannot":    {func(p *model.Provider) providers.Provider { return stubborn{p} }, credential.CauseScheduled, rotation.FoundWaiting},
		"it cannot, and it leaked":  {func(p *model.Provider) providers.Provider { return stubborn{p} }, credential.CauseCompromised, rotation.FoundNothing},
		"no revoke, and it leaked":  {func(p *model.Provider) providers.Provider { return plain{p} }, credential.CauseCompromised, rotation.FoundNothing},
		"it can, and the end is it": {func(p *model.Provider) providers.Provider { return p }, credential.CauseScheduled, rotation.FoundNothing},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEffects()
			window := credential.Capabilities{Mode: credential.ModeGraceWindow, Grace: 7 * day, SlotRevoke: true, StartReadable: true}
			e.provider.Caps, e.rec.Caps, e.rec.Rotation.Caps = window, window, window
			before, err := e.provider.Inspect(t.Context(), providers.Target{})
			if err != nil {
				t.Fatal(err)
			}
			o := e.create(t.Context())
			if o.Result != rotation.Done {
				t.Fatalf("%+v", o)
			}
			r := e.rec.Rotation
			r.Old = before.Secrets[0]
			r.Phase, r.New, r.Staged, r.OldDies = credential.PhaseRevoking, o.Secret, o.Version, o.OldDies
			r.Policy.DeleteEarly, r.Cause.Kind = true, test.cause
			now := at(e.world.Wall)
			now.Timing = e.provider.Timing()
			promoted := e.executor.Run(t.Context(), e.provider, e.rec, rotation.EffectPromote, now)
			r.Promoted = promoted.Version
			o = e.executor.Run(t.Context(), test.of(e.provider), e.rec, rotation.EffectRevoke, now)
			if o.Finding != test.want || (o.Result == rotation.Done) != (name == "it can, and the end is it") {
				t.Errorf("%s %q: %+v", o.Result, o.Finding, o.Failure)
			}
		})
	}
}
