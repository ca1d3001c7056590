package rotation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// byHand sees what somebody has changed at the provider since the last look: another secret beside the current one, or another end of
// that one. It stops nothing by itself and is never undone; it is written down and told to the owner once, and by policy a person is
// called. It returns true where that ended in a hold.
func (s *step) byHand(l *Look) bool {
	if s.rec.Sight != credential.SightAdopted || s.rec.Current.ID == "" || s.rec.Presumed {
		return false
	}
	var changes []string
	facts := credential.ByHand{Made: s.added(l)}
	for _, id := range facts.Made {
		changes = append(changes, "somebody has made the secret "+id)
	}
	if found, ok := l.Snapshot.Find(s.rec.Current.ID); ok && s.endMoved(found) {
		changes = append(changes, fmt.Sprintf("the secret that Vault hands out ends %s now, not %s", ending(found), ending(s.rec.Current)))
		facts.Moved, facts.Was, facts.Is = true, s.rec.Current.Expires, found.Expires
	}
	if len(changes) == 0 {
		return false
	}
	text := strings.Join(changes, "; ")
	s.auditDetail(credential.EventDrift, text)
	s.refresh(l)
	if s.env.Policy.Drift == credential.DriftHold && s.rec.Hold == nil {
		s.hold(credential.HoldByHand, text, nil)
		return true
	}
	if !s.env.Policy.OnlyWatches() { // there somebody makes each secret by hand
		s.notice(credential.NoticeDrift, "by-hand", func(f *credential.Facts) { f.ByHand, f.Error = facts, text })
	}
	return false
}

// added notes who stands beside the current secret, and returns the ids of those that have come since the last look. What carries a label of rotad is no
// drift; "rotad orphans" knows it. The first look after a rotation only notes: lists may be behind.
func (s *step) added(l *Look) (made []string) {
	known, first := s.rec.Beside, s.rec.BesideAt.IsZero()
	var beside []string
	for _, secret := range l.Snapshot.Secrets {
		_, _, ours := credential.ParseLabel(secret.Label)
		if secret.ID == "" || secret.Slot != "" || ours || secret.ID == s.rec.Current.ID || secret.Gone(s.env.Now, ExpirySkew) {
			continue
		}
		beside = append(beside, secret.ID)
		if !first && !slices.Contains(known, secret.ID) {
			made = append(made, secret.ID)
		}
	}
	slices.Sort(beside)
	s.rec.Beside, s.rec.BesideAt = beside, s.env.Now
	return made
}

// endMoved says whether the current secret ends at another time than when it was looked at last. A provider that says less than
// before has changed nothing.
func (s *step) endMoved(found credential.Secret) bool {
	known := s.rec.Current
	if found.Never != known.Never && (!known.Expires.IsZero() || known.Never) && (!found.Expires.IsZero() || found.Never) {
		return true
	}
	return !known.Expires.IsZero() && !found.Expires.IsZero() && !found.Expires.Truncate(time.Second).Equal(known.Expires.Truncate(time.Second))
}

func ending(s credential.Secret) string {
	if s.Never {
		return "never"
	}
	return s.Expires.UTC().Format(time.RFC3339)
}
