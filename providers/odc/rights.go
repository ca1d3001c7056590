package odc

import (
	"context"
	"errors"

	"github.com/rotad/rotad/providers"
)

var (
	errNoAccount = errors.New("a person makes the secrets (api: off), so rotad has no account here")
	errNoRights  = errors.New("OutSystems documents no right that the endpoint asks for, and no call that names those of an account")
)

// Rights implements providers.RightsReader. Nothing tells what rotad's account may do: the endpoint is one that was asked for and is not
// documented yet. Whether it is there, Check says.
func (p *provider) Rights(context.Context, []providers.Target) ([]providers.Right, error) {
	if p.use == apiOff {
		return nil, p.api.fault("rights", providers.ClassUnsupported, errNoAccount)
	}
	return nil, p.api.fault("rights", providers.ClassUnsupported, errNoRights)
}
