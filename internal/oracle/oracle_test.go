package oracle_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/oracle"
)

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// revoking is a healthy world right before the old secret of a finished overlap is revoked.
func revoking() oracle.View {
	r := &credential.Rotation{
		ID: "r", Attempt: 1, Phase: credential.PhaseRevoking, Caps: credential.Capabilities{Mode: credential.ModeTwoSlot},
		Old: credential.Secret{ID: "old"}, OldVersion: 1, New: credential.Secret{ID: "new"}, Staged: 2, Promoted: 2,
		Policy: credential.Policy{Overlap: time.Hour},
	}
	rec := credential.Record{
		Client: credential.Client{ID: "billing"}, Sight: credential.SightAdopted, Rotation: r, Due: noon(),
		Current: credential.Secret{ID: "new"},
	}
	return oracle.View{
		Client: "billing", At: noon(), Record: rec, Hands: "new-value", HandsAt: noon().Add(-2 * time.Hour), HandsBy: oracle.ByRotad,
		Secrets: []oracle.Secret{
			{ID: "old", Value: "old-value", Maker: oracle.Adopted, Live: true},
			{ID: "new", Value: "new-value", Maker: oracle.ByRotad, Live: true},
		},
		Accepts: func(v string) bool { return v == "old-value" || v == "new-value" },
		Version: func(n int) string { return []string{"", "old-value", "new-value"}[n] },
		Audit:   []credential.Audit{{Event: credential.EventRevoking, Secret: "old", Rotation: "r"}},
	}
}

func revoke(id string) oracle.Act { return oracle.Act{Kind: oracle.Revoke, ID: id} }

func TestAHealthyRevokeBreaksNothing(t *testing.T) {
	v := revoking()
	if b := oracle.Before(v, revoke("old")); len(b) > 0 {
		t.Errorf("broken: %v", b)
	}
	if b := oracle.Moment(v); len(b) > 0 {
		t.Errorf("broken: %v", b)
	}
}

