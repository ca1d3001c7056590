package telekom

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/rotad/rotad/providers"
)

// Scopes of the control plane (openapi.yaml of its rover-server). Each of the first two lets a team rotate what is its own; the
// others reach further than one team.
const (
	scopePrefix = "tardis:"
	scopeUser   = "tardis:user:all"
	scopeTeam   = "tardis:team:all"
	scopeHub    = "tardis:hub:all"
	scopeAdmin  = "tardis:admin:all"
)

var errNoScopes = errors.New("neither the login's answer nor the token names a scope of the control plane, so the team's rights are not known")

// Rights implements providers.RightsReader: the team's scopes come with its token.
func (p *provider) Rights(ctx context.Context, _ []providers.Target) ([]providers.Right, error) {
	token, err := p.tokens.Held(ctx)
	if err != nil {
		return nil, err
	}
	scopes, _ := token.Scopes()
	scopes = slices.DeleteFunc(scopes, func(s string) bool { return !strings.HasPrefix(s, scopePrefix) })
	if len(scopes) == 0 {
		return nil, p.api.fault("rights", providers.ClassUnsupported, errNoScopes)
	}
	enough := slices.ContainsFunc([]string{scopeUser, scopeTeam, scopeHub, scopeAdmin}, func(s string) bool { return slices.Contains(scopes, s) })
	rights := []providers.Right{{
		Name: scopeTeam, Need: providers.NeedRotate, Held: enough, Why: "to rotate secrets of the team's applications and to read them",
		Change: "let the team's token be issued with it (ROVER_TOKEN of the team), and write scope: " + scopeTeam + " where the login has to ask for it",
	}}
	for _, wide := range []string{scopeHub, scopeAdmin} {
		if slices.Contains(scopes, wide) {
			rights = append(rights, providers.Right{
				Name: wide, Held: true, Why: "it reaches the applications of other teams",
				Change: "log in with the ROVER_TOKEN of the team itself, or ask for less: scope: " + scopeTeam,
			})
		}
	}
	return rights, nil
}
