package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/scheduler"
	"github.com/rotad/rotad/state"
	"github.com/rotad/rotad/templates"
)

// actionStore is what people's wishes need of the state.
type actionStore interface {
	Get(ctx context.Context, id string) (credential.Record, bool, error)
	List(ctx context.Context, after string, n int) ([]credential.Record, error)
	Find(ctx context.Context, provider string, ref credential.Ref) (id string, ok bool, err error)
	Commit(ctx context.Context, c credential.Change) (rec credential.Record, conflict bool, err error)
	CommitMany(ctx context.Context, changes []credential.Change) ([]state.Refusal, error)
	ClaimOne(ctx context.Context, now time.Time, id, owner string, lease time.Duration) (credential.Record, bool, error)
	Release(id, owner string)
	History(ctx context.Context, id string, n int) ([]credential.Audit, error)
	Meta() state.Meta
}

// actions is the daemon's side of the admin API: it grants or refuses what people want. A wish is a pure function of the
// record, and what comes of it is committed like any other decision; the scheduler then does what follows from it.
type actions struct {
	store    actionStore
	env      func(credential.Record) rotation.Env
	executor rotation.Executor
	config   func() *config.Config
	now      func() time.Time
	log      *slog.Logger

	connection func(provider string) (scheduler.Connection, bool) // nil = nothing outside can be asked
	feeds      feedStore                                          // nil = there are no calendar feeds
	waves      waveBoard                                          // nil = nobody asks what begins under a provider
	language   func(tag string) *templates.Language               // nil = nobody answers by links

	wake      func()                  // the scheduler has something to look at
	committed func(credential.Change) // is told of every commit; may be nil
}

// newActions connects the admin API with a daemon's parts.
func newActions(
	store actionStore, s *scheduler.Scheduler, x rotation.Executor, cfg func() *config.Config, now func() time.Time, log *slog.Logger,
) *actions {
	a := &actions{store: store, env: s.Env, executor: x, config: cfg, now: now, log: log, wake: s.Wake, connection: s.Connection}
	if s.Watch != nil {
		a.committed = s.Watch.Committed
	}
	return a
}

// World returns what the commands have to know to tell what comes next.
func (a *actions) World() admin.World {
	w := admin.World{Now: a.now().UTC(), Policies: a.config().Policies, Boot: a.env(credential.Record{}).Boot}
	if a.waves != nil {
		w.Providers = a.waves.providers()
	}
	return w
}

// Do does what a person wants, or says why not.
func (a *actions) Do(ctx context.Context, c admin.Command) (admin.Reply, error) {
	switch c.Verb {
	case admin.VerbRegister:
		return a.register(ctx, c)
	case admin.VerbPrepare:
		return a.prepare(ctx, c)
	case admin.VerbSubmit:
		return a.submit(ctx, c)
	case admin.VerbCalendar:
		return a.calendar(ctx, c)
	case admin.VerbOrphans:
		return a.orphans(ctx, c)
	case admin.VerbWave:
		return a.resumeWave(ctx, c)
	case admin.VerbMoved:
		return a.moved(ctx, c.Client, c.Consumer, c.Version, person(c))
	default:
	}
	wish, err := wishOf(c)
	if err != nil {
		return admin.Reply{}, err
	}
	rec, ok, err := a.store.Get(ctx, c.Client)
	switch {
	case err != nil:
		return admin.Reply{}, err
	case !ok:
		return admin.Reply{}, admin.NotFound(c.Client)
	}
	return a.grant(ctx, rec, person(c), wish, true)
}

func person(c admin.Command) rotation.Person {
	return rotation.Person{Name: c.Actor, Reason: c.Reason}
}

