package vaultapprole

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// use is one path below a role, and the capabilities that rotad uses there.
type use struct {
	below  string   // empty = the role itself
	look   []string // used to look
	rotate []string // used by rotations
	own    bool     // used only where rotad chooses the values
}

// uses are the least rights of this kind, as its README lists them.
var uses = []use{
	{below: "", look: []string{"read"}},
	{below: "role-id", look: []string{"read"}},
	{below: "secret-id", look: []string{"list"}, rotate: []string{"update"}},
	{below: "custom-secret-id", rotate: []string{"update"}, own: true},
	{below: "secret-id/lookup", look: []string{"update"}, own: true},
	{below: "secret-id-accessor/lookup", look: []string{"update"}},
	{below: "secret-id-accessor/destroy", rotate: []string{"update"}},
}

// Rights implements providers.RightsReader. Vault tells every token what it may do; the question is a POST that changes nothing.
func (p *provider) Rights(ctx context.Context, clients []providers.Target) (rights []providers.Right, err error) {
	for _, t := range clients {
		name := t.Ref[refRole]
		held, err := p.api.capabilities(ctx, name)
		if err != nil {
			return rights, err
		}
		rights = append(rights, p.compare(t.Client, name, held)...)
	}
	return rights, nil
}

// compare sets what is used at one role against what is held there.
func (p *provider) compare(client, role string, held map[string][]string) (rights []providers.Right) {
	var blocks []string
	for _, u := range uses {
		path := p.api.rolePath(role, u.below)
		if u.own && !p.own {
			continue
		}
		list := u.rights(client, path, held[path])
		if slices.ContainsFunc(list, providers.Right.Missing) {
			blocks = append(blocks, fmt.Sprintf("path %q { capabilities = [%s] }", path, quoted(slices.Concat(u.look, u.rotate))))
		}
		rights = append(rights, list...)
	}
	for i := range rights {
		if rights[i].Missing() {
			rights[i].Change = "vault policy write, in a policy of rotad's token or role there: " + strings.Join(blocks, " ")
		}
	}
	return rights
}

// quoted writes names as a policy lists them.
func quoted(names []string) string { return `"` + strings.Join(names, `", "`) + `"` }

// rights compares what is used with what is held at one path.
func (u use) rights(client, path string, has []string) (rights []providers.Right) {
	needed := func(need providers.Need, names []string) {
		for _, name := range names {
			rights = append(rights, providers.Right{
				Name: name + " on " + path, Client: client, Need: need, Held: slices.Contains(has, name) || slices.Contains(has, "root"),
				Why: "the least policy of this kind has it",
			})
		}
	}
	needed(providers.NeedLook, u.look)
	needed(providers.NeedRotate, u.rotate)
	for _, name := range has {
		if !slices.Contains(harmless, name) && !slices.Contains(u.look, name) && !slices.Contains(u.rotate, name) {
			rights = append(rights, surplus(client, name, path))
		}
	}
	return rights
}

// harmless are answers that are no surplus: none at all, and what Vault takes for the same as update at these paths.
var harmless = []string{"deny", "create"}

func surplus(client, name, path string) providers.Right {
	if name == "root" {
		return providers.Right{
			Name: "root", Held: true, Why: "the token may do everything in this Vault",
			Change: "log in with a token or a role that has the least policy of this kind's README, and no other",
		}
	}
	return providers.Right{
		Name: name + " on " + path, Client: client, Held: true, Why: "rotad never uses it",
		Change: "vault policy write: leave " + name + " out of the policy that gives it",
	}
}

// rolePath is a path below a role as policies write it, without a slash in front.
func (a api) rolePath(role, below string) string {
	path := "auth/" + strings.Trim(a.mount, "/") + "/role/" + role
	if below != "" {
		path += "/" + below
	}
	return path
}

// capabilities asks what rotad's token may do at a role.
func (a api) capabilities(ctx context.Context, role string) (map[string][]string, error) {
	var paths []string
	for _, u := range uses {
		paths = append(paths, a.rolePath(role, u.below))
	}
	var got reply[map[string]any]
	_, err := a.http.Into(ctx, httpapi.Request{
		Operation: "rights", Method: http.MethodPost, Path: httpapi.Path("sys", "capabilities-self"),
		JSON: map[string][]string{"paths": paths},
	}, &got)
	held := make(map[string][]string, len(paths))
	for _, path := range paths {
		held[path] = httpapi.Words(got.Data[path])
	}
	return held, err
}
