package config

import (
	"fmt"

	"github.com/rotad/rotad/internal/credential"
)

// Index remembers clients by what must be unique over all sources: their id, (provider, ref) and Vault path. The zero
// value is empty and ready.
type Index struct{ seen map[string]string }

// Add remembers a client, whose defaults are filled in, and reports what another one has already, naming where both
// stand. Paths are relative to the client.
func (x *Index) Add(c credential.Client) Problems {
	if x.seen == nil {
		x.seen = map[string]string{}
	}
	var found complaint
	missing := map[string]bool{"id": c.ID == "", "ref": len(c.Ref) == 0, "vault.path": c.Vault.Path == ""}
	for _, key := range []struct{ path, key, what string }{
		{"id", "id\x00" + c.ID, "the id " + c.ID},
		{"ref", "ref\x00" + c.Provider + "\x00" + c.Ref.Canonical(), "the client " + c.Ref.Canonical() + " of " + c.Provider},
		{"vault.path", "path\x00" + c.Vault.Key(), "the vault path " + c.Vault.String()},
	} {
		if missing[key.path] {
			continue
		}
		first, taken := x.seen[key.key]
		if !taken {
			x.seen[key.key] = c.Source
			continue
		}
		found.add(key.path, fmt.Sprintf("%s is registered twice, at %s and at %s", key.what, first, c.Source), "delete one of them")
	}
	x.copies(&found, c.Destinations)
	return found.problems
}

// copies refuses destinations at which consumers of a client read: a copy there would be taken for what its rotation has
// published. Clients that come later are told so by CheckClient.
func (x *Index) copies(found *complaint, list []credential.Destination) {
	for i, d := range list {
		if d.Vault == nil || d.Vault.Vault != "" {
			continue
		}
		if first, taken := x.seen["path\x00"+d.Vault.At().Key()]; taken {
			found.add(fmt.Sprintf("destinations[%d].vault.path", i), fmt.Sprintf("%s is what the client at %s publishes", d.Place(), first), "name a path of its own")
		}
	}
}
