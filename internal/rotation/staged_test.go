package rotation_test

import (
	"slices"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
)

// staged is a client whose provider lets a second secret wait until a call lets it take the first one's place. Kept = that one lives
// on for a week; else it ends with the call.
func staged(kept bool) *copies {
	c := newCopies()
	caps := credential.Capabilities{Mode: credential.ModeStaged, Slots: 2, StartReadable: true}
	if kept {
		caps.Grace = 7 * day
	}
	c.provider.Caps, c.rec.Caps, c.rec.Rotation.Caps = caps, caps, caps
	c.rec.Rotation.Client.Destinations = nil
	return c
}

func (c *copies) first(t *testing.T) string {
	t.Helper()
	snap, err := c.provider.Inspect(t.Context(), rotation.Target(c.vault, c.rec.Client, ""))
	if err != nil {
		t.Fatal(err)
	}
	current, _ := snap.Current()
	return current.ID
}

func TestAStagedSecretTakesTheOldOnesPlaceAtTheEnd(t *testing.T) {
	for name, kept := range map[string]bool{"the old one ends with it": false, "the old one lives on": true} {
		t.Run(name, func(t *testing.T) {
			c := staged(kept)
			old := c.rec.Rotation.Old.ID
			c.until(t, credential.PhaseOverlap)
			fresh := c.rec.Rotation.New.ID
			c.turn(t, 2*day)
			if c.first(t) != old || len(c.provider.Live()) != 2 {
				t.Fatalf("in the overlap %s is the current one, live %v", c.first(t), c.provider.Live())
			}
			c.turn(t, 2*day)
			if c.rec.Rotation != nil || c.first(t) != fresh || !slices.Equal(c.provider.Revoked, []string{old}) {
				t.Errorf("phase %s, hold %+v; current %s, revoked %v", c.rec.Phase(), c.rec.Hold, c.first(t), c.provider.Revoked)
			}
		})
	}
}

// The new one takes the place of the secret that the rotation is to retire, and of no other that somebody has put there.
func TestNothingTakesThePlaceOfASecretThatIsNotTheOldOne(t *testing.T) {
	c := staged(false)
	c.until(t, credential.PhaseOverlap)
	c.turn(t, 2*day)
	c.provider.ByHand()
	theirs := c.provider.Secrets()[2].ID
	if err := c.provider.Activate(t.Context(), rotation.Target(c.vault, c.rec.Client, ""), theirs, c.rec.Rotation.Old.ID); err != nil {
		t.Fatal(err)
	}
	c.provider.Revoked = nil
	c.turn(t, 3*day)
	if h := c.rec.Hold; h == nil || h.Code != credential.HoldChangedElsewhere || c.first(t) != theirs || len(c.provider.Revoked) != 0 {
		t.Errorf("hold %+v; current %s, want %s; revoked %v", h, c.first(t), theirs, c.provider.Revoked)
	}
}

// A secret that has to be replaced before it can go is not tried to be deleted again and again.
func TestTheCurrentSecretOfAProviderThatStagesIsNotDiscarded(t *testing.T) {
	c := staged(true)
	c.until(t, credential.PhaseOverlap)
	c.rec.Rotation.Orphan, c.rec.Rotation.Old = c.rec.Rotation.Old.ID, credential.Secret{}
	c.turn(t, day)
	if h := c.rec.Hold; h == nil || h.Code != credential.HoldWhichSecret || c.rec.Rotation.Orphan != "" || len(c.provider.Live()) != 2 {
		t.Errorf("hold %+v, live %v", h, c.provider.Live())
	}
}

// Of a value that a person brought nobody has said which secret it is. It is the only other one.
func TestABroughtSecretTakesTheOldOnesPlaceToo(t *testing.T) {
	c := staged(false)
	old := c.rec.Rotation.Old.ID
	c.until(t, credential.PhaseOverlap)
	fresh := c.rec.Rotation.New.ID
	c.rec.Rotation.New = credential.Secret{}
	c.turn(t, 4*day)
	if c.first(t) != fresh || !slices.Equal(c.provider.Revoked, []string{old}) {
		t.Errorf("phase %s, hold %+v; current %s, revoked %v", c.rec.Phase(), c.rec.Hold, c.first(t), c.provider.Revoked)
	}
}

// An old secret that has expired needs no revoke; the new one has to take its place all the same, or the next rotation finds no
// room.
func TestAnExpiredSecretIsReplacedToo(t *testing.T) {
	c := staged(false)
	old := c.rec.Rotation.Old.ID
	c.until(t, credential.PhaseOverlap)
	fresh := c.rec.Rotation.New.ID
	c.provider.Expire(old, c.world.Wall.Add(day))
	c.turn(t, 4*day)
	if c.rec.Rotation != nil || c.first(t) != fresh {
		t.Errorf("phase %s, hold %+v; current %s, want %s", c.rec.Phase(), c.rec.Hold, c.first(t), fresh)
	}
}

// Since the gate a backup of Vault may have been restored: then the old one is what everybody reads.
func TestNothingTakesThePlaceOfWhatVaultHandsOut(t *testing.T) {
	c := staged(false)
	old := c.rec.Rotation.Old.ID
	c.until(t, credential.PhaseOverlap)
	c.rec.Rotation.Phase = credential.PhaseRevoking
	c.vault.Seed(c.vault.Value(1))
	if o := c.run(t, rotation.EffectRevoke); o.Result == rotation.Done || c.first(t) != old || len(c.provider.Revoked) != 0 {
		t.Errorf("%s; current %s, want %s; revoked %v", o.Result, c.first(t), old, c.provider.Revoked)
	}
}

// The provider calls a secret current whose end has passed, and refuses to delete it. A person who discards it wants no more
// than that it lets nobody in.
func TestAnExpiredCurrentSecretIsDoneWith(t *testing.T) {
	c := staged(true)
	c.until(t, credential.PhaseOverlap)
	old := c.rec.Rotation.Old.ID
	c.rec.Rotation.Orphan, c.rec.Rotation.Old = old, credential.Secret{}
	c.provider.Expire(old, c.world.Wall)
	c.world.Advance(day)
	if o := c.run(t, rotation.EffectCompensate); o.Result != rotation.Done || c.first(t) != old {
		t.Errorf("%s %q, current %s; want done: %s has expired", o.Result, o.Failure.Text, c.first(t), old)
	}
}
