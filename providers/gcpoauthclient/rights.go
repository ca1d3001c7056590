package gcpoauthclient

import (
	"context"
	"errors"

	"github.com/rotad/rotad/providers"
)

var errSpelling = errors.New("Google's lists spell the permissions of OAuth clients in two ways, and a question with a wrong one is refused as a whole; roles/iam.oauthClientAdmin has them") //nolint:staticcheck // a name begins it

// Rights implements providers.RightsReader. Nothing tells what rotad's account may do with OAuth clients; whether it may look at them,
// Check says.
func (p *provider) Rights(context.Context, []providers.Target) ([]providers.Right, error) {
	return nil, p.api.account.Fault("rights", providers.ClassUnsupported, errSpelling)
}
