package auth0keys_test

import (
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
	"github.com/rotad/rotad/providers/auth0keys"
	"github.com/rotad/rotad/providers/providertest"
)

const ownSecret = "the-secret-of-rotads-own-application"

// first is the key that applications log in with at first. It is made once: a key of RSA takes its time.
var first = sync.OnceValues(func() (credential.Bundle, error) {
	key, err := keypair.Make("RS256")
	if err != nil {
		return nil, err
	}
	return keypair.Bundle("billing", "RS256", key)
})

// tenant is a stand-in with two applications, one of them with a secret, and the adapter.
type tenant struct {
	*sandbox.Auth0Keys

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

func newTenant(t testing.TB) (*tenant, credential.Bundle) {
	t.Helper()
	bundle, err := first()
	if err != nil {
		t.Fatal(err)
	}
	signer, _, err := keypair.Of(bundle)
	if err != nil {
		t.Fatal(err)
	}
	public, err := keypair.PublicPEM(signer.Public())
	if err != nil {
		t.Fatal(err)
	}
	s := &tenant{now: ticking()}
	s.Auth0Keys = sandbox.NewAuth0Keys(s.now, "rotad", ownSecret, func() string { return s.url + "/" })
	if err := s.Register("billing", bundle[credential.FieldKeyID].Reveal(), public); err != nil {
		t.Fatal(err)
	}
	if err := s.Register("secretive", "", ""); err != nil {
		t.Fatal(err)
	}
	served := httptest.NewServer(s.Handler())
	t.Cleanup(served.Close)
	s.url = served.URL
	return s, bundle
}

func (s *tenant) open(t testing.TB, own string, transport http.RoundTripper) providers.Provider {
	t.Helper()
	p, err := auth0keys.Kind().Open(providers.Opening{
		Name: "tenant", Settings: &auth0keys.Settings{URL: s.url + "/", ClientID: "rotad", Audience: "https://api.example.com"}, Transport: transport,
		Deadline: 5 * time.Second, Now: s.now, Elapsed: func() time.Duration { return 0 }, Secret: func(string) (string, error) { return own, nil },
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
	providertest.Run(t, func(t *testing.T) providertest.World {
		s, bundle := newTenant(t)
		return providertest.World{
			Name: "tenant", Target: target("billing"), Unknown: target("nobody"), Bundle: bundle, Field: credential.FieldPrivateKey,
			Canaries: []string{ownSecret, bundle[credential.FieldPrivateKey].Reveal()},
			Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
				return s.open(t, ownSecret, transport)
			},
			Creates:  func(r *http.Request) bool { return r.Method == http.MethodPatch }, // until then nobody can log in with the new key
			Verifies: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/oauth/token") },
			Created:  func() int { return s.Made("billing") },
		}
	})
}
