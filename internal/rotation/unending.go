package rotation

import (
	"strconv"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Milestones before the end of the word for a secret that never expires. The policy's own are about services that stop
// working; here somebody has to make up their mind.
func unendingWarnings() []credential.Warning {
	const day = 24 * time.Hour
	return []credential.Warning{{Before: 30 * day}, {Before: 7 * day}}
}

// unending returns the word of a person for the secret of this record; zero = there is none, or an expiry is known, so
// that it does not matter.
func (s *step) unending() credential.NoExpiry {
	if !Ends(s.rec).IsZero() {
		return credential.NoExpiry{}
	}
	return s.rec.Client.NoExpiry
}

// unendingSeries names the series of notices about that word: another end of it begins a new one.
func (s *step) unendingSeries() string {
	word := s.unending()
	if word.IsZero() {
		return ""
	}
	return "+" + strconv.FormatInt(word.Until.Unix(), 10)
}

// tellNoExpiry tells once of a manual client whose expiry nobody has stated. A person who stands for it keeps that silent
// until the end of their word, which is warned of; then it is told again.
func (s *step) tellNoExpiry() {
	word := s.unending()
	switch {
	case !Ends(s.rec).IsZero():
	case !word.IsZero() && word.Holds(s.env.Now):
		s.warnUnending(word)
	case !word.IsZero() && !s.rec.Told.Unending:
		s.rec.Told.Unending = true
		s.notice(credential.NoticeNoExpiry, "ended", func(f *credential.Facts) { f.NoExpiry = word })
	case !word.IsZero():
	case s.rec.Caps.Mode == credential.ModeManual && !s.rec.Told.NoExpiry && !s.rec.Current.Never:
		s.rec.Told.NoExpiry = true
		s.notice(credential.NoticeNoExpiry, "no-expiry", nil)
	}
}

// warnUnending sends the latest due warning. It goes out whatever warn.when says: no rotation makes it needless. A snooze
// holds it back to the very end, at which it is told all the same.
func (s *step) warnUnending(word credential.NoExpiry) {
	if s.env.Now.Before(s.rec.Request.Snooze) {
		return
	}
	left := word.Until.Sub(s.env.Now)
	before, ok := LatestMilestone(unendingWarnings(), left)
	if told := &s.rec.Told; ok && (told.Warned == 0 || before < told.Warned) {
		told.Warned, told.WarnedAt = before, s.env.Now
		milestone := credential.FormatDuration(before)
		n := s.notice(credential.NoticeWarning, milestone, func(f *credential.Facts) { f.NoExpiry = word })
		s.warnOf(n, milestone, word.Until, "nobody stands any more for a secret that never expires")
	}
}

// nextUnending returns when the next notice about that word may become due.
func (s *step) nextUnending() time.Time {
	word := s.unending()
	left := word.Until.Sub(s.env.Now)
	switch {
	case word.IsZero() || left <= 0:
		return time.Time{}
	case s.env.Now.Before(s.rec.Request.Snooze):
		return earliest(s.rec.Request.Snooze, word.Until)
	}
	if before, ok := NextMilestone(unendingWarnings(), left); ok {
		return word.Until.Add(-before)
	}
	return word.Until
}
