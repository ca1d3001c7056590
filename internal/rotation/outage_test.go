package rotation_test

import (
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/providers"
)

// TestAnOutageNeedsNobody: a server that is away for hours pages, and attempts go on; when it is back, the hold ends.
func TestAnOutageNeedsNobody(t *testing.T) {
	rec := first()
	rec.Rotation.Phase, rec.Rotation.New, rec.Rotation.Staged = credential.PhaseIntent, credential.Secret{}, 0
	now := noon()
	away := rotation.Outcome{Result: rotation.NotDone, Failure: rotation.Failure{Class: providers.ClassUnavailable, Text: "connection refused"}}
	for range 30 {
		d := rotation.Plan(rec, env(now, policy()))
		if d.Effect == rotation.EffectCreate {
			d = rotation.Apply(d.Record, d.Effect, away, env(now, policy()))
			d = rotation.Plan(d.Record, env(now, policy()))
		}
		if rec = d.Record; !rec.Due.After(now) || rec.Due.After(now.Add(2*time.Hour)) {
			t.Fatalf("due %s at %s: attempts do not go on (hold %+v)", rec.Due, now, rec.Hold)
		}
		now = rec.Due
	}
	if rec.Hold == nil || !rec.Hold.Paging {
		t.Fatalf("hold %+v, want one that pages", rec.Hold)
	}
	back := rotation.Outcome{Result: rotation.Done, Finding: rotation.FoundStaged, Version: 2, Secret: credential.Secret{ID: "secret-1"}}
	if d := rotation.Apply(rec, rotation.EffectCreate, back, env(now, policy())); d.Record.Hold != nil {
		t.Errorf("hold %+v after success, want none", d.Record.Hold)
	}
}
