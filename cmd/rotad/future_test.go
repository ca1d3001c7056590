package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

const aDay = 24 * time.Hour

// monday is a Monday in winter, at noon.
func monday() time.Time { return time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC) }

// plannable is a healthy client whose secret was made ten days ago and lives for ninety.
func plannable(mode credential.Mode) credential.Record {
	start := monday().Add(-10 * aDay)
	return credential.Record{
		Client: credential.Client{
			ID: "billing", Provider: "p", Ref: credential.Ref{"client_id": "b"}, Owner: "payments", Policy: "default",
			Vault: credential.VaultPath{Mount: "secret", Path: "apps/billing"},
		},
		Rev: 1, Since: start, Sight: credential.SightAdopted, Version: 4, Proved: true, Looked: monday(), NextLook: monday().Add(time.Hour),
		Current: credential.Secret{ID: "k1", Start: start, Expires: start.Add(90 * aDay)},
		Caps:    credential.Capabilities{Mode: mode, SetsExpiry: true, Slots: 2},
	}
}

func planPolicy() credential.Policy {
	return credential.Policy{
		Name: "default", Start: credential.StartAuto, Lifetime: 90 * aDay, RotateBefore: 14 * aDay, Overlap: 3 * aDay, Announce: 7 * aDay,
		Warn: []credential.Warning{{Before: 30 * aDay}, {Before: 7 * aDay, Every: aDay}}, WarnWhen: credential.WarnUnlessAutomatic,
	}
}

// days writes events as "day+N what text".
func days(events []event) []string {
	var out []string
	for _, e := range events {
		out = append(out, fmt.Sprintf("%d %s %s", e.At.Sub(monday())/aDay, e.What, e.Text))
	}
	return out
}

func TestThePlanTellsTheWholeLifeOfASecret(t *testing.T) {
	p := planPolicy()
	got := days(foresee(plannable(credential.ModeTwoSlot), map[string]credential.Policy{"default": p}, monday(), monday().Add(90*aDay)))
	want := []string{
		"50 suppressed warning 30d: automatic rotation on 2026-03-12",
		"59 notice announce",
		"66 rotation begins (scheduled)",
		"66 notice rotated",
		"66 published the new secret stands in secret/apps/billing version 5",
		"69 revocation the old secret k1 ends",
		"73 suppressed warning 7d, then every 1d: automatic rotation before it, on 2026-03-12",
	}
	if !slices.IsSorted(slices.Collect(func(yield func(int) bool) {
		for _, line := range got {
			n := 0
			_, _ = fmt.Sscan(line, &n)
			if !yield(n) {
				return
			}
		}
	})) {
		t.Errorf("it is not in the order of time: %q", got)
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("%q is missing in\n%s", line, strings.Join(got, "\n"))
		}
	}
	for _, line := range got {
		if strings.Contains(line, "notice warning") || strings.Contains(line, "notice failed") {
			t.Errorf("a healthy automatic rotation tells %q", line)
		}
	}
}

// A life that is shorter than the first warning: every cycle lists both warnings, between the making of their own secret
// and the next rotation or its end.
func TestAPlanOfShortLivesNamesTheRotationsThatItForesees(t *testing.T) {
	rec, p := plannable(credential.ModeTwoSlot), planPolicy()
	p.Lifetime, p.RotateBefore, p.Announce = 20*aDay, 10*aDay, 0
	rec.Current.Start, rec.Current.Expires = monday(), monday().Add(20*aDay)
	want := []string{
		"0 suppressed warning 30d: automatic rotation on 2026-01-15",
		"10 rotation begins (scheduled)",
		"10 suppressed warning 30d: automatic rotation on 2026-01-25",
		"10 notice rotated",
		"10 published the new secret stands in secret/apps/billing version 5",
		"13 suppressed warning 7d, then every 1d: automatic rotation before it, on 2026-01-15",
		"13 revocation the old secret k1 ends",
		"20 rotation begins (scheduled)",
		"20 suppressed warning 30d: automatic rotation on 2026-02-04",
		"20 notice rotated",
		"20 published the new secret stands in secret/apps/billing version 6",
		"23 suppressed warning 7d, then every 1d: automatic rotation before it, on 2026-01-25",
		"23 revocation the old secret, made on 2026-01-15, ends",
	}
	got := days(foresee(rec, map[string]credential.Policy{"default": p}, monday(), monday().Add(24*aDay)))
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestThePlanNamesWhomItWaitsFor(t *testing.T) {
	tests := map[string]struct {
		change func(*credential.Record, *credential.Policy)
		want   string
		never  string // what must not be foreseen
	}{
		"approval": {
			func(_ *credential.Record, p *credential.Policy) { p.Start = credential.StartApprove },
			"66 waits a person approves: rotad approve billing", willRotate,
		},
		"a manual client": {
			func(r *credential.Record, _ *credential.Policy) {
				r.Caps = credential.Capabilities{Mode: credential.ModeManual}
			},
			"66 waits a person makes the next secret: rotad submit billing", willRotate,
		},
		"an observed client only warns": {
			func(_ *credential.Record, p *credential.Policy) { p.Start = credential.StartObserve },
			"50 notice warning 30d", willRotate,
		},
		"a hold": {
			func(r *credential.Record, _ *credential.Policy) {
				r.Hold = &credential.Hold{Code: credential.HoldByPerson, Since: monday(), Detail: "not\x1b[2J today"}
			},
			"waits held: by-person; not[2J today", willRotate,
		},
		"no secret in Vault": {
			func(r *credential.Record, _ *credential.Policy) {
				r.Sight, r.Current, r.Version = credential.SightEmpty, credential.Secret{}, 0
			},
			"waits Vault holds no secret yet", willRotate,
		},
		"nobody has looked yet": {
			func(r *credential.Record, _ *credential.Policy) {
				r.Sight, r.Current = credential.SightNone, credential.Secret{}
			},
			"0 waits the first look at this client", willTell,
		},
		"a cutover that is not allowed": {
			func(r *credential.Record, _ *credential.Policy) {
				r.Caps = credential.Capabilities{Mode: credential.ModeHardCutover, Reason: "no policy"}
			},
			"waits held: cutover-not-allowed", willPublish,
		},
		"warnings that are snoozed": {
			func(r *credential.Record, p *credential.Policy) {
				p.WarnWhen, r.Request.Snooze = credential.WarnAlways, monday().Add(60*aDay)
			},
			"50 suppressed warning 30d: snoozed until 2026-03-06", "none",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			rec, p := plannable(credential.ModeTwoSlot), planPolicy()
			test.change(&rec, &p)
			got := days(foresee(rec, map[string]credential.Policy{"default": p}, monday(), monday().Add(90*aDay)))
			if !slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, test.want) }) {
				t.Errorf("%q is missing in\n%s", test.want, strings.Join(got, "\n"))
			}
			if slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, " "+test.never+" ") }) {
				t.Errorf("%q is foreseen in\n%s", test.never, strings.Join(got, "\n"))
			}
		})
	}
}

