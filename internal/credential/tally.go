package credential

import (
	"math"
	"time"
)

// Tally is what has been begun under one provider: the creates of the day, and the wave of rotations that are due together.
// A store keeps one per provider and changes it in the commit of the record that a stroke is about. The zero value is that
// of a provider under which nothing has begun.
type Tally struct {
	Day     time.Time `json:"day,omitzero"`      // the day, in UTC, that Creates are of
	Creates int       `json:"creates,omitempty"` // secrets that were asked for on that day
	Wave    Wave      `json:"wave,omitzero"`
}

// Wave is many rotations of one provider that are due together. They begin in steps: each step is as large as Pace says, and
// begins when all of the steps before are confirmed. The zero value is no wave.
type Wave struct {
	ID        string       `json:"id,omitempty"`
	Began     time.Time    `json:"began,omitzero"`      // when its first client came, or a person has resumed it
	Waiting   int          `json:"waiting,omitempty"`   // clients whose turn has not come
	UnderWay  int          `json:"under_way,omitempty"` // clients whose rotation has begun and has neither succeeded nor failed
	Confirmed int          `json:"confirmed,omitempty"` // clients whose new secret has been accepted and is published
	Failed    int          `json:"failed,omitempty"`    // clients whose rotation has failed in a way that nobody expected
	Urgent    int          `json:"urgent,omitempty"`    // of UnderWay: begun before their turn, because the secret expires
	Failure   *WaveFailure `json:"failure,omitempty"`   // the last failure that nothing has begun after; nil = none
	Told      bool         `json:"told,omitzero"`       // people know that it stands still
}

// WaveFailure is why a wave stands still.
type WaveFailure struct {
	At     time.Time `json:"at"`
	Client string    `json:"client"`
	Code   string    `json:"code"`             // of the hold, or class of the error
	Detail string    `json:"detail,omitempty"` // one line for people; never a secret
}

// WaveSettle is how long a wave of few clients waits after a failure: by then all that are due together have come, and it is
// known how many they are.
const WaveSettle = time.Minute

// UrgentPause is how long no further client begins before its turn after one of those has failed.
const UrgentPause = 10 * time.Minute

// Clients returns how many clients a wave has, those that are through with it as well.
func (w Wave) Clients() int { return w.Waiting + w.UnderWay + w.Confirmed + w.Failed }

// Over says whether nothing of a wave is left: a client that comes now begins another one. A failure is remembered for a
// while, so that those which are due at the same moment meet it, even if none of them had come yet.
func (w Wave) Over(now time.Time) bool {
	if w.Waiting+w.UnderWay > 0 {
		return false
	}
	return w.Failure == nil || !now.Before(w.Failure.At.Add(WaveSettle))
}

// Stopped says whether a wave waits for a person.
func (w Wave) Stopped(p Pace) bool { return w.Failure != nil && w.Clients() >= p.Least }

// Room says how many rotations may have begun by now, in all; false = the wave stands still until then at least.
func (w Wave) Room(p Pace, now time.Time) (limit int, ok bool) {
	switch {
	case w.Stopped(p), w.Failure != nil && now.Before(w.Failure.At.Add(WaveSettle)):
		return 0, false
	}
	limit = p.allows(w)
	return limit, w.UnderWay+w.Confirmed < limit
}

// UrgentRoom says whether one more client may begin before its turn because its secret expires.
func (w Wave) UrgentRoom(now time.Time) bool {
	return w.Urgent == 0 && (w.Failure == nil || !now.Before(w.Failure.At.Add(UrgentPause)))
}

// Pace says how much may begin under one provider. The zero value sets no bounds.
type Pace struct {
	Steps []WaveStep // of a wave; after the last one the rest begins; none = rotations begin when they are due
	Least int        // a wave of fewer clients than this goes on after a failure
	Quota int        // creates on one day, in UTC; 0 = no bound
}

// WaveStep is how many clients begin together: a number, or a share of the wave.
type WaveStep struct {
	Clients int     // 0 = Percent says it
	Percent float64 // of the clients of the wave, rounded up
}

// NoBound is the room of a wave of which all may begin.
const NoBound = math.MaxInt

// allows returns how many rotations may have begun: all of the steps that are confirmed, and the one after them.
func (p Pace) allows(w Wave) int {
	limit := 0
	for _, step := range p.Steps {
		limit += step.of(w.Clients())
		if w.Confirmed < limit {
			return limit
		}
	}
	return NoBound
}

func (s WaveStep) of(clients int) int {
	if s.Clients > 0 {
		return s.Clients
	}
	return max(1, int(math.Ceil(float64(clients)*s.Percent/100)))
}

// Membership is a client's part in a wave; the zero value is none.
type Membership struct {
	Provider string    `json:"provider,omitempty"`
	Wave     string    `json:"wave,omitempty"` // its id
	State    WaveState `json:"state,omitempty"`
}

// WaveState is how far a client of a wave has come.
type WaveState string

