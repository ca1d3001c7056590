package rotation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Refusal is why a person's wish is not granted: nothing was changed.
type Refusal struct {
	Why  string
	Hint string
}

// Error says why.
func (r *Refusal) Error() string { return r.Why }

func refuse(hint, why string, args ...any) error {
	return &Refusal{Why: fmt.Sprintf(why, args...), Hint: hint}
}

// Person is somebody who wants something, for the audit.
type Person struct {
	Name   string
	Reason string
}

// Wish is one thing that a person wants of a client. It is a pure function of the record, like Plan and Apply, so that
// it can be repeated when a commit meets a conflict.
type Wish func(rec credential.Record, by Person, env Env) (Decision, error)

// personal runs a wish as a step, and lets the record fall due at once.
func personal(rec credential.Record, env Env, f func(*step) error) (Decision, error) {
	s := newStep(rec, env)
	if err := f(s); err != nil {
		return Decision{}, err
	}
	s.rec.Due, s.rec.DueFor = s.env.Now, "person"
	s.out.Reason = "person"
	return s.decision(), nil
}

func (s *step) auditPerson(e credential.Event, by Person, detail string) {
	s.audit(e, func(a *credential.Audit) {
		a.Actor, a.Detail = by.Name, strings.TrimSpace(detail+" "+by.Reason)
	})
}

// Rotate asks for a rotation now.
func Rotate(rec credential.Record, by Person, env Env) (Decision, error) {
	return personal(rec, env, func(s *step) error {
		switch {
		case rec.Leaving:
			return refuse("add it to the configuration again", "client %s is leaving", rec.Client.ID)
		case rec.Rotation != nil:
			return refuse("rotad show "+rec.Client.ID, "a rotation of %s is under way already (%s)", rec.Client.ID, rec.Phase())
		case rec.Hold != nil && !rec.Hold.Retry:
			return refuse(resumeHint(rec), "%s is held: %s", rec.Client.ID, rec.Hold.Code)
		case rec.Caps.Mode == credential.ModeManual:
			return refuse("make the secret in the portal, then: rotad submit "+rec.Client.ID, "%s is a manual client", rec.Client.ID)
		case env.Policy.OnlyWatches():
			return onlyWatched(rec)
		}
		s.rec.Request.Rotate, s.rec.Request.Actor, s.rec.Request.Reason, s.rec.Request.At = true, by.Name, by.Reason, s.env.Now
		s.rec.Backoff = credential.Backoff{}
		s.auditPerson(credential.EventRequested, by, "")
		return nil
	})
}

// Approve lets a rotation begin that waits for a person's word.
func Approve(rec credential.Record, by Person, env Env) (Decision, error) {
	return personal(rec, env, func(s *step) error {
		if env.Policy.OnlyWatches() {
			return onlyWatched(rec)
		}
		if env.Policy.Start != credential.StartApprove {
			return refuse("rotad rotate "+rec.Client.ID, "the policy of %s does not ask for approval", rec.Client.ID)
		}
		if rec.Rotation != nil {
			return refuse("rotad show "+rec.Client.ID, "a rotation of %s is under way already", rec.Client.ID)
		}
		s.rec.Request.Approved, s.rec.Request.Actor, s.rec.Request.Reason, s.rec.Request.At = true, by.Name, by.Reason, s.env.Now
		s.auditPerson(credential.EventApproved, by, "")
		return nil
	})
}

// onlyWatched refuses a rotation that somebody asks for by hand as well: a rotad that only watches has no rights to change
// anything, and would try in vain for as long as nobody stops it.
func onlyWatched(rec credential.Record) error {
	return refuse("set start: auto or approve for its policy, give rotad the rights (deploy/vault/rotad.hcl), and reload",
		"the policy of %s only watches (start: observe): rotad changes nothing of it", rec.Client.ID)
}

