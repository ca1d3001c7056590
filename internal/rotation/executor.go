package rotation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// Executor carries out effects. It observes first and acts then, and it decides nothing about what comes next. It is
// safe for concurrent use; one record is given to one call at a time.
type Executor struct {
	Vault    Vault
	Instance string // this rotad's id, as in Vault staging

	Now     func() time.Time                     // wall clock
	Elapsed func() time.Duration                 // monotonic clock
	After   func(time.Duration) <-chan time.Time // timer on the monotonic clock
	Probe   func(context.Context, credential.Probe) error
	Reload  func(context.Context, credential.Reload, credential.Occasion) error
	// Settled says whether what Reload has begun is over, with an error if not: a rollout takes its time.
	Settled func(context.Context, credential.Reload, credential.Occasion) error
	// Deliver makes a destination hold a copy, and reads it back. It says whether that had to be written.
	Deliver func(context.Context, credential.Destination, credential.Copy) (written bool, err error)
}

// Run carries out one effect for a record whose intent is durable. Create and stage must run on a context that a
// shutdown does not cancel; the caller sees to that.
func (x Executor) Run(ctx context.Context, p providers.Provider, rec credential.Record, e Effect, env Env) Outcome {
	r := runs.Get().(*run) //nolint:forcetypeassert // nothing else is put there
	r.Executor, r.provider, r.rec, r.env = x, p, rec, env
	o := r.effect(ctx, e)
	*r = run{}
	runs.Put(r)
	return o
}

// runs keeps used ones: a run is large, and a simulation makes millions of them. Nothing holds on to one that is over.
var runs = sync.Pool{New: func() any { return new(run) }}

func (r *run) effect(ctx context.Context, e Effect) Outcome {
	if r.rec.Rotation != nil {
		r.rot = *r.rec.Rotation
	}
	switch e {
	case EffectLook:
		return r.look(ctx, false)
	case EffectPrepare:
		return r.look(ctx, true)
	case EffectSweep:
		return r.sweep(ctx)
	case EffectDiscard:
		return r.discardOrphan(ctx)
	case EffectDeliver:
		return r.deliver(ctx)
	case EffectNone:
		return Outcome{Result: Done}
	default:
	}
	if r.rec.Rotation == nil {
		return Outcome{Result: NotDone, Failure: Failure{Text: "no rotation is under way"}}
	}
	return r.ofRotation(ctx, e)
}

func (r *run) ofRotation(ctx context.Context, e Effect) Outcome {
	f, ok := effectsOfRotation[e]
	if !ok {
		return Outcome{Result: NotDone, Failure: Failure{Text: "unknown effect " + string(e)}}
	}
	return f(r, ctx)
}

// effectsOfRotation is the list of what can be carried out for a rotation, made once. Nothing changes it.
var effectsOfRotation = map[Effect]func(*run, context.Context) Outcome{
	EffectCreate: (*run).create, EffectSettle: (*run).settle, EffectCompensate: (*run).compensate, EffectVerify: (*run).verify,
	EffectShown: (*run).shown, EffectPromote: (*run).promote, EffectProve: (*run).prove, EffectRestore: (*run).restore,
	EffectReload: (*run).reload, EffectRollback: (*run).rollback,
	EffectGate: (*run).gate, EffectRevoke: (*run).revoke, EffectNegative: (*run).negative, EffectCleanUp: (*run).cleanUp,
}

// run is one call of an effect.
type run struct {
	Executor
	provider providers.Provider
	rec      credential.Record
	rot      credential.Rotation // of the effects of a rotation
	env      Env
}

// client returns the client as the effect has to see it: the pinned one while a rotation is under way.
func (r *run) client() credential.Client {
	if r.rec.Rotation != nil {
		return r.rot.Client
	}
	return r.rec.Client
}

func (r *run) target() providers.Target { return Target(r.Vault, r.client(), r.rot.ID) }

func (r *run) key() string { return r.client().StagingKey() }

// ours says whether a staging entry belongs to this rotation.
func (r *run) ours(e credential.Entry) bool {
	return e.Version != 0 && e.Rotation == r.rot.ID
}

// failed turns an error into an outcome: what may be concluded from it and no more.
func failed(err error) Outcome {
	o := Outcome{Result: NotDone, Failure: failure(err)}
	if !definite(err) {
		o.Result = Unknown
	}
	return o
}

func failure(err error) Failure {
	if err == nil {
		return Failure{}
	}
	f := Failure{Class: providers.ClassOf(err), Text: err.Error(), After: providers.RetryAfter(err)}
	switch {
	case errors.Is(err, credential.ErrDenied):
		f.Class = providers.ClassAuth
	case errors.Is(err, credential.ErrSealed), errors.Is(err, credential.ErrNoMount):
		f.Class = providers.ClassUnavailable
	}
	return f
}

func definite(err error) bool {
	if errors.Is(err, credential.ErrDenied) || errors.Is(err, credential.ErrSealed) || errors.Is(err, credential.ErrNoMount) || errors.Is(err, credential.ErrCAS) {
		return true
	}
	return providers.Definite(err)
}

func foreign(format string, args ...any) Outcome {
	return Outcome{Result: NotDone, Finding: FoundForeign, Failure: Failure{Class: providers.ClassConflict, Text: fmt.Sprintf(format, args...)}}
}

// pause waits, or returns false when the context ends first.
func (r *run) pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-r.After(d):
		return true
	}
}

// entry begins a staging entry of this rotation's current attempt.
func (r *run) entry(phase credential.StagingPhase) credential.Staging {
	s := credential.Staging{
		Client: r.rot.Client.ID, Rotation: r.rot.ID, Attempt: r.rot.Attempt, Phase: phase, Instance: r.Instance, Boot: r.env.Boot,
		FencedAt: r.rot.FenceAt, OldID: r.rot.Old.ID, Consumer: r.consumerBase(), Label: Label(&r.rot),
	}
	for _, secret := range r.rot.Before {
		s.Before = append(s.Before, secret.ID)
	}
	return s
}

// consumerBase returns the consumer version that a promote replaces.
func (r *run) consumerBase() int {
	if r.rot.ConsumerBase != 0 {
		return r.rot.ConsumerBase
	}
	return r.rot.OldVersion
}

// ask verifies a bundle. A kind that has no way to ask says so with ClassUnsupported.
func (r *run) ask(ctx context.Context, b credential.Bundle) (answer providers.Answer, noProof bool, f Failure) {
	answer, err := r.provider.Verify(ctx, r.target(), b)
	if err == nil || answer != providers.Unknown {
		return answer, false, Failure{}
	}
	return providers.Unknown, providers.ClassOf(err) == providers.ClassUnsupported, failure(err)
}
