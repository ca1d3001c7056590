package admin

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// ProviderState is what begins under one provider, and what does not. Zero times mean that it is not so.
type ProviderState struct {
	Provider string          `json:"provider"`
	Away     time.Time       `json:"away_since,omitzero"`   // since when it has not answered, so that only probes go there
	Silent   int             `json:"unanswered,omitempty"`  // calls in a row without an answer
	Again    time.Time       `json:"asked_again,omitzero"`  // when it is asked again: it is away, or has asked for a pause
	Creates  int             `json:"creates_today"`         // secrets that were asked for on this day, in UTC
	Quota    int             `json:"creates_per_day"`       // how many may be; 0 = no limit
	Wave     credential.Wave `json:"wave"`                  // rotations that are due together
	Stopped  bool            `json:"stopped"`               // the wave stands still until a person resumes it
	Allowed  int             `json:"may_have_begun"`        // how many clients of the wave may have begun by now; -1 = all
	Known    bool            `json:"daemon_runs,omitempty"` // else nobody knows whether it is away
}

// StateOf builds the state of a provider from its tally and its pace.
func StateOf(name string, t credential.Tally, p credential.Pace, now time.Time) ProviderState {
	s := ProviderState{Provider: name, Creates: t.On(now), Quota: p.Quota}
	if t.Wave.ID == "" || t.Wave.Over(now) {
		return s
	}
	s.Wave, s.Stopped = t.Wave, t.Wave.Stopped(p)
	if s.Allowed, _ = t.Wave.Room(p, now); s.Allowed == credential.NoBound {
		s.Allowed = -1
	}
	return s
}
