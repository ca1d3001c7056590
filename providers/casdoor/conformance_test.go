package casdoor_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/casdoor"
	"github.com/rotad/rotad/providers/providertest"
)

const (
	firstSecret = "first secret with a space & more"
	ownSecret   = "the-secret-of-rotads-own-application"
)

// server is a stand-in with two applications, bad days, and the adapter.
type server struct {
	*sandbox.Casdoor

	faults *sandbox.Faults
	url    string
}

func newServer(t testing.TB) *server {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }
	s := &server{Casdoor: sandbox.NewCasdoor(now, "rotad", ownSecret, nil), faults: sandbox.NewFaults(time.After)}
	for _, name := range []string{"other", "billing"} {
		if err := s.Register(name, firstSecret); err != nil {
			t.Fatal(err)
		}
	}
	served := httptest.NewServer(s.faults.Wrap(s.Handler()))
	t.Cleanup(served.Close)
	s.url = served.URL
	return s
}

func (s *server) open(t testing.TB, own string, transport http.RoundTripper) providers.Provider {
	t.Helper()
	p, err := casdoor.Kind().Open(providers.Opening{
		Name: "door", Settings: &casdoor.Settings{URL: s.url + "/", ClientID: "rotad"}, Transport: transport, Deadline: 5 * time.Second,
		Secret:  func(string) (string, error) { return own + "\n", nil },
		Elapsed: func() time.Duration { return 0 },
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func target(id string) providers.Target {
	return providers.Target{Client: "id", Ref: credential.Ref{"application": id}}
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
				mine := target("admin/billing")
				mine.Verify.Auth = auth
				return providertest.World{
					Name: "door", Target: mine, Unknown: target("admin/nobody"), Bundle: bundle("id-of-billing", firstSecret),
					Field: credential.FieldClientSecret, Canaries: []string{ownSecret},
					Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
						return s.open(t, ownSecret, transport)
					},
					Creates:  func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, sandbox.PathCasdoorUpdate) },
					Verifies: func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, sandbox.PathCasdoorToken) },
					Created:  func() int { return s.Made("billing") },
					Accepts:  func(b credential.Bundle) bool { return s.Accepts("billing", b.Secret().Reveal()) },
				}
			})
		})
	}
}
