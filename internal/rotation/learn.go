package rotation

import "github.com/rotad/rotad/internal/credential"

// unhurried says whether what consumers do after a rotation tells how long an overlap has to be. Nobody waits for an old secret
// that somebody has who must not, or that died when the new one was born; and where the old one came back, nobody had to move.
func unhurried(r *credential.Rotation) bool {
	return !compromised(r) && !r.Cutover && !withoutOld(r) && r.RollingBack == nil && r.SameAs == 0 && r.Cause.Kind != credential.CauseRolledBack
}

// learnMove notes how long a consumer went on with the secret before, once it says that it has left it. Who skips a version went on
// with the older one until now. Who has never said anything before may be new.
func (s *step) learnMove(consumer string, before, version int) {
	r, last := s.rec.Rotation, s.rec.Last
	crosses := func(published int) bool {
		return published != 0 && before != 0 && before < published && version >= published
	}
	switch {
	case crosses(last.Published):
		s.rec.Habits = s.rec.Learned(consumer, s.env.Now.Sub(last.PublishedAt))
	case r != nil && crosses(r.Promoted) && unhurried(r):
		s.rec.Habits = s.rec.Learned(consumer, s.env.Now.Sub(r.PromotedAt))
	}
}

// learnEnd notes what an ended rotation has shown: when the provider saw the old secret for the last time, and, for the consumers
// that have yet to move, when they could have.
func (s *step) learnEnd(r *credential.Rotation) {
	if !unhurried(r) || r.Promoted == 0 {
		return
	}
	s.rec.Last.Published, s.rec.Last.PublishedAt = r.Promoted, r.PromotedAt
	if !r.OldUsed.IsZero() {
		s.rec.Habits = s.rec.Learned("", r.OldUsed.Sub(r.PromotedAt))
	}
}
