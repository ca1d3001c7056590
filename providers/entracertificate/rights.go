package entracertificate

import (
	"context"

	"github.com/rotad/rotad/providers"
)

// Rights implements providers.RightsReader.
func (p *provider) Rights(ctx context.Context, clients []providers.Target) ([]providers.Right, error) {
	return p.rights.Read(ctx, clients)
}
