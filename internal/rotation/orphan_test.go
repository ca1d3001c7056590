package rotation_test

import (
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/providers"
)

func orphan() credential.Secret {
	return credential.Secret{ID: "secret-7", Label: credential.Label("rotation-0", 2), Start: noon().Add(-day)}
}

// Anybody can write a label. Only a rotation that this client's history knows makes a secret rotad's own.
func TestWhoseASecretIs(t *testing.T) {
	history := []credential.Audit{
		{Event: credential.EventPromoted, Rotation: "rotation-0"},
		{Event: credential.EventCreated, Rotation: "rotation-0", Secret: "secret-5"},
		{Event: credential.EventIntent, Rotation: "rotation-0"},
		{Event: credential.EventRevoked, Rotation: "rotation-0", Secret: "secret-1"},
		{Event: credential.EventSettled, Rotation: "rotation-9"},
	}
	for name, test := range map[string]struct {
		secret credential.Secret
		made   string
	}{
		"the label of a rotation of this client": {orphan(), "rotation-0"},
		"the id is on record":                    {credential.Secret{ID: "secret-5"}, "rotation-0"},
		"the label of a rotation of nobody here": {credential.Secret{ID: "x", Label: credential.Label("rotation-1", 1)}, ""},
		"a rotation that never intended it":      {credential.Secret{ID: "x", Label: credential.Label("rotation-9", 1)}, ""},
		"a label that only begins alike":         {credential.Secret{ID: "x", Label: "rotad/rotation-0"}, ""},
		"an id that was revoked, not made":       {credential.Secret{ID: "secret-1"}, ""},
		"neither id nor label":                   {credential.Secret{}, ""},
		"somebody's":                             {credential.Secret{ID: "x", Label: "backup"}, ""},
	} {
		made, ok := rotation.MadeHere(test.secret, history)
		if made != test.made || ok != (test.made != "") {
			t.Errorf("%s: %q %t, want %q", name, made, ok, test.made)
		}
	}
}

// A secret is let go only where it is certain that nobody uses it.
func TestWhatIsNotLetGo(t *testing.T) {
	for name, change := range map[string]func(*credential.Record, *credential.Secret, *rotation.Env, *string){
		"it is not ours":     func(_ *credential.Record, _ *credential.Secret, _ *rotation.Env, made *string) { *made = "" },
		"it has no id":       func(_ *credential.Record, s *credential.Secret, _ *rotation.Env, _ *string) { s.ID = "" },
		"vault hands it out": func(r *credential.Record, s *credential.Secret, _ *rotation.Env, _ *string) { s.ID = r.Current.ID },
		"a person says that it is in vault": func(r *credential.Record, s *credential.Secret, _ *rotation.Env, _ *string) {
			r.Client.CurrentID = s.ID
		},
		"what vault hands out has no id": func(r *credential.Record, _ *credential.Secret, _ *rotation.Env, _ *string) { r.Current.ID = "" },
		"the client was not adopted": func(r *credential.Record, _ *credential.Secret, _ *rotation.Env, _ *string) {
			r.Sight = credential.SightUnknownID
		},
		"a rotation is under way": func(r *credential.Record, _ *credential.Secret, _ *rotation.Env, _ *string) {
			r.Rotation = &credential.Rotation{Phase: credential.PhaseOverlap}
		},
		"it is held": func(r *credential.Record, _ *credential.Secret, _ *rotation.Env, _ *string) {
			r.Hold = &credential.Hold{Code: credential.HoldForeignWrite}
		},
		"the client is leaving": func(r *credential.Record, _ *credential.Secret, _ *rotation.Env, _ *string) { r.Leaving = true },
		"the policy only watches": func(_ *credential.Record, _ *credential.Secret, e *rotation.Env, _ *string) {
			e.Policy.Start = credential.StartObserve
		},
		"one secret replaces another": func(r *credential.Record, _ *credential.Secret, _ *rotation.Env, _ *string) {
			r.Caps.Mode = credential.ModeGraceWindow
		},
		"it was let go already": func(r *credential.Record, s *credential.Secret, _ *rotation.Env, _ *string) {
			r.Orphans = []credential.Orphan{{ID: s.ID}}
		},
	} {
		rec, secret, at, made := steady(60*day), orphan(), env(noon(), policy()), "rotation-0"
		change(&rec, &secret, &at, &made)
		d, err := rotation.LetGo(secret, made)(rec, rotation.Person{Name: "anna"}, at)
		if err == nil || len(d.Record.Orphans) > 0 {
			t.Errorf("%s: it was let go", name)
		}
	}
	rec := steady(60 * day)
	d, err := rotation.LetGo(orphan(), "rotation-0")(rec, rotation.Person{Name: "anna"}, env(noon(), policy()))
	if err != nil || len(d.Record.Orphans) != 1 || d.Record.Orphans[0].By != "anna" {
		t.Fatalf("%+v, %v", d.Record.Orphans, err)
	}
	if d = rotation.Plan(d.Record, env(noon(), policy())); d.Effect != rotation.EffectDiscard {
		t.Errorf("planned %q, want it to be deleted", d.Effect)
	}
}

