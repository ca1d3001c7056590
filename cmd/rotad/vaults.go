package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/destination/kv"
	"github.com/rotad/rotad/internal/vault"
)

// vaults are the Vaults that destinations name: rotad's own, and the further ones of the configuration in force.
//
//	reload ──► open, or nothing has changed ──► swap ──► run: one loop for each client keeps its token alive
//	                                              └────► named: a delivery that begins takes what is in force
type vaults struct {
	own     kv.Vault
	opener  func(name string, s vault.Settings) (*vault.Client, error)
	current atomic.Pointer[map[string]further]
	changed chan struct{} // holds one element after a swap that run has not seen
}

// further is one further Vault, and what its client was made of.
type further struct {
	settings vault.Settings
	client   *vault.Client
}

func (d *daemon) openVaults(cfg *config.Config) (*vaults, error) {
	v := &vaults{
		own:     ownVault{d.vault, d.store.FindPath},
		changed: make(chan struct{}, 1),
		opener: func(name string, s vault.Settings) (*vault.Client, error) {
			return vault.Open(s, d.clocks.ofVault(), d.log.With("vault", name))
		},
	}
	v.current.Store(&map[string]further{})
	opened, err := v.open(cfg)
	if err != nil {
		return nil, err
	}
	v.swap(opened)
	return v, nil
}

// open makes the clients of a configuration's further Vaults. One whose settings are those in force stays, with its token.
func (v *vaults) open(cfg *config.Config) (map[string]further, error) {
	opened := map[string]further{}
	var wrongs []error
	for _, name := range slices.Sorted(maps.Keys(cfg.Vaults)) {
		settings := serverSettings(cfg.Vaults[name])
		if have, ok := (*v.current.Load())[name]; ok && have.settings == settings {
			opened[name] = have
			continue
		}
		client, err := v.opener(name, settings)
		if err != nil {
			wrongs = append(wrongs, fmt.Errorf("vaults: %s: %w", name, err))
			continue
		}
		opened[name] = further{settings, client}
	}
	return opened, errors.Join(wrongs...)
}

// swap puts what open has made into force. A delivery under way ends with the client that it began with.
func (v *vaults) swap(opened map[string]further) {
	v.current.Store(&opened)
	select {
	case v.changed <- struct{}{}:
	default:
	}
}

// named returns the Vault of a name; empty = rotad's own.
func (v *vaults) named(name string) (kv.Vault, error) {
	if name == "" {
		return v.own, nil
	}
	if known := v.client(name); known != nil {
		return known, nil
	}
	return nil, fmt.Errorf("the configuration has no vault %q any more: write it under vaults:, or take the destination out", name)
}

// client returns the client of a further Vault; nil = the configuration in force has none of that name.
func (v *vaults) client(name string) *vault.Client { return (*v.current.Load())[name].client }

// run keeps the tokens of the Vaults in force alive until the context ends.
func (v *vaults) run(ctx context.Context) {
	var loops sync.WaitGroup
	defer loops.Wait()
	stops := map[*vault.Client]context.CancelFunc{}
	for {
		v.follow(ctx, &loops, stops)
		select {
		case <-ctx.Done():
			return
		case <-v.changed:
		}
	}
}

// follow ends the loops of clients that are not in force any more, and begins those of new ones.
func (v *vaults) follow(ctx context.Context, loops *sync.WaitGroup, stops map[*vault.Client]context.CancelFunc) {
	inForce := map[*vault.Client]bool{}
	for _, f := range *v.current.Load() {
		inForce[f.client] = true
		if stops[f.client] != nil {
			continue
		}
		below, stop := context.WithCancel(ctx)
		stops[f.client] = stop
		loops.Go(func() { f.client.Run(below) })
	}
	for client, stop := range stops {
		if !inForce[client] {
			stop()
			delete(stops, client)
		}
	}
}

// ownVault is rotad's own Vault as destinations see it: they are kept off the paths at which clients are published, also of
// those that no configuration names.
type ownVault struct {
	kv.Vault

	clientAt func(ctx context.Context, p credential.VaultPath) (id string, ok bool, err error)
}

// PutKeys writes a copy where no client is published.
func (o ownVault) PutKeys(ctx context.Context, p credential.VaultPath, cas int, want credential.Keys) (version int, err error) {
	id, taken, err := o.clientAt(ctx, p)
	switch {
	case err != nil:
		return 0, fmt.Errorf("looking whether a client is published there: %w", err)
	case taken:
		return 0, fmt.Errorf("the client %s is published there: give the destination a path of its own", id)
	}
	return o.Vault.PutKeys(ctx, p, cas, want)
}

// lostVault says whether a running rotation has a destination in a Vault that the configuration does not have. What it delivers
// to was settled when it began.
func lostVault(rec credential.Record, cfg *config.Config) bool {
	return rec.Rotation != nil && slices.ContainsFunc(rec.Published().Destinations, func(d credential.Destination) bool {
		if d.Vault == nil || d.Vault.Vault == "" {
			return false
		}
		_, known := cfg.Vaults[d.Vault.Vault]
		return !known
	})
}

// ignoredEnv returns the names of set VAULT_* variables that no Vault of the configuration follows.
func ignoredEnv(cfg *config.Config, environ []string) []string {
	names := vaultSettings(cfg).IgnoredEnv(environ)
	for _, server := range cfg.Vaults {
		ignored := serverSettings(server).IgnoredEnv(environ)
		names = slices.DeleteFunc(names, func(name string) bool { return !slices.Contains(ignored, name) })
	}
	return names
}
