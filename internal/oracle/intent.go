package oracle

import (
	"slices"

	"github.com/rotad/rotad/internal/credential"
)

// intentFirst is I8.
func intentFirst(v *View, a *Act) string {
	r := v.rotation()
	switch a.Kind {
	case Create:
		return createIntended(r, a)
	case Revoke:
		return revokeIntended(v.Record, a)
	case Stage:
		return stageIntended(v, a)
	case Promote:
		return promoteIntended(r)
	case Destroy:
		if v.Record.Cleanup == nil && (r == nil || r.Phase != credential.PhaseRevoking) {
			return "destroys versions in phase " + string(v.Record.Phase())
		}
	}
	return ""
}

func createIntended(r *credential.Rotation, a *Act) string {
	switch {
	case r == nil:
		return "creates without a durable intent"
	case r.Phase != credential.PhaseIntent:
		return "creates in phase " + string(r.Phase)
	case a.Label != "" && a.Label != credential.Label(r.ID, r.Attempt):
		return "creates with the label " + a.Label + ", which the durable attempt does not have"
	}
	return ""
}

// revokeIntended: the old one in revoking, the orphan that is named, and within the intent the one that could not be
// staged and is taken back at once.
func revokeIntended(rec credential.Record, a *Act) string {
	r := rec.Rotation
	if r == nil {
		return discardIntended(rec, a)
	}
	switch {
	case r.Orphan == a.ID && (r.Promoted == 0 || a.ID != r.New.ID), r.Phase == credential.PhaseRevoking && r.Old.ID == a.ID:
		return ""
	case r.Phase == credential.PhaseIntent && a.ID != r.Old.ID:
		return ""
	}
	return "revokes " + a.ID + ", which the durable record does not name, in phase " + string(r.Phase)
}

// discardIntended: with nothing under way only what a person has let go, and never what Vault hands out.
func discardIntended(rec credential.Record, a *Act) string {
	named := func(o credential.Orphan) bool { return o.ID == a.ID }
	switch {
	case !slices.ContainsFunc(rec.Orphans, named):
		return "revokes without a durable intent"
	case a.ID == rec.Current.ID:
		return "revokes " + a.ID + ", which Vault hands out"
	}
	return ""
}

// stageIntended: an entry names the rotation that is durable. A submit fences before its rotation is, by design: only
// then a person is told that the value was taken.
func stageIntended(v *View, a *Act) string {
	r := v.rotation()
	if v.Record.Mode() == credential.ModeManual || v.Submitting || r == nil && v.Record.Hold != nil {
		return ""
	}
	if r == nil || a.Rotation != "" && r.ID != a.Rotation {
		return "stages for a rotation that is not durable"
	}
	return ""
}

func promoteIntended(r *credential.Rotation) string {
	switch {
	case r == nil:
		return "publishes without a rotation"
	case r.Staged == 0:
		return "publishes what is not staged"
	case r.Phase == credential.PhaseVerified, r.Phase == credential.PhaseStaged && r.Cutover, r.Phase == credential.PhaseCompensating:
		return ""
	case r.Phase == credential.PhaseOverlap && r.RollingBack != nil: // the old one again: I10 says over what
		return ""
	}
	return "publishes in phase " + string(r.Phase)
}

// unknownIsNotFailed is I13: no secret of ours that nothing accounts for stands at the provider when another is made. A
// cutover settles by making another one.
func unknownIsNotFailed(v *View, a *Act) string {
	r := v.rotation()
	if a.Kind != Create || r == nil || r.Cutover || v.Behind { // what a paused daemon still sends, its fence has outlived
		return ""
	}
	if countsDown(v) && toldOf(v, func(credential.Audit) bool { return true }) {
		return "" // it was settled: its value is lost, and a person has decided what becomes of it
	}
	inMemory := max(0, v.Daemons-1) // of the other daemons: each can have one reply that it is about to stage or to undo
	for _, s := range v.Secrets {
		if !unsettled(v, a, s) {
			continue
		}
		if inMemory--; inMemory < 0 {
			return "creates while " + s.ID + ", made by an earlier attempt, is nobody's"
		}
	}
	return ""
}

// unsettled says whether a secret is of an earlier attempt that nothing accounts for.
func unsettled(v *View, a *Act, s Secret) bool {
	repeated := a.Value != "" && s.Value == a.Value
	return s.Live && !s.Once && !v.Unwitnessed && s.Maker == ByRotad && !repeated && !accounted(v, s) && !replaced(v, s)
}

// replaced: where the provider keeps the previous one for a while, an earlier secret of ours may still count down.
func replaced(v *View, s Secret) bool {
	return v.Record.Mode() == credential.ModeGraceWindow && len(v.Secrets) > 0 && v.Secrets[len(v.Secrets)-1].ID != s.ID
}

// writtenDown is I17 before an act: what is revoked has been written down.
func writtenDown(v *View, a *Act) string {
	if !ofOld(v, a) || v.Rewound {
		return ""
	}
	for _, entry := range slices.Backward(v.Audit) {
		if entry.Event == credential.EventRevoking && entry.Secret == a.ID {
			return ""
		}
	}
	return "revokes " + a.ID + " without an audit entry of its point of no return"
}

// accountedFor is I17 at the end: the audit names the current secret's promotion.
func accountedFor(v *View) string {
	if v.Rewound || v.Record.Last.Outcome != "done" || v.rotation() != nil || v.Disturbed != "" {
		return ""
	}
	for _, a := range slices.Backward(v.Audit) {
		if a.Event == credential.EventPromoted && a.Rotation == v.Record.Last.Rotation {
			return ""
		}
	}
	return "the last rotation ended well, and the audit does not say when it was published"
}
