package rotation

import (
	"context"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// reloadTries is how often a step is tried before a person is called; the pauses double from reloadPause.
const (
	reloadTries = 3
	reloadPause = 10 * time.Second
	// healthEvery is the pause between two questions after a consumer's health.
	healthEvery = 2 * time.Second
	// rolloutEvery is the pause between two questions after a rollout, and lateEvery the one after it has taken too long.
	rolloutEvery = 5 * time.Second
	lateEvery    = time.Minute
)

// nextReload returns the step of the wave whose turn it is, and how far it is; nil = the wave is over, or has not begun: it
// begins when every destination holds the new secret.
func nextReload(rec *credential.Record) (*credential.Reload, credential.ReloadState) {
	r := rec.Rotation
	if r == nil || r.Promoted == 0 || r.Undelivered || r.Promoted != rec.Version {
		return nil, credential.ReloadState{}
	}
	if r.Phase != credential.PhaseOverlap && (r.Phase != credential.PhaseRevoking || !compromised(r)) {
		return nil, credential.ReloadState{}
	}
	for i := range r.Client.Destinations {
		if behind(rec, r.Client.Destinations[i]) {
			return nil, credential.ReloadState{}
		}
	}
	for i := range r.Client.Reloads {
		if state := r.ReloadAt(r.Client.Reloads[i].Name); state.Done.IsZero() {
			return &r.Client.Reloads[i], state
		}
	}
	return nil, credential.ReloadState{}
}

// reloadAt returns when the step whose turn it is may go on; zero = nothing is to be done, or a person is waited for. What
// restarts a consumer waits for the window, unless the old secret is dead already; asking after its health does not, nor does
// a login of rotad's own.
func (s *step) reloadAt() time.Time {
	step, state := nextReload(&s.rec)
	if step == nil || s.waveStopped() {
		return time.Time{}
	}
	at := latest(state.Next, s.rec.Rotation.PromotedAt)
	if at.After(s.env.Now.Add(longestPause)) { // a clock that has been set back since
		at = s.env.Now
	}
	if !state.Ran.IsZero() || s.rec.Rotation.Cutover || step.Login != "" {
		return at
	}
	if last := s.lastReload(); !last.IsZero() {
		at = latest(at, earliest(last.Add(s.rec.Rotation.Client.Stagger), s.env.Now.Add(s.rec.Rotation.Client.Stagger)))
	}
	w := s.env.window(s.rec.Rotation.Policy)
	if from := latest(at, s.env.Now); !w.Contains(from) {
		return w.Next(from)
	}
	return at
}

// waveStopped says whether a person is waited for: after a step that has failed for good, and while anything else is in
// doubt that a consumer would take with it.
func (s *step) waveStopped() bool {
	h := s.rec.Hold
	return h != nil && !h.Paging && !h.Retry
}

func (s *step) lastReload() time.Time {
	var last time.Time
	for _, state := range s.rec.Rotation.Reloads {
		last = latest(last, state.Done)
	}
	return last
}

// reload lets consumers take the new secret, one after the other.
func (s *step) reload() bool {
	at := s.reloadAt()
	if at.IsZero() || at.After(s.env.Now) {
		return false
	}
	s.out.Reason = credential.Reason(EffectReload)
	return s.do(EffectReload)
}

// unreloaded keeps the old secret while a consumer has not taken the new one.
func (s *step) unreloaded() bool {
	if step, _ := nextReload(&s.rec); step == nil || compromised(s.rec.Rotation) {
		return false
	}
	if s.waveStopped() {
		return s.wait(time.Time{}, "hold")
	}
	return s.wait(s.reloadAt(), "reload")
}

// reload does the step whose turn it is, or asks after the health of what was done.
func (r *run) reload(ctx context.Context) Outcome {
	step, state := nextReload(&r.rec)
	if step == nil {
		return Outcome{Result: Done}
	}
	o := credential.Occasion{Client: r.rot.Client.ID, Version: r.rec.Version, Rotation: r.rot.ID}
	var err error
	if state.Ran.IsZero() {
		err = r.Reload(ctx, *step, o)
	} else {
		err = r.follow(ctx, step, o)
	}
	if err != nil {
		return Outcome{Result: NotDone, Failure: failure(err)}
	}
	return Outcome{Result: Done}
}

// follow asks whether what was done has come true. The old pods of a rollout may well be healthy, so that its end is asked first.
func (r *run) follow(ctx context.Context, step *credential.Reload, o credential.Occasion) error {
	if step.Rollout != nil {
		if err := r.Settled(ctx, *step, o); err != nil {
			return err
		}
	}
	if step.Health == nil {
		return nil
	}
	return r.Probe(ctx, *step.Health)
}

// askEvery is the pause between two questions after what a step has done.
func askEvery(step *credential.Reload) time.Duration {
	if step.Rollout != nil {
		return rolloutEvery
	}
	return healthEvery
}

func (s *step) applyReload(o Outcome) {
	step, state := nextReload(&s.rec)
	switch {
	case step == nil:
		return
	case o.Result != Done && state.Ran.IsZero():
		s.reloadFailed(step, &state, o.Failure.Text)
	case o.Result != Done:
		s.unhealthy(step, &state, o.Failure.Text)
	case state.Ran.IsZero() && step.Followed():
		state.Ran, state.Tries, state.Error, state.Next = s.env.Now, 0, "", s.env.Now.Add(askEvery(step))
	default:
		s.reloaded(step, &state)
	}
	s.rec.Rotation.Reloads = s.rec.Rotation.WithReload(state)
}

func (s *step) reloaded(step *credential.Reload, state *credential.ReloadState) {
	if state.Ran.IsZero() {
		state.Ran = s.env.Now
	}
	state.Done, state.Error, state.Next = s.env.Now, "", time.Time{}
	s.audit(credential.EventReloaded, func(a *credential.Audit) { a.Version, a.Detail = s.rec.Version, step.Name+": "+step.What() })
	if h := s.rec.Hold; h != nil && h.Code == credential.HoldNotReloaded {
		s.release("the step " + step.Name + " succeeded")
	}
}

// reloadFailed tries again: what could not be started has done nothing. After a few times it calls for a person, and goes on
// trying.
func (s *step) reloadFailed(step *credential.Reload, state *credential.ReloadState, why string) {
	if state.Tries == 0 {
		s.auditDetail(credential.EventFailed, "reloading "+step.Name+": "+why)
	}
	state.Next = s.env.Now.Add(reloadPause << min(state.Tries, copyDoublings-1))
	state.Tries++
	state.Error = why
	if state.Tries >= reloadTries {
		s.hold(credential.HoldNotReloaded, step.Name+" ("+step.What()+") failed: "+why, func(h *credential.Hold) { h.Paging, h.Deadline = true, s.oldEnds() })
	}
}

// unhealthy asks again for a while. Then the wave stops: the consumers after this one keep what works. A rollout that has taken
// too long is asked after all the same: the cluster goes on with it, and questions change nothing.
func (s *step) unhealthy(step *credential.Reload, state *credential.ReloadState, why string) {
	state.Next, state.Error = s.env.Now.Add(askEvery(step)), why
	if s.env.Now.Before(state.Ran.Add(step.HealthWithin())) && !state.Ran.After(s.env.Now) {
		return
	}
	what := " is not healthy since: "
	if step.Rollout != nil {
		what = " has not come to its end since: "
		state.Next = s.env.Now.Add(lateEvery)
	}
	s.hold(credential.HoldNotReloaded, step.Name+" ("+step.What()+")"+what+why, func(h *credential.Hold) {
		h.Paging, h.Deadline = step.Rollout != nil, s.oldEnds()
	})
}

// reloadAgain lets a step that has failed begin anew.
func (s *step) reloadAgain() {
	r := s.rec.Rotation
	if step, state := nextReload(&s.rec); step != nil {
		r.Reloads = r.WithReload(credential.ReloadState{Name: state.Name})
	}
}
