package rotation_test

import (
	"slices"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
)

// unending is a client of a portal whose secret has no known expiry, and for which anna stands.
func unending(until time.Duration, change func(*credential.Record)) credential.Record {
	rec := steady(90 * day)
	rec.Caps = credential.Capabilities{Mode: credential.ModeManual}
	rec.Current = credential.Secret{ID: "secret-1"}
	if until != 0 {
		rec.Client.NoExpiry = credential.NoExpiry{By: "anna", Reason: "hardware", Until: noon().Add(until)}
	}
	if change != nil {
		change(&rec)
	}
	return rec
}

func TestTheWordForNoExpiryIsWarnedOfAndEnds(t *testing.T) {
	never := func(r *credential.Record) { r.Current.Never = true }
	word := []string{"warning 30d", "warning 7d", "no-expiry ended"}
	for name, test := range map[string]struct {
		rec  credential.Record
		want []string
	}{
		"without the word, once":                {unending(0, nil), []string{"no-expiry no-expiry"}},
		"never, without the word":               {unending(0, never), nil},
		"with the word":                         {unending(100*day, nil), word},
		"never, with the word":                  {unending(100*day, never), word},
		"told before somebody stood for it":     {unending(100*day, func(r *credential.Record) { r.Told.NoExpiry = true }), word},
		"an end that is near":                   {unending(5*day, nil), word[1:]},
		"an end that has passed":                {unending(-5*day, nil), word[2:]},
		"an end beyond the year":                {unending(500*day, nil), nil},
		"where something rotates by itself":     {unending(100*day, func(r *credential.Record) { r.Caps.Mode = credential.ModeTwoSlot; never(r) }), word},
		"snoozed until after the first warning": {unending(100*day, func(r *credential.Record) { r.Request.Snooze = noon().Add(80 * day) }), word},
		"snoozed until the end":                 {unending(100*day, func(r *credential.Record) { r.Request.Snooze = noon().Add(150 * day) }), word[2:]},
		"an expiry is known after all": {
			unending(100*day, func(r *credential.Record) { r.Current.Expires = noon().Add(400 * day) }), nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := policy()
			p.Lifetime = 0
			told := year(t, test.rec, p, noon(), noon().Add(300*day))
			if got := milestones(told); !slices.Equal(got, test.want) {
				t.Fatalf("told %v, want %v", got, test.want)
			}
			keys := map[string]bool{}
			for _, n := range told {
				keys[n.Key] = true
				if n.Milestone != "no-expiry" && !n.Facts.NoExpiry.Equal(test.rec.Client.NoExpiry) {
					t.Errorf("%s %s does not say whose word it is: %+v", n.Kind, n.Milestone, n.Facts.NoExpiry)
				}
			}
			if len(keys) != len(told) {
				t.Errorf("two of %d notices have the same key, and only one of them would be sent", len(told))
			}
		})
	}
}

func TestEachWarningComesOnItsDay(t *testing.T) {
	left := map[string]time.Duration{}
	p := policy()
	p.Lifetime = 0
	for _, n := range year(t, unending(100*day, nil), p, noon(), noon().Add(300*day)) {
		left[n.Milestone] = noon().Add(100 * day).Sub(n.At)
	}
	want := map[string]time.Duration{"30d": 30 * day, "7d": 7 * day, "ended": 0}
	for milestone, at := range want {
		if left[milestone] != at {
			t.Errorf("%s: %s before the end, want %s", milestone, left[milestone], at)
		}
	}
}

// Somebody who stands for it again begins a new series, and what was told before is not in its way.
func TestANewWordBeginsANewSeries(t *testing.T) {
	p := policy()
	p.Lifetime = 0
	rec := unending(5*day, nil)
	d := rotation.Plan(rec, env(noon(), p))
	first := d.Notices
	if got := milestones(first); !slices.Equal(got, []string{"warning 7d"}) {
		t.Fatalf("told %v", got)
	}
	rec = d.Record
	rec.Client.NoExpiry.Until = noon().Add(20 * day)
	d = rotation.Plan(rec, env(noon(), p))
	if got := milestones(d.Notices); !slices.Equal(got, []string{"warning 30d"}) || d.Notices[0].Key == first[0].Key {
		t.Errorf("told %v", got)
	}
	rec = d.Record
	rec.Client.NoExpiry = credential.NoExpiry{}
	d = rotation.Plan(rec, env(noon(), p))
	if got := milestones(d.Notices); !slices.Equal(got, []string{"no-expiry no-expiry"}) {
		t.Errorf("after the word was taken back: told %v", got)
	}
}
