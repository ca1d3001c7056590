package scheduler

import (
	"context"
	"hash/fnv"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/failpoint"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/providers"
)

// conflicts is how often a commit is tried again on the winner of a conflict. A person can win against the loop, and the
// loop against a person, but neither for ever.
const conflicts = 32

// turns is how many effects one record may have before the others get their turn.
const turns = 64

// Step takes one claimed record as far as it goes now, as Run does for every record that is due. A simulation calls it
// itself. An error means that the state can no longer be written.
func (s *Scheduler) Step(ctx context.Context, rec credential.Record) error {
	return s.process(ctx, rec)
}

// process takes one record as far as it goes now: decide, commit, carry out, commit, until nothing is to be done before
// a later moment.
func (s *Scheduler) process(ctx context.Context, rec credential.Record) error {
	d := rotation.Plan(rec, s.Env(rec))
	for range turns {
		d = s.later(rec, d)
		committed, d2, err := s.settleOn(ctx, rec, d)
		if err != nil {
			return err
		}
		rec, d = committed, d2
		if d.Effect == rotation.EffectNone || d.Archive {
			return nil
		}
		if s.stops(d.Effect) {
			return s.letGo(ctx, rec)
		}
		rec, d, err = s.carryOut(ctx, rec, d.Effect)
		if err != nil {
			return err
		}
		if d.Archive || d.Effect == rotation.EffectNone && d.Reason != "" { // committed with the outcome
			return nil
		}
	}
	return s.letGo(ctx, rec)
}

// settleOn commits a decision that was made from rec. On a conflict it decides again from the winner.
func (s *Scheduler) settleOn(ctx context.Context, rec credential.Record, d rotation.Decision) (credential.Record, rotation.Decision, error) {
	for range conflicts {
		if d.Effect != rotation.EffectNone && !d.Archive && unchanged(rec, d) {
			return rec, d, nil
		}
		committed, conflict, err := s.commit(ctx, d)
		if err != nil || !conflict {
			return committed, d, err
		}
		rec = committed
		d = s.later(rec, rotation.Plan(rec, s.Env(rec)))
	}
	return rec, rotation.Decision{Record: rec}, nil
}

// unchanged says whether a decision leaves nothing to commit before its effect.
func unchanged(rec credential.Record, d rotation.Decision) bool {
	if len(d.Notices)+len(d.Audit)+len(d.Strokes) > 0 {
		return false
	}
	a, b := rec, d.Record
	a.Due, a.DueFor, a.Boot = b.Due, b.DueFor, b.Boot
	return a.Equal(&b)
}

// carryOut runs an effect and folds its outcome, and the decision that follows from it, into one change, which is
// committed before anything else happens. On a conflict the outcome is applied to the winner: what happened, happened.
// Where the winner has left the stage for which the effect was made, the outcome says nothing about it: what has changed
// outside is observed again.
func (s *Scheduler) carryOut(ctx context.Context, rec credential.Record, e rotation.Effect) (credential.Record, rotation.Decision, error) {
	outcome := s.run(ctx, rec, e)
	if ctx.Err() != nil && outcome.Result != rotation.Done && !neverInterrupted(e) {
		return rec, rotation.Decision{Record: rec}, nil // cut off by a shutdown, which proves nothing: it is asked again
	}
	return s.takeIn(ctx, rec, e, outcome)
}

// takeIn commits what an effect has brought.
func (s *Scheduler) takeIn(
	ctx context.Context, rec credential.Record, e rotation.Effect, outcome rotation.Outcome,
) (credential.Record, rotation.Decision, error) {
	asked := rec
	for range conflicts {
		if !sameStage(asked, rec) {
			return rec, rotation.Decision{Record: rec}, nil
		}
		d := s.fold(rec, e, outcome)
		committed, conflict, err := s.commit(ctx, d)
		if err != nil {
			return rec, d, err
		}
		failpoint.Hit("recorded", string(e), rec.Client.ID)
		if !conflict {
			d.Record, d.Notices, d.Audit, d.Strokes = committed, nil, nil, nil
			return committed, d, nil
		}
		rec = committed
	}
	return rec, rotation.Decision{Record: rec}, nil
}

// sameStage says whether two states of a record are at the same step of the same attempt of the same rotation, or of the
// same quiet between two rotations, at the same place.
func sameStage(a, b credential.Record) bool {
	if a.Rotation == nil && b.Rotation == nil {
		return a.Last.Rotation == b.Last.Rotation && a.Client.StagingKey() == b.Client.StagingKey() && a.Client.Vault.Key() == b.Client.Vault.Key()
	}
	if a.Rotation == nil || b.Rotation == nil {
		return false
	}
	return a.Rotation.ID == b.Rotation.ID && a.Rotation.Attempt == b.Rotation.Attempt && a.Rotation.Phase == b.Rotation.Phase
}

func (s *Scheduler) fold(rec credential.Record, e rotation.Effect, o rotation.Outcome) rotation.Decision {
	applied := rotation.Apply(rec, e, o, s.Env(rec))
	if applied.Resync {
		s.clock.resync(s.Now(), s.Elapsed())
	}
	next := rotation.Plan(applied.Record, s.Env(applied.Record))
	next.Notices = append(applied.Notices, next.Notices...)
	next.Audit = append(applied.Audit, next.Audit...)
	next.Strokes = append(applied.Strokes, next.Strokes...)
	return next
}

