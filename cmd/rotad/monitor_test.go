package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/oracle"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/providers"
)

// watched is a monitor at noon, and what it has found.
func watched() (monitor, *[]string) {
	found := &[]string{}
	return monitor{
		now: func() time.Time { return monday() },
		broken: func(client string, b oracle.Broken) {
			*found = append(*found, client+" "+b.Invariant)
		},
	}, found
}

// sound is the record of a client in the middle of a rotation, with nothing wrong about it.
func sound(phase credential.Phase) credential.Record {
	rec := credential.Record{
		Client: credential.Client{ID: "billing"}, Sight: credential.SightAdopted, Version: 4, Due: monday(),
		Caps:    credential.Capabilities{Mode: credential.ModeTwoSlot},
		Current: credential.Secret{ID: "new", Expires: monday().Add(90 * aDay)},
	}
	if phase == credential.PhaseSteady {
		return rec
	}
	rec.Rotation = &credential.Rotation{
		ID: "r", Attempt: 1, Phase: phase, Caps: rec.Caps, Old: credential.Secret{ID: "old"}, OldVersion: 3,
		New: credential.Secret{ID: "new"}, Staged: 2, Promoted: 4, Orphan: "orphan",
	}
	return rec
}

func changed(rec credential.Record, change func(*credential.Record)) credential.Record {
	change(&rec)
	return rec
}

func TestTheMonitorSeesBrokenRecords(t *testing.T) {
	for name, test := range map[string]struct {
		rec     credential.Record
		archive bool
		want    []string
	}{
		"a steady client":       {sound(credential.PhaseSteady), false, nil},
		"a client in overlap":   {sound(credential.PhaseOverlap), false, nil},
		"a client that left":    {changed(sound(credential.PhaseSteady), func(r *credential.Record) { r.Due = time.Time{} }), true, nil},
		"a client never due":    {changed(sound(credential.PhaseSteady), func(r *credential.Record) { r.Due = time.Time{} }), false, []string{"billing I9"}},
		"a secret that is back": {changed(sound(credential.PhaseRevoking), func(r *credential.Record) { r.Current.ID = "old" }), false, []string{"billing I5"}},
		"an expiry in silence": {changed(sound(credential.PhaseSteady), func(r *credential.Record) {
			r.Current.Expires, r.Due = monday().Add(-time.Hour), monday().Add(aDay)
		}), false, []string{"billing I12"}},
	} {
		m, found := watched()
		m.committed(credential.Change{Record: test.rec, Archive: test.archive})
		if !slices.Equal(*found, test.want) {
			t.Errorf("%s: found %v, want %v", name, *found, test.want)
		}
	}
}

func TestTheMonitorSeesEffectsThatMustNotBe(t *testing.T) {
	held := func(r *credential.Record) { r.Hold = &credential.Hold{Code: credential.HoldByPerson} }
	for name, test := range map[string]struct {
		rec    credential.Record
		effect rotation.Effect
		want   []string
	}{
		"a revoke at its time":          {sound(credential.PhaseRevoking), rotation.EffectRevoke, nil},
		"an orphan that is deleted":     {sound(credential.PhaseCompensating), rotation.EffectCompensate, nil},
		"an orphan that was let go":     {changed(sound(credential.PhaseSteady), func(r *credential.Record) { r.Orphans = []credential.Orphan{{ID: "orphan"}} }), rotation.EffectDiscard, nil},
		"what vault hands out, let go":  {changed(sound(credential.PhaseSteady), func(r *credential.Record) { r.Orphans = []credential.Orphan{{ID: "new"}} }), rotation.EffectDiscard, []string{"billing I8"}},
		"a promote at its time":         {sound(credential.PhaseVerified), rotation.EffectPromote, nil},
		"a create at its time":          {sound(credential.PhaseIntent), rotation.EffectCreate, nil},
		"a revoke in the overlap":       {sound(credential.PhaseOverlap), rotation.EffectRevoke, []string{"billing I2", "billing I8"}},
		"a revoke before the promote":   {changed(sound(credential.PhaseRevoking), func(r *credential.Record) { r.Rotation.Promoted = 0 }), rotation.EffectRevoke, []string{"billing I2"}},
		"a create without an intent":    {sound(credential.PhaseSteady), rotation.EffectCreate, []string{"billing I8"}},
		"a promote without a staging":   {changed(sound(credential.PhaseVerified), func(r *credential.Record) { r.Rotation.Staged = 0 }), rotation.EffectPromote, []string{"billing I8"}},
		"a promote before it is proved": {sound(credential.PhaseStaged), rotation.EffectPromote, []string{"billing I8"}},
		"a revoke of a held client":     {changed(sound(credential.PhaseRevoking), held), rotation.EffectRevoke, []string{"billing I18"}},
	} {
		m, found := watched()
		m.effect(test.rec, test.effect, rotation.Outcome{Result: rotation.Done})
		if !slices.Equal(*found, test.want) {
			t.Errorf("%s: found %v, want %v", name, *found, test.want)
		}
	}
}