// TestEveryOracleSees has, for each invariant, a world that breaks it.
func TestEveryOracleSees(t *testing.T) {
	tests := []struct {
		invariant, name string
		change          func(*oracle.View)
		ask             func(oracle.View) []oracle.Broken
	}{
		{"I1", "Vault's value is refused", func(v *oracle.View) { v.Accepts = func(string) bool { return false } }, oracle.Moment},
		{"I1", "Vault's secret is revoked", func(v *oracle.View) { v.Hands = "old-value" }, before(revoke("old"))},
		{"I1", "Vault's version is destroyed", nil, before(oracle.Act{Kind: oracle.Destroy, Versions: []int{1, 2}})},
		{"I1", "a dead value is published", func(v *oracle.View) { v.Hands = "old-value" }, before(oracle.Act{Kind: oracle.Promote, Value: "dead"})},
		{"I2", "before the point of no return", func(v *oracle.View) { v.Record.Rotation.Phase = credential.PhaseOverlap }, before(revoke("old"))},
		{"I2", "before it was published", func(v *oracle.View) { v.Record.Rotation.Promoted = 0 }, before(revoke("old"))},
		{"I2", "the new one is refused", func(v *oracle.View) { v.Accepts = func(s string) bool { return s == "old-value" } }, before(revoke("old"))},
		{"I3", "somebody else's", func(v *oracle.View) { v.Secrets[0].Maker = oracle.ByPerson }, before(revoke("old"))},
		{"I3", "the last one", func(v *oracle.View) { v.Secrets = v.Secrets[:1] }, before(revoke("old"))},
		{"I4", "two at once", func(v *oracle.View) { v.Audit = rotations("r", "s", "r") }, oracle.Quiet},
		{"I5", "current and revoked", func(v *oracle.View) { v.Record.Current.ID = "old" }, oracle.Moment},
		{"I5", "published again", func(v *oracle.View) {
			v.Audit = append(v.Audit, credential.Audit{Event: credential.EventPromoted, Secret: "old", Rotation: "r"})
		}, oracle.Quiet},
		{"I6", "two orphans", func(v *oracle.View) { v.Secrets = append(v.Secrets, orphan("a"), orphan("b")) }, oracle.Moment},
		{"I6", "an orphan at the end", func(v *oracle.View) { v.Secrets = append(v.Secrets, orphan("a")) }, oracle.Quiet},
		{"I7", "a value in the record", func(v *oracle.View) { v.Record.Backoff.Error = "got new-value" }, oracle.Quiet},
		{"I7", "a value in a notice", func(v *oracle.View) { v.Notices = []credential.Notice{{Facts: credential.Facts{Error: "old-value"}}} }, oracle.Quiet},
		{"I8", "a create in another phase", nil, before(oracle.Act{Kind: oracle.Create})},
		{"I8", "another attempt's label", func(v *oracle.View) { v.Record.Rotation.Phase = credential.PhaseIntent }, before(oracle.Act{Kind: oracle.Create, Label: "rotad/r/2"})},
		{"I8", "a secret that nothing names", nil, before(revoke("new"))},
		{"I8", "a promote of what is not staged", func(v *oracle.View) { v.Record.Rotation.Staged = 0 }, before(oracle.Act{Kind: oracle.Promote, Value: "new-value"})},
		{"I8", "a destroy out of the blue", func(v *oracle.View) { v.Record.Rotation = nil }, before(oracle.Act{Kind: oracle.Destroy, Versions: []int{1}})},
		{"I8", "staged for another rotation", nil, before(oracle.Act{Kind: oracle.Stage, Rotation: "s"})},
		{"I9", "never due again", func(v *oracle.View) { v.Record.Due = time.Time{} }, oracle.Moment},
		{"I9", "never ended", nil, oracle.Quiet},
		{"I10", "a third value is replaced", func(v *oracle.View) { v.Hands = "third" }, before(oracle.Act{Kind: oracle.Promote, Value: "new-value"})},
		{"I12", "expired in silence", func(v *oracle.View) {
			v.Record.Rotation, v.Record.Due = nil, noon().Add(time.Hour)
			v.Record.Current.Expires = noon().Add(-time.Hour)
		}, oracle.Moment},
		{"I13", "created over an orphan", func(v *oracle.View) {
			v.Record.Rotation.Phase = credential.PhaseIntent
			v.Secrets = append(v.Secrets, orphan("a"))
		}, before(oracle.Act{Kind: oracle.Create})},
		{"I14", "a person's value stands there", func(v *oracle.View) { v.Hands, v.HandsBy = "third", oracle.ByPerson }, before(revoke("old"))},
		{"I16", "before its time", func(v *oracle.View) { v.HandsAt = noon().Add(-time.Minute) }, before(revoke("old"))},
		{"I17", "not written down", func(v *oracle.View) { v.Audit = nil }, before(revoke("old"))},
		{"I17", "ended without a word", func(v *oracle.View) {
			v.Record.Rotation, v.Record.Last = nil, credential.Last{Rotation: "r", Outcome: "done"}
		}, oracle.Quiet},
		{"I18", "held by a person", func(v *oracle.View) { v.Record.Hold = &credential.Hold{Code: credential.HoldByPerson} }, before(revoke("old"))},
		{"I19", "a destination hands the old one out", func(v *oracle.View) { v.Copied, v.Copy = true, "old-value" }, before(revoke("old"))},
		{"I19", "a consumer was not reloaded", func(v *oracle.View) { v.Copied, v.Copy, v.Taken = true, "new-value", "old-value" }, before(revoke("old"))},
		{"I20", "a consumer runs on the old one", func(v *oracle.View) { v.Used, v.Said = true, "old-value" }, before(revoke("old"))},
		{"I19", "a destination was forgotten", func(v *oracle.View) {
			v.Record.Rotation, v.Copied, v.Copy = nil, true, "old-value"
		}, oracle.Quiet},
	}
	for _, tt := range tests {
		t.Run(tt.invariant+" "+tt.name, func(t *testing.T) {
			v := revoking()
			if tt.change != nil {
				tt.change(&v)
			}
			broken := tt.ask(v)
			if !has(broken, tt.invariant) {
				t.Errorf("%s was not seen, only %v", tt.invariant, broken)
			}
			for _, b := range broken {
				if strings.Contains(b.String(), "-value") {
					t.Errorf("a value is printed: %s", b.Name)
				}
			}
		})
	}
	for _, o := range oracle.All() {
		seen := false
		for _, tt := range tests {
			seen = seen || tt.invariant == o.Invariant
		}
		if !seen || o.Sentence == "" || o.Name == "" {
			t.Errorf("%s has no world that breaks it, or no sentence", o.Invariant)
		}
	}
}

// A consumer that goes back to what has been revoked loses nothing by another revoke of it.
func TestAnotherRevokeTakesNothingFromAConsumer(t *testing.T) {
	v := revoking()
	v.Used, v.Said = true, "old-value"
	v.Accepts = func(value string) bool { return value == "new-value" }
	if b := oracle.Before(v, revoke("old")); len(b) > 0 {
		t.Errorf("broken: %v", b)
	}
}

func before(a oracle.Act) func(oracle.View) []oracle.Broken {
	return func(v oracle.View) []oracle.Broken { return oracle.Before(v, a) }
}

func has(broken []oracle.Broken, invariant string) bool {
	for _, b := range broken {
		if b.Invariant == invariant {
			return true
		}
	}
	return false
}

func orphan(id string) oracle.Secret {
	return oracle.Secret{ID: id, Value: "value-of-" + id, Maker: oracle.ByRotad, Live: true}
}

func rotations(ids ...string) []credential.Audit {
	var list []credential.Audit
	for _, id := range ids {
		list = append(list, credential.Audit{Event: credential.EventIntent, Rotation: id})
	}
	return list
}
