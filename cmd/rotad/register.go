package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
)

// register brings the registered clients in the store in line with the configuration. Nothing is changed where the
// whole cannot be: a refusal names the clients that stand against it.
func (d *daemon) register(ctx context.Context, cfg *config.Config) error {
	plan, err := d.compare(ctx, cfg)
	if err != nil {
		return err
	}
	if err := plan.refuse(cfg, d.removals); err != nil {
		return err
	}
	for _, change := range plan.changes {
		if err := d.put(ctx, change); err != nil {
			return err
		}
	}
	return nil
}

// registration is what a configuration changes about the registered clients.
type registration struct {
	changes []registered
	leaving []string
	total   int
	stuck   []string // clients whose place would change under a running rotation
	clashes []string // clients whose provider and ref somebody registered by a command already
	orphans []string // clients that stay registered, of a provider that is no longer configured
	cut     []string // clients whose running rotation delivers to a Vault that is no longer configured
}

// registered is one change: a new client, a changed one, or one that leaves.
type registered struct {
	client credential.Client
	id     string // of the record before; empty = new
	leaves bool
}

// compare finds out what differs, without changing anything.
func (d *daemon) compare(ctx context.Context, cfg *config.Config) (*registration, error) {
	plan := &registration{}
	wanted := make(map[string]credential.Client, len(cfg.Clients))
	former := map[string]string{}
	for _, c := range cfg.Clients {
		wanted[c.ID] = c
		if c.RenamedFrom != "" {
			former[c.RenamedFrom] = c.ID
		}
	}
	err := d.each(ctx, func(rec credential.Record) {
		plan.total++
		plan.judge(rec, wanted, former, cfg)
	})
	if err != nil {
		return nil, err
	}
	for _, c := range cfg.Clients {
		if _, left := wanted[c.ID]; left {
			plan.changes = append(plan.changes, registered{client: c})
		}
	}
	return plan, d.findClashes(ctx, plan)
}

// findClashes looks for clients that are registered already under another id: a whole configuration is taken or none.
func (d *daemon) findClashes(ctx context.Context, plan *registration) error {
	leaving := make(map[string]bool, len(plan.leaving))
	for _, id := range plan.leaving {
		leaving[id] = true
	}
	for _, change := range plan.changes {
		id, ok, err := d.store.Find(ctx, change.client.Provider, change.client.Ref)
		if err != nil {
			return err
		}
		if ok && id != change.id && id != change.client.ID && !leaving[id] {
			plan.clashes = append(plan.clashes, change.client.ID+" (registered as "+id+")")
		}
	}
	return nil
}

// judge decides about one registered client, and takes it off the list of those that are wanted.
func (p *registration) judge(rec credential.Record, wanted map[string]credential.Client, former map[string]string, cfg *config.Config) {
	id := rec.Client.ID
	client, stays := wanted[id]
	if to, renamed := former[id]; renamed && !stays {
		client, stays = wanted[to], true
		id = to
	}
	if lostVault(rec, cfg) {
		p.cut = append(p.cut, rec.Client.ID)
	}
	switch {
	case stays:
		delete(wanted, id)
		if rotation.Changed(rec, client) {
			p.changes = append(p.changes, registered{client: client, id: rec.Client.ID})
			p.checkMoved(rec, client)
		}
	case !fromFile(rec.Client.Source):
		if _, ok := cfg.Provider(rec.Client.Provider); !ok {
			p.orphans = append(p.orphans, id)
		}
	case !rec.Leaving:
		p.leaving = append(p.leaving, id)
		p.changes = append(p.changes, registered{client: rec.Client, id: id, leaves: true})
	}
}

func (p *registration) checkMoved(rec credential.Record, c credential.Client) {
	if rec.Rotation == nil {
		return
	}
	pinned := rec.Rotation.Client
	if pinned.Provider != c.Provider || pinned.Ref.Canonical() != c.Ref.Canonical() || pinned.Vault.Key() != c.Vault.Key() {
		p.stuck = append(p.stuck, rec.Client.ID)
	}
}

