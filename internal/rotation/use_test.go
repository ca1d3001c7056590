package rotation_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/providers"
)

// users is a client whose old secret waits for two consumers, and for a third that nothing waits for.
func users(t *testing.T, ends credential.OverlapEnds, then credential.AtMax) *copies {
	t.Helper()
	c := newCopies()
	r := c.rec.Rotation
	r.Client.Destinations, c.rec.Client.Destinations = nil, nil
	r.Client.Consumers = []credential.NamedConsumer{{Name: "web"}, {Name: "batch"}, {Name: "report", Optional: true}}
	r.Policy.OverlapEnds, r.Policy.AtMax, r.Policy.Quiet, r.Policy.OverlapMax = ends, then, day, 7*day
	c.until(t, credential.PhaseOverlap)
	return c
}

// says lets a consumer say which version it runs on.
func (c *copies) says(t *testing.T, name string, version int) {
	t.Helper()
	d, err := rotation.RunsOn(name, version)(c.rec, rotation.Person{Name: "token:" + name}, c.now())
	if err != nil {
		t.Fatal(err)
	}
	c.rec = d.Record
}

func (c *copies) toldOf(kind credential.NoticeKind) (parts []string) {
	for _, n := range c.told {
		if n.Kind == kind {
			parts = append(parts, n.Milestone)
		}
	}
	return parts
}

func TestAnOldSecretWaitsForItsConsumers(t *testing.T) {
	c := users(t, credential.EndsMoved, credential.AtMaxHold)
	c.says(t, "web", 2)
	c.turn(t, 2*day)
	if got := c.toldOf(credential.NoticeInUse); len(got) != 0 {
		t.Fatalf("told of it before the overlap is over: %v", got)
	}
	done := c.turn(t, 3*day)
	if slices.Contains(done, rotation.EffectGate) || c.rec.Phase() != credential.PhaseOverlap || c.rec.Hold != nil {
		t.Fatalf("with a late consumer: %v, %s, %+v", done, c.rec.Phase(), c.rec.Hold)
	}
	if got := c.toldOf(credential.NoticeInUse); !slices.Equal(got, []string{"extended"}) {
		t.Errorf("told: %v", got)
	}
	n := c.told[len(c.told)-1]
	if u := n.Facts.Consumers; u.Of != 3 || u.Moved != 1 || len(u.Late) != 1 || u.Late[0].Name != "batch" || !u.Until.Equal(c.rec.Rotation.PromotedAt.Add(7*day)) {
		t.Errorf("the notice says %+v", u)
	}
	c.says(t, "batch", 1) // it still runs on the old one
	if c.turn(t, day); c.rec.Phase() != credential.PhaseOverlap {
		t.Fatal("retired while a consumer runs on it")
	}
	c.says(t, "batch", 2)
	if c.turn(t, time.Minute); c.rec.Rotation != nil || len(c.provider.Revoked) != 1 {
		t.Errorf("when all have moved: %s, revoked %v", c.rec.Phase(), c.provider.Revoked)
	}
	if got := c.toldOf(credential.NoticeInUse); !slices.Equal(got, []string{"extended"}) {
		t.Errorf("told in all: %v", got)
	}
}

func TestTheLongestOverlapCallsForAPerson(t *testing.T) {
	c := users(t, credential.EndsMoved, credential.AtMaxHold)
	c.turn(t, 6*day+23*time.Hour)
	if c.rec.Hold != nil {
		t.Fatalf("held before the longest overlap is over: %+v", c.rec.Hold)
	}
	c.turn(t, 2*day)
	if h := c.rec.Hold; h == nil || h.Code != credential.HoldStillUsed || !strings.Contains(h.Detail, "0 of 3 consumers") || !strings.Contains(h.Detail, "web, batch") {
		t.Fatalf("hold %+v", c.rec.Hold)
	}
	if got := c.toldOf(credential.NoticeHeld); len(got) != 1 || len(c.provider.Revoked) != 0 {
		t.Errorf("told %v, revoked %v", got, c.provider.Revoked)
	}
	t.Run("a person lets it go", func(t *testing.T) {
		rec := c.rec
		d, err := rotation.Resume(credential.ResolveUndelivered, "")(rec, rotation.Person{Name: "anna"}, c.now())
		if err != nil {
			t.Fatal(err)
		}
		if p := rotation.Plan(d.Record, c.now()); p.Effect != rotation.EffectGate || d.Record.Hold != nil {
			t.Errorf("%s, %+v", p.Effect, d.Record.Hold)
		}
	})
	c.says(t, "web", 2)
	c.says(t, "batch", 2)
	if c.turn(t, time.Minute); c.rec.Rotation != nil || c.rec.Hold != nil {
		t.Errorf("when all have moved: %s, %+v", c.rec.Phase(), c.rec.Hold)
	}
}

