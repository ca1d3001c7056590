package vault_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/internal/vault"
	"github.com/rotad/rotad/internal/vault/vaulttest"
)

var _ rotation.Vault = (*vault.Client)(nil)

func TestConformanceOfTheSandbox(t *testing.T) {
	vaulttest.Run(t, func(t *testing.T) vaulttest.Server {
		kv := sandbox.NewKV(time.Now)
		kv.AddAppRole("rotad", secretID, time.Hour, leastGrants(t)...)
		kv.AddToken("token-"+vaulttest.Canary, time.Hour, sandbox.KVGrant{Path: "other/*", Capabilities: []string{"read"}})
		server := httptest.NewServer(kv)
		t.Cleanup(server.Close)
		return vaulttest.Server{
			Address: server.URL, Root: kv.RootToken(), UnsealKey: kv.UnsealKey(),
			Settings: vault.Settings{
				Address: server.URL, Mount: "secret",
				Auth: vault.Auth{RoleID: "rotad", SecretIDFile: file(t, secretID+"\n")},
			},
			Powerless: vault.Settings{
				Address: server.URL, Mount: "secret",
				Auth: vault.Auth{Method: vault.MethodToken, TokenFile: file(t, "token-"+vaulttest.Canary)},
			},
		}
	})
}
