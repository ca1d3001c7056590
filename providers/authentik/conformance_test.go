package authentik_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/authentik"
	"github.com/rotad/rotad/providers/providertest"
)

const (
	firstSecret = "first secret with a space & more"
	apiToken    = "the-api-token-of-rotad"
)

// server is a stand-in with two clients, bad days, and the adapter.
type server struct {
	*sandbox.Authentik

	faults *sandbox.Faults
	url    string
}

func newServer(t testing.TB) *server {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }
	s := &server{Authentik: sandbox.NewAuthentik(now, apiToken, nil), faults: sandbox.NewFaults(time.After)}
	for _, c := range []sandbox.AuthentikClient{
		{ClientID: "other"}, {ClientID: "billing", Secret: firstSecret}, {ClientID: "browser", Public: true}, {ClientID: "shy", Hidden: true},
	} {
		if err := s.Register(c); err != nil {
			t.Fatal(err)
		}
	}
	served := httptest.NewServer(s.faults.Wrap(s.Handler()))
	t.Cleanup(served.Close)
	s.url = served.URL
	return s
}

func (s *server) open(t testing.TB, token string, transport http.RoundTripper) providers.Provider {
	t.Helper()
	p, err := authentik.Kind().Open(providers.Opening{
		Name: "auth", Settings: &authentik.Settings{URL: s.url + "/"}, Transport: transport, Deadline: 5 * time.Second,
		Secret:  func(string) (string, error) { return token + "\n", nil },
		Elapsed: func() time.Duration { return 0 },
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func target(clientID string) providers.Target {
	return providers.Target{Client: "id-of-" + clientID, Ref: credential.Ref{"client_id": clientID}}
}

func bundle(clientID, secret string) credential.Bundle {
	return credential.Bundle{
		credential.FieldClientID: credential.NewSensitive(clientID), credential.FieldClientSecret: credential.NewSensitive(secret),
	}
}

func TestConformance(t *testing.T) {
	for _, auth := range []string{"basic", "post"} {
		t.Run(auth, func(t *testing.T) {
			providertest.Run(t, func(t *testing.T) providertest.World {
				s := newServer(t)
				mine := target("billing")
				mine.Verify.Auth = auth
				return providertest.World{
					Name: "auth", Target: mine, Unknown: target("nobody"), Bundle: bundle("billing", firstSecret),
					Field: credential.FieldClientSecret, Canaries: []string{apiToken},
					Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
						return s.open(t, apiToken, transport)
					},
					Creates:  func(r *http.Request) bool { return r.Method == http.MethodPatch },
					Verifies: func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, sandbox.PathAuthentikToken) },
					Created:  func() int { return s.Made("billing") },
					Accepts:  func(b credential.Bundle) bool { return s.Accepts("billing", b.Secret().Reveal()) },
				}
			})
		})
	}
}