// fromFile says whether a client is registered by a configuration file, rather than by a command.
func fromFile(source string) bool { return strings.Contains(source, ":") }

// mostRemovals is the share of clients that may leave at once: one in so many.
const mostRemovals = 5

func (p *registration) refuse(cfg *config.Config, allowRemovals bool) error {
	switch {
	case len(p.stuck) > 0:
		return refused(fmt.Errorf("provider, ref or vault path would change under a running rotation of: %s", names(p.stuck)),
			"wait until the rotation has ended (rotad show ID), then change it")
	case len(p.clashes) > 0:
		return refused(fmt.Errorf("provider and ref are registered already under another id: %s", names(p.clashes)),
			"rotad remove the other id first, or write renamed_from")
	case len(p.orphans) > 0:
		return refused(fmt.Errorf("the configuration no longer has the provider of: %s", names(p.orphans)),
			"keep the provider until these clients have been removed (rotad remove ID)")
	case len(p.cut) > 0:
		return refused(fmt.Errorf("the configuration no longer has a further vault to which running rotations deliver, of: %s", names(p.cut)),
			"keep it under vaults: until these have ended (rotad show ID); rotad resume ID --undelivered ends one whose vault is gone for good")
	case !allowRemovals && p.total >= mostRemovals && len(p.leaving)*mostRemovals > p.total:
		return refused(fmt.Errorf("%d of %d clients would be removed: %s", len(p.leaving), p.total, names(p.leaving)),
			"if that is meant: rotad run --allow-removals")
	}
	return p.refuseProviders(cfg)
}

// refuseProviders: a provider in use by a client that leaves is needed until it has left.
func (p *registration) refuseProviders(cfg *config.Config) error {
	var missing []string
	for _, change := range p.changes {
		if _, ok := cfg.Provider(change.client.Provider); change.leaves && !ok {
			missing = append(missing, change.id)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return refused(fmt.Errorf("the configuration no longer has the provider of clients that are being removed: %s", names(missing)),
		"remove the clients first, and the provider after they have been archived")
}

const namesShown = 10

func names(list []string) string {
	if len(list) > namesShown {
		return strings.Join(list[:namesShown], ", ") + fmt.Sprintf(" and %d more", len(list)-namesShown)
	}
	return strings.Join(list, ", ")
}

// each visits every record, page by page.
func (d *daemon) each(ctx context.Context, visit func(credential.Record)) error {
	const page = 1000
	for after := ""; ; {
		list, err := d.store.List(ctx, after, page)
		if err != nil {
			return err
		}
		for _, rec := range list {
			visit(rec)
			after = rec.Client.ID
		}
		if len(list) < page {
			return nil
		}
	}
}

var errBusy = errors.New("the record keeps changing")

// put makes one change, again on the winner where somebody else was faster.
func (d *daemon) put(ctx context.Context, r registered) error {
	const tries = 32
	for range tries {
		change, err := d.changeFor(ctx, r)
		if err != nil {
			return err
		}
		_, conflict, err := d.store.Commit(ctx, change)
		if err != nil {
			return fmt.Errorf("registering %s: %w", r.client.ID, err)
		}
		if !conflict {
			return nil
		}
	}
	return fmt.Errorf("registering %s: %w", r.client.ID, errBusy)
}

func (d *daemon) changeFor(ctx context.Context, r registered) (credential.Change, error) {
	if r.id == "" {
		decision := rotation.Register(r.client, d.scheduler.Env(credential.Record{Client: r.client}))
		return credential.Change{Record: decision.Record, Audit: decision.Audit, Create: true}, nil
	}
	rec, found, err := d.store.Get(ctx, r.id)
	if err != nil || !found {
		return credential.Change{}, errors.Join(err, fmt.Errorf("reading %s: found %t", r.id, found))
	}
	env := d.scheduler.Env(rec)
	decision := rotation.Update(rec, r.client, env)
	if r.leaves {
		decision = rotation.Leave(rec, env)
	}
	change := credential.Change{Record: decision.Record, Audit: decision.Audit, Keep: true}
	if r.client.ID != r.id {
		change.Rename = r.id
	}
	return change, nil
}
