package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
)

// agreeEvery is the pause between two tries to reach Vault before the first client is looked at.
const agreeEvery = 2 * time.Second

// agree makes sure that this state and Vault's staging belong to the same rotad. A fresh state adopts the id that Vault
// keeps, so that what it made before its loss is known as its own; until Vault answers, a fresh state does nothing. A
// state with clients goes on at once; so does one that only watches, where Vault lets it only read.
func (d *daemon) agree(ctx context.Context) error {
	own := d.store.Meta().Instance
	for {
		kept, err := d.vault.AdoptInstance(ctx, own)
		switch {
		case err == nil && kept == own:
			return nil
		case err == nil:
			return d.adopt(ctx, kept)
		case d.mayOnlyRead(ctx, err):
			d.unsigned.Store(true)
			d.log.Info("vault lets this rotad only read, which is enough to watch")
			return nil
		case !d.fresh(ctx):
			d.log.Warn("vault does not answer; going on with the state", "error", err)
			return nil
		}
		d.log.Warn("waiting for vault before anything is looked at", "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-d.clocks.after(agreeEvery):
		}
	}
}

// fresh says whether no client has ever been looked at with this state.
func (d *daemon) fresh(ctx context.Context) bool {
	seq, _, err := d.store.AuditHead(context.WithoutCancel(ctx))
	return err == nil && seq <= uint64(len(d.config().Clients))
}

func (d *daemon) adopt(ctx context.Context, kept string) error {
	if !d.fresh(ctx) {
		return foreignStaging(kept, d.store.Meta().Instance)
	}
	if err := d.store.SetInstance(ctx, kept); err != nil {
		return err
	}
	d.log.Info("a fresh state adopted the instance that vault keeps", "instance", kept)
	d.executor.Instance = kept
	d.scheduler.Adopt(kept)
	return nil
}

// watchesOnly says whether a configuration lets nothing rotate: then rotad needs no right to change anything.
func watchesOnly(cfg *config.Config) bool {
	for _, p := range cfg.Policies {
		if !p.OnlyWatches() {
			return false
		}
	}
	return true
}

// mayOnlyRead says whether Vault refused to write down who this rotad is, nobody else is named there, and nothing that is
// configured would write more.
func (d *daemon) mayOnlyRead(ctx context.Context, err error) bool {
	if !errors.Is(err, credential.ErrDenied) || !watchesOnly(d.config()) {
		return false
	}
	kept, err := d.vault.Instance(ctx)
	return err == nil && kept == ""
}

// sign writes down in Vault who this rotad is, where that has been put off: nothing rotates before. A configuration that
// only watches goes on without.
func (d *daemon) sign(ctx context.Context, cfg *config.Config) error {
	if !d.unsigned.Load() {
		return nil
	}
	own := d.store.Meta().Instance
	kept, err := d.vault.AdoptInstance(ctx, own)
	switch {
	case err == nil && kept == own:
		d.unsigned.Store(false)
		return nil
	case err == nil:
		return foreignStaging(kept, own)
	case watchesOnly(cfg):
		return nil
	}
	return failed(fmt.Errorf("a policy rotates, but vault does not let rotad write: %w", err),
		"give rotad's role the policy deploy/vault/rotad.hcl, then reload again")
}

func foreignStaging(kept, own string) error {
	return failed(fmt.Errorf("vault staging belongs to rotad instance %s, this state to instance %s", kept, own),
		"give each rotad a staging path of its own, or restore the state file that belongs to this Vault")
}
