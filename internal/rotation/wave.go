package rotation

import (
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// Rotations of one provider that are due together begin as a wave: one, then a few, then more, then the rest. What is wrong
// with all of them shows at the first. A client is confirmed when its new secret has been accepted and Vault hands it out; a
// cutover, which is proved behind the promote, when that is proved. A wave stands still at the first failure that
// nobody expected: a hold, a refusal, a new secret that is not accepted. A provider that is busy, throttles or is away for a
// while is no such failure; nothing is confirmed meanwhile, so nothing further begins.
//
// The states of a client in its wave, all of them in commits of its record:
//
//	(none) ─joined─► waiting ─begun─► under way ─► confirmed, failed or left ─► (none)
//	                    └────urgent──► urgent ──────────┘

// How long a client that waits for its turn sleeps before it asks again: so that some dozens ask each second, however
// many they are, and fewer where the wave stands still.
const (
	turnsAsked      = 50 // clients of one wave that ask each second
	turnsAskedStill = 2
	shortestTurn    = 5 * time.Second
	shortestStill   = time.Minute
	longestTurn     = 15 * time.Minute
	longestStill    = time.Hour
)

// waveLateAfter is how far a rotation that waits for its turn may be overdue before its owner is warned. That it waits is no
// trouble of its own: the admins know of a wave that stands still.
const waveLateAfter = 24 * time.Hour

// waitsItsTurn says whether a wanted rotation has to wait for others of its provider, and lets it begin where not.
func (s *step) waitsItsTurn(c credential.Cause) bool {
	if len(s.env.Pace.Steps) == 0 || outsideWaves(c) {
		s.leaveWave()
		return false
	}
	w := s.joinWave()
	if s.rec.Wave.State != credential.WaveWaiting {
		return false
	}
	limit, room := w.Room(s.env.Pace, s.env.Now)
	switch {
	case room:
		s.stroke(credential.Stroke{Kind: credential.StrokeBegun, Limit: limit, Failed: w.Failed})
		s.rec.Wave.State = credential.WaveUnderWay
		return false
	case s.urgent() && w.UrgentRoom(s.env.Now):
		s.beginUrgent(w)
		return false
	}
	s.tellStopped(w)
	s.wait(s.env.Now.Add(s.turn(w)), "wave")
	s.sooner(s.rec.NextLook, "look")
	return true
}

// outsideWaves says whether a rotation has a turn of its own: what a person wants of one client, and a secret that somebody
// has who must not.
func outsideWaves(c credential.Cause) bool {
	return c.Kind == credential.CauseRequested || c.Kind == credential.CauseCompromised
}

// joinWave makes the client one of the wave that its provider has, or of a new one. It returns that wave with the client.
func (s *step) joinWave() credential.Wave {
	w, m := s.env.Tally.Wave, &s.rec.Wave
	if m.State != credential.WaveNone && m.Provider == s.rec.Client.Provider && m.Wave == w.ID {
		return w
	}
	s.leaveWave()
	if w.ID == "" || w.Over(s.env.Now) {
		w = credential.Wave{ID: s.env.FreshID, Began: s.env.Now}
	}
	*m = credential.Membership{Provider: s.rec.Client.Provider, Wave: w.ID, State: credential.WaveWaiting}
	s.stroke(credential.Stroke{Kind: credential.StrokeJoined})
	w.Waiting++
	return w
}

// urgent says whether to wait any longer would cost the client its overlap.
func (s *step) urgent() bool {
	last := lastStart(s.rec, s.env.Policy)
	return !last.IsZero() && !s.env.Now.Before(last)
}

// beginUrgent lets a client begin before its turn, one at a time, and says so.
func (s *step) beginUrgent(w credential.Wave) {
	s.stroke(credential.Stroke{Kind: credential.StrokeUrgent, Failed: w.Failed})
	s.rec.Wave.State = credential.WaveUrgent
	why := "begins before its turn in the wave of " + s.rec.Client.Provider + ": the secret expires on " + Ends(s.rec).UTC().Format(time.RFC3339)
	s.auditDetail(credential.EventSettled, why)
	if w.Stopped(s.env.Pace) {
		s.tellAdmins("urgent", why, nil)
	}
}

// turn is how long a client sleeps before it asks again, spread by a hash so that they do not come together.
func (s *step) turn(w credential.Wave) time.Duration {
	d := min(longestTurn, max(shortestTurn, time.Duration(w.Waiting)*time.Second/turnsAsked))
	if w.Failure != nil {
		d = min(longestStill, max(shortestStill, time.Duration(w.Waiting)*time.Second/turnsAskedStill))
	}
	spread := time.Duration(hash(s.rec.Client.ID, int(s.env.Now.Unix()))%jitterSteps) * d / jitterSteps
	return (d/2 + spread).Round(time.Millisecond)
}

// tellStopped tells the admins once that a wave stands still, and what to type.
func (s *step) tellStopped(w credential.Wave) {
	if !w.Stopped(s.env.Pace) || w.Told {
		return
	}
	f := w.Failure
	s.stroke(credential.Stroke{Kind: credential.StrokeTold})
	s.tellAdmins("wave", f.Code+": "+f.Detail, func(n *credential.Notice) {
		n.Client, n.Owner, n.Facts.Expires = f.Client, "", time.Time{}
		n.Key = fmt.Sprintf("%s|wave|%s|%d", s.rec.Client.Provider, w.ID, f.At.Unix())
		n.Facts.Since = f.At
	})
}

// tellAdmins is about a provider, whatever the client that it was noticed with.
func (s *step) tellAdmins(milestone, what string, fill func(*credential.Notice)) {
	n := s.notice(credential.NoticeStopped, milestone, nil)
	n.Admins, n.Facts = true, credential.Facts{Provider: s.rec.Client.Provider, Error: what, Expires: Ends(s.rec)}
	if fill != nil {
		fill(n)
	}
}

func (s *step) stroke(k credential.Stroke) {
	k.Provider, k.Wave, k.At = s.rec.Wave.Provider, s.rec.Wave.Wave, s.env.Now
	s.out.Strokes = append(s.out.Strokes, k)
}

// leaveWave takes the client out of its wave: neither a success nor a failure.
func (s *step) leaveWave() {
	if s.rec.Wave.State == credential.WaveNone {
		return
	}
	s.endWave(credential.Stroke{Kind: credential.StrokeLeft})
}

// giveUpTurn lets another one begin while this one's window is closed.
func (s *step) giveUpTurn() {
	if s.rec.Wave.State != credential.WaveWaiting {
		s.leaveWave()
	}
}

func (s *step) endWave(k credential.Stroke) {
	k.From = s.rec.Wave.State
	s.stroke(k)
	s.rec.Wave = credential.Membership{}
}

// followWave is asked at the end of every decision: has what happened here a meaning for the wave?
func (s *step) followWave() {
	switch s.rec.Wave.State {
	case credential.WaveNone:
	case credential.WaveWaiting:
		if s.out.Archive {
			s.leaveWave()
		}
	case credential.WaveUnderWay, credential.WaveUrgent:
		s.followTurn()
	}
}

func (s *step) followTurn() {
	r := s.rec.Rotation
	if f := s.unexpected(); f != nil {
		s.endWave(credential.Stroke{Kind: credential.StrokeFailed, Failure: f})
		return
	}
	switch {
	case r != nil && confirmed(r):
		s.endWave(credential.Stroke{Kind: credential.StrokeConfirmed})
	case s.out.Archive, r == nil && (s.before.rotation || s.applied && s.blocked()):
		s.leaveWave()
	}
}

// blocked says whether a client whose turn it is cannot begin for a reason that is not new: it gives its turn to another.
func (s *step) blocked() bool {
	return s.rec.Hold != nil || s.rec.Backoff.Attempts >= s.policy().Attempts()
}

// confirmed says whether a rotation has proved that its new secret works where consumers read it.
func confirmed(r *credential.Rotation) bool {
	switch r.Phase {
	case credential.PhaseOverlap:
		return !r.Cutover
	case credential.PhaseRevoking:
		return r.Negative != credential.NegativeKept
	default:
		return false
	}
}

// past is what a record was like before the decision, as far as the wave has to know.
type past struct {
	hold     credential.HoldCode
	attempts int
	phase    credential.Phase
	rotation bool
}

func pastOf(rec *credential.Record) past {
	p := past{attempts: rec.Backoff.Attempts, phase: rec.Phase(), rotation: rec.Rotation != nil}
	if rec.Hold != nil {
		p.hold = rec.Hold.Code
	}
	return p
}

// unexpected returns a failure that is new in this decision and that says something about those who come next; nil = none.
func (s *step) unexpected() *credential.WaveFailure {
	failure := func(code, detail string) *credential.WaveFailure {
		return &credential.WaveFailure{At: s.env.Now, Client: s.rec.Client.ID, Code: code, Detail: detail}
	}
	if h := s.rec.Hold; h != nil && h.Code != s.before.hold && !ofItsOwn(h.Code) {
		return failure(string(h.Code), h.Detail)
	}
	if b := s.rec.Backoff; b.Attempts > s.before.attempts && refusal(providers.Class(b.Code)) {
		return failure(b.Code, b.Error)
	}
	if s.rec.Phase() != credential.PhaseCompensating || s.rec.Rotation.Aborting {
		return nil
	}
	switch s.before.phase {
	case credential.PhaseStaged, credential.PhaseVerified, credential.PhaseOverlap:
		return failure("refused", "the new secret was not accepted")
	default:
		return nil
	}
}

// ofItsOwn says whether a hold is about this one client, and was found before anything was touched: it says nothing of the others.
func ofItsOwn(c credential.HoldCode) bool {
	switch c {
	case credential.HoldByPerson, credential.HoldCutover, credential.HoldNoOverlap, credential.HoldOverlapTooShort:
		return true
	default:
		return false
	}
}

// refusal says whether a failure is a no of the provider, which the next client would be likely to get as well. A yes that
// could not be read is as bad.
func refusal(c providers.Class) bool {
	switch c {
	case providers.ClassAuth, providers.ClassRejected, providers.ClassUnsupported, providers.ClassNotFound, providers.ClassQuota, providers.ClassNotUnderstood:
		return true
	case providers.ClassThrottled, providers.ClassBusy, providers.ClassConflict, providers.ClassUnavailable, providers.ClassIndeterminate:
	}
	return false
}

// spent says whether the day's creates are used up. What a person wants, and what cannot wait, goes beyond them.
func (s *step) spent(c credential.Cause) bool {
	q := s.env.Pace.Quota
	return q > 0 && !outsideWaves(c) && !s.urgent() && s.env.Tally.On(s.env.Now) >= q
}

// waitsForTomorrow puts a rotation off until its provider's day begins.
func (s *step) waitsForTomorrow(c credential.Cause) bool {
	if !s.spent(c) {
		return false
	}
	tomorrow := s.env.Now.Truncate(24 * time.Hour).Add(24 * time.Hour)
	s.wait(tomorrow.Add(time.Duration(hash(s.rec.Client.ID, 0)%jitterSteps)*time.Hour/jitterSteps), "quota")
	s.sooner(s.rec.NextLook, "look")
	return true
}

// countCreate counts a secret that is about to be asked for. One that may go beyond the quota has no bound, and neither has
// another attempt: what has begun is brought to its end.
func (s *step) countCreate(c credential.Cause) {
	q := s.env.Pace.Quota
	if q == 0 {
		return
	}
	k := credential.Stroke{Kind: credential.StrokeCreated, Provider: s.rec.Rotation.Client.Provider, At: s.env.Now}
	if s.rec.Rotation.Attempt == 1 && !outsideWaves(c) && !s.urgent() {
		k.Limit = q
	}
	s.out.Strokes = append(s.out.Strokes, k)
}

// late is how far a planned rotation may be overdue before people are warned.
func (s *step) late() time.Duration {
	if s.rec.Wave.State == credential.WaveWaiting {
		return waveLateAfter
	}
	return lateAfter
}