// seen is a look that finds all well.
func seen() *rotation.Look {
	return &rotation.Look{
		Found: true, HasValue: true, Version: 4, Answer: providers.Accepted,
		Snapshot: providers.Snapshot{Time: monday(), Secrets: []credential.Secret{{ID: "new", Label: "rotad/r/1"}}},
	}
}

func TestTheMonitorSeesWhatALookSees(t *testing.T) {
	refused := func(l *rotation.Look) { l.Answer = providers.Refused }
	stray := func(ids ...string) func(*rotation.Look) {
		return func(l *rotation.Look) {
			for _, id := range ids {
				l.Snapshot.Secrets = append(l.Snapshot.Secrets, credential.Secret{ID: id, Label: "rotad/x/1"})
			}
		}
	}
	none := func(*credential.Record) {}
	for name, test := range map[string]struct {
		look func(*rotation.Look)
		rec  func(*credential.Record)
		want []string
	}{
		"all is well":                {func(*rotation.Look) {}, none, nil},
		"refused":                    {refused, none, []string{"billing I1"}},
		"no answer":                  {func(l *rotation.Look) { l.Answer = providers.Unknown }, none, nil},
		"refused, edited in Vault":   {func(l *rotation.Look) { l.Answer, l.Version = providers.Refused, 5 }, none, nil},
		"refused, gone from there":   {func(l *rotation.Look) { l.Answer, l.Snapshot.Secrets = providers.Refused, nil }, none, nil},
		"refused, client disabled":   {func(l *rotation.Look) { l.Answer, l.Snapshot.Caps.Disabled = providers.Refused, true }, none, nil},
		"refused, people know":       {refused, func(r *credential.Record) { r.Hold = &credential.Hold{Code: credential.HoldCannotVerify} }, nil},
		"refused from the beginning": {refused, func(r *credential.Record) { r.Sight = credential.SightMismatch }, nil},
		"one of nobody":              {stray("a"), none, nil},
		"two of nobody":              {stray("a", "b"), none, []string{"billing I6"}},
		"many of a person's": {func(l *rotation.Look) {
			l.Snapshot.Secrets = append(l.Snapshot.Secrets, credential.Secret{ID: "a"}, credential.Secret{ID: "b"}, credential.Secret{ID: "c"})
		}, none, nil},
	} {
		m, found := watched()
		look := seen()
		test.look(look)
		m.effect(changed(sound(credential.PhaseSteady), test.rec), rotation.EffectLook, rotation.Outcome{Result: rotation.Done, Look: look})
		if !slices.Equal(*found, test.want) {
			t.Errorf("%s: found %v, want %v", name, *found, test.want)
		}
	}
}

// The counters of all that is asked exist from the start, and no other one is ever raised.
func TestTheMonitorsInvariantsAreThoseOfTheOracles(t *testing.T) {
	names := map[string]bool{}
	for _, o := range oracle.All() {
		names[o.Invariant] = true
	}
	for _, name := range asked() {
		if !names[name] {
			t.Errorf("there is no oracle for %s", name)
		}
	}
	if len(asked()) < 5 {
		t.Error(fmt.Sprint(asked()))
	}
}
