package rotation_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
)

func TestDueIsTheEarliestReasonLessRotateBefore(t *testing.T) {
	start, now := noon().Add(-10*day), noon()
	tests := map[string]struct {
		change func(*credential.Record, *credential.Policy)
		want   time.Time
	}{
		"the provider's expiry": {func(r *credential.Record, p *credential.Policy) { r.Current.Expires = now.Add(40 * day) }, now.Add(26 * day)},
		"start plus lifetime, where the provider says nothing": {
			func(*credential.Record, *credential.Policy) {}, start.Add(76 * day),
		},
		"first sight plus lifetime, where no start is known": {
			func(r *credential.Record, _ *credential.Policy) { r.Current.Start = time.Time{} }, now.Add(-30 * day).Add(76 * day),
		},
		"the lifetime, where it ends before the expiry": {
			func(r *credential.Record, _ *credential.Policy) { r.Current.Expires = now.Add(400 * day) }, start.Add(76 * day),
		},
		"the provider's own requirement": {
			func(r *credential.Record, _ *credential.Policy) { r.Caps.Required = now.Add(20 * day) }, now.Add(6 * day),
		},
		"what a person stated": {
			func(r *credential.Record, p *credential.Policy) { r.Client.Expires, p.Lifetime = now.Add(50*day), 0 }, now.Add(36 * day),
		},
		"never, where nothing ends": {
			func(r *credential.Record, p *credential.Policy) { r.Current.Never, p.Lifetime = true, 0 }, time.Time{},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			rec, p := steady(0), policy()
			rec.Current = credential.Secret{ID: "secret-1", Start: start}
			tt.change(&rec, &p)
			if got := rotation.DueAt(rec, p); !got.Equal(tt.want) {
				t.Errorf("due %s, want %s", got, tt.want)
			}
		})
	}
}

// mornings is a window that opens every day at nine for one hour.
type mornings struct{}

func (mornings) Next(t time.Time) time.Time {
	open := time.Date(t.Year(), t.Month(), t.Day(), 9, 0, 0, 0, time.UTC)
	if !open.After(t) {
		open = open.Add(day)
	}
	return open
}
func (mornings) Contains(t time.Time) bool { return t.Hour() == 9 }

// shut is a window that never opens.
type shut struct{}

func (shut) Next(time.Time) time.Time { return time.Time{} }
func (shut) Contains(time.Time) bool  { return false }

func TestPlannedWaitsForItsWindow(t *testing.T) {
	rec, p := steady(20*day), policy()
	p.Lifetime = 0
	tests := map[string]struct {
		window   credential.Window
		want     time.Time
		override bool
	}{
		"always open":      {credential.Always{}, noon().Add(6 * day), false},
		"the next opening": {mornings{}, noon().Add(6*day + 21*time.Hour), false},
		"outside, where no window is left before expiry minus overlap": {shut{}, noon().Add(6 * day), true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			at, override := rotation.Planned(rec, p, tt.window)
			if !at.Equal(tt.want) || override != tt.override {
				t.Errorf("planned %s (override %t), want %s (%t)", at, override, tt.want, tt.override)
			}
		})
	}
}

// An alert that is due from this moment on must not speak of a closed window, nor of what only a person can do.
func TestRetirementWaitsForItsWindow(t *testing.T) {
	end, opens := noon().Add(3*day), noon().Add(3*day+21*time.Hour)
	tests := map[string]struct {
		change func(*credential.Record)
		window credential.Window
		want   time.Time
	}{
		"the end of the overlap":      {func(*credential.Record) {}, credential.Always{}, end},
		"the next opening":            {func(*credential.Record) {}, mornings{}, opens},
		"never opens: the end stands": {func(*credential.Record) {}, shut{}, end},
		"due again before it opens": {
			func(r *credential.Record) { r.Current.Expires = end.Add(14*day + time.Hour) }, mornings{}, end,
		},
		"the provider's own timer asks no window": {
			func(r *credential.Record) { r.Rotation.Caps.Mode = credential.ModeGraceWindow }, mornings{}, end,
		},
		"it has expired by then": {
			func(r *credential.Record) { r.Rotation.Old.Expires = noon().Add(day) }, mornings{}, end,
		},
		"a person removes it": {
			func(r *credential.Record) { r.Rotation.Caps.Mode = credential.ModeManual }, mornings{}, time.Time{},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			rec, p := steady(90*day), policy()
			rec.Rotation = &credential.Rotation{
				Phase: credential.PhaseOverlap, RevokeAfter: end, Old: credential.Secret{ID: "old"},
				Caps: credential.Capabilities{Mode: credential.ModeTwoSlot},
			}
			p.Lifetime = 0
			tt.change(&rec)
			if at := rotation.RetiresAt(rec, p, tt.window); !at.Equal(tt.want) {
				t.Errorf("retires %s, want %s", at, tt.want)
			}
		})
	}
}

func TestWindowHoldsTheIntentBack(t *testing.T) {
	rec, p := steady(10*day), policy()
	p.Lifetime, p.Window = 0, credential.WindowSpec{Cron: "0 9 * * *", Duration: time.Hour}
	e := env(noon(), p)
	e.Windows = func(credential.WindowSpec) credential.Window { return mornings{} }
	d := rotation.Plan(rec, e)
	if d.Effect != rotation.EffectNone {
		t.Errorf("outside the window the effect is %s, want none", d.Effect)
	}
	rec.NextLook = noon().Add(30 * day)
	e.NextLook = rec.NextLook
	e.Now = noon().Add(21*time.Hour + time.Minute)
	if d = rotation.Plan(rec, e); d.Effect != rotation.EffectPrepare {
		t.Errorf("inside the window the effect is %s (%s), want prepare", d.Effect, d.Reason)
	}
}

