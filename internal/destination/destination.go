// Package destination copies a published bundle to the further places that a client names, for consumers that do not read
// Vault.
//
//	Vault, version n ──► rotation (deliver) ──► Set.Deliver ──┬──► file: rename into place
//	                          │                               ├──► kubernetes: patch on a resourceVersion
//	                          │                               ├──► exec: a program, asked before and after
//	                          │                               └──► ...
//	                          └── each place at its own pace; one that is behind keeps the old secret alive
//
// A place is compared first and written only if it differs, in one step that a reader sees whole or not at all, and read
// back. A new kind of place is a package that passes destinationtest.Run, and one line here.
package destination

import (
	"context"
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/destination/file"
	"github.com/rotad/rotad/internal/destination/kubernetes"
	"github.com/rotad/rotad/internal/destination/program"
)

// timeout bounds one delivery: others wait behind it.
const timeout = 20 * time.Second

// Deliver makes the place of a destination hold a copy. It says whether that had to be written.
func Deliver(ctx context.Context, d credential.Destination, c credential.Copy) (written bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	switch {
	case d.File != nil:
		written, err = file.Deliver(ctx, *d.File, c)
	case d.Kubernetes != nil:
		written, err = kubernetes.Deliver(ctx, *d.Kubernetes, c)
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