// run carries out an effect. What may leave a created secret in memory runs on a context that a shutdown does not end.
func (s *Scheduler) run(ctx context.Context, rec credential.Record, e rotation.Effect) rotation.Outcome { //nolint:contextcheck // a create outlives a shutdown
	connection, ok := s.connection(rec)
	if !ok {
		return rotation.Outcome{Result: rotation.NotDone, Failure: rotation.Failure{
			Class: providers.ClassUnavailable, Text: "provider " + provider(rec) + " is not configured",
		}}
	}
	if neverInterrupted(e) && s.detached != nil {
		ctx = s.detached
	}
	began := s.Elapsed()
	failpoint.Hit("effect", string(e), rec.Client.ID)
	o := s.Executor.Run(ctx, connection.Provider, rec, e, s.Env(rec))
	failpoint.Hit("outcome", string(e), rec.Client.ID)
	took := s.Elapsed() - began
	if s.Watch != nil {
		s.Watch.Effect(rec, e, o, took)
	}
	s.log(rec, e, o, took)
	return o
}

// neverInterrupted names the effects during which a created secret may exist in memory only.
func neverInterrupted(e rotation.Effect) bool {
	switch e {
	case rotation.EffectCreate, rotation.EffectSettle:
		return true
	default:
		return false
	}
}

func (s *Scheduler) log(rec credential.Record, e rotation.Effect, o rotation.Outcome, took time.Duration) {
	if s.Log == nil {
		return
	}
	attrs := []any{"client", rec.Client.ID, "phase", rec.Phase(), "effect", e, "result", o.Result, "found", o.Finding, "took", took.Round(time.Millisecond)}
	if o.Failure.Text != "" {
		s.Log.Warn("effect failed", append(attrs, "class", o.Failure.Class, "error", o.Failure.Text)...)
		return
	}
	s.Log.Debug("effect", attrs...)
}

// stops says whether a shutdown ends the work before this effect.
func (s *Scheduler) stops(rotation.Effect) bool { return s.draining.Load() }

// letGo releases the claim: the record is as it was, and due.
func (s *Scheduler) letGo(ctx context.Context, rec credential.Record) error {
	rec.Due = s.Now().UTC().Truncate(time.Microsecond)
	_, _, err := s.commit(ctx, rotation.Decision{Record: rec})
	return err
}

// commit commits a decision. The claim is kept while an effect follows. A shutdown does not cancel it: what was decided
// or done is written down.
func (s *Scheduler) commit(ctx context.Context, d rotation.Decision) (credential.Record, bool, error) {
	change := credential.Change{
		Record: d.Record, Notices: d.Notices, Audit: d.Audit, Strokes: d.Strokes, Archive: d.Archive,
		Keep: d.Effect != rotation.EffectNone && !d.Archive, Watermark: s.clock.now(s.Elapsed()),
	}
	id := d.Record.Client.ID
	s.last(id, !change.Keep)
	rec, conflict, err := s.Store.Commit(context.WithoutCancel(ctx), change)
	if conflict {
		s.last(id, false)
	}
	if err == nil && !conflict && s.Watch != nil {
		change.Record = rec
		s.Watch.Committed(change)
	}
	return rec, conflict, err
}

// Env gathers what a decision about a record depends on.
func (s *Scheduler) Env(rec credential.Record) rotation.Env {
	w := s.world.Load()
	now := s.Now()
	connection, _ := s.connection(rec)
	env := rotation.Env{
		Now: now, Elapsed: s.Elapsed(), Second: s.clock.now(s.Elapsed()), Boot: s.Boot,
		Policy: w.Policies[rec.Client.Policy], Windows: w.Windows, Timing: connection.Timing,
		NextLook: s.nextLook(rec, now), FreshID: s.FreshID(), FreshUID: s.FreshUID(), Instance: s.instance(),
	}
	env.Pace = connection.Pace
	if err := s.readTally(&env, provider(rec)); err != nil {
		s.fail(err)
		env.NoCreate = "state-unreadable"
		return env
	}
	switch {
	case s.draining.Load():
		env.NoCreate = "shutting-down"
	case s.Guard != nil:
		env.NoCreate = s.Guard(rec)
	}
	return env
}

// Connection returns the connection of a provider, as it is in force now.
func (s *Scheduler) Connection(name string) (Connection, bool) {
	c, ok := s.world.Load().Connections[name]
	return c, ok
}

func (s *Scheduler) connection(rec credential.Record) (Connection, bool) {
	return s.Connection(provider(rec))
}

// provider returns the provider that the record's work goes to: the pinned one while a rotation is under way.
func provider(rec credential.Record) string {
	if rec.Rotation != nil {
		return rec.Rotation.Client.Provider
	}
	return rec.Client.Provider
}

// nextLook returns when a record's client is looked at next. One that is seen in the pages of a tenant is looked at alone only
// where the walk that begins with the next tick has not seen it by the tick after that.
func (s *Scheduler) nextLook(rec credential.Record, now time.Time) time.Time {
	scan := s.world.Load().Scan
	if s.walks(provider(rec)) {
		for range 2 {
			if tick := scan.Next(now); !tick.IsZero() {
				now = tick
			}
		}
	}
	return nextLook(scan, rec.Client.ID, now)
}

// nextLook returns when a client is looked at next: the next tick of the schedule, spread over the time until the tick
// after it by a hash of the client's id, so that a fleet does not fall upon a provider at once.
func nextLook(scan Schedule, id string, now time.Time) time.Time {
	tick := scan.Next(now)
	if tick.IsZero() {
		return now.Add(time.Hour)
	}
	gap := scan.Next(tick).Sub(tick)
	if gap < time.Millisecond {
		return tick
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	at := tick.Add(-gap).Add((time.Duration(h.Sum32()) * time.Millisecond) % gap.Truncate(time.Millisecond))
	if !at.After(now) {
		at = at.Add(gap)
	}
	return at.UTC().Truncate(time.Microsecond)
}
