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
	for _, method := range allLogins {
		t.Run(method, func(t *testing.T) {
			vaulttest.Run(t, func(t *testing.T) vaulttest.Server { return sandboxServer(t, method) })
		})
	}
}

// sandboxServer is a stand-in that lives by the real clock, with an account for a login.
func sandboxServer(t *testing.T, method string) vaulttest.Server {
	t.Helper()
	f := &fixture{t: t, kv: sandbox.NewKV(time.Now)}
	auth := f.account(method, time.Hour)
	f.kv.AddToken("powerless-"+vaulttest.Canary, time.Hour, sandbox.KVGrant{Path: "other/*", Capabilities: []string{"read"}})
	server := httptest.NewServer(f.kv)
	t.Cleanup(server.Close)
	return vaulttest.Server{
		Address: server.URL, Root: f.kv.RootToken(), UnsealKey: f.kv.UnsealKey(),
		Settings: vault.Settings{Address: server.URL, Mount: "secret", Auth: auth},
		Powerless: vault.Settings{
			Address: server.URL, Mount: "secret",
			Auth: vault.Auth{Method: vault.MethodToken, TokenFile: file(t, "powerless-"+vaulttest.Canary)},
		},
	}
}
