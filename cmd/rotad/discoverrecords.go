package main

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/tenant"
)

// recorded is what rotad has on record of the clients of one provider. It grows with the clients that are registered there,
// not with the tenant.
type recorded struct {
	known map[string]*onRecord // by canonical ref
}

// onRecord is one client, and whether the walk has met it.
type onRecord struct {
	tenant.Known
	seen bool
}

// recorded reads the records of a provider: those of the running daemon, else those of the state file. Where there is
// neither, nothing is registered. Where they are and cannot be read, a tenant can be listed all the same, and nothing else.
func (a *app) recorded(ctx context.Context, cfg *config.Config, provider string, needed bool) (*recorded, error) {
	r := &recorded{known: map[string]*onRecord{}}
	s, err := a.open(ctx)
	if err != nil {
		if _, missing := os.Stat(cfg.State.Path); errors.Is(missing, fs.ErrNotExist) {
			return r, nil // rotad has never run here
		}
		if needed {
			return nil, err
		}
		a.note("which clients are registered is not known: " + err.Error())
		return r, nil
	}
	defer s.close()
	err = s.each(ctx, func(rec credential.Record) error {
		if rec.Client.Provider == provider {
			r.known[rec.Client.Ref.Canonical()] = &onRecord{Known: tenant.KnownOf(rec)}
		}
		return nil
	})
	return r, err
}

// unseen returns those that the walk has not met, in the order of their ids.
func (r *recorded) unseen() []tenant.Known {
	var list []tenant.Known
	for _, k := range r.known {
		if !k.seen {
			list = append(list, k.Known)
		}
	}
	slices.SortFunc(list, func(a, b tenant.Known) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// find returns what is on record of a client, and notes that it was met.
func (r *recorded) find(ref credential.Ref) (tenant.Known, bool) {
	found := r.known[ref.Canonical()]
	if found == nil {
		return tenant.Known{}, false
	}
	found.seen = true
	return found.Known, true
}
