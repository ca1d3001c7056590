package keycloakkeys_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/keypair"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/keycloakkeys"
	"github.com/rotad/rotad/providers/providertest"
)

const ownSecret = "the-secret-of-rotads-own-client"

// realm is a stand-in with a client, and the adapter.
type realm struct {
	*sandbox.KeycloakKeys

	url string
	now func() time.Time
}

// ticking is a clock that goes on by a second whenever it is read, so that no two keys begin at the same time.
func ticking() func() time.Time {
	var mu sync.Mutex
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		at = at.Add(time.Second)
		return at
	}
}

// pair makes a key of a client, and the set that holds it.
func pair(t testing.TB, algorithm keypair.Algorithm) (credential.Bundle, string) {
	t.Helper()
	key, err := keypair.Make(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := keypair.Bundle("billing", algorithm, key)
	if err != nil {
		t.Fatal(err)
	}
	members, _, err := keypair.JWK(key.Public(), algorithm)
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(map[string]any{"keys": []any{members}})
	if err != nil {
		t.Fatal(err)
	}
	return bundle, string(set)
}

func newRealm(t testing.TB, algorithm keypair.Algorithm) (*realm, credential.Bundle) {
	t.Helper()
	bundle, set := pair(t, algorithm)
	r := &realm{now: ticking()}
	r.KeycloakKeys = sandbox.NewKeycloakKeys(r.now, "rotad", ownSecret, func() string { return r.url + "/realms/sandbox" })
	for id, about := range map[string]struct {
		authenticator string
		attributes    map[string]any
	}{
		"billing":   {"client-jwt", map[string]any{"use.jwks.string": "true", "jwks.string": set, "note": "kept"}},
		"fetched":   {"client-jwt", map[string]any{"use.jwks.url": "true", "jwks.url": "https://example.com/keys.json"}},
		"secretive": {"client-secret", nil},
		"strange":   {"client-jwt", map[string]any{"use.jwks.string": "true", "jwks.string": `{"keys":[{"kty":"EC"}]}`}},
	} {
		if err := r.Register(id, about.authenticator, about.attributes); err != nil {
			t.Fatal(err)
		}
	}
	served := httptest.NewServer(r.Handler())
	t.Cleanup(served.Close)
	r.url = served.URL
	return r, bundle
}

func (r *realm) open(t testing.TB, own string, algorithm keypair.Algorithm, transport http.RoundTripper) providers.Provider {
	t.Helper()
	p, err := keycloakkeys.Kind().Open(providers.Opening{
		Name: "sso", Settings: &keycloakkeys.Settings{URL: r.url + "/", Realm: "sandbox", ClientID: "rotad", Algorithm: string(algorithm)}, Transport: transport,
		Deadline: 5 * time.Second, Now: r.now, Elapsed: func() time.Duration { return 0 }, Secret: func(string) (string, error) { return own, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func target(id string) providers.Target {
	return providers.Target{Client: "id-of-" + id, Ref: credential.Ref{"client_id": id}}
}

func TestConformance(t *testing.T) {
	for _, algorithm := range []keypair.Algorithm{"ES256", "EdDSA"} {
		t.Run(string(algorithm), func(t *testing.T) {
			providertest.Run(t, func(t *testing.T) providertest.World {
				r, bundle := newRealm(t, algorithm)
				return providertest.World{
					Name: "sso", Target: target("billing"), Unknown: target("nobody"), Bundle: bundle, Field: credential.FieldPrivateKey,
					Canaries: []string{ownSecret, bundle[credential.FieldPrivateKey].Reveal(), "kept-by-keycloak"},
					Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
						return r.open(t, ownSecret, algorithm, transport)
					},
					Creates:  func(r *http.Request) bool { return r.Method == http.MethodPut },
					Verifies: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/token") },
					Created:  func() int { return r.Made("billing") },
				}
			})
		})
	}
}
