package http

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// rights compiles the place of the rights in a token, and reports what cannot be meant.
func (c *compiler) rights(r Rights) place {
	if len(r.Look)+len(r.Rotate) == 0 && (r.Claim != "" || len(r.Spare) > 0 || r.Grant != "") {
		c.report("rights.look", "names no right", "name those that are needed under look and rotate, or leave rights out")
	}
	for _, list := range []struct {
		at    string
		names []string
	}{{"rights.look", r.Look}, {"rights.rotate", r.Rotate}, {"rights.spare", r.Spare}} {
		if slices.ContainsFunc(list.names, func(name string) bool { return !slices.Equal(httpapi.Words(name), []string{name}) }) {
			c.report(list.at, "has an entry that is not one word", "write one right an entry, as the token names it")
		}
	}
	return c.place("rights.claim", r.Claim)
}

// Why the rights of an account are not known.
var (
	errNotDescribed = errors.New("the description does not say under rights: which rights are needed")
	errNoLogin      = errors.New("the API asks for no login: whoever reaches it may do everything, so let nobody else reach it")
	errUnnamed      = errors.New("neither the login's answer nor the token names the account's rights")
)

// Rights implements providers.RightsReader: it compares what the description asks for with what the token names.
func (p *provider) Rights(ctx context.Context, _ []providers.Target) ([]providers.Right, error) {
	switch {
	case p.tokens == nil:
		return nil, p.fault("rights", providers.ClassUnsupported, errNoLogin)
	case len(p.rights.Look)+len(p.rights.Rotate) == 0:
		return nil, p.fault("rights", providers.ClassUnsupported, errNotDescribed)
	}
	token, err := p.tokens.Held(ctx)
	if err != nil {
		return nil, err
	}
	held, known := p.named(token)
	if !known {
		return nil, p.fault("rights", providers.ClassUnsupported, errUnnamed)
	}
	return p.compare(held), nil
}

// named returns the rights that a token names.
func (p *provider) named(token httpapi.Token) (names []string, known bool) {
	if p.claim == nil {
		return token.Scopes()
	}
	claims, ok := httpapi.ClaimsOf(token.Value)
	if !ok {
		return nil, false
	}
	for _, node := range p.claim.all(document{root: map[string]any(claims)}) {
		names = append(names, httpapi.Words(node)...)
	}
	return names, true
}

func (p *provider) compare(held []string) (rights []providers.Right) {
	needed := func(need providers.Need, names []string, why string) {
		for _, name := range names {
			rights = append(rights, providers.Right{
				Name: name, Need: need, Held: slices.Contains(held, name), Why: why, Change: p.rights.Grant,
			})
		}
	}
	needed(providers.NeedLook, p.rights.Look, "to look at secrets")
	needed(providers.NeedRotate, p.rights.Rotate, "to rotate them")
	var wide []string
	for _, name := range held {
		if !slices.Contains(slices.Concat(p.rights.Look, p.rights.Rotate, p.rights.Spare), name) {
			wide = append(wide, name)
		}
	}
	if len(wide) > 0 {
		rights = append(rights, providers.Right{
			Name: strings.Join(wide, ", "), Held: true, Why: "rotad never uses it", Change: p.rights.Grant,
		})
	}
	return rights
}
