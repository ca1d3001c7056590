package authentik

import (
	"context"
	"errors"
	"net/http"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

var errRoles = errors.New("authentik does not tell an account which permissions its roles give")

// Rights implements providers.RightsReader. An account may ask who it is, and not what it may do; a superuser may do everything.
func (p *provider) Rights(ctx context.Context, _ []providers.Target) ([]providers.Right, error) {
	var me struct {
		User struct {
			Superuser bool `json:"is_superuser"`
		} `json:"user"`
	}
	_, err := p.api.client.Into(ctx, httpapi.Request{Operation: "rights", Method: http.MethodGet, Path: "/api/v3/core/users/me/"}, &me)
	switch {
	case err != nil:
		return nil, err
	case !me.User.Superuser:
		return nil, p.api.fault("rights", providers.ClassUnsupported, errRoles)
	}
	return []providers.Right{{
		Name: "superuser", Held: true, Why: "it may change everything in authentik",
		Change: "admin interface: Directory, Groups: take the account out of every group of superusers, and give it a role with " +
			"authentik_providers_oauth2.view_oauth2provider and change_oauth2provider (Directory, Roles)",
	}}, nil
}
