// Package conformance_test runs rotad's own conformance suites against real servers, so that what the unit tests
// believe about a server is checked against the server.
package conformance_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/destination/kv/kvtest"
	"github.com/rotad/rotad/internal/vault"
	"github.com/rotad/rotad/internal/vault/vaulttest"
	"github.com/rotad/rotad/test/servers"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// startVault starts a Vault and writes the secret id of a role into a file per role.
func startVault(t *testing.T) (v *servers.Vault, dir string) {
	t.Helper()
	dir, err := servers.TempDir()
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	cache, err := servers.OpenCache()
	must(t, err)
	v, err = servers.StartVault(t.Context(), cache, "..", dir)
	must(t, err)
	t.Cleanup(v.Stop)
	policy, err := os.ReadFile("../../deploy/vault/rotad.hcl")
	must(t, err)
	must(t, v.Prepare(t.Context(), string(policy), time.Hour))
	return v, dir
}

func secretIDFile(t *testing.T, v *servers.Vault, dir, role string) string {
	t.Helper()
	id, err := v.NewSecretID(t.Context(), role)
	must(t, err)
	file := filepath.Join(dir, "secret-id-"+role)
	must(t, os.WriteFile(file, []byte(id.Value), 0o600))
	return file
}

// TestConformanceVault asks a real Vault everything that rotad relies on, under exactly the policy that is shipped.
func TestConformanceVault(t *testing.T) { vaulttest.Run(t, vaultServer) }

// TestConformanceVaultDestination keeps copies at a further path of a real Vault, under the same policy.
func TestConformanceVaultDestination(t *testing.T) { kvtest.Run(t, vaultServer) }

func vaultServer(t *testing.T) vaulttest.Server {
	t.Helper()
	v, dir := startVault(t)
	must(t, v.Role(t.Context(), "powerless", map[string]any{"role_id": "powerless"}))
	settings := func(role string) vault.Settings {
		return vault.Settings{
			Address: v.URL, Mount: "secret", StagingPath: "rotad/staging",
			Auth: vault.Auth{Method: vault.MethodAppRole, RoleID: role, SecretIDFile: secretIDFile(t, v, dir, role)},
		}
	}
	return vaulttest.Server{
		Address: v.URL, Root: v.RootToken(), UnsealKey: v.UnsealKey(),
		Settings: settings("rotad"), Powerless: settings("powerless"),
	}
}
