package destination

import (
	"context"
	"fmt"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/destination/file"
	"github.com/rotad/rotad/internal/destination/kubernetes"
	"github.com/rotad/rotad/internal/destination/program"
)

// Check says what would keep a copy from being delivered, as far as it can be seen without changing anything. A path of a
// Vault is looked at together with that Vault: vault.Client.CheckCopies.
func Check(ctx context.Context, d credential.Destination) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var err error
	switch {
	case d.File != nil:
		err = file.Check(*d.File)
	case d.Kubernetes != nil:
		err = kubernetes.Check(ctx, *d.Kubernetes)
	case d.Exec != nil:
		err = program.Check(*d.Exec)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", d.Kind(), err)
	}
	return nil
}
