package conformance_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/jwks"
	"github.com/rotad/rotad/test/servers"
)

// signer publishes the keys of a client and logs in with them.
type signer struct {
	providers.Provider
	*testing.T

	target providers.Target
	keys   string // where they are published
}

// newSigner publishes at one address whatever the client is called: a server may name it only when it knows the address.
func newSigner(t *testing.T, token, audience, algorithm string) *signer {
	t.Helper()
	p, err := jwks.Kind().Open(providers.Opening{Name: "keys", Settings: &jwks.Settings{
		TokenURL: token, Audience: audience, Directory: t.TempDir(), Algorithm: algorithm, MaxAge: 10 * time.Second,
	}})
	must(t, err)
	publisher, _ := providers.AsPublisher(p)
	s := &signer{Provider: p, T: t}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = "/" + s.target.Client + ".json"
		publisher.Published().ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.keys = server.URL
	return s
}

func (s *signer) called(client string) {
	s.target = providers.Target{Client: client, Ref: credential.Ref{"client_id": client}}
}

// made is a pair whose public half is published.
func (s *signer) made(label string) (credential.Bundle, string) {
	s.Helper()
	generator, _ := providers.AsGenerator(s.Provider)
	pair, err := generator.Generate(s.target)
	must(s.T, err)
	issued, err := s.Create(s.Context(), s.target, providers.Request{Proposed: pair, Label: label})
	must(s.T, err)
	return pair, issued.Secret.ID
}

// becomes waits until a server answers a pair in a way, and returns how long that took.
func (s *signer) becomes(b credential.Bundle, want providers.Answer, what string) time.Duration {
	s.Helper()
	began := time.Now()
	err := servers.Until(s.Context(), 90*time.Second, time.Second, func(ctx context.Context) error {
		got, err := s.Verify(ctx, s.target, b)
		if got == want {
			return nil
		}
		return fmt.Errorf("the server says %s, %v", got, err)
	})
	if err != nil {
		s.Fatalf("%s: %v", what, err)
	}
	return time.Since(began)
}

// life rotates a key with logins by old and new at every step.
func (s *signer) life() {
	s.Helper()
	old, oldID := s.made("rotad/one/1")
	s.becomes(old, providers.Accepted, "the first key")
	fresh, _ := s.made("rotad/two/1")
	s.becomes(old, providers.Accepted, "the old key beside the new one")
	known := s.becomes(fresh, providers.Accepted, "the new key")
	s.becomes(old, providers.Accepted, "the old key after the new one was used")
	revoker, _ := providers.AsRevoker(s.Provider)
	must(s.T, revoker.Revoke(s.Context(), s.target, oldID))
	gone := s.becomes(old, providers.Refused, "the old key after it was dropped")
	s.becomes(fresh, providers.Accepted, "the new key alone")
	s.Logf("a new key is known after %v, a dropped one refused after %v", known.Round(time.Second), gone.Round(time.Second))
}

// TestKeysAtKeycloak rotates the keys of a client with the authenticator "Signed JWT".
func TestKeysAtKeycloak(t *testing.T) {
	t.Parallel()
	k := startKeycloak(t)
	must(t, k.CreateRealm(t.Context(), servers.Realm{Name: "signing"}))
	issuer := k.URL + "/realms/signing"
	for _, algorithm := range []string{"ES256", "RS256", "EdDSA"} {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			s := newSigner(t, issuer+"/protocol/openid-connect/token", issuer, algorithm)
			s.called("bff-" + algorithm)
			must(t, k.AddSigningClient(t.Context(), "signing", "bff-"+algorithm, s.keys))
			s.life()
		})
	}
}

// TestKeysAtOIDCProvider rotates the keys of a client of node-oidc-provider, which keeps a set for a minute at the least.
func TestKeysAtOIDCProvider(t *testing.T) {
	t.Parallel()
	cache, err := servers.OpenCache()
	must(t, err)
	dir, err := servers.TempDir()
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	p, err := servers.StartOIDCProvider(t.Context(), cache, "..", dir)
	must(t, err)
	t.Cleanup(p.Stop)
	s := newSigner(t, p.URL+"/token", p.URL, "ES256")
	r, err := p.RegisterSigning(t.Context(), s.keys)
	must(t, err)
	s.called(r.ClientID)
	s.life()
}
