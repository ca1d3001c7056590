package auth0keys

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/rotad/rotad/providers"
)

// needed are the scopes of the Management API that rotad uses, and what for.
var needed = []struct {
	scope string
	need  providers.Need
	why   string
}{
	{"read:clients", providers.NeedLook, "to see which keys an application logs in with"},
	{"read:client_credentials", providers.NeedLook, "to see its keys"},
	{"create:client_credentials", providers.NeedRotate, "to upload the new key"},
	{"update:clients", providers.NeedRotate, "to let the application log in with it"},
	{"delete:client_credentials", providers.NeedRotate, "to delete the old key"},
}

const grant = "Auth0 dashboard: Applications, APIs, Auth0 Management API, Application Access: edit rotad's application"

var errScopes = errors.New("neither the login's answer nor the token names the scopes of rotad's application")

// Rights implements providers.RightsReader: the login's answer names the scopes.
func (p *provider) Rights(ctx context.Context, _ []providers.Target) ([]providers.Right, error) {
	token, err := p.tokens.Held(ctx)
	if err != nil {
		return nil, err
	}
	held, known := token.Scopes()
	if !known {
		return nil, p.api.fault("rights", providers.ClassUnsupported, errScopes)
	}
	var rights []providers.Right
	for _, n := range needed {
		rights = append(rights, providers.Right{Name: n.scope, Need: n.need, Held: slices.Contains(held, n.scope), Why: n.why, Change: grant})
		held = slices.DeleteFunc(held, func(scope string) bool { return scope == n.scope })
	}
	if len(held) > 0 {
		rights = append(rights, providers.Right{Name: strings.Join(held, ", "), Held: true, Why: "rotad never uses it", Change: grant})
	}
	return rights, nil
}
