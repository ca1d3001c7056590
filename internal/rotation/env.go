package rotation

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// Env is everything beside the record that a decision depends on, as values.
type Env struct {
	Now     time.Time     // wall clock, UTC
	Elapsed time.Duration // monotonic, since this process opened the state
	Second  time.Time     // the second clock: the watermark of the state plus the time elapsed since
	Boot    string        // names this process

	Policy   credential.Policy                             // the client's policy as configured now
	Windows  func(credential.WindowSpec) credential.Window // nil = always open
	Timing   providers.Timing                              // of the client's provider
	NextLook time.Time                                     // when the client falls due for its next look
	NoCreate credential.Reason                             // why no create may begin now; empty = it may
	FreshID  string                                        // id for a rotation, if one begins
	FreshUID string                                        // UID for a calendar event, if one begins
	Instance string                                        // id of this rotad, as in Vault staging

	Pace  credential.Pace  // what may begin under the client's provider; zero = no bounds
	Tally credential.Tally // what has begun there; only where Pace has bounds
}

// Bounds that are rules, not settings.
const (
	// FenceLife is how old a fence may be, on both clocks, when the create is sent.
	FenceLife = 5 * time.Second
	// ClockSkew is how far a provider's clock may differ from Vault's.
	ClockSkew = 30 * time.Second
	// ExpirySkew is how long after its expiry a secret counts as gone.
	ExpirySkew = 2 * time.Second
	// clockAgreement is how far the wall may differ from an independent clock and still be believed.
	clockAgreement = 5 * time.Minute
	// neverInterruptedPause is the longest pause between attempts while a created secret is not published.
	neverInterruptedPause = 5 * time.Minute
	// longestPause is the longest pause between attempts elsewhere.
	longestPause = time.Hour
	// readBackEvery is the pause between two readings of a value while an outcome is unknown.
	readBackEvery = 3 * time.Second
	// outdatedAfter is how old a look may be when it is judged.
	outdatedAfter = 10 * time.Minute
	// abortPause is how long nothing begins by plan after a person has ended a rotation.
	abortPause = time.Hour
	// lateAfter is how far a planned rotation may be overdue before people are warned.
	lateAfter = time.Hour
	// rotationAttempts is the number of creates within one rotation before a hold.
	rotationAttempts = 5
)

// window returns the window of a policy.
func (e Env) window(p credential.Policy) credential.Window {
	if p.Window.IsZero() || e.Windows == nil {
		return credential.Always{}
	}
	return e.Windows(p.Window)
}

// moment returns this instant on both clocks.
func (e Env) moment() *credential.Moment {
	return &credential.Moment{At: e.Now, Boot: e.Boot, Elapsed: e.Elapsed}
}

// since returns when a rotation has entered its phase, on both clocks.
func since(r *credential.Rotation) *credential.Moment {
	return &credential.Moment{At: r.Since, Boot: r.SinceBoot, Elapsed: r.SinceElapsed}
}

// quiet returns how much longer to wait until an unknown create cannot land unseen any more: its deadline plus the
// provider's propagation, counted on the monotonic clock from when this process saw the unknown outcome, or from when
// it opened the state, and then not longer than the wall clock says. A jump of the wall clock must not shorten it.
func (e Env) quiet(since *credential.Moment) time.Duration {
	need := e.Timing.Deadline + e.Timing.Propagation + FenceLife
	waited := e.Elapsed
	switch {
	case since == nil:
	case since.Boot == e.Boot:
		waited = e.Elapsed - since.Elapsed
	case !e.Now.Before(since.At): // another process saw it, perhaps while this one was at work already
		waited = min(waited, e.Now.Sub(since.At))
	}
	return max(0, need-waited)
}