func TestTheLongestOverlapEndsAfterALastWarning(t *testing.T) {
	c := users(t, credential.EndsMoved, credential.AtMaxRevoke)
	c.turn(t, 6*day-time.Minute)
	if got := c.toldOf(credential.NoticeInUse); !slices.Equal(got, []string{"extended"}) {
		t.Fatalf("told: %v", got)
	}
	c.turn(t, 23*time.Hour)
	if got := c.toldOf(credential.NoticeInUse); !slices.Equal(got, []string{"extended", "last-call"}) || len(c.provider.Revoked) != 0 {
		t.Fatalf("a day before its end: %v, revoked %v", got, c.provider.Revoked)
	}
	if c.turn(t, 2*time.Hour); c.rec.Rotation != nil || len(c.provider.Revoked) != 1 || c.rec.Hold != nil {
		t.Errorf("at its end: %s, revoked %v, %+v", c.rec.Phase(), c.provider.Revoked, c.rec.Hold)
	}
}

// A provider's own timer waits for nobody, so the word comes early.
func TestWhatCannotBeExtendedIsWarnedOf(t *testing.T) {
	rec := overlapped()
	r := rec.Rotation
	r.Caps = credential.Capabilities{Mode: credential.ModeGraceWindow, Grace: 4 * day}
	r.Policy.OverlapEnds = credential.EndsMoved
	r.Client.Consumers = []credential.NamedConsumer{{Name: "web"}}
	r.PromotedAt, r.OldDies, r.RevokeAfter = noon(), noon().Add(4*day), noon().Add(3*day)
	before := rotation.Plan(rec, env(noon().Add(71*time.Hour), r.Policy))
	if len(before.Notices) != 0 || !before.Record.Due.Equal(noon().Add(72*time.Hour)) {
		t.Fatalf("%v, due %s", kindsOf(before), before.Record.Due)
	}
	d := rotation.Plan(before.Record, env(noon().Add(72*time.Hour), r.Policy))
	if got := kindsOf(d); !slices.Equal(got, []credential.NoticeKind{credential.NoticeInUse}) || d.Effect != rotation.EffectGate {
		t.Errorf("a day before it dies: %v, %s", got, d.Effect)
	}
	if again := rotation.Plan(d.Record, env(noon().Add(73*time.Hour), r.Policy)); len(again.Notices) != 0 {
		t.Errorf("told again: %v", kindsOf(again))
	}
	rec.Consumers = []credential.ConsumerState{{Name: "web", Version: 4, At: noon()}}
	if d := rotation.Plan(rec, env(noon().Add(72*time.Hour), r.Policy)); len(d.Notices) != 0 {
		t.Errorf("told although all have moved: %v", kindsOf(d))
	}
}

func TestWhatIsUsedStays(t *testing.T) {
	now := noon()
	quietAt := func(f func(*credential.Record)) credential.Record {
		rec := overlapped()
		r := rec.Rotation
		r.Policy.OverlapEnds, r.Policy.Quiet, r.Policy.OverlapMax, r.PromotedAt = credential.EndsUnused, day, 30*day, now.Add(-5*day)
		r.Client.Consumers = []credential.NamedConsumer{{Name: "web"}}
		f(&rec)
		return rec
	}
	tests := map[string]struct {
		rec  credential.Record
		last time.Time // of the old secret, as the provider says at the gate
		want credential.Phase
		next time.Time // when it is asked again; zero = it is not
	}{
		"nobody says anything":                 {quietAt(func(*credential.Record) {}), time.Time{}, credential.PhaseRevoking, time.Time{}},
		"used an hour ago":                     {quietAt(func(*credential.Record) {}), now.Add(-time.Hour), credential.PhaseOverlap, now.Add(23 * time.Hour)},
		"used the day before yesterday":        {quietAt(func(*credential.Record) {}), now.Add(-49 * time.Hour), credential.PhaseRevoking, time.Time{}},
		"a consumer went back to it meanwhile": {quietAt(func(r *credential.Record) { r.Consumers = said("web", 3, now.Add(-time.Minute)) }), time.Time{}, credential.PhaseOverlap, now.Add(day - time.Minute)},
		"a consumer used it long ago":          {quietAt(func(r *credential.Record) { r.Consumers = said("web", 3, now.Add(-25*time.Hour)) }), time.Time{}, credential.PhaseRevoking, time.Time{}},
		"used, but compromised":                {quietAt(func(r *credential.Record) { r.Rotation.Cause.Kind = credential.CauseCompromised }), now.Add(-time.Hour), credential.PhaseRevoking, time.Time{}},
		"used, but a person lets it go":        {quietAt(func(r *credential.Record) { r.Rotation.Undelivered = true }), now.Add(-time.Hour), credential.PhaseRevoking, time.Time{}},
		"used, but the overlap ends by time":   {quietAt(func(r *credential.Record) { r.Rotation.Policy.OverlapEnds = credential.EndsByTime }), now.Add(-time.Hour), credential.PhaseRevoking, time.Time{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := rotation.Apply(tt.rec, rotation.EffectGate, rotation.Outcome{Result: rotation.Done, Clock: now, LastUse: tt.last}, env(now, policy()))
			if d.Record.Phase() != tt.want {
				t.Fatalf("phase %s, want %s", d.Record.Phase(), tt.want)
			}
			if tt.want == credential.PhaseOverlap {
				if p := rotation.Plan(d.Record, env(now, policy())); !p.Record.Due.Equal(tt.next) || p.Effect != rotation.EffectNone {
					t.Errorf("%s, due %s, want %s", p.Effect, p.Record.Due, tt.next)
				}
			}
		})
	}
}

