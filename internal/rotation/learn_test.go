package rotation_test

import (
	"slices"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// moving is a client in its overlap, whose consumers have been known to run on the old secret.
func moving(t *testing.T) *copies {
	t.Helper()
	c := users(t, credential.EndsByTime, credential.AtMaxHold)
	c.rec.Client.Consumers = c.rec.Rotation.Client.Consumers
	c.says(t, "web", 1)
	c.says(t, "batch", 1)
	return c
}

func (c *copies) habit(consumer string) []time.Duration {
	i := slices.IndexFunc(c.rec.Habits, func(h credential.Habit) bool { return h.Consumer == consumer })
	if i < 0 {
		return nil
	}
	return c.rec.Habits[i].Lasted
}

func TestHowLongConsumersGoOnIsRemembered(t *testing.T) {
	c := moving(t)
	promoted := c.rec.Rotation.PromotedAt
	c.turn(t, 5*time.Hour)
	c.says(t, "web", 2)
	c.says(t, "web", 2) // again, which is no move
	want := c.now().Now.Sub(promoted)
	if got := c.habit("web"); len(got) != 1 || got[0] != want.Truncate(time.Second) || c.habit("batch") != nil {
		t.Fatalf("web went on for %v, want %v; batch for %v", got, want, c.habit("batch"))
	}
	if c.says(t, "report", 2); c.habit("report") != nil {
		t.Error("a consumer that had never said anything counts as one that has moved")
	}
	c.turn(t, 4*day)
	if c.rec.Rotation != nil || c.rec.Last.Published != 2 {
		t.Fatalf("%s, last %+v", c.rec.Phase(), c.rec.Last)
	}
	c.says(t, "batch", 2) // long after the old one was retired: that is what an overlap was too short for
	if got := c.habit("batch"); len(got) != 1 || got[0] < 4*day {
		t.Errorf("batch went on for %v", got)
	}
}

// What is done in haste, or has cut people off, is no measure of how long they need.
func TestRotationsInHasteTeachNothing(t *testing.T) {
	for name, change := range map[string]func(r *credential.Rotation){
		"compromised": func(r *credential.Rotation) { r.Cause.Kind = credential.CauseCompromised },
		"rolled back": func(r *credential.Rotation) { r.Cause.Kind = credential.CauseRolledBack },
		"a cutover":   func(r *credential.Rotation) { r.Cutover = true },
		"a first one": func(r *credential.Rotation) { r.Old, r.OldVersion = credential.Secret{}, 0 },
		"on its way back": func(r *credential.Rotation) {
			r.RollingBack = &credential.Cause{Kind: credential.CauseRolledBack}
		},
	} {
		c := moving(t)
		change(c.rec.Rotation)
		c.says(t, "web", 2)
		if len(c.rec.Habits) != 0 {
			t.Errorf("%s: %+v was learned", name, c.rec.Habits)
		}
	}
	c := moving(t)
	c.rec.Rotation.Cause.Kind = credential.CauseCompromised
	c.turn(t, 4*day)
	if c.rec.Rotation != nil {
		t.Fatalf("%s", c.rec.Phase())
	}
	if c.says(t, "batch", 2); len(c.rec.Habits) != 0 || c.rec.Last.Published != 0 {
		t.Errorf("after a compromised one: %+v was learned, last %+v", c.rec.Habits, c.rec.Last)
	}
}

// Where the provider shows when a secret was used, that tells of those who never say anything.
func TestTheLastUseThatTheProviderSawIsRemembered(t *testing.T) {
	for used, want := range map[time.Duration]time.Duration{30 * time.Hour: 30 * time.Hour, -time.Hour: 0} {
		c := moving(t)
		r := c.rec.Rotation
		r.OldUsed = r.PromotedAt.Add(used)
		c.turn(t, 4*day)
		if got := c.habit(""); c.rec.Rotation != nil || len(got) != 1 || got[0] != want {
			t.Errorf("used %v after the promote: %v was learned, want %v (%s)", used, got, want, c.rec.Phase())
		}
	}
	c := moving(t)
	if c.turn(t, 4*day); c.habit("") != nil {
		t.Errorf("a provider that shows no use: %v was learned", c.habit(""))
	}
}

func TestHabitsAreBoundedAndLeaveOthersAlone(t *testing.T) {
	rec := overlapped()
	rec.Rotation.Client.Consumers = []credential.NamedConsumer{{Name: "web"}}
	rec.Habits = []credential.Habit{{Consumer: "gone", Lasted: []time.Duration{time.Hour}}, {Lasted: []time.Duration{2 * time.Hour}}}
	before := rec
	for i := range 3 * credential.KeptHabits {
		rec.Habits = rec.Learned("web", time.Duration(i)*time.Second+time.Millisecond)
	}
	if len(rec.Habits) != 2 || rec.Habits[0].Consumer != "" {
		t.Fatalf("%+v", rec.Habits)
	}
	last := rec.Habits[1].Lasted
	if len(last) != credential.KeptHabits || last[len(last)-1] != (3*credential.KeptHabits-1)*time.Second {
		t.Errorf("%v", last)
	}
	if len(before.Habits) != 2 || before.Habits[0].Consumer != "gone" {
		t.Errorf("the record that was learned from has changed: %+v", before.Habits)
	}
}
