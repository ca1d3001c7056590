package awscognito_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/awscognito"
	"github.com/rotad/rotad/providers/providertest"
)

const (
	firstSecret = "first-secret-of-an-app-client"
	ownSecret   = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	own         = "[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = " + ownSecret + "\n"
	pool        = "eu-central-1_AbCdEf123"
)

// server is a stand-in with three app clients, and the adapter.
type server struct {
	*sandbox.Cognito

	url string
	now func() time.Time
}

// ticking is a clock that goes on by a second whenever it is read, so that no two secrets begin at the same time.
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

func newServer(t testing.TB) *server {
	t.Helper()
	now := ticking()
	s := &server{Cognito: sandbox.NewCognito(now, pool, "AKIDEXAMPLE", ownSecret, nil), now: now}
	for id, secret := range map[string]string{"billing": firstSecret, "other": "other-secret", "browser": ""} {
		if err := s.Register(id, secret); err != nil {
			t.Fatal(err)
		}
	}
	served := httptest.NewServer(s.Handler())
	t.Cleanup(served.Close)
	s.url = served.URL
	return s
}

func (s *server) open(t testing.TB, credentials string, transport http.RoundTripper) providers.Provider {
	t.Helper()
	p, err := awscognito.Kind().Open(providers.Opening{
		Name: "pool", Transport: transport, Deadline: 5 * time.Second, Now: s.now,
		Settings: &awscognito.Settings{UserPool: pool, URL: s.url, TokenURL: s.url + sandbox.PathCognitoToken},
		Secret:   func(string) (string, error) { return credentials, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func target(id string) providers.Target {
	return providers.Target{Client: "id-of-" + id, Ref: credential.Ref{"client_id": id}}
}

func bundle(id, secret string) credential.Bundle {
	return credential.Bundle{
		credential.FieldClientID: credential.NewSensitive(id), credential.FieldClientSecret: credential.NewSensitive(secret),
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
					Name: "pool", Target: mine, Unknown: target("nobody"), Bundle: bundle("billing", firstSecret),
					Field: credential.FieldClientSecret, Canaries: []string{ownSecret},
					Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
						return s.open(t, own, transport)
					},
					Creates: func(r *http.Request) bool {
						return strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".AddUserPoolClientSecret")
					},
					Verifies: func(r *http.Request) bool { return r.URL.Path == sandbox.PathCognitoToken },
					Created:  func() int { return s.Made("billing") },
					Accepts:  func(b credential.Bundle) bool { return s.Accepts("billing", b.Secret().Reveal()) },
				}
			})
		})
	}
}
