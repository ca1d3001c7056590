package conformance_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/keypair"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/keycloakkeys"
	"github.com/rotad/rotad/providers/providertest"
	"github.com/rotad/rotad/test/servers"
)

// TestConformanceKeycloakKeys runs the suite against a real Keycloak that keeps the public keys of its clients itself.
func TestConformanceKeycloakKeys(t *testing.T) {
	k := startKeycloak(t)
	must(t, k.CreateRealm(t.Context(), servers.Realm{Name: "keyed"}))
	for _, algorithm := range []keypair.Algorithm{"ES256", "EdDSA"} {
		t.Run(string(algorithm), func(t *testing.T) {
			providertest.Run(t, func(t *testing.T) providertest.World {
				t.Helper()
				return keyedWorld(t, k, algorithm)
			})
		})
	}
}

func keyedWorld(t *testing.T, k *servers.Keycloak, algorithm keypair.Algorithm) providertest.World {
	t.Helper()
	id := "client-" + strings.ToLower(rand.Text()[:8])
	key, err := keypair.Make(algorithm)
	must(t, err)
	first, err := keypair.Bundle(id, algorithm, key)
	must(t, err)
	members, _, err := keypair.JWK(key.Public(), algorithm)
	must(t, err)
	set, err := json.Marshal(map[string]any{"keys": []any{members}})
	must(t, err)
	must(t, k.AddKeyedClient(t.Context(), "keyed", id, string(set)))
	creates := func(r *http.Request) bool { return r.Method == http.MethodPut }
	count := &counter{creates: creates}
	return providertest.World{
		Name: "sso", Transport: count, Target: targetOf(id, nil), Unknown: targetOf("nobody", nil), Bundle: first, Field: credential.FieldPrivateKey,
		Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
			t.Helper()
			p, err := keycloakkeys.Kind().Open(providers.Opening{
				Name: "sso", Settings: &keycloakkeys.Settings{URL: k.URL, Realm: "keyed", ClientID: "rotad", Algorithm: string(algorithm)}, Transport: transport,
				Secret: func(string) (string, error) { return servers.RotadSecret, nil }, Elapsed: elapsed(),
			})
			must(t, err)
			return p
		},
		Creates: creates, Verifies: func(r *http.Request) bool {
			return strings.HasSuffix(r.URL.Path, "/realms/keyed/protocol/openid-connect/token")
		},
		Created:  func() int { return int(count.made.Load()) },
		Canaries: []string{servers.RotadSecret, first[credential.FieldPrivateKey].Reveal()},
	}
}