// What is named and not deleted yet waits while somebody has to look, and for its next try.
func TestWhenAnOrphanIsDeleted(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*credential.Record, *rotation.Env)
		due    bool
	}{
		"at once":                 {func(*credential.Record, *rotation.Env) {}, true},
		"it is held by now":       {func(r *credential.Record, _ *rotation.Env) { r.Hold = &credential.Hold{Code: credential.HoldByPerson} }, false},
		"the policy only watches": {func(_ *credential.Record, e *rotation.Env) { e.Policy.Start = credential.StartObserve }, false},
		"it failed a moment ago":  {func(r *credential.Record, _ *rotation.Env) { r.Orphans[0].Next = noon().Add(time.Minute) }, false},
		"a clock was ahead":       {func(r *credential.Record, _ *rotation.Env) { r.Orphans[0].Next = noon().Add(300 * day) }, true},
	} {
		rec, at := steady(60*day), env(noon(), policy())
		rec.Orphans = []credential.Orphan{{ID: "secret-7", Rotation: "rotation-0"}}
		test.change(&rec, &at)
		d := rotation.Plan(rec, at)
		if (d.Effect == rotation.EffectDiscard) != test.due {
			t.Errorf("%s: planned %q", name, d.Effect)
		}
		if !test.due && d.Record.Due.IsZero() {
			t.Errorf("%s: it is never due again", name)
		}
	}
}

// What became of it is written down; what failed is tried again, ever more rarely, and not for ever.
func TestWhatBecomesOfAnOrphan(t *testing.T) {
	rec := steady(60 * day)
	rec.Orphans = []credential.Orphan{{ID: "secret-7", Rotation: "rotation-0", By: "anna"}, {ID: "secret-8", Rotation: "rotation-0"}}
	gone := rotation.Outcome{Result: rotation.Done, Orphan: "secret-7"}
	d := rotation.Apply(rec, rotation.EffectDiscard, gone, env(noon(), policy()))
	if len(d.Record.Orphans) != 1 || d.Record.Orphans[0].ID != "secret-8" || len(d.Audit) != 1 || d.Audit[0].Secret != "secret-7" || d.Audit[0].Detail != "deleted" || d.Audit[0].Actor != "anna" {
		t.Errorf("deleted: %+v, %+v", d.Record.Orphans, d.Audit)
	}
	used := rotation.Outcome{Result: rotation.NotDone, Finding: rotation.FoundElsewhere, Failure: rotation.Failure{Text: "somebody uses it"}, Orphan: "secret-7"}
	d = rotation.Apply(rec, rotation.EffectDiscard, used, env(noon(), policy()))
	if len(d.Record.Orphans) != 1 || d.Audit[0].Detail != "kept: somebody uses it" {
		t.Errorf("kept: %+v, %+v", d.Record.Orphans, d.Audit)
	}
	tries := 0
	for now := noon(); len(rec.Orphans) == 2; tries++ {
		failed := rotation.Outcome{Result: rotation.Unknown, Failure: rotation.Failure{Text: "no answer"}, Orphan: "secret-7"}
		d = rotation.Apply(rec, rotation.EffectDiscard, failed, env(now, policy()))
		if rec = d.Record; len(rec.Orphans) == 2 && !rec.Orphans[0].Next.After(now) || tries > 100 {
			t.Fatalf("try %d: next %s at %s", tries, rec.Orphans[0].Next, now)
		}
		now = now.Add(time.Hour)
	}
	if tries < 3 {
		t.Errorf("given up after %d tries", tries)
	}
}