func TestExpiredIsRotatedAtOnce(t *testing.T) {
	rec, p := steady(-time.Hour), policy()
	p.Window = credential.WindowSpec{Cron: "0 9 * * *", Duration: time.Hour}
	e := env(noon(), p)
	e.Windows = func(credential.WindowSpec) credential.Window { return shut{} }
	if d := rotation.Plan(rec, e); d.Effect != rotation.EffectPrepare {
		t.Errorf("effect %s (%s), want prepare", d.Effect, d.Reason)
	}
}

func TestObserveNeverRotates(t *testing.T) {
	rec, p := steady(-time.Hour), policy()
	p.Start = credential.StartObserve
	if d := rotation.Plan(rec, env(noon(), p)); d.Effect != rotation.EffectNone {
		t.Errorf("effect %s, want none", d.Effect)
	}
}

// A wish from before a reload is forgotten, so that it cannot surprise anybody when the policy rotates again.
func TestAWishFromBeforeThePolicyWatchedBeginsNothing(t *testing.T) {
	for _, wish := range []rotation.Wish{rotation.Rotate, rotation.Approve} {
		rec, watching, again := steady(10*day), policy(), policy()
		watching.Start, again.Start = credential.StartObserve, credential.StartApprove
		asked, err := wish(rec, rotation.Person{Name: "anna"}, env(noon(), again))
		if err != nil {
			t.Fatal(err)
		}
		d := rotation.Plan(asked.Record, env(noon(), watching))
		told := slices.ContainsFunc(d.Audit, func(a credential.Audit) bool { return strings.Contains(a.Detail, "is dropped") })
		if d.Effect != rotation.EffectNone || !told {
			t.Errorf("effect %s, want none; audited %+v", d.Effect, d.Audit)
		}
		if d = rotation.Plan(d.Record, env(noon(), again)); d.Effect != rotation.EffectNone {
			t.Errorf("effect %s when the policy rotates again, want none", d.Effect)
		}
	}
}

func TestNobodyRotatesWhatIsOnlyWatched(t *testing.T) {
	p := policy()
	p.Start = credential.StartObserve
	for name, wish := range map[string]rotation.Wish{"rotate": rotation.Rotate, "approve": rotation.Approve} {
		_, err := wish(steady(10*day), rotation.Person{Name: "anna"}, env(noon(), p))
		refusal, ok := errors.AsType[*rotation.Refusal](err)
		if !ok || !strings.Contains(refusal.Why, "start: observe") || !strings.Contains(refusal.Hint, "deploy/vault/rotad.hcl") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestApproveWaitsForAPerson(t *testing.T) {
	rec, p := steady(10*day), policy()
	p.Start = credential.StartApprove
	e := env(noon(), p)
	d := rotation.Plan(rec, e)
	if d.Effect != rotation.EffectNone || len(d.Notices) == 0 {
		t.Fatalf("effect %s, notices %v; want to wait and to ask", d.Effect, kindsOf(d))
	}
	d, err := rotation.Approve(d.Record, rotation.Person{Name: "anna"}, e)
	if err != nil {
		t.Fatal(err)
	}
	if d = rotation.Plan(d.Record, e); d.Effect != rotation.EffectPrepare {
		t.Errorf("after approval the effect is %s, want prepare", d.Effect)
	}
}

func TestRegisteringNeverRotates(t *testing.T) {
	rec := steady(-time.Hour)
	rec.Sight = credential.SightNone
	d := rotation.Apply(rec, rotation.EffectLook, rotation.Outcome{Result: rotation.Done, Look: look(rec)}, env(noon(), policy()))
	if d.Record.Rotation != nil || d.Record.Sight != credential.SightAdopted {
		t.Errorf("sight %q, rotation %v; want adopted and nothing under way", d.Record.Sight, d.Record.Rotation)
	}
}

// Some providers do not say since when a secret lives. One that rotad has made itself is not as old as the client: that
// would be due again the moment it is published, for ever.
func TestAgeOfASecretWhoseStartIsNotSaid(t *testing.T) {
	now := noon()
	since, before := now.Add(-200*day), 76*day // lifetime less rotate_before
	for name, c := range map[string]struct {
		change func(*credential.Record)
		want   time.Time
	}{
		"it was there before":       {func(*credential.Record) {}, since.Add(before)},
		"rotad has rotated it":      {func(r *credential.Record) { r.Last = credential.Last{Outcome: "done", At: now} }, now.Add(before)},
		"a rotation was ended":      {func(r *credential.Record) { r.Last = credential.Last{Outcome: "aborted", At: now} }, since.Add(before)},
		"the provider has kept it":  {func(r *credential.Record) { r.Last = credential.Last{Outcome: "kept", At: now} }, since.Add(before)},
		"it is published, no more":  {func(r *credential.Record) { r.Rotation = &credential.Rotation{Promoted: 4, PromotedAt: now} }, now.Add(before)},
		"the next one is under way": {func(r *credential.Record) { r.Rotation = &credential.Rotation{} }, since.Add(before)},
		"the provider says it":      {func(r *credential.Record) { r.Current.Start = now.Add(-day) }, now.Add(-day).Add(before)},
		"the client came later":     {func(r *credential.Record) { r.Last = credential.Last{Outcome: "done", At: since.Add(-day)} }, since.Add(before)},
	} {
		rec := steady(60 * day)
		rec.Since, rec.Current = since, credential.Secret{ID: "secret-1", Never: true}
		c.change(&rec)
		if got := rotation.DueAt(rec, policy()); !got.Equal(c.want) {
			t.Errorf("%s: due %v, want %v", name, got, c.want)
		}
	}
}
