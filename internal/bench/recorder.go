package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/vault"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/state"
	"github.com/rotad/rotad/state/bolt"
)

// step is one call of a rotation, or one commit.
type step struct {
	call    string
	staging credential.Staging // of a stage
	request providers.Request  // of a create
	meta    map[string]string  // of an annotation
	old     bool               // verify: with the old value; consumer: the old version
	bytes   int                // of a commit
}

const callCommit = "commit"

// recorder stands between the loop and the world of one client, and writes down what passes.
type recorder struct {
	*vault.Client
	inner providers.Provider

	mu      sync.Mutex
	steps   []step
	current string // the value that Vault handed out before the rotation
	version int    // its version
}

var (
	_ providers.Revoker = (*recorder)(nil)
	_ providers.Timed   = (*recorder)(nil)
)

func (r *recorder) add(s step) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.steps = append(r.steps, s)
}

// record rotates one client and returns what its rotation did, from the first call to the last commit.
func (w *rotationWorld) record(ctx context.Context, store *bolt.Store) ([]step, error) {
	r := &recorder{Client: w.vault, inner: w.provider}
	count := newWatch()
	count.steps = count.finished
	count.seen = r.committed
	c := w.recorded()
	if err := register(ctx, store, 1, func(int) credential.Client { return c }, w.clock.now()); err != nil {
		return nil, err
	}
	sch := newScheduler(store, w.clock, r, w.timing(), r, count)
	err := running(ctx, sch, func() error {
		idle(ctx, store, sch, w.clock)
		consumer, err := w.vault.Consumer(ctx, c.Vault, 0)
		if err != nil {
			return err
		}
		r.mu.Lock()
		r.steps, r.current, r.version = nil, consumer.Bundle.Secret().Reveal(), consumer.Version
		r.mu.Unlock()
		w.clock.advance(lifetime - 10*day)
		sch.Wake()
		time.Sleep(50 * time.Millisecond)
		idle(ctx, store, sch, w.clock)
		return nil
	})
	if err == nil && (count.done.Load() != 1 || count.failed.Load() > 0) {
		err = fmt.Errorf("the recorded rotation: %d finished, %d effects failed", count.done.Load(), count.failed.Load())
	}
	w.clock.advance(-(lifetime - 10*day))
	return r.steps, err
}

func (r *recorder) committed(c credential.Change) {
	record, err := state.Encode(&c.Record)
	n := len(record)
	for i := range c.Notices {
		row, failed := state.Encode(&c.Notices[i])
		n, err = n+len(row), errors.Join(err, failed)
	}
	for i := range c.Audit {
		row, failed := state.Encode(&c.Audit[i])
		n, err = n+len(row), errors.Join(err, failed)
	}
	if err != nil {
		panic(err) // it has just been stored
	}
	r.add(step{call: callCommit, bytes: n})
}

// Timing implements providers.Timed.
func (r *recorder) Timing() providers.Timing {
	return providers.Timing{Deadline: time.Minute, Propagation: time.Millisecond}
}

// Inspect implements providers.Provider.
func (r *recorder) Inspect(ctx context.Context, t providers.Target) (providers.Snapshot, error) {
	r.add(step{call: "inspect"})
	return r.inner.Inspect(ctx, t)
}

// Create implements providers.Provider.
func (r *recorder) Create(ctx context.Context, t providers.Target, q providers.Request) (providers.Issued, error) {
	r.add(step{call: "create", request: q})
	return r.inner.Create(ctx, t, q)
}

// Verify implements providers.Provider.
func (r *recorder) Verify(ctx context.Context, t providers.Target, b credential.Bundle) (providers.Answer, error) {
	r.add(step{call: "verify", old: b.Secret().Reveal() == r.current})
	return r.inner.Verify(ctx, t, b)
}

// Revoke implements providers.Revoker.
func (r *recorder) Revoke(ctx context.Context, t providers.Target, id string) error {
	r.add(step{call: "revoke"})
	revoker, _ := providers.AsRevoker(r.inner)
	return revoker.Revoke(ctx, t, id)
}

// Staging and those below implement rotation.Vault.
func (r *recorder) Staging(ctx context.Context, key string) (credential.Entry, error) {
	r.add(step{call: "staging"})
	return r.Client.Staging(ctx, key)
}

// Stage writes it down.
func (r *recorder) Stage(ctx context.Context, key string, cas int, s credential.Staging) (int, time.Time, error) {
	r.add(step{call: "stage", staging: s})
	return r.Client.Stage(ctx, key, cas, s)
}

// Consumer writes it down.
func (r *recorder) Consumer(ctx context.Context, p credential.VaultPath, version int) (credential.Consumer, error) {
	r.add(step{call: "consumer", old: version != 0 && version == r.version})
	return r.Client.Consumer(ctx, p, version)
}

// Promote writes it down.
func (r *recorder) Promote(ctx context.Context, p credential.VaultPath, cas int, b credential.Bundle) (int, time.Time, error) {
	r.add(step{call: "promote"})
	return r.Client.Promote(ctx, p, cas, b)
}

// Annotate writes it down.
func (r *recorder) Annotate(ctx context.Context, p credential.VaultPath, meta map[string]string) error {
	r.add(step{call: "annotate", meta: meta})
	return r.Client.Annotate(ctx, p, meta)
}

// DestroyStaging writes it down.
func (r *recorder) DestroyStaging(ctx context.Context, key string, versions []int) error {
	r.add(step{call: "destroy-staging"})
	return r.Client.DestroyStaging(ctx, key, versions)
}

// DestroyConsumer writes it down.
func (r *recorder) DestroyConsumer(ctx context.Context, p credential.VaultPath, versions []int) error {
	r.add(step{call: "destroy-consumer"})
	return r.Client.DestroyConsumer(ctx, p, versions)
}

// Time writes it down.
func (r *recorder) Time(ctx context.Context) (time.Time, error) {
	r.add(step{call: "time"})
	return r.Client.Time(ctx)
}
