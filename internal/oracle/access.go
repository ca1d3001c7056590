package oracle

import (
	"slices"
	"strings"

	"github.com/rotad/rotad/internal/credential"
)

// access is I1.
func access(v *View) string {
	if v.Hands == "" || v.Gone || v.Disturbed != "" || neverAccepted(v) || v.Accepts(v.Hands) {
		return ""
	}
	switch {
	case cutover(v), toldInTime(v):
		return ""
	}
	return "the provider refuses what Vault hands out, in phase " + string(v.Record.Phase())
}

// neverAccepted: a client whose value was refused when it was registered has no access to lose.
func neverAccepted(v *View) bool {
	return v.Record.Sight == credential.SightMismatch || v.Record.Sight == credential.SightNone && v.Record.Rotation == nil
}

// cutover: between create and promote of a permitted cutover nothing can be accepted but the value on its way; until the
// cutover is proved, whichever of the two values the provider accepts is at hand.
func cutover(v *View) bool {
	r := v.rotation()
	if v.Rewound && r == nil {
		return unknowing(v)
	}
	if r == nil || !r.Cutover || !r.Client.AllowCut {
		return false
	}
	return r.Promoted == 0 || v.Accepts(v.Staged) || v.Accepts(v.Version(r.OldVersion)) || v.Accepts(v.Version(r.Promoted)) ||
		v.Record.Hold != nil && v.Record.Hold.Code == credential.HoldBothRefused
}

// unknowing: until its next look, an older state does not know that a cutover is under way, or that a secret counts down.
func unknowing(v *View) bool {
	mode := v.Record.Caps.Mode
	return mode == credential.ModeHardCutover && v.Record.Client.AllowCut || mode == credential.ModeGraceWindow
}

// toldInTime: a person was told, with a deadline, and the deadline has passed; or the provider said when the secret
// expires, and a person was told that it has.
func toldInTime(v *View) bool {
	if h := v.Record.Hold; h != nil && !h.Deadline.IsZero() && !v.At.Before(h.Deadline) {
		return true
	}
	if r := v.rotation(); r != nil && toldOf(v, func(a credential.Audit) bool { return a.Rotation == r.ID }) {
		return true
	}
	return v.Record.Current.Expired(v.At) && (v.Record.Told.Expired || v.Record.Hold != nil || v.rotation() != nil)
}

// toldOf says whether a rotation was held with a deadline because its secret was lost, or changed by others. What a person
// brings after the deadline comes too late, and was told to.
func toldOf(v *View, which func(credential.Audit) bool) bool {
	for _, a := range slices.Backward(v.Audit) {
		if a.Event != credential.EventHeld || !which(a) {
			continue
		}
		switch code, _, _ := strings.Cut(a.Detail, ":"); credential.HoldCode(code) {
		case credential.HoldSecretLost, credential.HoldNotUnderstood, credential.HoldChangedElsewhere, credential.HoldWhichSecret:
			return true
		default:
		}
	}
	return false
}

// takesAccess is I1 seen from the acts: none of rotad's own may take away what Vault hands out, whatever others did.
func takesAccess(v *View, a *Act) string {
	if v.Racing || v.Hands == "" {
		return ""
	}
	s, _ := v.find(a.ID)
	handed := func(version int) bool { return v.Version(version) == v.Hands }
	switch {
	case a.Kind == Revoke && s.Live && s.Value == v.Hands:
		return "revokes " + a.ID + ", which Vault hands out"
	case a.Kind == Promote && v.Accepts(v.Hands) && !v.Accepts(a.Value) && !mayPublishUnproved(v):
		return "publishes a value that the provider refuses over one that it accepts"
	case a.Kind == Destroy && slices.ContainsFunc(a.Versions, handed):
		return "destroys a version with the value that Vault hands out"
	}
	return ""
}

// mayPublishUnproved: a cutover is promoted at once, because the old secret is dead; and in a grace window a new secret
// that the provider shows as current is better than the old one that is about to expire.
func mayPublishUnproved(v *View) bool {
	r := v.rotation()
	return r != nil && (r.Cutover || r.Caps.Mode == credential.ModeGraceWindow)
}

// timely is I12.
func timely(v *View) string {
	c := v.Record.Current
	if v.Gone || v.Disturbed != "" || !c.Expired(v.At) || v.rotation() != nil || v.Record.Hold != nil {
		return ""
	}
	if told := v.Record.Told; told.Expired || told.Failing || v.Record.Backoff.Attempts > 0 || !v.Record.Due.After(v.At) {
		return ""
	}
	return "the secret in use has expired, and nobody was told"
}