func TestThePlanRevokesWhenTheProvidersOwnTimerEnds(t *testing.T) {
	rec, p := plannable(credential.ModeGraceWindow), planPolicy()
	rec.Caps = credential.Capabilities{Mode: credential.ModeGraceWindow, Grace: 5 * aDay, SetsExpiry: true}
	got := days(foresee(rec, map[string]credential.Policy{"default": p}, monday(), monday().Add(90*aDay)))
	if !slices.Contains(got, "71 revocation the old secret k1 ends") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

func TestThePlanKeepsToTheWindow(t *testing.T) {
	rec, p := plannable(credential.ModeTwoSlot), planPolicy()
	p.Window = credential.WindowSpec{Cron: "0 9 * * MON", Duration: 2 * time.Hour, Timezone: "Europe/Berlin"}
	for _, e := range foresee(rec, map[string]credential.Policy{"default": p}, monday(), monday().Add(90*aDay)) {
		if e.What != willRotate && e.What != willRevoke {
			continue
		}
		if w := windowOf(p.Window); !w.Contains(e.At) {
			t.Errorf("%s at %s, outside of the window", e.What, e.At)
		}
	}
}

// A destination is served on the way, and changes nothing of when things happen.
func TestThePlanDelivers(t *testing.T) {
	with := plannable(credential.ModeTwoSlot)
	with.Client.Destinations = []credential.Destination{{Name: "file", File: &credential.FilePlace{Path: "/run/a"}}}
	policies := map[string]credential.Policy{"default": planPolicy()}
	plain := days(foresee(plannable(credential.ModeTwoSlot), policies, monday(), monday().Add(90*aDay)))
	if got := days(foresee(with, policies, monday(), monday().Add(90*aDay))); !slices.Equal(got, plain) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(plain, "\n"))
	}
}

func TestAPlanChangesNothing(t *testing.T) {
	rec, before := plannable(credential.ModeTwoSlot), plannable(credential.ModeTwoSlot)
	rec.Rotation = &credential.Rotation{
		ID: "r", Phase: credential.PhaseStaged, Client: rec.Client, Policy: planPolicy(), Caps: rec.Caps, Old: rec.Current, OldVersion: 4,
		New: credential.Secret{ID: "k2"}, Staged: 2,
	}
	copied := *rec.Rotation
	before.Rotation = &copied
	events := foresee(rec, map[string]credential.Policy{"default": planPolicy()}, monday(), monday().Add(90*aDay))
	if !reflect.DeepEqual(rec, before) {
		t.Errorf("the record changed to %+v", rec.Rotation)
	}
	if !slices.ContainsFunc(events, func(e event) bool { return e.What == willPublish }) {
		t.Errorf("a rotation under way does not go on: %q", days(events))
	}
}

func TestAPlanEndsWhateverTheHorizon(t *testing.T) {
	rec, p := plannable(credential.ModeTwoSlot), planPolicy()
	p.Lifetime, p.RotateBefore, p.Overlap, p.Announce = 40*time.Second, 20*time.Second, 5*time.Second, 0
	rec.Current.Expires = monday().Add(30 * time.Second)
	if got := len(foresee(rec, map[string]credential.Policy{"default": p}, monday(), monday().AddDate(50, 0, 0))); got == 0 || got > mostEvents+10 {
		t.Errorf("%d events", got)
	}
}
