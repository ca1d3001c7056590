package rotation

import (
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// MadeHere says whether a secret was made by a rotation of this client, and by which: its history has the rotation that the
// label names, or the very id. Anybody can write a label; only what this rotad has written down itself counts as its own.
func MadeHere(secret credential.Secret, history []credential.Audit) (rotation string, ok bool) {
	named, _, labelled := credential.ParseLabel(secret.Label)
	for _, a := range history {
		switch a.Event {
		case credential.EventIntent:
			if labelled && a.Rotation == named {
				return a.Rotation, true
			}
		case credential.EventCreated, credential.EventOrphan:
			if secret.ID != "" && a.Secret == secret.ID && a.Rotation != "" {
				return a.Rotation, true
			}
		default:
		}
	}
	return "", false
}

// LetGo names an orphan that is to be deleted. made is the rotation that MadeHere has found for it.
func LetGo(secret credential.Secret, made string) Wish {
	return func(rec credential.Record, by Person, env Env) (Decision, error) {
		return personal(rec, env, func(s *step) error {
			if err := s.mayLetGo(secret, made); err != nil {
				return err
			}
			s.rec.Orphans = append(slices.Clone(s.rec.Orphans), credential.Orphan{
				ID: secret.ID, Label: secret.Label, Rotation: made, By: by.Name, At: s.env.Now,
			})
			s.auditPerson(credential.EventRequested, by, "retire the orphan "+secret.ID)
			return nil
		})
	}
}

// mayLetGo refuses whatever somebody may use, and all that is not known for certain.
func (s *step) mayLetGo(secret credential.Secret, made string) error {
	rec := &s.rec
	id, show := rec.Client.ID, "rotad show "+rec.Client.ID
	switch {
	case secret.ID == "" || made == "":
		return refuse(show, "this secret of %s was not made by this rotad, and is not touched", id)
	case rec.Leaving:
		return refuse("add it to the configuration again", "client %s is leaving", id)
	case rec.Rotation != nil:
		return refuse(show, "a rotation of %s is under way (%s); it cleans up after itself", id, rec.Phase())
	case rec.Hold != nil:
		return refuse(resumeHint(*rec), "%s is held: %s", id, rec.Hold.Code)
	case s.env.Policy.OnlyWatches():
		return onlyWatched(*rec)
	}
	return s.mayBeOrphan(secret)
}

// mayBeOrphan refuses a secret that may be what Vault hands out.
func (s *step) mayBeOrphan(secret credential.Secret) error {
	rec := &s.rec
	id, show := rec.Client.ID, "rotad show "+rec.Client.ID
	named := func(o credential.Orphan) bool { return o.ID == secret.ID }
	switch {
	case !additive(rec.Caps.Mode):
		return refuse(show, "%s has one secret at a time (%s): there is no orphan", id, rec.Caps.Mode)
	case rec.Sight != credential.SightAdopted || rec.Current.ID == "":
		return refuse("rotad resume "+id+" --adopt SECRET-ID", "which secret of %s Vault hands out is not known", id)
	case secret.ID == rec.Current.ID || secret.ID == rec.Client.CurrentID:
		return refuse(show, "secret %s is what Vault hands out", secret.ID)
	case slices.ContainsFunc(rec.Orphans, named):
		return refuse(show, "secret %s has been let go already, and is being deleted", secret.ID)
	}
	return nil
}

// dueOrphan returns the orphan whose turn it is: also one whose next try was set by a clock that has been set back.
func dueOrphan(rec *credential.Record, now time.Time) (credential.Orphan, bool) {
	for _, o := range rec.Orphans {
		if !o.Next.After(now) || o.Next.After(now.Add(longestPause)) {
			return o, true
		}
	}
	return credential.Orphan{}, false
}

// discardDue deletes what was let go. A policy that only watches by now keeps it waiting.
func (s *step) discardDue() bool {
	_, due := dueOrphan(&s.rec, s.env.Now)
	return due && s.rec.Hold == nil && !s.env.Policy.OnlyWatches() && s.do(EffectDiscard)
}

// applyDiscard strikes an orphan off that is gone, or that somebody may use after all. What failed is tried again.
func (s *step) applyDiscard(o Outcome) {
	i := slices.IndexFunc(s.rec.Orphans, func(one credential.Orphan) bool { return one.ID == o.Orphan })
	if i < 0 {
		return
	}
	one := s.rec.Orphans[i]
	s.rec.Orphans = slices.Clone(s.rec.Orphans)
	switch {
	case o.Result != Done && o.Finding == FoundNothing && one.Tries < sweepDoublings:
		s.rec.Orphans[i].Next = s.env.Now.Add(min(longestPause, max(o.Failure.After, sweepPause<<one.Tries)))
		s.rec.Orphans[i].Tries++
		return
	case o.Result != Done:
		s.auditOrphan(one, "kept: "+o.Failure.Text)
	default:
		s.auditOrphan(one, "deleted")
	}
	s.rec.Orphans = slices.Delete(s.rec.Orphans, i, i+1)
	if len(s.rec.Orphans) == 0 {
		s.rec.Orphans = nil
	}
}

func (s *step) auditOrphan(o credential.Orphan, detail string) {
	s.audit(credential.EventOrphan, func(a *credential.Audit) { a.Secret, a.Rotation, a.Actor, a.Detail = o.ID, o.Rotation, o.By, detail })
}
