package rotation_test

import (
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/providers"
)

// first is a first secret that stands in staging and is being verified.
func first() credential.Record {
	rec := steady(90 * day)
	rec.Sight, rec.Proved, rec.Current = credential.SightEmpty, false, credential.Secret{}
	rec.Rotation = &credential.Rotation{
		ID: "rotation-1", Attempt: 1, Phase: credential.PhaseStaged, Since: noon(), Client: rec.Client,
		Policy: policy(), Caps: rec.Caps, New: credential.Secret{ID: "secret-1"}, Staged: 2,
	}
	return rec
}

func TestVerifierThatAcceptsAnythingPublishesNothing(t *testing.T) {
	rec := first()
	for range 5 {
		o := rotation.Outcome{Result: rotation.Done, Answer: providers.Accepted, Random: providers.Accepted}
		rec = rotation.Apply(rec, rotation.EffectVerify, o, env(noon(), policy())).Record
	}
	if rec.Phase() != credential.PhaseStaged || rec.Hold == nil || rec.Hold.Code != credential.HoldCannotVerify {
		t.Errorf("phase %s, hold %+v; want staged and cannot-verify", rec.Phase(), rec.Hold)
	}
}

func TestFirstSecretIsVerifiedByAVerifierThatRefuses(t *testing.T) {
	rec := first()
	for i := range credential.DefaultSuccesses {
		o := rotation.Outcome{Result: rotation.Done, Answer: providers.Accepted}
		if i == 0 {
			o.Random = providers.Refused
		}
		rec = rotation.Apply(rec, rotation.EffectVerify, o, env(noon(), policy())).Record
	}
	if rec.Phase() != credential.PhaseVerified || !rec.Proved {
		t.Errorf("phase %s, proved %t; want verified", rec.Phase(), rec.Proved)
	}
}

func TestFirstSecretNeedsNoEarlierProof(t *testing.T) {
	rec := steady(90 * day)
	rec.Sight, rec.Proved, rec.Version, rec.Client.Bootstrap = credential.SightEmpty, false, 0, true
	l := look(rec)
	l.HasValue, l.Answer, l.Random = false, providers.Unknown, providers.Unknown
	d := rotation.Apply(rec, rotation.EffectPrepare, rotation.Outcome{Result: rotation.Done, Look: l}, env(noon(), policy()))
	if d.Record.Phase() != credential.PhaseIntent {
		t.Errorf("phase %s, hold %+v; want intent", d.Record.Phase(), d.Record.Hold)
	}
}

// TestRefusedRequestIsWithdrawn: "rotad rotate" that ends in a hold must not begin by itself when the hold ends.
func TestRefusedRequestIsWithdrawn(t *testing.T) {
	rec := steady(90 * day)
	rec.Request.Rotate = true
	l := look(rec)
	l.Answer = providers.Refused
	e := env(noon(), policy())
	d := rotation.Apply(rec, rotation.EffectPrepare, rotation.Outcome{Result: rotation.Done, Look: l}, e)
	if d.Record.Hold != nil || !d.Record.Request.Rotate {
		t.Fatalf("one refusal was believed: hold %+v", d.Record.Hold)
	}
	d = rotation.Apply(d.Record, rotation.EffectPrepare, rotation.Outcome{Result: rotation.Done, Look: l}, e)
	if d.Record.Hold == nil || d.Record.Request.Rotate {
		t.Fatalf("hold %+v, request %+v; want held and withdrawn", d.Record.Hold, d.Record.Request)
	}
	resumed, err := rotation.Resume(credential.ResolveRetry, "")(d.Record, rotation.Person{Name: "anna"}, e)
	if err != nil {
		t.Fatal(err)
	}
	if d = rotation.Plan(resumed.Record, e); d.Effect == rotation.EffectPrepare {
		t.Error("the refused request began a rotation after all")
	}
}

// Whatever keeps a new client from being judged, it is not asked again in the same moment, and again, and again.
func TestAClientThatCannotBeJudgedIsLeftInPeace(t *testing.T) {
	unknown, foreign := look(steady(day)), look(steady(day))
	unknown.Answer, unknown.Failure = providers.Unknown, rotation.Failure{Class: providers.ClassUnavailable, Text: "no answer"}
	foreign.Staging = credential.Entry{Version: 3, Staging: credential.Staging{Instance: "another"}}
	for name, l := range map[string]*rotation.Look{"not found": {}, "no answer": unknown, "another rotad": foreign} {
		t.Run(name, func(t *testing.T) {
			rec := steady(day)
			rec.Sight, rec.Current, rec.NextLook = credential.SightNone, credential.Secret{}, noon()
			now, looks := noon(), 0
			for now.Before(noon().Add(time.Hour)) {
				e := env(now, policy())
				d := rotation.Plan(rec, e)
				if d.Effect == rotation.EffectLook {
					looks++
					d = rotation.Apply(d.Record, d.Effect, rotation.Outcome{Result: rotation.Done, Look: l}, e)
					d = rotation.Plan(d.Record, e)
				}
				if rec = d.Record; !rec.Due.After(now) {
					t.Fatalf("after %d looks it is due for %s at once", looks, rec.DueFor)
				}
				now = rec.Due
			}
			if looks < 1 || looks > 15 {
				t.Errorf("%d looks in an hour", looks)
			}
		})
	}
}
