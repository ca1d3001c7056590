package world

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rotad/rotad/test/servers"
)

// World is what one scenario runs in. Everything in it ends with its test.
type World struct {
	*Run
	T      testing.TB
	Name   string // of the scenario: also its realm, and the first part of its mail addresses
	Dir    string
	Vault  *servers.Vault
	Config Config

	last       *servers.Process // the daemon that was started last
	policyText string
	values     secrets // every clear secret that was seen
	outputs    outputs // every byte that commands printed
}

// tokenTTL of rotad's token in Vault. Renewals are asked of a real Vault by the conformance suite.
const tokenTTL = time.Hour

// New makes a world with a Vault of its own, prepared with exactly the policy that deploy/vault/rotad.hcl grants, and
// a configuration without providers and clients.
func New(t testing.TB, run *Run, name string) *World {
	t.Helper()
	return newWorld(t, run, name, servers.StartVault)
}

// NewInMemory makes a world whose Vault keeps everything in memory: what is asked about is not Vault's disk.
func NewInMemory(t testing.TB, run *Run, name string) *World {
	t.Helper()
	return newWorld(t, run, name, servers.StartVaultInMemory)
}

// vaultStarter starts a Vault in a directory.
type vaultStarter func(ctx context.Context, cache servers.Cache, module, dir string) (*servers.Vault, error)

func newWorld(t testing.TB, run *Run, name string, start vaultStarter) *World {
	t.Helper()
	dir, err := servers.TempDir()
	if err != nil {
		t.Fatal(err)
	}
	w := &World{Run: run, T: t, Name: name, Dir: dir}
	t.Cleanup(func() {
		if t.Failed() && os.Getenv("ROTAD_TEST_KEEP") != "" {
			t.Logf("the files of this scenario are kept in %s", dir)
			return
		}
		_ = os.RemoveAll(dir)
	})
	w.startVault(start)
	w.Config = w.baseConfig()
	return w
}

func (w *World) startVault(start vaultStarter) {
	w.T.Helper()
	ctx := w.T.Context()
	var err error
	w.Vault, err = start(ctx, w.Cache, w.Module, w.Dir)
	w.Must(err)
	w.T.Cleanup(w.Vault.Stop)
	policy, err := os.ReadFile(filepath.Join(w.Root, "deploy", "vault", "rotad.hcl"))
	w.Must(err)
	w.policyText = string(policy)
	w.Must(w.Vault.Prepare(ctx, w.policyText, tokenTTL))
	id, err := w.Vault.NewSecretID(ctx, "rotad")
	w.Must(err)
	w.WriteSecret("vault-secret-id", id.Value)
	w.values.add(w.Vault.RootToken())
}

// Must ends the scenario on an error.
func (w *World) Must(err error) {
	w.T.Helper()
	if err != nil {
		w.T.Fatal(err)
	}
}

// Path returns the path of a file of this scenario.
func (w *World) Path(name string) string { return filepath.Join(w.Dir, name) }

// WriteSecret writes a secret into a file that only its owner reads, and returns the path. It counts as a clear secret
// that must not leave the daemon.
func (w *World) WriteSecret(name, value string) string {
	w.T.Helper()
	w.values.add(value)
	file := w.Path(name)
	w.Must(os.WriteFile(file, []byte(value+"\n"), 0o600))
	return file
}

// Known notes a clear secret that must not leave the daemon.
func (w *World) Known(value string) string {
	w.values.add(value)
	return value
}

// Address returns a mail address of this scenario.
func (w *World) Address(who string) string {
	return fmt.Sprintf("%s.%s@%s", w.Name, who, servers.MailDomain)
}

// Realm creates this scenario's realm in the shared Keycloak, and a provider of that name (kind keycloak) in the
// configuration. Rotated is how long Keycloak keeps an old secret; 0 = it has no rotation policy.
func (w *World) Realm(rotated time.Duration, clients ...servers.RealmClient) *servers.Keycloak {
	w.T.Helper()
	k := w.Keycloak(w.T)
	w.Must(k.CreateRealm(w.T.Context(), servers.Realm{Name: w.Name, Rotated: rotated, Clients: clients}))
	for _, c := range clients {
		w.Known(c.Secret)
	}
	w.Config.Providers["kc"] = w.KeycloakProvider(k.URL)
	return k
}

// KeycloakProvider is the block of a provider that reaches this scenario's realm under an address.
func (w *World) KeycloakProvider(url string) Block {
	return Block{
		"kind": "keycloak", "url": url, "realm": w.Name, "client_id": "rotad",
		"client_secret_file": w.WriteSecret("keycloak-secret", servers.RotadSecret),
		"deadline":           "5s", "propagation": "1s",
	}
}

// Proxy puts a proxy before the shared Keycloak and lets the provider use it.
func (w *World) Proxy() *servers.Proxy {
	w.T.Helper()
	proxy := w.proxyTo(w.Keycloak(w.T).URL)
	w.Config.Providers["kc"]["url"] = proxy.URL
	return proxy
}

// ProxyVault puts a proxy before this scenario's Vault and lets rotad use it, for everything that it asks of Vault.
// Providers of AppRoles that are added later do not.
func (w *World) ProxyVault() *servers.Proxy {
	w.T.Helper()
	proxy := w.proxyTo(w.Vault.URL)
	w.Config.Vault["address"] = proxy.URL
	for _, provider := range w.Config.Providers {
		if provider["kind"] == "vault-approle" {
			provider["address"] = proxy.URL
		}
	}
	return proxy
}

func (w *World) proxyTo(target string) *servers.Proxy {
	w.T.Helper()
	proxy, err := servers.StartProxy(target)
	w.Must(err)
	w.T.Cleanup(proxy.Stop)
	return proxy
}

// Publish puts a value for a client into Vault, beside fields that are not rotad's.
func (w *World) Publish(id, secret string) {
	w.T.Helper()
	_, err := w.Vault.Put(w.T.Context(), AppPath(id), map[string]any{
		"client_id": id, "client_secret": w.Known(secret), "team": "payments",
	})
	w.Must(err)
}

// AppPath is the Vault path of a client, below the mount.
func AppPath(id string) string { return "apps/" + id + "/oidc" }

// Stored reads the current value of a client in Vault, and notes its secret.
func (w *World) Stored(id string) servers.Stored {
	w.T.Helper()
	stored, err := w.Vault.Get(w.T.Context(), AppPath(id), 0)
	w.Must(err)
	w.values.add(stored.Text("client_secret"))
	return stored
}

// Accepts says whether Keycloak takes a secret of a client in this scenario's realm.
func (w *World) Accepts(id, secret string) bool {
	w.T.Helper()
	ok, err := w.Keycloak(w.T).Accepts(w.T.Context(), w.Name, id, secret)
	w.Must(err)
	return ok
}

// Await asks until the answer is nil, and fails the scenario with what was awaited when the limit passes.
func (w *World) Await(limit time.Duration, what string, ask func() error) {
	w.T.Helper()
	err := servers.Until(w.T.Context(), limit, 250*time.Millisecond, func(context.Context) error { return ask() })
	if err != nil {
		w.T.Fatalf("awaiting that %s: %v", what, err)
	}
}
