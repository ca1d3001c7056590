package vault

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Finding is one line of an online check.
type Finding struct {
	Problem  bool   // else it is only worth knowing
	Rotation bool   // it stands against rotations alone, and is no problem for who only watches
	What     string // what was asked and what came back
	Hint     string // what to do
}

// Check says what rotad could not do in this Vault: the login, the mounts, the rights in staging, on the consumer
// paths and where copies are kept, and settings that make versions vanish too early. It changes nothing. No finding = all is well.
func (c *Client) Check(ctx context.Context, paths, copies []credential.VaultPath) []Finding {
	places := []checked{{place: c.stagingPlace("check"), rights: stagingRights, rotation: true}}
	for _, p := range paths {
		places = append(places, checked{place: c.consumerPlace(p), rights: consumerRights, rotation: true})
	}
	return c.check(ctx, append(places, c.copyPlaces(copies)...))
}

// CheckCopies is Check for a Vault in which rotad keeps copies and nothing else.
func (c *Client) CheckCopies(ctx context.Context, copies []credential.VaultPath) []Finding {
	return c.check(ctx, c.copyPlaces(copies))
}

func (c *Client) copyPlaces(copies []credential.VaultPath) []checked {
	places := make([]checked, len(copies))
	for i, p := range copies {
		places[i] = checked{place: c.consumerPlace(p), rights: copyRights}
	}
	return places
}

func (c *Client) check(ctx context.Context, places []checked) []Finding {
	if err := c.Login(ctx); err != nil {
		return []Finding{problem(err.Error(), "check address, login method and credentials; unseal Vault if it is sealed")}
	}
	found := c.checkToken()
	var wide []surplus
	for _, at := range places {
		if err := c.ready(ctx, at.place); err != nil {
			found = append(found, problem(err.Error(), "rotad needs a KV version 2 mount and the policy deploy/vault/rotad.hcl"))
			continue
		}
		lacks, more := c.checkRights(ctx, at)
		found, wide = append(found, lacks...), append(wide, more...)
		if at.rotation {
			found = append(found, c.checkRetention(ctx, at.place)...)
		}
	}
	return append(found, tooWide(append(c.checkReach(ctx, places), wide...))...)
}

// checked is a place and the rights that rotad uses there, by side.
type checked struct {
	place
	rights   map[string][]string
	rotation bool // a rotation writes there, and looks at former versions; else copies are kept there
}

var (
	stagingRights = map[string][]string{
		"data": {"create", "read", "update"}, "destroy": {"update"},
	}
	consumerRights = map[string][]string{
		"data": {"create", "read", "update"}, "destroy": {"update"}, "metadata": {"read", "patch", "update"},
	}
	copyRights = map[string][]string{"data": {"create", "read", "update"}}
)

func problem(what, hint string) Finding { return Finding{Problem: true, What: what, Hint: hint} }

func (c *Client) checkToken() []Finding {
	s := c.session.Load()
	if s == nil || s.ttl == 0 {
		return []Finding{{
			What: "rotad's vault token never expires",
			Hint: "use another login, or a periodic token, so that a leaked token ends by itself",
		}}
	}
	if !s.renewable && c.settings.Auth.Method == MethodToken {
		return []Finding{problem("rotad's vault token cannot be renewed and ends "+c.TokenExpires().Format(time.RFC3339),
			"use another login, or a periodic token")}
	}
	return nil
}

// checkRights compares what the token may do at a place with what rotad does there.
func (c *Client) checkRights(ctx context.Context, at checked) (found []Finding, wide []surplus) {
	var paths []string
	for _, side := range sides {
		paths = append(paths, at.call("", side).path)
	}
	have, err := c.capabilities(ctx, at.namespace, paths)
	if err != nil {
		return []Finding{problem(err.Error(), "give the token the right to ask for its own capabilities")}, nil
	}
	for i, path := range paths {
		side := sides[i]
		used, known := at.rights[side]
		if more := beyond(have[path], used); len(more) > 0 && (known || at.rotation) { // a copy may lie beside what a rotation writes
			wide = append(wide, surplus{path: path, rights: more})
		}
		missing := lacking(have[path], at.rights[side]...)
		if len(missing) == 0 {
			continue
		}
		found = append(found, Finding{
			Problem: side == "data", Rotation: at.rotation && !slices.Contains(missing, "read"),
			What: fmt.Sprintf("the token lacks %s on %s", join(missing), path),
			Hint: "see deploy/vault/rotad.hcl",
		})
	}
	return found, wide
}

// checkRetention looks for settings of a key that remove versions behind rotad's back.
func (c *Client) checkRetention(ctx context.Context, l place) []Finding {
	q := l.call("reading", "metadata")
	q.noLogin = true
	a, err := c.read(ctx, q, nil)
	if err != nil || !a.found {
		return nil // without the right, or before the first write, there is nothing to say
	}
	var body struct {
		Data struct {
			Max   int    `json:"max_versions"`
			After string `json:"delete_version_after"`
		} `json:"data"`
	}
	if json.Unmarshal(a.body, &body) != nil {
		return nil
	}
	var found []Finding
	if after, err := time.ParseDuration(body.Data.After); err == nil && after > 0 {
		found = append(found, problem(
			fmt.Sprintf("%s has delete_version_after = %s: Vault deletes the current version too at that age", q.path, after),
			"set delete_version_after to 0s, or rotate more often than that"))
	}
	if most := body.Data.Max; most > 0 && most < leastVersions {
		found = append(found, Finding{
			What: fmt.Sprintf("%s keeps %d version(s) only", q.path, most),
			Hint: fmt.Sprintf("set max_versions to %d or more, so that the previous value can still be tested", leastVersions),
		})
	}
	return found
}

// leastVersions is how many versions a rotation looks at: the previous value, the new one, and one that somebody else
// wrote meanwhile.
const leastVersions = 3

// capabilities asks what the token may do on paths.
func (c *Client) capabilities(ctx context.Context, namespace string, paths []string) (map[string][]string, error) {
	q := call{op: "asking for rights in", namespace: namespace, path: "sys/capabilities-self"}
	data, err := c.write(ctx, q, map[string]any{"paths": paths})
	if err != nil {
		return nil, err
	}
	rights := make(map[string][]string, len(paths))
	for _, path := range paths {
		list, ok := data[path].([]any)
		if !ok {
			return nil, q.notUnderstood("the answer does not name every path")
		}
		for _, right := range list {
			if name, ok := right.(string); ok {
				rights[path] = append(rights[path], name)
			}
		}
	}
	return rights, nil
}

// lacking returns the wanted rights that are not among those had. A root token has them all.
func lacking(had []string, wanted ...string) []string {
	if slices.Contains(had, "root") {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(wanted), func(right string) bool { return slices.Contains(had, right) })
}

func join(names []string) string { return strings.Join(names, ", ") }
