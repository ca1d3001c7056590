package rotation_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/providers"
)

// compromise says that the secret has leaked.
func (w *wave) compromise(t *testing.T) {
	t.Helper()
	d, err := rotation.Compromised(w.rec, rotation.Person{Name: "anna", Reason: "it stood in a log"}, w.now())
	if err != nil {
		t.Fatal(err)
	}
	w.rec = d.Record
}

// steadyWave is the client with nothing under way, its destinations served.
func steadyWave(t *testing.T) *wave {
	t.Helper()
	w := newWave()
	w.until(t, credential.PhaseOverlap)
	w.rec.Client = w.rec.Rotation.Client
	w.turn(t, 10*day)
	if w.rec.Rotation != nil {
		t.Fatal(w.rec.Phase())
	}
	w.did = nil
	return w
}

// The window is closed, a destination is down, and a consumer is ill: nothing of that keeps the old secret alive.
func TestACompromisedSecretIsRevokedAtOnce(t *testing.T) {
	w := steadyWave(t)
	w.window = from(w.world.Wall.Add(100 * day))
	w.down["raw"], w.ill["web-1?"] = true, true
	leaked := w.rec.Current.ID
	w.compromise(t)
	done := w.turn(t, 5*time.Minute)
	if !slices.Contains(w.provider.Revoked, leaked) {
		t.Fatalf("after five minutes %s is still accepted: %v, phase %s, hold %+v", leaked, done, w.rec.Phase(), w.rec.Hold)
	}
	if w.got["env"].Version != 3 {
		t.Error("the destination that works was not served")
	}
}

func TestConsumersOfACompromisedSecretAreReloadedAllTheSame(t *testing.T) {
	w := steadyWave(t)
	w.compromise(t)
	w.turn(t, time.Hour)
	if w.done() != "web-1 web-1? web-2 web-2? batch" || w.rec.Rotation != nil {
		t.Errorf("%s, phase %s, hold %+v", w.done(), w.rec.Phase(), w.rec.Hold)
	}
	if last := w.rec.Last; last.Negative != credential.NegativeProved {
		t.Errorf("the old one: %s", last.Negative)
	}
}

// A rotation that has published is cut short, and another one follows: either of its two secrets may be the one that leaked.
// One that has not published is enough.
func TestACompromiseCutsARotationShort(t *testing.T) {
	for phase, want := range map[credential.Phase]int{credential.PhaseOverlap: 3, credential.PhaseStaged: 2, credential.PhaseVerified: 2} {
		w := newWave()
		w.rec.Rotation.Client.Reloads = nil
		w.until(t, phase)
		w.rec.Client = w.rec.Rotation.Client
		w.compromise(t)
		w.turn(t, 10*time.Minute)
		live := 0
		for _, s := range w.provider.Secrets() {
			if s.Live {
				live++
			}
		}
		if w.rec.Rotation != nil || w.rec.Version != want || live != 1 {
			t.Errorf("in %s: ends in %s with version %d (want %d) and %d secrets that log in", phase, w.rec.Phase(), w.rec.Version, want, live)
		}
	}
}

func TestACompromiseEndsWhatStillCountsDown(t *testing.T) {
	rec := steady(60 * day)
	rec.Caps = credential.Capabilities{Mode: credential.ModeGraceWindow, Grace: 7 * day, SlotRevoke: true, StartReadable: true}
	rec.Current.Slot = providers.SlotCurrent
	l := look(rec)
	l.Snapshot.Secrets = []credential.Secret{rec.Current, {ID: "before", Slot: providers.SlotPrevious, Expires: noon().Add(3 * day)}}
	for _, leaked := range []bool{true, false} {
		rec.Request = credential.Request{Rotate: true, Compromised: leaked}
		d := rotation.Apply(rec, rotation.EffectPrepare, rotation.Outcome{Result: rotation.Done, Look: l}, at(noon()))
		begun := d.Record.Rotation != nil
		if begun != leaked {
			t.Errorf("compromised %t: begun %t, hold %+v", leaked, begun, d.Record.Hold)
		}
		if begun && (!d.Record.Rotation.Policy.DeleteEarly || d.Record.Rotation.Policy.Overlap != 0) {
			t.Errorf("its policy: %+v", d.Record.Rotation.Policy)
		}
	}
}

func TestWhatCannotBeRotatedByRotadIsSaid(t *testing.T) {
	manual, watched, held := steady(60*day), steady(60*day), steady(60*day)
	manual.Caps.Mode = credential.ModeManual
	held.Hold = &credential.Hold{Code: credential.HoldForeignWrite}
	observe := policy()
	observe.Start = credential.StartObserve
	for name, test := range map[string]struct {
		rec    credential.Record
		policy credential.Policy
		hint   string
	}{
		"manual":  {manual, policy(), "--old-removed"},
		"watched": {watched, observe, "start: auto"},
		"held":    {held, policy(), "--accept-vault"},
	} {
		_, err := rotation.Compromised(test.rec, rotation.Person{Name: "anna"}, env(noon(), test.policy))
		no, ok := errors.AsType[*rotation.Refusal](err)
		if !ok || !strings.Contains(no.Hint, test.hint) {
			t.Errorf("%s: %v, want a refusal with %q", name, err, test.hint)
		}
	}
}
