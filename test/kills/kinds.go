package kills

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/kills/wire"
	"github.com/rotad/rotad/test/world"
)

// kind is a sort of client: a provider of the configuration, and how a secret is asked about without rotad.
type kind struct {
	name    string // also of the provider, and what the ids of its clients begin with
	mode    credential.Mode
	server  string // what counts by itself beside the mode: keycloak, approle; empty = the sandbox
	clients int    // per world
	block   func(*killed) world.Block
	client  world.Block // beside id, provider, ref, owner, path
}

// kinds are the sorts of clients that every world has.
func kinds() []kind {
	cut := world.Block{"allow_cutover": true}
	return []kind{
		{name: "entra", mode: credential.ModeTwoSlot, clients: 3, block: entraBlock},
		{name: "approle", mode: credential.ModeTwoSlot, server: "approle", clients: 3, block: roleBlock("server")},
		{name: "own", mode: credential.ModeCaller, server: "approle", clients: 3, block: roleBlock("own")},
		{name: "telicent", mode: credential.ModeGraceWindow, clients: 5, block: telicentBlock(true), client: graceClient()},
		{name: "blind", mode: credential.ModeGraceWindow, clients: 5, block: telicentBlock(false), client: graceClient()},
		{name: wire.KindRealmGrace, mode: credential.ModeGraceWindow, clients: 5, block: realmBlock(wire.KindRealmGrace)},
		{name: wire.KindRealmCut, mode: credential.ModeHardCutover, clients: 3, block: realmBlock(wire.KindRealmCut), client: cut},
		{name: "manual", mode: credential.ModeManual, clients: 3, block: manualBlock},
	}
}

// keycloakKinds are those that a world with Keycloak has beside.
func keycloakKinds() []kind {
	return []kind{
		{name: "realgrace", mode: credential.ModeGraceWindow, server: "keycloak", clients: 4, block: keycloakBlock("realgrace")},
		{
			name: "realcut", mode: credential.ModeHardCutover, server: "keycloak", clients: 4, block: keycloakBlock("realcut"),
			client: world.Block{"allow_cutover": true},
		},
	}
}

// graceClient permits a cutover, because a reply that is lost can never be had again where no value can be read.
func graceClient() world.Block {
	return world.Block{"allow_cutover": true, "grace": wire.Grace.String()}
}

func ids(k kind) []string {
	list := make([]string, k.clients)
	for i := range list {
		list[i] = fmt.Sprintf("%s-%02d", k.name, i)
	}
	return list
}

// limits are what every provider gets: a create that is not answered in this time has an unknown outcome.
func limits(more world.Block) world.Block {
	b := world.Block{"deadline": "300ms", "propagation": "100ms"}
	maps.Copy(b, more)
	return b
}

func entraBlock(w *killed) world.Block {
	return limits(world.Block{
		"kind": "entra", "allow_unproven": true, "tenant_id": wire.Tenant, "client_id": wire.AdminID, "client_secret_file": w.admin,
		"graph_url": w.idp() + "/graph/v1.0", "login_url": w.idp() + "/login",
	})
}

// telicentBlock reads the start of the current secret, or nothing at all.
func telicentBlock(readable bool) func(*killed) world.Block {
	return func(w *killed) world.Block {
		b := limits(world.Block{"kind": "telicent", "allow_unproven": true, "url": w.idp() + "/telicent", "token_file": w.admin})
		if !readable {
			for _, path := range []string{"created_path", "expires_path", "previous_created_path", "previous_expires_path", "required_path"} {
				b[path] = "not.shown"
			}
		}
		return b
	}
}

func realmBlock(realm string) func(*killed) world.Block {
	return func(w *killed) world.Block {
		return limits(world.Block{
			"kind": "keycloak", "url": w.provider + "/" + realm, "realm": realm, "client_id": wire.AdminID, "client_secret_file": w.admin,
		})
	}
}

func manualBlock(w *killed) world.Block {
	return limits(world.Block{"kind": "manual", "token_url": w.idp() + "/oauth2/token"})
}

func roleBlock(values string) func(*killed) world.Block {
	return func(w *killed) world.Block {
		return limits(world.Block{
			"kind": "vault-approle", "address": w.Vault.URL, "values": values, "role_id": "rotator", "secret_id_file": w.rotator,
		})
	}
}

func keycloakBlock(realm string) func(*killed) world.Block {
	return func(w *killed) world.Block {
		b := w.KeycloakProvider(w.keycloak.URL)
		b["realm"] = w.realm(realm)
		return limitsOver(b)
	}
}

func limitsOver(b world.Block) world.Block {
	maps.Copy(b, limits(nil))
	return b
}

// ref is what the kind's provider calls a client.
func (k kind) ref(id string) world.Block {
	switch {
	case k.name == "entra":
		return world.Block{"app_id": id}
	case k.server == "approle":
		return world.Block{"role": id}
	default:
		return world.Block{"client_id": id}
	}
}

// noGap says that a consumer of such a client is never refused: neither by a cutover that was permitted, nor because a
// reply was lost that nobody can read again.
func (k kind) noGap() bool {
	return !slices.Contains([]string{wire.KindRealmCut, "realcut", "telicent", "blind"}, k.name)
}