// strays is a steady client in a modelled world, with an orphan beside its secret that a person has let go.
func strays(t *testing.T) (e *effects, value string) {
	t.Helper()
	e = newEffects()
	e.rec.Rotation = nil
	snap, err := e.provider.Inspect(t.Context(), providers.Target{})
	if err != nil {
		t.Fatal(err)
	}
	e.rec.Current, e.rec.Version, e.rec.Sight = snap.Secrets[0], 1, credential.SightAdopted
	e.rec.Last.At = noon().Add(-day)
	label := credential.Label("rotation-0", 1)
	made, err := e.provider.Create(t.Context(), providers.Target{}, providers.Request{Label: label})
	if err != nil {
		t.Fatal(err)
	}
	e.rec.Orphans = []credential.Orphan{{ID: made.Secret.ID, Label: label, Rotation: "rotation-0"}}
	return e, made.Bundle.Secret().Reveal()
}

// Right before an orphan is deleted everything is looked at anew. It stays wherever anything speaks for somebody who uses it.
func TestAnOrphanStaysWhereSomebodyMayUseIt(t *testing.T) {
	for name, test := range map[string]struct {
		change func(e *effects, value string)
		gone   bool
	}{
		"nobody uses it":                       {func(*effects, string) {}, true},
		"it is gone already":                   {func(e *effects, _ string) { e.provider.Delete(-1) }, true},
		"vault hands it out by now":            {func(e *effects, value string) { e.vault.Seed(value) }, false},
		"somebody has written to vault":        {func(e *effects, _ string) { e.vault.Seed("a value of somebody") }, false},
		"the current one was deleted by hand":  {func(e *effects, _ string) { e.provider.Delete(0) }, false},
		"the current one has expired":          {func(e *effects, _ string) { e.provider.Expire(e.rec.Current.ID, noon().Add(-time.Hour)) }, false},
		"the record names it as the current":   {func(e *effects, _ string) { e.rec.Current.ID = e.rec.Orphans[0].ID }, false},
		"a person has said that it is current": {func(e *effects, _ string) { e.rec.Client.CurrentID = e.rec.Orphans[0].ID }, false},
		"its label was another one":            {func(e *effects, _ string) { e.rec.Orphans[0].Label = credential.Label("rotation-0", 2) }, false},
		"it was used since":                    {func(e *effects, _ string) { e.provider.Use(e.rec.Orphans[0].ID, noon().Add(-time.Hour)) }, false},
		"it was used before the last rotation": {func(e *effects, _ string) { e.provider.Use(e.rec.Orphans[0].ID, noon().Add(-2*day)) }, true},
	} {
		e, value := strays(t)
		id := e.rec.Orphans[0].ID
		test.change(e, value)
		o := e.run(t, rotation.EffectDiscard)
		_, listed := func() (credential.Secret, bool) {
			snap, _ := e.provider.Inspect(t.Context(), providers.Target{})
			return snap.Find(id)
		}()
		if (o.Result == rotation.Done) != test.gone || listed == test.gone || o.Orphan != id {
			t.Errorf("%s: %s %q (%s), listed %t", name, o.Result, o.Finding, o.Failure.Text, listed)
		}
		if !test.gone && (o.Finding == rotation.FoundNothing || o.Failure.Text == "") {
			t.Errorf("%s: it would be tried again, or nobody would hear why: %+v", name, o)
		}
	}
}
