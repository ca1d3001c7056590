package scheduler

import (
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/model"
	"github.com/rotad/rotad/providers"
)

// TestLateStageIsAdopted: the process dies with a created secret whose staging write is still under way. The write lands
// in the very moment in which the next attempt is fenced. Vault's compare-and-swap decides: the secret is adopted, and
// nothing is deleted that somebody may come to depend on.
func TestLateStageIsAdopted(t *testing.T) {
	m := overlapModes()[0]
	plain := newLife(m)
	plain.untilRotated(t)
	l := newLife(m)
	l.world.Faults[pointsOf(plain.world.Trace).create] = model.CrashAfter
	landed := false
	l.vault.Before = func(s credential.Staging) {
		if s.Phase != credential.StagingIntent || s.Attempt != 2 || landed {
			return
		}
		landed = true
		late := s
		late.Attempt, late.Phase = 1, credential.StagingStaged
		late.New = credential.Secret{ID: "secret-3", Start: l.world.Wall}
		late.Bundle = credential.Bundle{
			credential.FieldClientID: credential.NewSensitive("client"), credential.FieldClientSecret: credential.NewSensitive("value-3"),
		}
		l.vault.Land(late)
	}
	l.untilRotated(t)
	l.judge(t, m)
	if !landed {
		t.Fatal("no second attempt was fenced")
	}
	if l.vault.Hands() != "value-3" || l.provider.Creates != 1 {
		t.Errorf("Vault hands out %q after %d creates, want the adopted one\n%s", l.vault.Hands(), l.provider.Creates, l.story())
	}
}

// TestPropagationIsWaitedFor: a new secret is refused for half a minute. It is published only once it is accepted.
func TestPropagationIsWaitedFor(t *testing.T) {
	m := overlapModes()[0]
	l := newLife(m)
	l.until(t, "sighted", func(r credential.Record) bool { return r.Sight != credential.SightNone })
	l.provider.Slow = 30 * time.Second
	l.untilRotated(t)
	l.judge(t, m)
}

// TestForeignWriteIsNeverWrittenOver: somebody else writes the consumer path while the new secret is verified.
func TestForeignWriteIsNeverWrittenOver(t *testing.T) {
	m := overlapModes()[0]
	l := newLife(m)
	l.until(t, "staged", func(r credential.Record) bool { return r.Rotation != nil })
	l.vault.Seed("somebody else's value")
	for range 30 {
		l.runNow()
		l.world.Advance(time.Minute)
		l.world.Broken = nil
	}
	if got := l.vault.Hands(); got != "somebody else's value" {
		t.Errorf("Vault hands out %q: a foreign write was written over\n%s", got, l.story())
	}
	if h := l.store.rec.Hold; h == nil || h.Code != credential.HoldForeignWrite {
		t.Errorf("hold %+v, want vault-foreign-write", h)
	}
}

// TestRemovedOldSecretHolds: somebody deletes the old secret during the overlap.
func TestRemovedOldSecretHolds(t *testing.T) {
	l, _ := intoOverlap(t)
	old := l.store.rec.Rotation.Old.ID
	before := l.provider.Before
	l.provider.Before = nil
	if err := l.provider.Revoke(t.Context(), providers.Target{Client: "billing"}, old); err != nil {
		t.Fatal(err)
	}
	l.provider.Before = before
	l.until(t, "held", func(r credential.Record) bool { return r.Hold != nil })
	if got := l.store.rec.Hold.Code; got != credential.HoldChangedElsewhere {
		t.Errorf("hold %s, want changed-elsewhere", got)
	}
}