// HoldBy stops a client. A created secret that is not published yet is published all the same.
func HoldBy(rec credential.Record, by Person, env Env) (Decision, error) {
	return personal(rec, env, func(s *step) error {
		if rec.Hold != nil && rec.Hold.Code != credential.HoldByPerson && !rec.Hold.Retry {
			return refuse(resumeHint(rec), "%s is held already: %s", rec.Client.ID, rec.Hold.Code)
		}
		s.rec.Hold = &credential.Hold{Code: credential.HoldByPerson, Since: s.env.Now, Detail: by.Reason, By: by.Name, Paging: s.neverInterrupted()}
		s.auditPerson(credential.EventHeld, by, string(credential.HoldByPerson))
		return nil
	})
}

// Ack remembers that a person has seen the warnings: repeats stop until the next milestone.
func Ack(rec credential.Record, by Person, env Env) (Decision, error) {
	return personal(rec, env, func(s *step) error {
		s.rec.Request.Acked = s.env.Now
		s.auditPerson(credential.EventAcked, by, "")
		return nil
	})
}

// Snooze stops warnings until a moment. The final warning and the expiry are told all the same.
func Snooze(until time.Time) Wish {
	return func(rec credential.Record, by Person, env Env) (Decision, error) {
		return personal(rec, env, func(s *step) error {
			if !until.After(s.env.Now) {
				return refuse("give a moment in the future", "%s has passed", until.Format(time.RFC3339))
			}
			s.rec.Request.Snooze = until.UTC()
			s.auditPerson(credential.EventSnoozed, by, "until "+until.UTC().Format(time.RFC3339))
			return nil
		})
	}
}

func resumeHint(rec credential.Record) string {
	rule, ok := credential.RuleFor(rec.Hold.Code)
	if !ok {
		return "rotad show " + rec.Client.ID
	}
	choices := make([]string, 0, len(rule.Resolve)+1)
	for _, choice := range rule.Choices(rec.Rotation != nil) {
		choices = append(choices, "rotad resume "+rec.Client.ID+" "+choice.Flag())
	}
	if rule.Submit {
		choices = append(choices, "rotad submit "+rec.Client.ID)
	}
	if rule.Remove() {
		choices = append(choices, "rotad remove "+rec.Client.ID)
	}
	return strings.Join(choices, ", or ")
}

// Resume ends a hold in the way that a person chooses. secretID is the argument of adopt and discard.
func Resume(choice credential.Resolve, secretID string) Wish {
	return func(rec credential.Record, by Person, env Env) (Decision, error) {
		return personal(rec, env, func(s *step) error {
			if err := s.mayResume(choice, secretID); err != nil {
				return err
			}
			s.auditPerson(credential.EventRequested, by, "resume "+choice.Flag()+" "+secretID)
			return s.resume(choice, secretID)
		})
	}
}

// mayResume checks a choice against the table of holds. Old-removed needs no hold, and neither do abort (of a rotation)
// and adopt (of a secret whose id nobody knew).
func (s *step) mayResume(choice credential.Resolve, secretID string) error {
	id := s.rec.Client.ID
	if (choice == credential.ResolveAdopt || choice == credential.ResolveDiscard) && secretID == "" {
		return refuse("rotad resume "+id+" "+choice.Flag()+" SECRET-ID", "%s needs the id of a secret", choice.Flag())
	}
	if choice == credential.ResolveOldRemoved {
		return s.mayDropOld()
	}
	if s.rec.Hold == nil {
		if choice == credential.ResolveAbort && s.rec.Rotation != nil || choice == credential.ResolveAdopt && s.rec.Sight == credential.SightUnknownID {
			return nil
		}
		return refuse("rotad show "+id, "%s is not held", id)
	}
	rule, ok := credential.RuleFor(s.rec.Hold.Code)
	if !ok || !rule.Allows(choice) {
		return refuse(resumeHint(s.rec), "%s does not resolve the hold %s", choice.Flag(), s.rec.Hold.Code)
	}
	return nil
}

func (s *step) mayDropOld() error {
	r := s.rec.Rotation
	if r == nil || r.Phase != credential.PhaseOverlap || r.Caps.Mode != credential.ModeManual {
		return refuse("rotad show "+s.rec.Client.ID, "%s has no old secret that a person has to remove", s.rec.Client.ID)
	}
	return nil
}

