package kv

import (
	"context"
	"errors"
	"fmt"

	"github.com/rotad/rotad/internal/credential"
)

// Vault is one Vault, as a copy needs it.
type Vault interface {
	// HasKeys says whether the current version of a path holds keys as they are wanted, and which version that is.
	HasKeys(ctx context.Context, p credential.VaultPath, want credential.Keys) (version int, has bool, err error)
	// PutKeys writes keys over the data of a version if that is still the current one, and keeps all other keys. It returns the
	// new version; credential.ErrCAS if somebody was faster.
	PutKeys(ctx context.Context, p credential.VaultPath, cas int, want credential.Keys) (version int, err error)
}

// tries is how often a path is looked at anew because somebody else was faster. The next delivery goes on where this one
// gave up.
const tries = 5

// Deliver makes a path hold a copy. It says whether that had to be written.
func Deliver(ctx context.Context, v Vault, p credential.VaultPlace, c credential.Copy) (written bool, err error) {
	d := delivery{vault: v, at: p.At()}
	if d.want, err = c.Keys(p.Names, p.Previous); err == nil {
		written, err = d.run(ctx)
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w%s", &p, err, hint(err))
	}
	return written, nil
}

// delivery is one try to bring a path up to date.
type delivery struct {
	vault Vault
	at    credential.VaultPath
	want  credential.Keys
}

func (d delivery) run(ctx context.Context) (written bool, err error) {
	for range tries {
		written, err = d.once(ctx)
		if !errors.Is(err, credential.ErrCAS) {
			return written, err
		}
	}
	return false, fmt.Errorf("somebody else changes it all the time, or reads come from a standby that is behind: %w", err)
}

// once looks, writes if need be, and looks again.
func (d delivery) once(ctx context.Context) (written bool, err error) {
	seen, has, err := d.vault.HasKeys(ctx, d.at, d.want)
	if err != nil || has {
		return false, err
	}
	made, err := d.vault.PutKeys(ctx, d.at, seen, d.want)
	if err != nil {
		return false, err
	}
	seen, has, err = d.vault.HasKeys(ctx, d.at, d.want)
	switch {
	case err != nil:
		return false, err
	case has:
		return true, nil
	case seen < made:
		return false, fmt.Errorf("version %d was written, and a read still shows version %d: a standby is behind", made, seen)
	}
	return false, errors.New("it does not hold what was written: somebody else writes the same keys, perhaps a tool that keeps this path")
}

// hint says what to do about what a Vault refuses.
func hint(err error) string {
	switch {
	case errors.Is(err, credential.ErrDenied):
		return "; rotad needs create, read and update on its data, see deploy/vault/rotad.hcl"
	case errors.Is(err, credential.ErrNoMount):
		return "; name a mount of KV version 2"
	case errors.Is(err, credential.ErrSealed):
		return "; unseal it"
	}
	return ""
}
