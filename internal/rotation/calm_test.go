package rotation_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
)

// TestWaitingIsNeverDueNow: a decision without an effect lies in the future, whatever the record looks like; else the
// loop would decide the same for ever.
func TestWaitingIsNeverDueNow(t *testing.T) {
	sights := []credential.FirstSight{credential.SightAdopted, credential.SightUnknownID, credential.SightEmpty, credential.SightMismatch}
	modes := []credential.Mode{credential.ModeTwoSlot, credential.ModeGraceWindow, credential.ModeHardCutover, credential.ModeManual, credential.ModeUnknown}
	starts := []credential.Start{credential.StartAuto, credential.StartApprove, credential.StartObserve}
	holds := []*credential.Hold{nil, {Code: credential.HoldMismatch, Retry: true}, {Code: credential.HoldByPerson}}
	count := 0
	for _, sight := range sights {
		for _, mode := range modes {
			for _, start := range starts {
				for h, hold := range holds {
					for _, left := range []time.Duration{-day, time.Hour, 2 * day, 10 * day, 60 * day, 200 * day} {
						rec, p := steady(left), policy()
						rec.Sight, rec.Caps.Mode, p.Start, rec.Hold = sight, mode, start, hold
						waits(t, rec, p, fmt.Sprintf("%s %s %s hold %d left %s", sight, mode, start, h, left))
						count++
					}
				}
			}
		}
	}
	t.Logf("%d records", count)
}

func waits(t *testing.T, rec credential.Record, p credential.Policy, what string) {
	t.Helper()
	d := rotation.Plan(rec, env(noon(), p))
	if d.Effect == rotation.EffectNone && !d.Record.Due.After(noon()) {
		t.Errorf("%s: nothing to do (%s), and due at once (%s)", what, d.Reason, d.Record.DueFor)
	}
}
