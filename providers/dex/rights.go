package dex

import (
	"context"

	"github.com/rotad/rotad/providers"
)

// Rights implements providers.RightsReader. The API has one right, and whoever comes through has it. What can be told besides is whether it asks
// anybody for a certificate: where rotad shows none and is let in, everybody is.
func (p *provider) Rights(ctx context.Context, _ []providers.Target) ([]providers.Right, error) {
	right := providers.Right{
		Name: "gRPC API", Need: providers.NeedLook, Held: true, Why: "to read, delete and make clients; Dex has no narrower right",
		Change: "let an authority that Dex knows (grpc.tlsClientCA) sign a certificate for rotad, and write certificate_file and key_file",
	}
	_, err := p.api.get(ctx, "rights", nobody)
	switch providers.ClassOf(err) {
	case "", providers.ClassNotFound:
	case providers.ClassAuth:
		right.Held = false
		return []providers.Right{right}, nil
	default:
		return nil, err
	}
	rights := []providers.Right{right}
	if !p.certified {
		rights = append(rights, providers.Right{
			Name: "gRPC API without a certificate", Held: true, Why: "whoever reaches the port reads every secret and changes every client, rotad's account or not",
			Change: "set grpc.tlsCert, grpc.tlsKey and grpc.tlsClientCA in Dex's configuration, then certificate_file and key_file here; until then let nobody " +
				"else reach the port",
		})
	}
	return rights, nil
}