func wishOf(c admin.Command) (rotation.Wish, error) {
	switch c.Verb {
	case admin.VerbRotate:
		if c.Compromised {
			return rotation.Compromised, nil
		}
		return rotation.Rotate, nil
	case admin.VerbApprove:
		return rotation.Approve, nil
	case admin.VerbRollback:
		return rotation.Rollback, nil
	case admin.VerbHold:
		return rotation.HoldBy, nil
	case admin.VerbAck:
		return rotation.Ack, nil
	case admin.VerbSnooze:
		return rotation.Snooze(c.Until), nil
	case admin.VerbResume:
		return rotation.Resume(c.Resolve, c.SecretID), nil
	case admin.VerbRemove:
		return leave, nil
	default:
		return nil, &admin.Error{Class: admin.ClassWrong, Why: fmt.Sprintf("there is no command %q", c.Verb)}
	}
}

// leave lets a client go that was registered by a command. One of the configuration would come back with the next
// reload.
func leave(rec credential.Record, by rotation.Person, env rotation.Env) (rotation.Decision, error) {
	switch {
	case fromFile(rec.Client.Source):
		return rotation.Decision{}, &rotation.Refusal{
			Why:  fmt.Sprintf("client %s is registered in %s", rec.Client.ID, rec.Client.Source),
			Hint: "delete it there, then let the daemon reload: systemctl reload rotad",
		}
	case rec.Leaving:
		return rotation.Decision{}, &rotation.Refusal{
			Why: fmt.Sprintf("client %s is leaving already", rec.Client.ID), Hint: "rotad show " + rec.Client.ID,
		}
	}
	d := rotation.Leave(rec, env)
	sign(d.Audit, by)
	return d, nil
}

// sign names the person in audit entries that name nobody.
func sign(entries []credential.Audit, by rotation.Person) {
	for i := range entries {
		if entries[i].Actor == "" {
			entries[i].Actor = by.Name
		}
		if entries[i].Detail == "" {
			entries[i].Detail = by.Reason
		}
	}
}

// meetings is how often a wish that meets a conflicting commit is repeated on the winner.
const meetings = 32

// grant decides about a wish and commits the decision. A conflict means that the scheduler, or another person, was
// faster: the wish is decided again from the record that won. keep leaves a claim of the record as it is.
func (a *actions) grant(
	ctx context.Context, rec credential.Record, by rotation.Person, wish rotation.Wish, keep bool,
) (admin.Reply, error) {
	ctx = context.WithoutCancel(ctx) // a commit that has begun has an outcome, whether somebody waits for it or not
	for range meetings {
		d, err := wish(rec, by, a.env(rec))
		if err != nil {
			return admin.Reply{}, denied(err)
		}
		committed, conflict, err := a.commit(ctx, credential.Change{Record: d.Record, Notices: d.Notices, Audit: d.Audit, Strokes: d.Strokes, Keep: keep})
		switch {
		case errors.Is(err, state.ErrGone):
			return admin.Reply{}, admin.NotFound(rec.Client.ID)
		case err != nil:
			return admin.Reply{}, err
		case !conflict:
			return admin.Reply{Record: &committed}, nil
		}
		rec = committed
	}
	return admin.Reply{}, busy(rec.Client.ID)
}

// commit commits a change and lets the scheduler look at it.
func (a *actions) commit(ctx context.Context, change credential.Change) (rec credential.Record, conflict bool, err error) {
	rec, conflict, err = a.store.Commit(ctx, change)
	if err != nil || conflict {
		if errors.Is(err, state.ErrFatal) {
			a.log.Error("the state cannot be written", "error", err)
		}
		return rec, conflict, err
	}
	if a.committed != nil {
		change.Record = rec
		a.committed(change)
	}
	a.wake()
	return rec, false, nil
}

func busy(id string) error {
	return &admin.Error{Class: admin.ClassRefused, Why: fmt.Sprintf("rotad is working on %s right now", id), Hint: "try again in a moment"}
}

// denied turns a refused wish into an error of the admin API.
func denied(err error) error {
	if no, ok := errors.AsType[*rotation.Refusal](err); ok {
		return &admin.Error{Class: admin.ClassRefused, Why: no.Why, Hint: no.Hint}
	}
	return err
}
