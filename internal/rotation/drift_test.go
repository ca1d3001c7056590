package rotation_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
)

// looked lets a client be looked at, with other secrets beside its own.
func looked(rec credential.Record, p credential.Policy, change func(*rotation.Look)) rotation.Decision {
	l := look(rec)
	change(l)
	return rotation.Apply(rec, rotation.EffectLook, rotation.Outcome{Result: rotation.Done, Look: l}, env(noon(), p))
}

func beside(secrets ...credential.Secret) func(*rotation.Look) {
	return func(l *rotation.Look) { l.Snapshot.Secrets = append(slices.Clone(l.Snapshot.Secrets), secrets...) }
}

func drifts(d rotation.Decision) (texts []string) {
	for _, a := range d.Audit {
		if a.Event == credential.EventDrift {
			texts = append(texts, a.Detail)
		}
	}
	return texts
}

// What somebody makes or changes at the provider by hand is written down once, and by policy a person is called.
func TestWhatWasChangedByHandIsSeen(t *testing.T) {
	other, mine := credential.Secret{ID: "by-hand", Start: noon()}, credential.Secret{ID: "ours", Label: credential.Label("rotation-0", 1)}
	slot, gone := credential.Secret{ID: "slot", Slot: "previous"}, credential.Secret{ID: "gone", Expires: noon().Add(-time.Hour)}
	ends := func(at time.Time) func(*rotation.Look) {
		return func(l *rotation.Look) {
			l.Snapshot.Secrets = slices.Clone(l.Snapshot.Secrets)
			l.Snapshot.Secrets[0].Expires = at
		}
	}
	for name, test := range map[string]struct {
		change func(*rotation.Look)
		says   string
	}{
		"nothing":                     {beside(), ""},
		"another secret":              {beside(other), "somebody has made the secret by-hand"},
		"one that was there before":   {beside(credential.Secret{ID: "before"}), ""},
		"one with a label of rotad":   {beside(mine), ""},
		"one in a slot":               {beside(slot), ""},
		"one that has expired":        {beside(gone), ""},
		"it ends earlier":             {ends(noon().Add(10 * day)), "ends 2026-03-12T12:00:00Z now"},
		"it ends, told more exactly":  {ends(noon().Add(60*day + 300*time.Millisecond)), ""},
		"it does not say the end now": {ends(time.Time{}), ""},
		"it never ends now": {func(l *rotation.Look) {
			ends(time.Time{})(l)
			l.Snapshot.Secrets[0].Never = true
		}, "ends never now"},
	} {
		for _, onDrift := range []credential.OnDrift{"", credential.DriftNote, credential.DriftHold} {
			rec, p := steady(60*day), policy()
			rec.Beside, rec.BesideAt, p.Drift = []string{"before"}, noon().Add(-time.Hour), onDrift
			d := looked(rec, p, test.change)
			said := strings.Join(drifts(d), "; ")
			if (test.says == "") != (said == "") || !strings.Contains(said, test.says) {
				t.Errorf("%s: %q, want %q", name, said, test.says)
			}
			held := d.Record.Hold != nil && d.Record.Hold.Code == credential.HoldByHand
			if held != (test.says != "" && onDrift == credential.DriftHold) {
				t.Errorf("%s, drift: %s: hold %+v", name, onDrift, d.Record.Hold)
			}
			again := looked(d.Record, p, test.change)
			if len(drifts(again)) > 0 {
				t.Errorf("%s: it is said twice: %v", name, drifts(again))
			}
			told := slices.Contains(kindsOf(d), credential.NoticeDrift)
			if told != (test.says != "" && onDrift != credential.DriftHold) || slices.Contains(kindsOf(again), credential.NoticeDrift) {
				t.Errorf("%s, drift: %s: told %v, then %v; want it told once where nobody is called", name, onDrift, kindsOf(d), kindsOf(again))
			}
			if d.Effect == rotation.EffectRevoke || d.Effect == rotation.EffectDiscard {
				t.Errorf("%s: it is repaired", name)
			}
		}
	}
}

// The first look, and the first after a rotation, only notes who is there: that proves nothing about when they came.
func TestTheFirstLookIsNoDrift(t *testing.T) {
	rec, p := steady(60*day), policy()
	p.Drift = credential.DriftHold
	d := looked(rec, p, beside(credential.Secret{ID: "before"}))
	if len(drifts(d)) > 0 || d.Record.Hold != nil || !slices.Equal(d.Record.Beside, []string{"before"}) || d.Record.BesideAt.IsZero() {
		t.Errorf("%v, hold %+v, noted %v at %s", drifts(d), d.Record.Hold, d.Record.Beside, d.Record.BesideAt)
	}
}

// A person who has seen it lets the client go on with a word, and is not called for the same again.
func TestDriftThatWasSeenHoldsNobody(t *testing.T) {
	rec, p := steady(60*day), policy()
	rec.BesideAt, p.Drift = noon().Add(-time.Hour), credential.DriftHold
	there := beside(credential.Secret{ID: "by-hand"})
	rec = looked(rec, p, there).Record
	d, err := rotation.Resume(credential.ResolveRetry, "")(rec, rotation.Person{Name: "anna"}, env(noon(), p))
	if err != nil || d.Record.Hold != nil {
		t.Fatalf("hold %+v, %v", d.Record.Hold, err)
	}
	if d = looked(d.Record, p, there); d.Record.Hold != nil {
		t.Errorf("held again: %+v", d.Record.Hold)
	}
}

// Two changes are two notices, each with what it is about. Where a person makes every secret there is nothing to tell.
func TestEveryChangeByHandIsToldOnce(t *testing.T) {
	for name, test := range map[string]struct {
		start credential.Start
		held  bool
		want  string
	}{
		"it rotates by itself":         {credential.StartAuto, false, "first, second"},
		"it is held for another thing": {credential.StartAuto, true, "first, second"},
		"a person makes every secret":  {credential.StartObserve, false, ""},
	} {
		rec, p := steady(60*day), policy()
		rec.BesideAt, p.Start, p.Drift = noon().Add(-time.Hour), test.start, credential.DriftNote
		if test.held {
			rec.Hold, p.Drift = &credential.Hold{Code: credential.HoldByPerson, Since: noon()}, credential.DriftHold
		}
		keys, made := map[string]bool{}, []string{}
		var there []credential.Secret
		for i, id := range []string{"first", "second"} {
			there = append(there, credential.Secret{ID: id})
			l := look(rec)
			beside(there...)(l)
			d := rotation.Apply(rec, rotation.EffectLook, rotation.Outcome{Result: rotation.Done, Look: l}, env(noon().Add(time.Duration(i)*time.Hour), p))
			for _, n := range d.Notices {
				if n.Kind == credential.NoticeDrift && !keys[n.Key] && !n.Admins {
					keys[n.Key], made = true, append(made, n.Facts.ByHand.Made...)
				}
			}
			rec = d.Record
		}
		if got := strings.Join(made, ", "); got != test.want {
			t.Errorf("%s: told %q, want %q", name, got, test.want)
		}
	}
}
