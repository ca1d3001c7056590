package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/internal/vault"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/entra"
	"github.com/rotad/rotad/state/bolt"
)

// rotated is how many clients rotate in a round. Each side has as many of its own.
const rotated = 300

const tenant = "tenant"

// rotationsPart lets clients rotate all at once: intent, create, stage, verify, promote, gate, revoke, negative test,
// clean-up, against a sandbox over HTTP (two-slot API of Graph, SHA-256 verifier, KV v2), by the daemon's loop, its
// adapter, its Vault client and its store with real waits for the disk. The bare side makes the same calls with the same
// adapter and Vault client in a plain loop, in the order in which a rotation made them that was recorded before, and
// puts as many bytes as each of its commits wrote by one call of bbolt.Batch: no decisions, no indexes, no encoding.
func rotationsPart(ctx context.Context, s settings) (result, error) {
	w, err := newRotationWorld(s.dir)
	if err != nil {
		return nil, err
	}
	defer w.close()
	store, err := bolt.Open(filepath.Join(s.dir, "rotations.db"), bolt.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { _ = store.Close() }()
	steps, err := w.record(ctx, store)
	if err != nil {
		return nil, err
	}
	if err = register(ctx, store, rotated, w.ours, w.clock.now()); err != nil {
		return nil, err
	}
	bare, err := newBareRotations(filepath.Join(s.dir, "bare-rotations.db"), w, steps)
	if err != nil {
		return nil, err
	}
	defer func() { _ = bare.db.Close() }()
	ours, theirs, err := w.rounds(ctx, store, bare, s.rounds)
	if err != nil {
		return nil, err
	}
	perSecond := func(d time.Duration) float64 { return rotated / d.Seconds() }
	return result{
		"ours_s": ours.Seconds(), "bare_s": theirs.Seconds(), "ours_per_s": perSecond(ours), "bare_per_s": perSecond(theirs),
		"calls": float64(bare.calls()), "commits": float64(len(steps) - bare.calls()),
	}, nil
}

// rounds lets both sides rotate in turn, and returns the medians.
func (w *rotationWorld) rounds(ctx context.Context, store *bolt.Store, bare *bareRotations, n int) (ours, theirs time.Duration, err error) {
	var our, their []time.Duration
	count := newWatch()
	count.steps = count.finished
	count.goal.Store(-1)
	sch := newScheduler(store, w.clock, w.provider, w.timing(), w.vault, count)
	err = running(ctx, sch, func() error {
		idle(ctx, store, sch, w.clock) // the first look
		for round := range n + 1 {
			count.failed.Store(0)
			count.done.Store(0)
			began := time.Now()
			w.clock.advance(lifetime - 10*day)
			sch.Wake()
			for count.done.Load() < rotated {
				if time.Since(began) > 2*time.Minute {
					return fmt.Errorf("%d of %d rotations in two minutes, %d effects failed", count.done.Load(), rotated, count.failed.Load())
				}
				time.Sleep(500 * time.Microsecond)
			}
			took := time.Since(began)
			idle(ctx, store, sch, w.clock)
			alone, bareErr := bare.round(ctx)
			if bareErr != nil {
				return bareErr
			}
			if failed := count.failed.Load(); failed > 0 {
				return fmt.Errorf("%d effects failed", failed)
			}
			if round > 0 { // the first one opens connections
				our, their = append(our, took), append(their, alone)
			}
		}
		return nil
	})
	if err != nil {
		return 0, 0, err
	}
	return median(our), median(their), nil
}

// finished counts rotations that have been cleaned up after, the last effect of each, and effects that failed.
func (w *watch) finished(e rotation.Effect, o rotation.Outcome) {
	switch {
	case o.Result != rotation.Done:
		w.failed.Add(1)
	case e == rotation.EffectCleanUp:
		w.done.Add(1)
	}
}

// rotationWorld is a sandbox over HTTP and rotad's connections to it.
type rotationWorld struct {
	clock    *clock
	idp      *sandbox.IdP
	kv       *sandbox.KV
	servers  []*httptest.Server
	provider providers.Provider
	vault    *vault.Client
}

func newRotationWorld(dir string) (*rotationWorld, error) {
	w := &rotationWorld{clock: newClock()}
	w.idp = sandbox.NewIdP(w.clock.now, sandbox.Settings{Graph: sandbox.Graph{Tenant: tenant, TTL: lifetime}})
	w.kv = sandbox.NewKV(w.clock.now)
	w.kv.Forget()
	idp, kv := httptest.NewServer(w.idp.Handler()), httptest.NewServer(w.kv)
	w.servers = []*httptest.Server{idp, kv}
	err := w.idp.Register(sandbox.Registration{ClientID: "rotad", Secret: "own", Admin: true})
	if err != nil {
		return nil, err
	}
	for i := range rotated {
		err = errors.Join(err, w.add(w.ours(i)), w.add(w.theirs(i)))
	}
	err = errors.Join(err, w.add(w.recorded()))
	token := filepath.Join(dir, "vault-token")
	err = errors.Join(err, os.WriteFile(token, []byte(w.kv.RootToken()), 0o600))
	if err != nil {
		return nil, err
	}
	w.vault, err = vault.Open(vault.Settings{Address: kv.URL, Auth: vault.Auth{TokenFile: token}},
		vault.Clock{Now: w.clock.now, Elapsed: w.clock.elapsed, After: w.clock.after}, nil)
	if err != nil {
		return nil, err
	}
	w.provider, err = entra.Kind().Open(providers.Opening{
		Name: provider, Propagation: time.Millisecond, Elapsed: w.clock.elapsed,
		Settings: &entra.Settings{
			TenantID: tenant, ClientID: "rotad", GraphURL: idp.URL + sandbox.PathGraph, LoginURL: idp.URL + sandbox.PathLogin,
		},
		Secret:    func(string) (string, error) { return "own", nil },
		Transport: &http.Transport{MaxIdleConnsPerHost: workers},
	})
	return w, err
}

func (w *rotationWorld) timing() providers.Timing {
	return providers.Timing{Deadline: time.Minute, Propagation: time.Millisecond}
}

func (w *rotationWorld) close() {
	for _, s := range w.servers {
		s.Close()
	}
}

// add registers a client at the provider and puts its secret into Vault.
func (w *rotationWorld) add(c credential.Client) error {
	secret := "first-secret-of-" + c.ID
	w.kv.Put(c.Vault.Mount, c.Vault.Path, map[string]any{"client_id": c.Ref["app_id"], "client_secret": secret})
	return w.idp.Register(sandbox.Registration{ClientID: c.Ref["app_id"], Secret: secret, TTL: lifetime})
}

func (w *rotationWorld) ours(i int) credential.Client   { return proved(client(i)) }
func (w *rotationWorld) recorded() credential.Client    { return proved(client(rotated)) }
func (w *rotationWorld) theirs(i int) credential.Client { return proved(client(2*rotated + i)) }

// proved lets one success prove a secret, so that no rotation waits between two.
func proved(c credential.Client) credential.Client {
	c.Verify.Successes = 1
	return c
}
