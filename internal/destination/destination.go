// Package destination copies a published bundle to the further places that a client names, for consumers that do not read
// it there.
//
//	Vault, version n ──► rotation (deliver) ──► Set.Deliver ──┬──► file: rename into place
//	                          │                               ├──► kubernetes: patch on a resourceVersion
//	                          │                               ├──► vault: another path, by compare-and-swap
//	                          │                               └──► exec: a program, asked before and after
//	                          └── each place at its own pace; one that is behind keeps the old secret alive
//
// A place is compared first and written only if it differs, in one step that a reader sees whole or not at all, and read
// back. A new kind of place is a package that passes destinationtest.Run, and one line here.
package destination

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/destination/file"
	"github.com/rotad/rotad/internal/destination/kubernetes"
	"github.com/rotad/rotad/internal/destination/kv"
	"github.com/rotad/rotad/internal/destination/program"
)

// timeout bounds one delivery: others wait behind it.
const timeout = 20 * time.Second

// Set delivers to places of every kind.
type Set struct {
	// Vault returns the Vault of a name; empty = rotad's own. nil = there is none.
	Vault func(name string) (kv.Vault, error)
}

// Deliver makes the place of a destination hold a copy. It says whether that had to be written.
func (s Set) Deliver(ctx context.Context, d credential.Destination, c credential.Copy) (written bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	switch {
	case d.File != nil:
		written, err = file.Deliver(ctx, *d.File, c)
	case d.Kubernetes != nil:
		written, err = kubernetes.Deliver(ctx, *d.Kubernetes, c)
	case d.Vault != nil:
		written, err = s.toVault(ctx, *d.Vault, c)
	case d.Exec != nil:
		written, err = program.Deliver(ctx, *d.Exec, c)
	default:
		return false, fmt.Errorf("the destination %s names no place", d.Name)
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", d.Kind(), err)
	}
	return written, nil
}

func (s Set) toVault(ctx context.Context, p credential.VaultPlace, c credential.Copy) (written bool, err error) {
	if s.Vault == nil {
		return false, errors.New("there is no Vault to deliver to")
	}
	to, err := s.Vault(p.Vault)
	if err != nil {
		return false, fmt.Errorf("%s: %w", &p, err)
	}
	return kv.Deliver(ctx, to, p, c)
}
