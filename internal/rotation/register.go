package rotation

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Register makes the record of a client that is new. It falls due at once, for its first look; registering never
// rotates.
func Register(c credential.Client, env Env) Decision {
	s := newStep(credential.Record{Client: c, Since: env.Now.UTC()}, env)
	s.forgetOld()
	s.rec.NextLook = s.env.Now
	s.rec.Due, s.rec.DueFor = s.env.Now, "first-look"
	s.auditDetail(credential.EventRegistered, c.Source)
	return s.decision()
}

// Update takes over a changed registration. Where a rotation is under way, it has pinned what it needs.
func Update(rec credential.Record, c credential.Client, env Env) Decision {
	s := newStep(rec, env)
	moved := rec.Client.Vault.Key() != c.Vault.Key() || rec.Client.Provider != c.Provider || rec.Client.Ref.Canonical() != c.Ref.Canonical()
	s.rec.Client, s.rec.Leaving = c, false
	if moved {
		s.rec.Sight, s.rec.Current, s.rec.Version, s.rec.Proved = credential.SightNone, credential.Secret{}, 0, false
		s.rec.NextLook = s.env.Now
	}
	s.rec.Due, s.rec.DueFor = s.env.Now, "changed"
	s.auditDetail(credential.EventChanged, c.Source)
	return s.decision()
}

// Leave marks a client that was removed from its source: it starts nothing, finishes its rotation, and is archived with
// its history. Nothing at the provider or in Vault is touched.
func Leave(rec credential.Record, env Env) Decision {
	s := newStep(rec, env)
	s.rec.Leaving = true
	s.rec.Due, s.rec.DueFor = s.env.Now, "leaving"
	s.audit(credential.EventLeaving, nil)
	return s.decision()
}

// Changed says whether a registration differs from the recorded one in anything that matters.
func Changed(rec credential.Record, c credential.Client) bool {
	if rec.Leaving {
		return true
	}
	return !bytes.Equal(spelling(rec.Client), spelling(c))
}

// spelling returns the one JSON text of a registration; where it was written does not matter.
func spelling(c credential.Client) []byte {
	c.Source, c.RenamedFrom, c.Expires = "", "", c.Expires.UTC().Truncate(time.Microsecond)
	text, err := json.Marshal(c)
	if err != nil {
		return nil
	}
	return text
}

// Submit stages a value that a person brings, for a manual client or to resolve a lost secret: the rotation begins at
// staged, because the bundle stands in Vault already.
func Submit(rec credential.Record, o Outcome, by Person, expires Expiry, env Env) (Decision, error) {
	return personal(rec, env, func(s *step) error {
		if err := MaySubmit(rec); err != nil {
			return err
		}
		if s.rec.Rotation == nil {
			s.rec.Rotation = &credential.Rotation{
				ID: env.FreshID, Attempt: 1, Phase: credential.PhaseIntent, Since: s.env.Now, Started: s.env.Now,
				Cause:  credential.Cause{Kind: credential.CauseSubmitted, Actor: by.Name, Reason: by.Reason},
				Client: rec.Client, Policy: env.Policy, Caps: rec.Caps, Old: rec.Current, OldVersion: rec.Version,
			}
			if rec.Sight != credential.SightAdopted || additive(rec.Caps.Mode) { // nobody knows which secret the old one is; what was brought may be the known one
				s.rec.Rotation.Old = credential.Secret{}
			}
			if rec.Sight == credential.SightEmpty {
				s.rec.Rotation.OldVersion = 0
			}
			s.rec.Rotation.Old.Expires = Ends(rec)
		}
		s.rec.Rotation.ConsumerBase = o.Base             // whoever brings a value wants it in the place of what stands there now
		s.rec.Hold, s.rec.Rotation.Aborting = nil, false // who brings a value wants it published, whatever was asked before
		o.Secret.Expires, o.Secret.Never = expires.At, expires.Never
		if !o.At.IsZero() { // its life is counted from when Vault took it, whatever our clock says
			o.Secret.Start = o.At.UTC().Truncate(time.Microsecond)
		}
		s.auditPerson(credential.EventSubmitted, by, "")
		s.staged(o)
		s.rec.Told.HoldCode = ""
		return nil
	})
}

// MaySubmit says whether a value may be brought now: to a manual client with nothing under way, or to resolve a hold
// that a value resolves.
func MaySubmit(rec credential.Record) error {
	if rec.Hold != nil {
		if rule, ok := credential.RuleFor(rec.Hold.Code); ok && rule.Submit && (rec.Rotation == nil || rec.Rotation.Promoted == 0) {
			return nil
		}
	}
	switch {
	case rec.Leaving:
		return refuse("add it to the configuration again", "client %s is leaving", rec.Client.ID)
	case rec.Rotation != nil:
		return refuse("rotad show "+rec.Client.ID, "a rotation of %s is under way (%s)", rec.Client.ID, rec.Phase())
	case rec.Caps.Mode != credential.ModeManual:
		return refuse("rotad rotate "+rec.Client.ID, "%s is rotated by rotad itself (%s)", rec.Client.ID, rec.Caps.Mode)
	}
	return nil
}
