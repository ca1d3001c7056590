package entra

import (
	"context"

	"github.com/rotad/rotad/internal/graph"
	"github.com/rotad/rotad/providers"
)

// Rights implements providers.RightsReader.
func (p *provider) Rights(ctx context.Context, clients []providers.Target) ([]providers.Right, error) {
	return graph.Rights{Graph: p.graph.client, Tokens: p.tokens, Own: p.own, Keeps: "passwords"}.Read(ctx, clients)
}