func (s *step) resume(choice credential.Resolve, secretID string) error {
	switch choice {
	case credential.ResolveRetry:
		s.retry()
	case credential.ResolveAdopt:
		s.adopt(secretID)
	case credential.ResolveDiscard:
		return s.discard(secretID)
	case credential.ResolveAcceptVault:
		return s.acceptVault()
	case credential.ResolveOldRemoved:
		s.negative(credential.NegativeNotProved)
	case credential.ResolveUndelivered:
		s.undeliveredBy()
	case credential.ResolveAbort:
		return s.abort()
	case credential.ResolveNone:
	}
	return nil
}

// undeliveredBy lets the old secret go, whatever the destinations hold.
func (s *step) undeliveredBy() {
	if r := s.rec.Rotation; r != nil {
		r.Undelivered = true
	}
	s.release("a person lets the old secret go")
}

func (s *step) retry() {
	s.release("a person asked to try again")
	s.rec.Backoff = credential.Backoff{}
	s.rec.Copies = slices.Clone(s.rec.Copies)
	for i := range s.rec.Copies {
		s.rec.Copies[i].Next = time.Time{}
	}
	if r := s.rec.Rotation; r != nil {
		r.NegativeSince = time.Time{}
		s.reloadAgain()
		return
	}
	s.rec.NextLook = s.env.Now
}

// adopt names a secret: the current one of a client, or the old one of a rotation that waits for its name.
func (s *step) adopt(secretID string) {
	s.release("a person named the secret " + secretID)
	r := s.rec.Rotation
	switch {
	case r == nil:
		s.rec.Client.CurrentID, s.rec.Current, s.rec.Sight = secretID, credential.Secret{ID: secretID}, credential.SightAdopted
		s.rec.NextLook = s.env.Now
	case r.Promoted != 0:
		r.Old.ID = secretID
	case r.Phase == credential.PhaseCompensating && r.Publishing:
		s.adoptInstead(secretID)
	}
	s.rec.Backoff = credential.Backoff{}
}

// adoptInstead: a person says which secret it is that Vault hands out. The one that was to be deleted stays if it is that
// one, and is deleted if it is another.
func (s *step) adoptInstead(secretID string) {
	r := s.rec.Rotation
	s.rec.Client.CurrentID = secretID
	if secretID == r.Orphan {
		s.drop("superseded")
		s.rec.Sight, s.rec.Current, s.rec.Version = credential.SightNone, credential.Secret{}, 0
		return
	}
	r.Publishing, r.Aborting = false, true
}

// discard deletes one secret that a person names: never one in use.
func (s *step) discard(secretID string) error {
	r := s.rec.Rotation
	switch {
	case r == nil:
		return refuse("delete it at the provider, then: rotad resume "+s.rec.Client.ID+" --retry", "no rotation of %s is under way that could delete it", s.rec.Client.ID)
	case r.Phase == credential.PhaseCompensating && secretID == r.Orphan: // a person says that Vault does not hand it out
		s.release("a person discards the secret " + secretID)
		r.Publishing = false
		return nil
	case r.Caps.Mode == credential.ModeHardCutover:
		return refuse("rotad show "+s.rec.Client.ID, "%s has one secret at a time; without it nothing would log in", s.rec.Client.ID)
	case secretID == r.Old.ID || secretID == r.New.ID || secretID == s.rec.Current.ID:
		return refuse("rotad show "+s.rec.Client.ID, "secret %s is in use", secretID)
	}
	s.release("a person discards the secret " + secretID)
	r.Orphan = secretID
	s.rec.Backoff = credential.Backoff{}
	if r.Promoted == 0 && r.Phase != credential.PhaseIntent { // there the attempt goes on, as it does beside a published secret
		s.enter(credential.PhaseCompensating)
	}
	return nil
}

// acceptVault takes what Vault hands out as the current secret; the next look judges it.
func (s *step) acceptVault() error {
	own, version := credential.Secret{}, 0 // the one that we published last: Vault may still hand it out
	if r := s.rec.Rotation; r != nil {
		if err := s.giveUp(r); err != nil {
			return err
		}
		if r.Promoted != 0 && r.Promoted == s.rec.Version {
			own, version = r.New, r.Promoted
		}
	}
	s.release("a person accepts what Vault hands out")
	s.rec.Sight, s.rec.Current, s.rec.Version = credential.SightNone, own, version
	s.rec.Client.CurrentID = ""
	s.rec.Backoff, s.rec.NextLook = credential.Backoff{}, s.env.Now
	return nil
}

