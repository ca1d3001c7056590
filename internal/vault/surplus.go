package vault

import (
	"context"
	"fmt"
	"slices"
)

// sides are the parts of a key in a KV version 2 mount that a policy gives rights on.
var sides = []string{"data", "delete", "destroy", "metadata", "undelete"}

// nobody is a name that stands nowhere: what a token may do there it may do everywhere beside it.
const nobody = "rotad-asks-for-nobody"

// surplus are the rights on a path that rotad never uses.
type surplus struct {
	path   string
	rights []string
	what   string // what they let the token do, where it is more than their names say
}

// beyond returns the rights that are had and never used. Where a key is written, one that does not exist yet has to be created.
func beyond(had, used []string) []string {
	return slices.DeleteFunc(slices.Clone(had), func(right string) bool {
		return right == "deny" || slices.Contains(used, right) || right == "create" && slices.Contains(used, "update")
	})
}

// checkReach asks what the token may do where rotad has no business: at other keys of its mounts, and with Vault itself.
func (c *Client) checkReach(ctx context.Context, places []checked) (wide []surplus) {
	powers := []surplus{
		{path: "sys/policies/acl/" + nobody, what: "it can write policies, and give itself any right"},
		{path: "auth/token/create", what: "it can make tokens that outlive it"},
		{path: "sys/auth/" + nobody, what: "it can open further ways to log in"},
	}
	wide = c.reached(ctx, "", powers)
	var asked []string
	for _, at := range places {
		if slices.Contains(asked, at.mountKey()) {
			continue
		}
		asked = append(asked, at.mountKey())
		others := place{namespace: at.namespace, mount: at.mount, path: nobody}
		wide = append(wide, c.reached(ctx, at.namespace, []surplus{
			{path: others.call("", "data").path, what: "it reaches secrets of others in this mount"},
			{path: others.call("", "metadata").path, what: "it reaches secrets of others in this mount"},
		})...)
	}
	return wide
}

// reached returns those of some paths at which the token may do anything. What cannot be asked is said of the places that count.
func (c *Client) reached(ctx context.Context, namespace string, asked []surplus) (wide []surplus) {
	paths := make([]string, len(asked))
	for i, s := range asked {
		paths[i] = s.path
	}
	have, err := c.capabilities(ctx, namespace, paths)
	if err != nil {
		return nil
	}
	for _, s := range asked {
		if s.rights = beyond(have[s.path], nil); len(s.rights) > 0 {
			wide = append(wide, s)
		}
	}
	return wide
}

// tooWide says once of each sort of surplus where it is. A root token has one sort.
func tooWide(all []surplus) (found []Finding) {
	const hint = "deploy/vault/rotad.hcl has all that rotad needs: leave the rest out of the policies of its token or role, then vault policy write"
	if slices.ContainsFunc(all, func(s surplus) bool { return slices.Contains(s.rights, "root") }) {
		return []Finding{{
			What: "right too wide: rotad's vault token is a root token, and may do everything",
			Hint: "log in with a role that has the policy deploy/vault/rotad.hcl, and revoke this token",
		}}
	}
	for i, s := range all {
		alike := func(o surplus) bool { return slices.Equal(o.rights, s.rights) && o.what == s.what }
		if slices.ContainsFunc(all[:i], alike) {
			continue
		}
		text, more := fmt.Sprintf("right too wide: %s on %s", join(s.rights), s.path), 0
		for _, o := range all[i+1:] {
			if alike(o) {
				more++
			}
		}
		if more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		if s.what != "" {
			text += ": " + s.what
		}
		found = append(found, Finding{What: text, Hint: hint})
	}
	return found
}
