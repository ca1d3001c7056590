package lightapi

import (
	"context"
	"errors"
	"slices"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Roles of the portal. Who has the first may regenerate the secrets of clients that others own; the others reach further than its clients.
const (
	roleClients = "oauth-client-admin"
	roleAdmin   = "admin"
	roleHost    = "host-admin"
)

var (
	errOpaque = errors.New("the token names no roles: whether its account owns the clients, or has the role " + roleClients + ", the portal says when it is asked")
	errOwner  = errors.New("the account has no role for other people's clients, so it may regenerate those that it owns, and no call says which those are")
)

// Rights implements providers.RightsReader: the roles stand in the token. Who owns a client is shown by nothing.
func (p *provider) Rights(ctx context.Context, _ []providers.Target) ([]providers.Right, error) {
	token, err := p.api.tokens.Held(ctx)
	if err != nil {
		return nil, err
	}
	claims, ok := httpapi.ClaimsOf(token.Value)
	roles, named := rolesOf(claims)
	if !ok || !named {
		return nil, p.api.fault("rights", providers.ClassUnsupported, errOpaque)
	}
	var rights []providers.Right
	for _, wide := range []string{roleAdmin, roleHost} {
		if slices.Contains(roles, wide) {
			rights = append(rights, providers.Right{
				Name: "role " + wide, Held: true, Why: "it changes more of the portal than its clients",
				Change: "light-portal: User Admin, Role Permission: take it from rotad's account, and give it " + roleClients,
			})
		}
	}
	if !slices.Contains(roles, roleClients) && len(rights) == 0 {
		return nil, p.api.fault("rights", providers.ClassUnsupported, errOwner)
	}
	return append(rights, providers.Right{
		Name: "role " + roleClients, Need: providers.NeedRotate, Held: true, Why: "to regenerate the secrets of clients that others own",
	}), nil
}

// rolesOf reads the roles of a token of light-oauth: one text with spaces between them, or a list.
func rolesOf(claims httpapi.Claims) (roles []string, named bool) {
	for _, claim := range []string{"role", "roles"} {
		if words, ok := claims.Words(claim); ok {
			roles, named = append(roles, words...), true
		}
	}
	return roles, named
}
