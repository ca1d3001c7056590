package entra

import (
	"context"
	"strings"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/graph"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Numbers of errors that are understood (learn.microsoft.com/entra/identity-platform/reference-error-codes).
const (
	codeWrongSecret   = 7000215
	codeExpiredSecret = 7000222
)

// Verify implements providers.Provider: a login of the application itself, at the tenant's token endpoint. Every other
// error leaves the answer unknown. In particular a complaint about scope, grant or application proves nothing, because
// Entra may look at those before it looks at the secret.
func (p *provider) Verify(
	ctx context.Context, t providers.Target, b credential.Bundle,
) (providers.Answer, error) {
	settings := t.Verify
	if settings.Auth == "" {
		settings.Auth = "post"
	}
	verifier, number := p.verify, 0
	verifier.Scope = strings.ReplaceAll(p.scope, "{client_id}", b[credential.FieldClientID].Reveal())
	verifier.Classify = func(r httpapi.VerifyReply) (providers.Answer, bool) {
		if r.Code == "" {
			return providers.Unknown, false
		}
		number = graph.ErrorNumber(r.Description)
		if number == codeWrongSecret || number == codeExpiredSecret {
			return providers.Refused, true
		}
		return providers.Unknown, true
	}
	answer, err := verifier.Verify(ctx, settings, b)
	if err != nil && number != 0 {
		err = graph.Numbered(err, number)
	}
	return answer, err
}
