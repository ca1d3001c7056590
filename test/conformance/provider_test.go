package conformance_test

import (
	"crypto/rand"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/keycloak"
	"github.com/rotad/rotad/providers/providertest"
	"github.com/rotad/rotad/providers/vaultapprole"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// counter is a transport that counts the creates which the server has carried out.
type counter struct {
	creates func(*http.Request) bool
	next    http.RoundTripper // nil = http.DefaultTransport
	made    atomic.Int64
}

func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	creates := c.creates(r) // which may read the body
	next := c.next
	if next == nil {
		next = http.DefaultTransport
	}
	resp, err := next.RoundTrip(r)
	if err == nil && resp.StatusCode/100 == 2 && creates {
		c.made.Add(1)
	}
	return resp, err
}

// TestConformanceKeycloak runs the suite against a real Keycloak: in a realm with a rotation policy, in one without, and
// with an account that may not see the policy.
func TestConformanceKeycloak(t *testing.T) {
	cache, err := servers.OpenCache()
	must(t, err)
	dir, err := servers.TempDir()
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	k, err := servers.StartKeycloak(t.Context(), cache, dir)
	must(t, err)
	t.Cleanup(k.Stop)
	for _, test := range []struct {
		name   string
		realm  servers.Realm
		method credential.VerifyMethod
		auth   string
	}{
		{"a policy covers the client", servers.Realm{Name: "covered", Rotated: time.Minute}, credential.VerifyAuto, "basic"},
		{"no policy", servers.Realm{Name: "bare"}, credential.VerifyClientCredentials, "post"},
		{
			"a policy that may not be read",
			servers.Realm{Name: "unseen", Rotated: time.Minute, NoViewing: true},
			credential.VerifyIntrospection, "basic",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			must(t, k.CreateRealm(t.Context(), test.realm))
			providertest.Run(t, func(t *testing.T) providertest.World {
				t.Helper()
				return keycloakWorld(t, k, test.realm.Name, credential.VerifySettings{Method: test.method, Auth: test.auth})
			})
		})
	}
	t.Run("rights", func(t *testing.T) { keycloakRights(t, k) })
}

func keycloakWorld(t *testing.T, k *servers.Keycloak, realm string, verify credential.VerifySettings) providertest.World {
	t.Helper()
	const first = "first secret+with/odd=&chars"
	id := "client-" + rand.Text()[:8]
	must(t, k.AddClient(t.Context(), realm, servers.RealmClient{ID: id, Secret: first}))
	creates := func(r *http.Request) bool {
		return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/client-secret")
	}
	count := &counter{creates: creates}
	return providertest.World{
		Name: "sso", Transport: count,
		Target:  providers.Target{Client: id, Ref: credential.Ref{"client_id": id}, Verify: verify},
		Unknown: providers.Target{Client: "nobody", Ref: credential.Ref{"client_id": "nobody"}, Verify: verify},
		Bundle: credential.Bundle{
			credential.FieldClientID: credential.NewSensitive(id), credential.FieldClientSecret: credential.NewSensitive(first),
		},
		Field: credential.FieldClientSecret,
		Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
			t.Helper()
			p, err := keycloak.Kind().Open(providers.Opening{
				Name: "sso", Settings: &keycloak.Settings{URL: k.URL, Realm: realm, ClientID: "rotad"}, Transport: transport,
				Secret: func(string) (string, error) { return servers.RotadSecret, nil }, Elapsed: elapsed(),
			})
			must(t, err)
			return p
		},
		Creates:  creates,
		Verifies: func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/token") },
		Created:  func() int { return int(count.made.Load()) },
		Accepts: func(b credential.Bundle) bool {
			ok, err := k.Accepts(t.Context(), realm, id, b.Secret().Reveal())
			must(t, err)
			return ok
		},
		Canaries: []string{servers.RotadSecret, first},
	}
}

func elapsed() func() time.Duration {
	start := time.Now()
	return func() time.Duration { return time.Since(start) }
}

// TestConformanceAppRole runs the suite against a real Vault, under the policy that the kind's README lists.
func TestConformanceAppRole(t *testing.T) {
	v, dir := startVault(t)
	must(t, v.SetPolicy(t.Context(), "rotator", world.AppRolePolicy))
	must(t, v.Role(t.Context(), "rotator", map[string]any{"role_id": "rotator", "token_policies": "rotator"}))
	login := secretIDFile(t, v, dir, "rotator")
	own, err := os.ReadFile(login)
	must(t, err)
	for _, values := range []string{"server", "own"} {
		t.Run("values: "+values, func(t *testing.T) {
			providertest.Run(t, func(t *testing.T) providertest.World {
				t.Helper()
				return appRoleWorld(t, v, values, string(own))
			})
			mine := appRoleWorld(t, v, values, string(own))
			appRoleRights(t, mine.Open(t, http.DefaultTransport), mine.Target.Client)
		})
	}
}

func appRoleWorld(t *testing.T, v *servers.Vault, values, own string) providertest.World {
	t.Helper()
	role := "role-" + strings.ToLower(rand.Text()[:8])
	must(t, v.Role(t.Context(), role, map[string]any{"role_id": "id-of-" + role}))
	first, err := v.NewSecretID(t.Context(), role)
	must(t, err)
	creates := func(r *http.Request) bool {
		return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "secret-id")
	}
	count := &counter{creates: creates}
	return providertest.World{
		Name: "vault", Transport: count,
		Target:  providers.Target{Client: role, Ref: credential.Ref{"role": role}},
		Unknown: providers.Target{Client: "nobody", Ref: credential.Ref{"role": "nobody"}},
		Bundle: credential.Bundle{
			vaultapprole.FieldRoleID:   credential.NewSensitive("id-of-" + role),
			vaultapprole.FieldSecretID: credential.NewSensitive(first.Value),
		},
		Field: vaultapprole.FieldSecretID,
		Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
			t.Helper()
			p, err := vaultapprole.Kind().Open(providers.Opening{
				Name: "vault", Transport: transport, Elapsed: elapsed(),
				Settings: &vaultapprole.Settings{Address: v.URL, Values: values, RoleID: "rotator", SecretIDFile: "unused"},
				Secret:   func(string) (string, error) { return own, nil },
			})
			must(t, err)
			return p
		},
		Creates:  creates,
		Verifies: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/login") },
		Created:  func() int { return int(count.made.Load()) },
		Accepts: func(b credential.Bundle) bool {
			secret := b[vaultapprole.FieldSecretID].Reveal()
			ok, err := v.Login(t.Context(), "id-of-"+role, secret)
			must(t, err)
			return ok
		},
		Canaries: []string{own, first.Value},
		Expires:  time.Now().Add(240 * time.Hour),
	}
}
