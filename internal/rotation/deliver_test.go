package rotation_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
)

// copies is a client with two destinations, and what was delivered to them.
type copies struct {
	*effects
	window credential.Window // nil = always open
	told   []credential.Notice
	down   map[string]bool
	got    map[string]credential.Copy
}

func newCopies() *copies {
	c := &copies{effects: newEffects(), down: map[string]bool{}, got: map[string]credential.Copy{}}
	c.executor.Deliver = func(_ context.Context, d credential.Destination, have credential.Copy) (bool, error) {
		if c.down[d.Name] {
			return false, errors.New("no space left on device")
		}
		c.got[d.Name] = have
		return true, nil
	}
	c.rec.Rotation.Client.Destinations = []credential.Destination{
		{Name: "env", File: &credential.FilePlace{Path: "/run/a", Previous: map[string]string{"client_secret": "OLD"}}},
		{Name: "raw", File: &credential.FilePlace{Path: "/run/b"}},
	}
	c.rec.Client.Destinations = c.rec.Rotation.Client.Destinations
	return c
}

func (c *copies) now() rotation.Env {
	now := c.effects.now()
	if c.window != nil {
		now.Windows = func(credential.WindowSpec) credential.Window { return c.window }
	}
	return now
}

// effect returns what is decided now, and carries it out.
func (c *copies) effect(t *testing.T) rotation.Effect {
	t.Helper()
	d := rotation.Plan(c.rec, c.now())
	c.rec, c.told = d.Record, append(c.told, d.Notices...)
	if d.Effect == rotation.EffectNone {
		return d.Effect
	}
	done := rotation.Apply(c.rec, d.Effect, c.run(t, d.Effect), c.now())
	c.rec, c.told = done.Record, append(c.told, done.Notices...)
	return d.Effect
}

// turn goes on for a while.
func (c *copies) turn(t *testing.T, long time.Duration) []rotation.Effect {
	t.Helper()
	end := c.world.Wall.Add(long)
	var done []rotation.Effect
	for range 10000 {
		e := c.effect(t)
		if e != rotation.EffectNone {
			done = append(done, e)
			continue
		}
		if c.rec.Due.IsZero() || c.rec.Due.After(end) {
			c.world.Advance(end.Sub(c.world.Wall))
			return done
		}
		c.world.Advance(max(time.Millisecond, c.rec.Due.Sub(c.world.Wall)))
	}
	t.Fatalf("it goes round in circles: %v", done[len(done)-10:])
	return nil
}

func TestCopiesFollowThePromote(t *testing.T) {
	c := newCopies()
	c.until(t, credential.PhaseOverlap)
	if len(c.got) != 0 {
		t.Fatal("delivered before it was published")
	}
	if e := c.effect(t); e != rotation.EffectDeliver {
		t.Fatalf("after the promote: %s", e)
	}
	if c.got["raw"].Version != 2 || c.got["raw"].Bundle.Secret().Reveal() != c.vault.Value(2) || c.got["raw"].Previous != nil {
		t.Error("raw does not hold the new secret and nothing else")
	}
	if c.got["env"].Previous.Secret().Reveal() != c.vault.Value(1) {
		t.Error("env does not hold the old secret beside the new one")
	}
	c.turn(t, 10*day)
	if c.rec.Rotation != nil || c.got["env"].Previous != nil || c.got["env"].Version != 2 {
		t.Errorf("at the end: phase %s, the old one beside it %t", c.rec.Phase(), c.got["env"].Previous != nil)
	}
}

func TestADestinationThatIsDownKeepsTheOldSecret(t *testing.T) {
	c := newCopies()
	c.down["raw"] = true
	c.until(t, credential.PhaseOverlap)
	done := c.turn(t, 5*day)
	if c.got["env"].Version != 2 {
		t.Error("the other destination was not served")
	}
	if slices.Contains(done, rotation.EffectGate) || c.rec.Hold == nil || c.rec.Hold.Code != credential.HoldNotDelivered {
		t.Fatalf("hold %+v after %v", c.rec.Hold, done)
	}
	if n := len(done); n > 400 {
		t.Errorf("tried %d times in five days", n)
	}
	mails := 0
	for _, n := range c.told {
		if n.Kind == credential.NoticeFailed {
			mails++
		}
	}
	if mails != 1 {
		t.Errorf("told %d times that it cannot be written, want once", mails)
	}
	c.down["raw"] = false
	if done = c.turn(t, day); c.rec.Rotation != nil || c.rec.Hold != nil || c.got["raw"].Version != 2 {
		t.Errorf("after it was mended: %s, %+v, %v", c.rec.Phase(), c.rec.Hold, done)
	}
}

func TestAPersonGoesOnWithoutADestination(t *testing.T) {
	c := newCopies()
	c.down["raw"] = true
	c.until(t, credential.PhaseOverlap)
	c.turn(t, 5*day)
	d, err := rotation.Resume(credential.ResolveUndelivered, "")(c.rec, rotation.Person{Name: "anna"}, c.now())
	if err != nil {
		t.Fatal(err)
	}
	c.rec = d.Record
	if done := c.turn(t, time.Hour); !slices.Contains(done, rotation.EffectRevoke) || c.rec.Rotation != nil {
		t.Errorf("%v, phase %s", done, c.rec.Phase())
	}
	c.down["raw"] = false
	if c.turn(t, time.Hour); c.got["raw"].Version != 2 {
		t.Error("the destination was given up, not only waited for no more")
	}
}

// Each look asks for every copy once more, and nothing else does: neither a clock that was set back, nor the copy itself.
func TestCopiesAreLookedAtWithTheClient(t *testing.T) {
	c := newCopies()
	c.until(t, credential.PhaseOverlap)
	c.turn(t, 10*day)
	clear(c.got)
	for _, jump := range []time.Duration{time.Hour, -400 * day, 30 * time.Minute} {
		c.world.Wall = c.world.Wall.Add(jump)
		looks, delivered := 0, 0
		for _, e := range c.turn(t, 0) {
			switch e { //nolint:exhaustive // the others do not matter here
			case rotation.EffectLook:
				looks++
			case rotation.EffectDeliver:
				delivered++
			}
		}
		if delivered > looks {
			t.Errorf("the clock jumped by %s: delivered %d times after %d looks", jump, delivered, looks)
		}
	}
	if c.rec.NextLook = c.world.Wall; !slices.Contains(c.turn(t, 0), rotation.EffectDeliver) || c.got["env"].Version != 2 || c.got["raw"].Version != 2 {
		t.Errorf("after a look: %v", c.got)
	}
}

// What somebody writes to Vault is not judged before the next look: until then the recorded version is what is copied.
func TestTheRecordedVersionIsCopied(t *testing.T) {
	c := newCopies()
	c.down["raw"] = true
	c.until(t, credential.PhaseOverlap)
	c.vault.Seed("edited by somebody")
	c.down["raw"] = false
	for c.effect(t) != rotation.EffectDeliver {
	}
	if c.got["raw"].Version != 2 || c.got["raw"].Bundle.Secret().Reveal() != c.vault.Value(2) {
		t.Errorf("version %d was delivered, want 2", c.got["raw"].Version)
	}
}