// giveUp ends a rotation in favour of the value that Vault hands out. A secret that was only added is deleted first. One
// that has replaced the old one cannot be given up: whatever Vault hands out counts down at the provider, or is dead.
func (s *step) giveUp(r *credential.Rotation) error {
	switch {
	case !s.neverInterrupted():
		s.drop("aborted")
	case additive(r.Caps.Mode), s.nothingCreated():
		return s.abort()
	default:
		return refuse("bring the version back that stood there before (vault kv rollback), then: rotad resume "+s.rec.Client.ID+" --retry",
			"the provider may have replaced the secret of %s already by one that is not published; accepting Vault's value would lose that one", s.rec.Client.ID)
	}
	return nil
}

// abort ends a rotation without a new secret. What was only added is deleted; where the old secret already counts down,
// or its end is past the point of no return, there is nothing to go back to.
func (s *step) abort() error {
	r := s.rec.Rotation
	switch {
	case r == nil:
		s.rec.Request.Rotate, s.rec.Request.Approved = false, false
		s.release("a person ended it")
		s.rec.Backoff = credential.Backoff{Until: s.env.NextLook}
	case r.Phase == credential.PhaseOverlap && s.rec.Hold != nil && r.Old.ID == "":
		r.Revoked, r.Negative = true, credential.NegativeNotProved
		s.release("a person ends the rotation; the unnamed old secret stays at the provider")
		s.enter(credential.PhaseRevoking)
	case r.Phase == credential.PhaseRevoking && s.rec.Hold != nil && r.Revoked && r.Negative == "": // another secret has the old value
		s.release("a person ends the rotation; the old secret stays at the provider")
		s.negative(credential.NegativeNotProved)
	case r.Promoted != 0:
		return refuse("rotad show "+s.rec.Client.ID, "the new secret of %s is published; there is nothing to abort", s.rec.Client.ID)
	case s.nothingCreated():
		s.drop("aborted")
	case additive(r.Caps.Mode):
		return s.undo(r)
	default:
		return refuse("rotad show "+s.rec.Client.ID, "a secret of %s may have been created that is not published; ending here could lose it", s.rec.Client.ID)
	}
	return nil
}

// undo takes back what only adds. What may have been created is found out about first; nothing of it stays.
func (s *step) undo(r *credential.Rotation) error {
	switch {
	case r.Phase == credential.PhaseIntent && (r.Fence != 0 || r.Asked == s.env.Boot):
		s.perhapsSent()
		if r.Caps.Mode.Beside() && r.Unsettled == nil {
			r.Unsettled = s.env.moment()
		}
	case r.Publishing:
		return refuse("rotad show "+s.rec.Client.ID, "the new secret of %s is being published; ending here could cut consumers off", s.rec.Client.ID)
	case (r.Phase == credential.PhaseStaged || r.Phase == credential.PhaseVerified) && r.New.ID != "":
		r.Orphan, r.Fence = r.New.ID, r.Staged
		s.enter(credential.PhaseCompensating)
	case r.Phase == credential.PhaseCompensating:
	default:
		return refuse("rotad show "+s.rec.Client.ID, "a create of %s may be under way; ending here could lose its secret", s.rec.Client.ID)
	}
	r.Aborting = true
	s.release("a person ended the rotation")
	s.rec.Backoff = credential.Backoff{}
	return nil
}

// additive says whether a create only adds.
func additive(m credential.Mode) bool { return m.Additive() }

// nothingCreated says whether a rotation can end without a trace: this process knows that no create was sent, in this
// attempt or one that was lost before; or a person brought the value, and it works whatever rotad does.
func (s *step) nothingCreated() bool {
	r := s.rec.Rotation
	switch r.Phase {
	case credential.PhaseIntent:
		return r.Fence == 0 && r.Asked == s.env.Boot && r.SinceBoot == s.env.Boot && !r.Replaced
	case credential.PhaseStaged, credential.PhaseVerified:
		return r.Caps.Mode == credential.ModeManual
	default:
		return false
	}
}
