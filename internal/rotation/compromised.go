package rotation

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Compromised asks for a rotation of a secret that somebody has who must not have it: now, outside of every window, and the
// old one is revoked as soon as Vault hands out the new one, whatever its consumers hold by then. A rotation that is under
// way is cut short; where it has published already, another one follows, because the new secret may be the one that
// leaked.
func Compromised(rec credential.Record, by Person, env Env) (Decision, error) {
	return personal(rec, env, func(s *step) error {
		switch {
		case rec.Leaving:
			return refuse("add it to the configuration again", "client %s is leaving", rec.Client.ID)
		case rec.Mode() == credential.ModeManual:
			return refuse("make a new secret in the portal, rotad submit "+rec.Client.ID+", remove the old one there at once, then: rotad resume "+rec.Client.ID+" --old-removed",
				"%s is a manual client", rec.Client.ID)
		case rec.Rotation != nil && rec.Rotation.RollingBack != nil:
			return refuse("ask again in a moment", "%s is just going back to its former secret", rec.Client.ID)
		case env.Policy.OnlyWatches():
			return onlyWatched(rec)
		case rec.Hold != nil && !rec.Hold.Retry && !rec.Hold.Paging && rec.Hold.Code != credential.HoldByPerson:
			return refuse(resumeHint(rec), "%s is held: %s", rec.Client.ID, rec.Hold.Code)
		}
		s.release("the secret is compromised")
		s.auditPerson(credential.EventRequested, by, "compromised")
		s.rec.Backoff = credential.Backoff{}
		if s.cutShort(by) {
			return nil
		}
		s.rec.Request.Rotate, s.rec.Request.Compromised = true, true
		s.rec.Request.Actor, s.rec.Request.Reason, s.rec.Request.At = by.Name, by.Reason, s.env.Now
		return nil
	})
}

// cutShort takes the overlap out of a rotation that is under way. It says whether that is enough: its new secret has not been
// handed out, so nobody can have it.
func (s *step) cutShort(by Person) bool {
	r := s.rec.Rotation
	if r == nil {
		return false
	}
	r.Policy = atOnce(r.Policy, r.Caps)
	if r.Promoted == 0 {
		r.Cause = credential.Cause{Kind: credential.CauseCompromised, Actor: by.Name, Reason: by.Reason}
		r.Client.Stagger = 0
		return true
	}
	r.RevokeAfter, r.Undelivered = earliest(r.RevokeAfter, latest(s.env.Now, r.PromotedAt)), true
	return false
}

// atOnce is a policy without overlap and windows. Where a slot can be emptied, the provider's own timer is not waited for.
func atOnce(p credential.Policy, c credential.Capabilities) credential.Policy {
	p.Overlap, p.OverlapMin, p.Window = 0, 0, credential.WindowSpec{}
	p.DeleteEarly = p.DeleteEarly || c.SlotRevoke
	return p
}

// compromised says whether a rotation waits for nobody.
func compromised(r *credential.Rotation) bool { return r.Cause.Kind == credential.CauseCompromised }

// wavesOn lets the consumers of a compromised secret be reloaded after the old one has been revoked: they are cut off, so
// nothing ends before they have the new one.
func (s *step) wavesOn() bool {
	if !compromised(s.rec.Rotation) {
		return false
	}
	at := s.reloadAt()
	return !at.IsZero() && s.wait(latest(at, s.env.Now.Add(time.Second)), "reload")
}
