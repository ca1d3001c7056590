package oracle

import (
	"strconv"
	"strings"

	"github.com/rotad/rotad/internal/credential"
)

// singleFlight is I4: the audit names rotations one after the other.
func singleFlight(v *View) string {
	if v.Rewound || v.Disturbed != "" { // what a person ended can be brought back by a person, in Vault
		return ""
	}
	over := map[string]bool{}
	last := ""
	for _, a := range v.Audit {
		if a.Rotation == "" || a.Rotation == last {
			continue
		}
		if over[a.Rotation] {
			return "rotation " + a.Rotation + " went on after " + last + " had begun"
		}
		over[last] = true
		last = a.Rotation
	}
	return ""
}

// resurrected is I5 for the present: the current secret is not the one that the rotation is about to revoke.
func resurrected(v *View) string {
	r := v.rotation()
	if r != nil && r.Phase == credential.PhaseRevoking && r.Old.ID != "" && v.Record.Current.ID == r.Old.ID {
		return "secret " + r.Old.ID + " is current and past its point of no return"
	}
	return ""
}

// resurrection is I5 for the whole history. Who goes back to a secret that a restored backup of Vault has brought back knows
// what they do.
func resurrection(v *View) string {
	if v.Rewound {
		return ""
	}
	gone := map[string]bool{}
	for _, a := range v.Audit {
		switch a.Event {
		case credential.EventRequested:
			if v.Restored && strings.HasPrefix(a.Detail, "roll back") {
				clear(gone)
			}
		case credential.EventRevoking:
			gone[a.Secret] = a.Secret != ""
		case credential.EventStaged, credential.EventPromoted:
			if gone[a.Secret] {
				return "secret " + a.Secret + " came back after its point of no return: " + string(a.Event)
			}
		default:
		}
	}
	return ""
}

// strays returns the live secrets that rotad made and that nothing accounts for.
func strays(v *View) []string {
	var list []string
	for _, s := range v.Secrets {
		if s.Live && s.Maker == ByRotad && !v.Unwitnessed && !accounted(v, s) {
			list = append(list, s.ID)
		}
	}
	return list
}

func accounted(v *View, s Secret) bool {
	if s.Value != "" && (s.Value == v.Hands || s.Value == v.Staged) {
		return true
	}
	if s.ID == v.Record.Current.ID || s.ID == v.StageID {
		return true
	}
	if ofRotation(v, s) { // asked first: it spares a walk through the whole history
		return true
	}
	// A person took it out of Vault, or ended its retirement: what becomes of it is that person's to say.
	return s.Once && (v.Disturbed != "" || endedByPerson(v))
}

// ofRotation says whether the rotation under way names a secret, or Vault keeps its value as the one before.
func ofRotation(v *View, s Secret) bool {
	r := v.rotation()
	return r != nil && (s.ID == r.Old.ID || s.ID == r.New.ID || s.Value != "" && s.Value == v.Version(r.OldVersion))
}

// endedByPerson says whether a rotation was ended before it had revoked its old secret.
func endedByPerson(v *View) bool {
	for _, a := range v.Audit {
		if a.Event == credential.EventAborted {
			return true
		}
	}
	return false
}

// countsDown: where the provider itself ends the previous secret, one that is on its way out is nobody's worry.
func countsDown(v *View) bool {
	switch v.Record.Mode() {
	case credential.ModeGraceWindow, credential.ModeHardCutover, credential.ModeManual:
		return true
	default:
		return false
	}
}

// oneOrphan is I6 at every moment. Of daemons that share a store each can have one reply in memory.
func oneOrphan(v *View) string {
	if list := strays(v); len(list) > max(1, v.Daemons) && !countsDown(v) && v.Disturbed == "" {
		return strconv.Itoa(len(list)) + " secrets at the provider are nobody's"
	}
	return ""
}

// noOrphans is I6 when all is quiet. A client that waits for a person may have the one that the hold is about.
func noOrphans(v *View) string {
	if list := strays(v); len(list) > 0 && !countsDown(v) && !waits(v) && !v.Gone {
		return "secret " + list[0] + " at the provider is nobody's"
	}
	return ""
}

// waits says whether a person is needed.
func waits(v *View) bool {
	return v.Record.Hold != nil
}

// neverForgotten is I9 at every moment: a record is due at some time, or waits for a person.
func neverForgotten(v *View) string {
	if v.Gone || !v.Record.Due.IsZero() || v.Record.Hold != nil {
		return ""
	}
	return "the record is never due again, in phase " + string(v.Record.Phase())
}

// converged is I9 when all is quiet.
func converged(v *View) string {
	switch {
	case v.Gone, waits(v):
		return ""
	case v.rotation() != nil:
		return "the rotation never ended: " + string(v.Record.Phase())
	case v.Staged != "" && v.Record.Last.Outcome == "done" && !v.Restored:
		return "staging still holds a value"
	case v.Hands != "" && !v.Accepts(v.Hands):
		return "all is quiet, nobody is asked for help, and the provider refuses what Vault hands out"
	}
	return ""
}
