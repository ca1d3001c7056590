package odc

import (
	"context"

	"github.com/rotad/rotad/providers"
)

// nobody is a client id that ODC does not give.
const nobody = "rotad-asks-for-nobody"

// Check implements providers.Checker: is the token endpoint found, may rotad log in, and is there an endpoint that rotates?
func (p *provider) Check(ctx context.Context) []providers.Finding {
	if _, err := p.endpoint.discover(ctx, "check"); err != nil {
		return []providers.Finding{{
			Problem: true, What: err.Error(), Hint: "url is the address of the organisation, for example https://example.outsystems.dev",
		}}
	}
	if p.use == apiOff {
		return nil
	}
	if _, err := p.tokens.Get(ctx); err != nil {
		return []providers.Finding{{
			Problem: true, Rotation: true, What: err.Error(),
			Hint: "rotad's own API client must be able to log in; with api: off it needs none",
		}}
	}
	switch p.api.look(ctx, "check", nobody) {
	case present:
		return nil
	case absent:
		return []providers.Finding{{
			Problem: p.use == apiOn, Rotation: true, What: "the endpoint that rotates secrets does not exist yet",
			Hint: "a person makes the secrets until it does; api: auto finds out when",
		}}
	case unsure:
	}
	return []providers.Finding{{
		Rotation: true, What: "whether there is an endpoint that rotates secrets could not be found out",
		Hint: "a person makes the secrets with api: auto; api: on takes it for granted",
	}}
}