func said(name string, version int, at time.Time) []credential.ConsumerState {
	return []credential.ConsumerState{{Name: name, Version: version, At: at}}
}

func TestWhatAConsumerMaySay(t *testing.T) {
	rec := overlapped()
	rec.Version = 4
	rec.Rotation.Client.Consumers = []credential.NamedConsumer{{Name: "web"}}
	tests := map[string]struct {
		name       string
		version    int
		publishing bool
		refused    string
	}{
		"the new one":                               {"web", 4, false, ""},
		"the old one":                               {"web", 3, false, ""},
		"one that is not published":                 {"web", 5, false, "version 5 of billing is not published; the newest is 4"},
		"one that may be published by now":          {"web", 5, true, ""},
		"no version":                                {"web", 0, false, "version 0"},
		"a consumer that the client does not name":  {"db", 4, false, "has no consumer db"},
		"one far ahead, while another is published": {"web", 6, true, "version 6"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			rec := rec
			r := *rec.Rotation
			r.Publishing, rec.Rotation = tt.publishing, &r
			d, err := rotation.RunsOn(tt.name, tt.version)(rec, rotation.Person{Name: "token"}, env(noon(), policy()))
			if tt.refused != "" {
				if err == nil || !strings.Contains(err.Error(), tt.refused) {
					t.Fatalf("%v", err)
				}
				return
			}
			if err != nil || d.Record.ConsumerAt("web") != (credential.ConsumerState{Name: "web", Version: tt.version, At: noon()}) {
				t.Fatalf("%+v, %v", d.Record.Consumers, err)
			}
			if a := d.Audit; len(a) != 1 || a[0].Event != credential.EventMoved || a[0].Version != tt.version {
				t.Errorf("audit %+v", a)
			}
			again, _ := rotation.RunsOn(tt.name, tt.version)(d.Record, rotation.Person{Name: "token"}, env(noon(), policy()))
			if len(again.Audit) != 0 {
				t.Error("the same again is written down")
			}
		})
	}
	steady := steady(40 * day)
	steady.Client.Consumers = rec.Rotation.Client.Consumers
	steady.Due, steady.DueFor = noon().Add(time.Hour), "look"
	if d, err := rotation.RunsOn("web", 3)(steady, rotation.Person{}, env(noon(), policy())); err != nil || !d.Record.Due.Equal(steady.Due) || d.Record.DueFor != "look" {
		t.Errorf("a steady client fell due: %s, %v", d.Record.Due, err)
	}
}

func TestAConsumerThatRepeatsItself(t *testing.T) {
	rec := credential.Record{Consumers: said("web", 4, noon())}
	for name, tt := range map[string]struct {
		version int
		after   time.Duration
		want    bool
	}{
		"at once": {4, time.Second, true}, "later": {4, 11 * time.Minute, false}, "another version": {3, time.Second, false}, "the clock was set back": {4, -time.Hour, false},
	} {
		if got := rotation.SaidLately(&rec, "web", tt.version, noon().Add(tt.after)); got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	if rotation.SaidLately(&rec, "db", 0, noon()) {
		t.Error("who has said nothing has said it lately")
	}
}

// After a roll-back, who never moved runs on what is published again.
func TestARollbackMovesNobodyBack(t *testing.T) {
	c := users(t, credential.EndsMoved, credential.AtMaxHold)
	c.says(t, "web", 1)
	c.says(t, "batch", 2)
	d, err := rotation.Rollback(c.rec, rotation.Person{Name: "anna"}, c.now())
	if err != nil {
		t.Fatal(err)
	}
	c.rec = d.Record
	c.turn(t, time.Hour)
	late := c.rec.Late()
	if len(late) != 1 || late[0].Name != "batch" || c.rec.Version != 3 {
		t.Errorf("late: %+v at version %d", late, c.rec.Version)
	}
	if d := rotation.Apply(c.rec, rotation.EffectGate, rotation.Outcome{Result: rotation.Done, Old: providers.Accepted, Clock: c.world.Wall}, c.now()); d.Record.Phase() != credential.PhaseOverlap {
		t.Error("the gate opened")
	}
}
