package credential

import "time"

// Start is how a rotation begins.
type Start string

// The ways in which a rotation begins.
const (
	StartAuto    Start = "auto"    // when it is due and the window is open
	StartApprove Start = "approve" // when it is due and a person has approved it
	StartObserve Start = "observe" // never: metrics and notices only
)

// WarnWhen says for which clients configured warnings are sent.
type WarnWhen string

// When warnings are sent.
const (
	WarnUnlessAutomatic WarnWhen = "unless-automatic" // not for a healthy automatic rotation, which announces itself
	WarnAlways          WarnWhen = "always"
)

// Warning is one entry of a warning schedule: first at Before the expiry, then again every Every (zero = once).
type Warning struct {
	Before time.Duration `json:"before"`
	Every  time.Duration `json:"every,omitzero"`
}

// WindowSpec describes when intent and revoke are allowed. The zero value is "always".
type WindowSpec struct {
	Cron     string        `json:"cron,omitempty"` // when it opens
	Duration time.Duration `json:"duration,omitzero"`
	Timezone string        `json:"timezone,omitempty"` // IANA name; empty = UTC
}

// IsZero says whether the window is always open.
func (w WindowSpec) IsZero() bool { return w == WindowSpec{} }

// Window is a parsed WindowSpec. The configuration builds it, so that this package needs no cron parser.
type Window interface {
	Next(t time.Time) time.Time // the first opening after t; zero = never
	Contains(t time.Time) bool  // whether it is open at t
}

// Always is the window that is always open.
type Always struct{}

// Next returns t.
func (Always) Next(t time.Time) time.Time { return t }

// Contains returns true.
func (Always) Contains(time.Time) bool { return true }

// Policy says when to warn, when to rotate, how it starts, how long both secrets overlap, in which window. Every
// field has a default, filled by the configuration.
type Policy struct {
	Name         string        `json:"name"`
	Start        Start         `json:"start"`
	Lifetime     time.Duration `json:"lifetime,omitzero"`      // where the provider reports no expiry, or lets us choose it; 0 = none
	RotateBefore time.Duration `json:"rotate_before,omitzero"` // before the due time
	Overlap      time.Duration `json:"overlap,omitzero"`       // how long both secrets stay valid
	OverlapMin   time.Duration `json:"overlap_min,omitzero"`   // a shorter effective overlap holds before create
	Announce     time.Duration `json:"announce,omitzero"`      // before the planned rotation; 0 = no announcement
	Warn         []Warning     `json:"warn,omitempty"`
	WarnWhen     WarnWhen      `json:"warn_when,omitempty"`
	Window       WindowSpec    `json:"window,omitzero"`
	OverlapEnds  OverlapEnds   `json:"overlap_ends,omitempty"` // what must be true besides the time; empty = nothing
	Quiet        time.Duration `json:"quiet,omitzero"`         // EndsUnused: how long nobody has used the old secret
	OverlapMax   time.Duration `json:"overlap_max,omitzero"`   // the longest overlap, where the old secret stays in use; 0 = DefaultOverlapMax times the overlap
	AtMax        AtMax         `json:"at_max,omitempty"`       // what happens then; empty = AtMaxHold
	Drift        OnDrift       `json:"drift,omitempty"`        // what becomes of what somebody has changed by hand; empty = DriftNote
	DeleteEarly  bool          `json:"delete_early,omitzero"`  // delete a previous slot at the end of the overlap instead of letting it lapse
	MaxAttempts  int           `json:"max_attempts,omitempty"` // failures in one phase before a hold; 0 = 8
}

// OverlapEnds says what must be true before an old secret is revoked, besides that its overlap is over.
type OverlapEnds string

// What an overlap waits for.
const (
	EndsByTime OverlapEnds = "time"   // for nothing else
	EndsMoved  OverlapEnds = "moved"  // every consumer has said that it runs on the new secret
	EndsUnused OverlapEnds = "unused" // nobody has used the old secret for a while, as far as the provider and the consumers say
)

// OnDrift says what becomes of a change that somebody has made at the provider by hand, and that stops nothing. It is never
// undone.
type OnDrift string

// What becomes of such a change.
const (
	DriftNote OnDrift = "note" // it is written into the history
	DriftHold OnDrift = "hold" // that as well, and the client waits for a person
)

// AtMax says what becomes of an old secret that is in use at the end of the longest overlap.
type AtMax string

// The ends of the longest overlap.
const (
	AtMaxHold   AtMax = "hold"   // a person is called, and the old secret stays
	AtMaxRevoke AtMax = "revoke" // it is revoked, after a last warning
)

// DefaultOverlapMax is how many overlaps the longest one lasts.
const DefaultOverlapMax = 4

// LongestOverlap returns OverlapMax or its default.
func (p Policy) LongestOverlap() time.Duration {
	if p.OverlapMax == 0 {
		return DefaultOverlapMax * p.Overlap
	}
	return p.OverlapMax
}

// DefaultMaxAttempts is the number of failures in one phase before a hold.
const DefaultMaxAttempts = 8

// OnlyWatches says whether nothing begins a rotation: neither a date nor a person.
func (p Policy) OnlyWatches() bool { return p.Start == StartObserve }

// Attempts returns MaxAttempts or its default.
func (p Policy) Attempts() int {
	if p.MaxAttempts == 0 {
		return DefaultMaxAttempts
	}
	return p.MaxAttempts
}