// The states of a client in a wave.
const (
	WaveNone     WaveState = ""
	WaveWaiting  WaveState = "waiting"   // its turn has not come
	WaveUnderWay WaveState = "under-way" // its rotation has begun
	WaveUrgent   WaveState = "urgent"    // begun before its turn
)

// Stroke is one change of a Tally.
type Stroke struct {
	Kind     StrokeKind
	Provider string
	At       time.Time
	Wave     string       // id of the wave that it is about, or of the one that it begins; empty for StrokeCreated
	From     WaveState    // of the client before, where it begins or ends
	Limit    int          // begun: how many may have begun with it; created: how many may have been asked for on the day, 0 = no bound
	Failed   int          // begun, urgent: failures that were known when it was decided
	Failure  *WaveFailure // of StrokeFailed
}

// StrokeKind says what a Stroke counts.
type StrokeKind string

// The kinds of strokes.
const (
	StrokeJoined    StrokeKind = "joined"    // a client is due and waits for its turn
	StrokeBegun     StrokeKind = "begun"     // its turn has come
	StrokeUrgent    StrokeKind = "urgent"    // it begins before its turn
	StrokeConfirmed StrokeKind = "confirmed" // its new secret is published
	StrokeFailed    StrokeKind = "failed"    // it has failed in a way that nobody expected
	StrokeLeft      StrokeKind = "left"      // it is no longer of the wave, and neither succeeded nor failed
	StrokeTold      StrokeKind = "told"      // people were told that the wave stands still
	StrokeResumed   StrokeKind = "resumed"   // a person lets it go on: it begins again with its first step
	StrokeCreated   StrokeKind = "created"   // a secret is about to be asked for
)

// With returns the tally after a stroke. It is false where the stroke was decided from a tally that another one has changed
// since, and must not be made: the decision has to be made again.
func (t Tally) With(s Stroke) (Tally, bool) {
	if s.Kind == StrokeCreated {
		return t.withCreate(s)
	}
	w, ok := t.Wave.with(s)
	t.Wave = w
	return t, ok
}

// On returns how many secrets were asked for on the day of a moment.
func (t Tally) On(at time.Time) int {
	if t.Day.Equal(dayOf(at)) {
		return t.Creates
	}
	return 0
}

func dayOf(at time.Time) time.Time { return at.UTC().Truncate(24 * time.Hour) }

func (t Tally) withCreate(s Stroke) (Tally, bool) {
	n := t.On(s.At)
	if s.Limit > 0 && n >= s.Limit {
		return t, false
	}
	t.Day, t.Creates = dayOf(s.At), n+1
	return t, true
}

func (w Wave) with(s Stroke) (Wave, bool) {
	if s.Kind == StrokeJoined && s.Wave != w.ID && w.Over(s.At) {
		w = Wave{ID: s.Wave, Began: s.At}
	}
	if s.Wave != w.ID {
		// What comes late of a wave that is over changes nothing any more; what would begin in it has to look again.
		return w, s.Kind != StrokeJoined && s.Kind != StrokeBegun && s.Kind != StrokeUrgent
	}
	switch s.Kind {
	case StrokeJoined:
		w.Waiting++
		return w, true
	case StrokeBegun:
		return w.begin(s)
	case StrokeUrgent:
		return w.beginUrgent(s)
	default:
		return w.after(s), true
	}
}

// after takes in what has become of a client, or what people were told or want.
func (w Wave) after(s Stroke) Wave {
	switch s.Kind {
	case StrokeConfirmed:
		w = w.without(s.From)
		w.Confirmed++
	case StrokeFailed:
		w = w.without(s.From)
		w.Failed, w.Failure = w.Failed+1, s.Failure
	case StrokeLeft:
		w = w.without(s.From)
	case StrokeTold:
		w.Told = true
	case StrokeResumed:
		w = Wave{ID: w.ID, Began: s.At, Waiting: w.Waiting, UnderWay: w.UnderWay, Urgent: w.Urgent}
	case StrokeCreated, StrokeJoined, StrokeBegun, StrokeUrgent:
	}
	return w
}

// begin takes in a client whose turn has come, unless another one has taken it. What has failed before is settled by that.
func (w Wave) begin(s Stroke) (Wave, bool) {
	if w.UnderWay+w.Confirmed >= s.Limit || w.Failed != s.Failed {
		return w, false
	}
	w.Waiting--
	w.UnderWay++
	w.Failure, w.Told = nil, false
	return w, true
}

// beginUrgent takes in a client before its turn, one at a time.
func (w Wave) beginUrgent(s Stroke) (Wave, bool) {
	if w.Urgent > 0 || w.Failed != s.Failed {
		return w, false
	}
	w.Waiting--
	w.UnderWay, w.Urgent = w.UnderWay+1, 1
	return w, true
}

func (w Wave) without(from WaveState) Wave {
	switch from {
	case WaveWaiting:
		w.Waiting--
	case WaveUnderWay:
		w.UnderWay--
	case WaveUrgent:
		w.UnderWay, w.Urgent = w.UnderWay-1, 0
	case WaveNone:
	}
	return w
}
