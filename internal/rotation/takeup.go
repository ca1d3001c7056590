package rotation

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// foreignStaging holds where another rotad writes the staging entry of this client.
func (s *step) foreignStaging(l *Look) bool {
	e := l.Staging
	if e.Version == 0 || e.Instance == "" || e.Instance == s.env.Instance {
		return false
	}
	s.hold(credential.HoldForeignWrite, "the staging entry was written by another rotad, instance "+e.Instance,
		func(h *credential.Hold) { h.Retry = true })
	return true
}

// takeUp continues a rotation that the state does not know: the state was lost, or is an old copy. Staging is the
// second witness.
func (s *step) takeUp(l *Look) bool {
	e := l.Staging
	if !unknownRotation(&s.rec, e) {
		return false
	}
	r := &credential.Rotation{
		ID: e.Rotation, Attempt: max(1, e.Attempt), Phase: credential.PhaseIntent, Since: s.env.Now, Started: e.FencedAt,
		Cause:  credential.Cause{Kind: credential.CauseScheduled, Reason: "taken up from Vault staging"},
		Client: s.rec.Client, Policy: s.env.Policy, Caps: s.rec.Caps,
		OldVersion: e.Consumer, FenceBase: e.Version, Fence: e.Version, FenceAt: fencedAt(e),
		Unsettled: s.env.moment(), Override: true, Cutover: s.rec.Caps.Mode == credential.ModeHardCutover,
	}
	r.Client.AllowCut = r.Client.AllowCut || r.Cutover // it was permitted when it began, be it by a person for this one time
	for _, id := range e.Before {
		r.Before = append(r.Before, credential.Secret{ID: id})
	}
	r.Old = credential.Secret{ID: e.OldID}
	if listed, ok := l.Snapshot.Find(e.OldID); ok && e.OldID != "" {
		r.Old = listed
	}
	if !e.Earlier.IsZero() { // the attempt before was not settled, and what it made is looked for
		r.FenceAt = e.Earlier
	}
	if e.Phase == credential.StagingPending {
		r.Unsettled = nil
	}
	if e.Phase == credential.StagingStaged {
		r.Phase, r.New, r.Staged, r.StagedAt, r.Unsettled = credential.PhaseStaged, e.New, e.Version, e.Created, nil
		r.OldDies = earliest(previousDies(l.Snapshot), graceEnds(s.rec.Caps, e.FencedAt))
	}
	if s.rec.Sight == credential.SightNone {
		s.rec.Sight, s.rec.Current = credential.SightAdopted, r.Old
		s.stands(e.Consumer, time.Time{})
	}
	s.rec.Rotation, s.rec.Hold = r, nil
	s.auditDetail(credential.EventSettled, "a rotation was taken up from Vault staging: "+string(e.Phase))
	return true
}

// graceEnds returns when the provider drops a secret that was replaced at a moment; zero = it does not, or not known.
func graceEnds(c credential.Capabilities, replaced time.Time) time.Time {
	if c.Mode != credential.ModeGraceWindow || c.Grace == 0 || replaced.IsZero() {
		return time.Time{}
	}
	return replaced.Add(c.Grace)
}

// unknownRotation says whether a staging entry belongs to a rotation that the state does not know. A manual one begins
// with its value: the fence of a submit that never came means nothing.
func unknownRotation(rec *credential.Record, e credential.Entry) bool {
	if e.Version == 0 || e.Deleted || e.Phase == credential.StagingIdle || e.Rotation == rec.Last.Rotation {
		return false
	}
	newer := !rec.Last.StagedAt.IsZero() && e.Created.After(rec.Last.StagedAt)
	if e.Version <= rec.Last.Staged && !newer { // a backup of Vault was restored: a later rotation has ended since
		return false
	}
	if e.Phase == credential.StagingIntent && e.Attempt == 0 { // the fence of a submit whose value never came
		return false
	}
	return rec.Caps.Mode != credential.ModeManual || e.Phase == credential.StagingStaged
}

// previousDies returns when the secret in the slot "previous" ends; zero = there is none, or it is not known.
func previousDies(snap providers.Snapshot) time.Time {
	for _, secret := range snap.Secrets {
		if secret.Slot == providers.SlotPrevious {
			return secret.Expires
		}
	}
	return time.Time{}
}

// broughtByStaging adopts a rotation that this rotad finished and the state has forgotten: an old copy of the state. Where
// the state knows a later version than Vault hands out, Vault is the old copy, and what staging says of it is out of date.
func (s *step) broughtByStaging(l *Look) bool {
	e := l.Staging
	if e.Version == 0 || e.Phase != credential.StagingIdle || e.Instance != s.env.Instance || l.Answer != providers.Accepted || e.Consumer != l.Version {
		return false
	}
	if l.Version <= s.rec.Version {
		return false
	}
	s.rec.Current = e.New
	s.stands(l.Version, l.Written)
	s.rec.Last = credential.Last{Rotation: e.Rotation, At: e.Created, Outcome: "done"}
	s.auditDetail(credential.EventSettled, "a finished rotation was taken over from Vault staging")
	return true
}
