package casdoor

import (
	"context"
	"errors"

	"github.com/rotad/rotad/providers"
)

// Rights implements providers.RightsReader. Casdoor lets every application act as a global administrator, and shows secrets to nobody less; so
// what is asked is whether rotad is shown them.
func (p *provider) Rights(ctx context.Context, _ []providers.Target) ([]providers.Right, error) {
	right := providers.Right{
		Name: "global administrator", Need: providers.NeedLook, Held: true,
		Why: "to be shown secrets and to send applications back whole; Casdoor has no narrower right that does",
		Change: "Casdoor: Applications: make one for rotad alone, in the organization built-in, and write its client_id and secret into client_id and " +
			"client_secret_file",
	}
	_, err := p.pages.list(ctx, "rights", 1, 1)
	switch {
	case errors.Is(err, errHidden):
		right.Held = false
	case err != nil:
		return nil, err
	}
	return []providers.Right{right}, nil
}
