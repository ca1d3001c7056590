package oracle

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// clockAgreement is how far the clocks that agree on the end of an overlap may be wrong.
const clockAgreement = 5 * time.Minute

// ofOld says whether an act revokes the secret that a rotation replaces.
func ofOld(v *View, a *Act) bool {
	r := v.rotation()
	return a.Kind == Revoke && r != nil && r.Old.ID != "" && r.Old.ID == a.ID
}

// earlyRevoke is I2.
func earlyRevoke(v *View, a *Act) string {
	if !ofOld(v, a) {
		return ""
	}
	r := v.rotation()
	switch {
	case r.Phase != credential.PhaseRevoking:
		return "revokes the old secret in phase " + string(r.Phase)
	case r.Promoted == 0 || r.Staged == 0:
		return "revokes the old secret before the new one is published"
	case v.Racing:
	case v.Hands == "" || v.Hands == v.Version(r.OldVersion):
		return "revokes the old secret while Vault hands it out"
	case !v.Accepts(v.Hands):
		return "revokes the old secret while the provider refuses the new one"
	}
	return ""
}

// ownership is I3.
func ownership(v *View, a *Act) string {
	if a.Kind != Revoke {
		return ""
	}
	s, ok := v.find(a.ID)
	if !ok {
		return ""
	}
	if s.Maker == ByPerson {
		return "revokes " + a.ID + ", which somebody else made"
	}
	for _, other := range v.Secrets {
		if other.ID != a.ID && other.Live {
			return ""
		}
	}
	if s.Live && !v.Racing && !neverGiven(v, s) {
		return "revokes " + a.ID + ", the last secret that is accepted"
	}
	return ""
}

// neverGiven says whether nobody was ever given a secret, and nothing stood before it: a person may end that again.
func neverGiven(v *View, s Secret) bool {
	r := v.rotation()
	return !s.Once && (v.Hands == "" || r != nil && r.OldVersion == 0)
}

// foreignChange is I14.
func foreignChange(v *View, a *Act) string {
	if v.HandsBy != ByPerson || v.Hands == "" || v.Racing {
		return ""
	}
	r := v.rotation()
	switch {
	case a.Kind == Revoke && ofOld(v, a) && v.Version(r.Promoted) != v.Hands:
		return "revokes the old secret although somebody else wrote what Vault hands out"
	case a.Kind == Promote && !toReplace(v, r) && a.Value != v.Hands:
		return "overwrites a value that somebody else wrote"
	}
	return ""
}

// fencing is I10.
func fencing(v *View, a *Act) string {
	r := v.rotation()
	if a.Kind != Promote || r == nil || v.Hands == "" {
		return ""
	}
	if v.Hands == a.Value || toReplace(v, r) || r.Promoted != 0 && v.Hands == v.Version(r.Promoted) {
		return ""
	}
	return "replaces a value that is neither the one before nor the new one"
}

// toReplace says whether Vault hands out what the rotation replaces: the old secret, or what a person decided to replace.
func toReplace(v *View, r *credential.Rotation) bool {
	for _, version := range []int{r.ConsumerBase, r.OldVersion} {
		if version != 0 && v.Version(version) == v.Hands {
			return true
		}
	}
	return false
}

// trueOverlap is I16: the overlap is measured in the true time, from when Vault began to hand out the new value.
func trueOverlap(v *View, a *Act) string {
	if !ofOld(v, a) || v.HandsAt.IsZero() || v.Racing {
		return ""
	}
	r := v.rotation()
	if passed := v.At.Sub(v.HandsAt); passed < r.Policy.Overlap-clockAgreement {
		return "revokes the old secret after " + passed.String() + " of an overlap of " + r.Policy.Overlap.String()
	}
	return ""
}

// paused is I18.
func paused(v *View, a *Act) string {
	h, r := v.Record.Hold, v.rotation()
	if h == nil || h.Code != credential.HoldByPerson {
		return ""
	}
	switch {
	case ofOld(v, a):
		return "revokes the old secret of a client that a person holds"
	case a.Kind == Create && r != nil && r.Fence == 0 && r.Attempt == 1 && !h.Paging && r.Asked == "":
		return "begins a rotation of a client that a person holds"
	}
	return ""
}
