package rotation_test

import (
	"slices"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
)

func TestLatestMilestone(t *testing.T) {
	warn := policy().Warn
	tests := []struct {
		left, want time.Duration
		ok         bool
	}{
		{31 * day, 0, false},
		{30 * day, 30 * day, true},
		{8 * day, 30 * day, true},
		{7 * day, 7 * day, true},
		{5*day + time.Hour, 6 * day, true},
		{5 * day, 5 * day, true},
		{2*day + time.Minute, 3 * day, true},
	}
	for _, tt := range tests {
		got, ok := rotation.LatestMilestone(warn, tt.left)
		if got != tt.want || ok != tt.ok {
			t.Errorf("with %s left: %s, %t; want %s, %t", tt.left, got, ok, tt.want, tt.ok)
		}
	}
}

func TestNextMilestoneIsTheOneThatBecomesTheLatest(t *testing.T) {
	warn := policy().Warn
	for left := 40 * day; left > 25*time.Hour; left -= 3 * time.Hour {
		next, ok := rotation.NextMilestone(warn, left)
		if !ok {
			if left > 2*day {
				t.Fatalf("with %s left no milestone follows", left)
			}
			continue
		}
		if next >= left {
			t.Fatalf("with %s left the next is %s, which has passed", left, next)
		}
		if latest, _ := rotation.LatestMilestone(warn, next); latest != next {
			t.Fatalf("the milestone %s, once due, is not the latest: %s", next, latest)
		}
	}
}

// year runs Plan from due time to due time, as the loop would with a healthy provider, and returns what was told.
func year(t *testing.T, rec credential.Record, p credential.Policy, from, to time.Time) []credential.Notice {
	t.Helper()
	var told []credential.Notice
	now := from
	for steps := 0; now.Before(to); steps++ {
		if steps > 5000 {
			t.Fatalf("too many steps: due %s for %s", rec.Due, rec.DueFor)
		}
		e := env(now, p)
		e.NextLook = now.Add(day)
		d := rotation.Plan(rec, e)
		told = append(told, d.Notices...)
		rec = d.Record
		if d.Effect == rotation.EffectLook {
			d = rotation.Apply(rec, d.Effect, rotation.Outcome{Result: rotation.Done, Look: look(rec)}, e)
			rec = d.Record
			told = append(told, d.Notices...)
			continue
		}
		if d.Effect != rotation.EffectNone {
			return told
		}
		if !rec.Due.After(now) {
			t.Fatalf("due %s is not after %s (%s)", rec.Due, now, rec.DueFor)
		}
		now = rec.Due
	}
	return told
}

func milestones(told []credential.Notice) []string {
	var list []string
	for _, n := range told {
		list = append(list, string(n.Kind)+" "+n.Milestone)
	}
	return list
}

func TestHealthyAutomaticRotationAnnouncesItselfOnce(t *testing.T) {
	rec := steady(90 * day)
	told := milestones(year(t, rec, policy(), noon(), noon().Add(80*day)))
	if want := []string{"announce announce"}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

func TestObservedClientIsWarnedAtEveryMilestone(t *testing.T) {
	p := policy()
	p.Start = credential.StartObserve
	notices := year(t, steady(90*day), p, noon(), noon().Add(95*day))
	for _, n := range notices {
		if !n.Facts.Observed {
			t.Errorf("%s %s does not say that a person replaces the secret", n.Kind, n.Milestone)
		}
	}
	told := milestones(notices)
	want := []string{"warning 30d", "warning 7d", "warning 6d", "warning 5d", "warning 4d", "warning 3d", "warning 2d", "final final", "expired expired"}
	if !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

func TestOnlyTheLatestMilestoneIsToldAfterADowntime(t *testing.T) {
	p := policy()
	p.Start = credential.StartObserve
	rec := steady(90 * day)
	d := rotation.Plan(rec, env(noon().Add(86*day), p))
	if want := []string{"warning 4d"}; !slices.Equal(milestones(d.Notices), want) {
		t.Errorf("told %v, want %v", milestones(d.Notices), want)
	}
}

func TestSnoozeKeepsTheFinalWarning(t *testing.T) {
	p := policy()
	p.Start = credential.StartObserve
	rec := steady(90 * day)
	rec.Request.Snooze = noon().Add(200 * day)
	told := milestones(year(t, rec, p, noon(), noon().Add(95*day)))
	if want := []string{"final final", "expired expired"}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

func TestOneCalendarEventMoves(t *testing.T) {
	p := policy()
	p.Start = credential.StartObserve
	told := year(t, steady(90*day), p, noon(), noon().Add(95*day))
	carried := 0
	for _, n := range told {
		if n.Calendar == nil {
			continue
		}
		carried++
		if n.Calendar.UID != "uid-1" {
			t.Errorf("uid %q, want the one of the client", n.Calendar.UID)
		}
	}
	if carried != 1 {
		t.Errorf("%d mails carry the event, want 1: it did not move", carried)
	}
}

func TestHeldClientIsToldOnce(t *testing.T) {
	rec := steady(90 * day)
	rec.Hold = &credential.Hold{Code: credential.HoldMismatch, Since: noon()}
	d := rotation.Plan(rec, env(noon(), policy()))
	if got := kindsOf(d); !slices.Equal(got, []credential.NoticeKind{credential.NoticeHeld}) {
		t.Fatalf("told %v, want held", got)
	}
	if d = rotation.Plan(d.Record, env(noon().Add(time.Minute), policy())); len(d.Notices) != 0 {
		t.Errorf("told again: %v", kindsOf(d))
	}
}

func TestUnscheduledRotationIsToldToTheAdmins(t *testing.T) {
	rec := steady(90 * day)
	rec.Rotation = &credential.Rotation{
		ID: "rotation-1", Attempt: 1, Phase: credential.PhaseVerified, Client: rec.Client, Policy: policy(),
		Caps: rec.Caps, Old: rec.Current, OldVersion: 3, New: credential.Secret{ID: "secret-2"},
		Cause: credential.Cause{Kind: credential.CauseRequested, Actor: "anna"},
	}
	d := rotation.Apply(rec, rotation.EffectPromote, rotation.Outcome{Result: rotation.Done, Version: 4, At: noon()}, env(noon(), policy()))
	if got, want := kindsOf(d), []credential.NoticeKind{credential.NoticeRotated, credential.NoticeAdmin}; !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
}

// Two secrets that a person brought have no id. What is told of the second one must not look like what was told of the
// first: the store keeps one notice of a key.
func TestSecretsWithoutAnIDAreToldApart(t *testing.T) {
	keys := map[string]bool{}
	for _, start := range []time.Duration{-85 * day, -84 * day} {
		rec := steady(60 * day)
		rec.Current = credential.Secret{Start: noon().Add(start)}
		p := policy()
		p.RotateBefore = 3 * day
		for _, n := range rotation.Plan(rec, env(noon(), p)).Notices {
			keys[n.Key] = true
		}
	}
	if len(keys) != 2 {
		t.Errorf("keys %v; want one for each secret", keys)
	}
}
