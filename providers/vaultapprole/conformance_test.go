package vaultapprole_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/providertest"
	"github.com/rotad/rotad/providers/vaultapprole"
)

const (
	rootToken   = "hvs.rootTokenOfTheTest"
	adminSecret = "adminSecretIDOfRotad"
)

// vault is a stand-in with a clock that tests move.
type vault struct {
	*sandbox.AppRole

	server *httptest.Server
	start  time.Time
	offset atomic.Int64
}

func newVault(t testing.TB) *vault {
	t.Helper()
	v := &vault{start: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	v.AppRole = sandbox.NewAppRole(v.now, sandbox.AppRoleSettings{Token: rootToken})
	v.server = httptest.NewServer(v.Handler())
	t.Cleanup(v.server.Close)
	return v
}

func (v *vault) now() time.Time { return v.start.Add(time.Duration(v.offset.Load())) }

func (v *vault) open(t *testing.T, s vaultapprole.Settings, transport http.RoundTripper) providers.Provider {
	t.Helper()
	s.Address = v.server.URL
	p, err := vaultapprole.Kind().Open(providers.Opening{
		Name: "vault", Settings: &s, Transport: transport,
		Secret: func(name string) (string, error) {
			return map[string]string{"token": rootToken, "secret_id": adminSecret}[name], nil
		},
		Elapsed: func() time.Duration { return time.Duration(v.offset.Load()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func target(role string) providers.Target {
	return providers.Target{Client: "id-of-" + role, Ref: credential.Ref{"role": role}}
}

func bundle(roleID, secretID string) credential.Bundle {
	return credential.Bundle{
		vaultapprole.FieldRoleID:   credential.NewSensitive(roleID),
		vaultapprole.FieldSecretID: credential.NewSensitive(secretID),
	}
}

func world(t *testing.T, values string, ownRole bool, role sandbox.AppRoleRole) providertest.World {
	t.Helper()
	v := newVault(t)
	role.Name = "billing"
	roleID, err := v.AddRole(role)
	if err != nil {
		t.Fatal(err)
	}
	first, _, err := v.Issue("billing")
	if err != nil {
		t.Fatal(err)
	}
	s := vaultapprole.Settings{Values: values, TokenFile: "token"}
	if ownRole {
		own, err := v.AddAdmin("rotad", adminSecret)
		if err != nil {
			t.Fatal(err)
		}
		s = vaultapprole.Settings{Values: values, RoleID: own, SecretIDFile: "secret"}
	}
	return providertest.World{
		Name: "vault", Target: target("billing"), Unknown: target("nobody"),
		Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
			t.Helper()
			return v.open(t, s, transport)
		},
		Bundle: bundle(roleID, first), Field: vaultapprole.FieldSecretID,
		Creates: func(req *http.Request) bool {
			return req.Method == http.MethodPost && strings.HasSuffix(req.URL.Path, "secret-id")
		},
		Verifies: func(req *http.Request) bool { return strings.HasSuffix(req.URL.Path, "/login") },
		Created:  func() int { return v.Created("billing") },
		Accepts:  func(b credential.Bundle) bool { return v.Accepts("billing", b[vaultapprole.FieldSecretID]) },
		Canaries: []string{rootToken, adminSecret, first},
		Expires:  v.now().Add(240 * time.Hour),
	}
}

func TestConformance(t *testing.T) {
	for _, test := range []struct {
		name    string
		values  string
		ownRole bool
		role    sandbox.AppRoleRole
	}{
		{"values of Vault, logged in with a token", "server", false, sandbox.AppRoleRole{}},
		{"values of Vault, logged in with a role, lives limited", "server", true, sandbox.AppRoleRole{SecretIDTTL: time.Hour}},
		{"values of our own", "own", true, sandbox.AppRoleRole{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			providertest.Run(t, func(t *testing.T) providertest.World {
				return world(t, test.values, test.ownRole, test.role)
			})
		})
	}
}
