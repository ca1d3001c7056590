package world

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rotad/rotad/test/servers"
)

// seenEvery is how often Vault is asked for versions that nobody has read yet. A staged value stays for as long as its
// rotation.
const seenEvery = 500 * time.Millisecond

// watchVault notes every value that stands in Vault while the daemon runs, whichever way it came there. The function that
// it returns ends it, after a last look.
func (w *World) watchVault() (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.T.Context()))
	seen, done := map[string]bool{}, make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			w.look(ctx, seen, "")
			servers.Pause(ctx, seenEvery)
		}
	}()
	return func() {
		cancel()
		<-done
		last, end := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer end()
		w.look(last, seen, "")
	}
}

// look reads what is new below a path. A Vault that is down or sealed shows it later.
func (w *World) look(ctx context.Context, seen map[string]bool, below string) {
	names, err := w.Vault.List(ctx, below)
	if err != nil {
		return
	}
	for _, name := range names {
		path := below + name
		if strings.HasSuffix(name, "/") {
			w.look(ctx, seen, path)
			continue
		}
		meta, err := w.Vault.Metadata(ctx, path)
		if err != nil {
			continue
		}
		for number, version := range meta.Versions {
			at := fmt.Sprintf("%s@%d", path, number)
			if seen[at] || version.Destroyed || version.Deleted != "" {
				continue
			}
			if stored, err := w.Vault.Get(ctx, path, number); err == nil {
				seen[at] = true
				w.noteStored(path, stored)
			}
		}
	}
}

// open are the fields of bundles that are no secrets.
var open = []string{"client_id", "role_id", "registration_client_uri"}

// noteStored notes the values of a version that are secrets: in staging those of the bundle and a reply kept raw,
// elsewhere those whose field says so.
func (w *World) noteStored(path string, stored servers.Stored) {
	staging := strings.HasPrefix(path, "rotad/staging/")
	for field := range stored.Values {
		value, name := stored.Text(field), strings.ToLower(field)
		inBundle, bundled := strings.CutPrefix(name, "bundle.")
		switch {
		case staging && name == "reply":
			var raw []byte
			if json.Unmarshal(stored.Values[field], &raw) == nil {
				w.values.addAs("a reply in Vault staging", string(raw))
			}
		case staging && bundled && !slices.Contains(open, inBundle):
			w.values.addAs("a value in Vault staging", value)
		case !staging && (strings.Contains(name, "secret") || strings.Contains(name, "password") || strings.Contains(name, "token")):
			w.values.addAs("a value in Vault", value)
		}
	}
}

// noteFromServers notes what the identity provider holds at the end, also what no Vault has ever seen.
func (w *World) noteFromServers() {
	if w.keycloak.made {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(w.T.Context()), 20*time.Second)
		defer cancel()
		for _, c := range w.Config.Clients {
			ref, _ := c["ref"].(Block)
			id, _ := ref["client_id"].(string)
			if id == "" {
				continue
			}
			found, err := w.Keycloak(w.T).Client(ctx, w.Name, id)
			if err != nil {
				continue // it is in no realm of this scenario, or has been removed
			}
			w.values.addAs("Keycloak's secret", found.Secret)
			w.values.addAs("Keycloak's rotated secret", found.Attributes["client.secret.rotated"])
		}
	}
	w.values.addAs("Vault's unseal key", w.Vault.UnsealKey())
}
