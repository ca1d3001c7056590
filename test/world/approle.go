package world

import "github.com/rotad/rotad/test/servers"

// AppRolePolicy is the least that the kind vault-approle needs: what its README lists, for every role of the mount.
const AppRolePolicy = `
path "auth/approle/role/+" { capabilities = ["read"] }
path "auth/approle/role/+/role-id" { capabilities = ["read"] }
path "auth/approle/role/+/secret-id" { capabilities = ["list", "create", "update"] }
path "auth/approle/role/+/custom-secret-id" { capabilities = ["create", "update"] }
path "auth/approle/role/+/secret-id/lookup" { capabilities = ["create", "update"] }
path "auth/approle/role/+/secret-id-accessor/lookup" { capabilities = ["create", "update"] }
path "auth/approle/role/+/secret-id-accessor/destroy" { capabilities = ["create", "update"] }
`

// AddAppRole makes an AppRole in this scenario's Vault with one SecretID, publishes that, and registers it as a client
// of the provider "roles". Own lets rotad choose the values, by the provider "own-roles".
func (w *World) AddAppRole(id string, own bool) servers.SecretID {
	w.T.Helper()
	ctx := w.T.Context()
	w.Must(w.Vault.Role(ctx, id, map[string]any{"role_id": "id-of-" + id}))
	issued, err := w.Vault.NewSecretID(ctx, id)
	w.Must(err)
	_, err = w.Vault.Put(ctx, AppPath(id), map[string]any{
		"role_id": "id-of-" + id, "secret_id": w.Known(issued.Value), "team": "payments",
	})
	w.Must(err)
	provider, values := "roles", "server"
	if own {
		provider, values = "own-roles", "own"
	}
	w.Config.Providers[provider] = w.appRoleProvider(values)
	w.AddClient(id, Block{"provider": provider, "ref": Block{"role": id}, "current_id": issued.Accessor})
	return issued
}

// appRoleProvider gives rotad a role of its own for the kind vault-approle, beside the one that it stages with.
func (w *World) appRoleProvider(values string) Block {
	w.T.Helper()
	ctx := w.T.Context()
	name := "rotator-" + values
	w.Must(w.Vault.SetPolicy(ctx, "rotator", AppRolePolicy))
	w.Must(w.Vault.Role(ctx, name, map[string]any{"role_id": name, "token_policies": "rotator", "token_ttl": "1h"}))
	issued, err := w.Vault.NewSecretID(ctx, name)
	w.Must(err)
	return Block{
		"kind": "vault-approle", "address": w.Vault.URL, "values": values, "role_id": name,
		"secret_id_file": w.WriteSecret("secret-id-"+name, issued.Value), "deadline": "5s", "propagation": "1s",
	}
}

// AccessorsOf lists the SecretIDs of an AppRole that exist.
func (w *World) AccessorsOf(id string) []string {
	w.T.Helper()
	accessors, err := w.Vault.Accessors(w.T.Context(), id)
	w.Must(err)
	return accessors
}
