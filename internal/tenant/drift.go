package tenant

import (
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// Difference is one way in which a tenant differs from what rotad has on record.
type Difference string

// The differences.
const (
	DriftMissing Difference = "client-missing" // a registered client is not in the tenant any more
	DriftRemoved Difference = "removed"        // the secret that Vault hands out is not listed any more
	DriftAdded   Difference = "added"          // somebody has made a secret beside rotad's, since the client was registered
	DriftChanged Difference = "changed"        // the secret that Vault hands out ends at another time than it did
	DriftOrphan  Difference = "orphan"         // a secret with a label of rotad that rotad does not hand out
	DriftVault   Difference = "vault-differs"  // Vault hands out another value than rotad has published, or one that is refused
)

// Drift is one difference. Its JSON is what "rotad discover --drift --json" prints.
type Drift struct {
	Client     string         `json:"client"` // what rotad calls it
	Ref        credential.Ref `json:"ref"`
	Difference Difference     `json:"difference"`
	Secret     string         `json:"secret,omitempty"`
	Label      string         `json:"label,omitempty"`
	Detail     string         `json:"detail"`
	Command    string         `json:"command"` // what leads on
}

// Known is what rotad has on record of a client, as far as a tenant's list can be compared with it.
type Known struct {
	ID       string // what rotad calls it
	Ref      credential.Ref
	Since    time.Time // when it was registered
	Current  credential.Secret
	Rotating bool // a rotation is under way: everything may differ
	Adopted  bool // Current is what Vault hands out
	Hold     credential.HoldCode
	Detail   string // of the hold
}

// KnownOf returns what of a record a tenant's list can be compared with.
func KnownOf(rec credential.Record) Known {
	k := Known{
		ID: rec.Client.ID, Ref: rec.Client.Ref, Since: rec.Since, Current: rec.Current, Rotating: rec.Rotation != nil,
		Adopted: rec.Sight == credential.SightAdopted,
	}
	if rec.Hold != nil {
		k.Hold, k.Detail = rec.Hold.Code, rec.Hold.Detail
	}
	return k
}

// Compare returns how a client differs from what is on record of it. It changes nothing and repairs nothing: a difference is
// for a person, who may have meant it.
func Compare(k Known, c providers.Listed, now time.Time) []Drift {
	var found []Drift
	say := func(d Difference, s credential.Secret, command, format string, args ...any) {
		found = append(found, Drift{k.ID, k.Ref, d, s.ID, s.Label, fmt.Sprintf(format, args...), command})
	}
	if k.differsInVault() {
		say(DriftVault, credential.Secret{}, "rotad show "+k.ID, "%s: %s", k.Hold, k.Detail)
	}
	if k.Rotating || !k.Adopted || k.Current.ID == "" {
		return found
	}
	current, listed := c.Snapshot.Find(k.Current.ID)
	switch {
	case !listed && !k.Current.Expired(now):
		say(DriftRemoved, k.Current, "rotad show "+k.ID, "the secret that Vault hands out is not listed any more")
	case listed && !current.Expires.Equal(k.Current.Expires):
		say(DriftChanged, current, "rotad show "+k.ID, "it ends %s, and ended %s when it was looked at last", endOf(current), endOf(k.Current))
	}
	return append(found, besides(k, c, now)...)
}

// besides returns what stands beside the secret that Vault hands out, and was not there when the client was registered.
func besides(k Known, c providers.Listed, now time.Time) (found []Drift) {
	for _, s := range c.Snapshot.Secrets {
		if s.ID == k.Current.ID || s.Expired(now) {
			continue
		}
		switch _, _, ours := credential.ParseLabel(s.Label); {
		case ours:
			found = append(found, Drift{k.ID, k.Ref, DriftOrphan, s.ID, s.Label, "it carries a label of rotad, and is not what Vault hands out", "rotad orphans " + k.ID})
		case s.Slot == "" && s.Start.After(k.Since):
			made := "made " + s.Start.UTC().Format(time.RFC3339) + " by somebody else, beside the one that Vault hands out"
			found = append(found, Drift{k.ID, k.Ref, DriftAdded, s.ID, s.Label, made, "rotad show " + k.ID})
		}
	}
	return found
}

// differsInVault says whether a hold says so: the looks of the daemon compare values, which no list shows.
func (k Known) differsInVault() bool {
	switch k.Hold {
	case credential.HoldMismatch, credential.HoldForeignWrite, credential.HoldChangedElsewhere:
		return true
	default:
		return false
	}
}

// Missing is the difference of a client that a whole walk has not met.
func Missing(k Known) Drift {
	return Drift{k.ID, k.Ref, DriftMissing, "", "", "no page of the tenant lists it", "rotad show " + k.ID}
}

func endOf(s credential.Secret) string {
	switch {
	case s.Never:
		return "never"
	case s.Expires.IsZero():
		return "at an unknown time"
	}
	return s.Expires.UTC().Format(time.RFC3339)
}
