package conformance_test

import (
	"context"
	"crypto/rand"
	"maps"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/dcr"
	"github.com/rotad/rotad/providers/providertest"
	"github.com/rotad/rotad/test/servers"
)

// TestConformanceRegistration runs the suite against the client registration of a real Keycloak, in a realm whose policy
// lets every update replace the secret at once. Keycloak replaces the registration access token with it.
func TestConformanceRegistration(t *testing.T) {
	k := startKeycloak(t)
	must(t, k.CreateRealm(t.Context(), servers.Realm{Name: "updating", Expiration: time.Hour, Remaining: time.Hour}))
	providertest.Run(t, func(t *testing.T) providertest.World {
		t.Helper()
		return registrationWorld(t, k, "updating")
	})
}

func startKeycloak(t *testing.T) *servers.Keycloak {
	t.Helper()
	cache, err := servers.OpenCache()
	must(t, err)
	dir, err := servers.TempDir()
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	k, err := servers.StartKeycloak(t.Context(), cache, dir)
	must(t, err)
	t.Cleanup(k.Stop)
	return k
}

// registeredAt registers a client in a realm, and returns what it was given.
func registeredAt(t *testing.T, k *servers.Keycloak, realm string) credential.Bundle {
	t.Helper()
	r, err := k.Register(t.Context(), realm)
	must(t, err)
	return bundleOf(r)
}

// bundleOf is what a person writes to Vault after a registration.
func bundleOf(r servers.Registration) credential.Bundle {
	return credential.Bundle{
		credential.FieldClientID: credential.NewSensitive(r.ClientID), credential.FieldClientSecret: credential.NewSensitive(r.Secret),
		credential.FieldRegistrationToken: credential.NewSensitive(r.Token), credential.FieldRegistrationURI: credential.NewSensitive(r.URI),
	}
}

func openRegistration(t *testing.T, k *servers.Keycloak, realm string, transport http.RoundTripper) providers.Provider {
	t.Helper()
	base := k.URL + "/realms/" + realm
	p, err := dcr.Kind().Open(providers.Opening{
		Name: "reg", Transport: transport,
		Settings: &dcr.Settings{URL: base + servers.KeycloakRegistrations, TokenURL: base + "/protocol/openid-connect/token"},
	})
	must(t, err)
	return p
}

func registrationWorld(t *testing.T, k *servers.Keycloak, realm string) providertest.World {
	t.Helper()
	bundle := registeredAt(t, k, realm)
	id := bundle[credential.FieldClientID].Reveal()
	creates := func(r *http.Request) bool { return r.Method == http.MethodPut }
	count := &counter{creates: creates}
	stranger := maps.Clone(bundle)
	delete(stranger, credential.FieldRegistrationURI)
	return providertest.World{
		Name: "reg", Transport: count, Target: targetOf(id, nil), Unknown: targetOf("nobody", stranger), Unknowable: true,
		Bundle: bundle, Field: credential.FieldClientSecret,
		Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
			t.Helper()
			return openRegistration(t, k, realm, transport)
		},
		Creates: creates, Verifies: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/token") },
		Created: func() int { return int(count.made.Load()) },
		Accepts: func(b credential.Bundle) bool {
			ok, err := k.Accepts(t.Context(), realm, id, b.Secret().Reveal())
			must(t, err)
			return ok
		},
		Mend: func(held credential.Bundle) credential.Bundle {
			token, err := k.RegistrationToken(t.Context(), realm, id)
			must(t, err)
			held = maps.Clone(held)
			held[credential.FieldRegistrationToken] = credential.NewSensitive(token)
			return held
		},
		Canaries: []string{bundle.Secret().Reveal(), bundle[credential.FieldRegistrationToken].Reveal()},
	}
}

// targetOf is a client whose bundle Vault holds; nil = the suite keeps it.
func targetOf(id string, held credential.Bundle) providers.Target {
	t := providers.Target{Client: id, Ref: credential.Ref{"client_id": id}}
	if held != nil {
		t.Held = func(context.Context) (credential.Bundle, error) { return maps.Clone(held), nil }
	}
	return t
}

// mustKeep asks a server for a new secret that it will not make. Nothing may be rotated, that must be said, and the key
// that came with the refusal must be the one that is good now.
func mustKeep(t *testing.T, p providers.Provider, bundle credential.Bundle) {
	t.Helper()
	id := bundle[credential.FieldClientID].Reveal()
	seen, err := p.Inspect(t.Context(), targetOf(id, bundle))
	must(t, err)
	if len(seen.Secrets) != 1 || !seen.Caps.Readable || seen.ClientID != id {
		t.Errorf("%+v", seen)
	}
	for range 2 {
		issued, err := p.Create(t.Context(), targetOf(id, bundle), providers.Request{})
		if providers.ClassOf(err) != providers.ClassUnsupported || !providers.Definite(err) {
			t.Fatalf("%v, want an error that says that the secret was kept", err)
		}
		if !issued.Bundle.Login().Equal(bundle.Login()) {
			t.Fatal("the bundle that is to be kept logs in otherwise")
		}
		if issued.Bundle[credential.FieldRegistrationToken].Equal(bundle[credential.FieldRegistrationToken]) {
			t.Error("the server has kept the token as well: this shows nothing")
		}
		if _, err := p.Inspect(t.Context(), targetOf(id, bundle)); providers.ClassOf(err) != providers.ClassAuth {
			t.Errorf("the replaced token: %v", err)
		}
		bundle = issued.Bundle
		if got, err := p.Verify(t.Context(), targetOf(id, nil), bundle); got != providers.Accepted {
			t.Errorf("after an update that kept the secret: %s, %v", got, err)
		}
	}
}

// TestRegistrationKeepsTheSecret asks real servers that do not rotate: node-oidc-provider, which never does, and Keycloak
// without a policy.
func TestRegistrationKeepsTheSecret(t *testing.T) {
	t.Run("node-oidc-provider", func(t *testing.T) {
		cache, err := servers.OpenCache()
		must(t, err)
		dir, err := servers.TempDir()
		must(t, err)
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		server, err := servers.StartOIDCProvider(t.Context(), cache, "..", dir)
		must(t, err)
		t.Cleanup(server.Stop)
		r, err := server.Register(t.Context())
		must(t, err)
		p, err := dcr.Kind().Open(providers.Opening{
			Name: "reg", Settings: &dcr.Settings{URL: server.URL + "/reg", TokenURL: server.URL + "/token"},
		})
		must(t, err)
		mustKeep(t, p, bundleOf(r))
		wrong := credential.Bundle{
			credential.FieldClientID: credential.NewSensitive(r.ClientID), credential.FieldClientSecret: credential.NewSensitive(rand.Text()),
		}
		if got, err := p.Verify(t.Context(), targetOf(r.ClientID, nil), wrong); got != providers.Refused {
			t.Errorf("a wrong secret: %s, %v", got, err)
		}
	})
	t.Run("keycloak without a policy", func(t *testing.T) {
		k := startKeycloak(t)
		must(t, k.CreateRealm(t.Context(), servers.Realm{Name: "keeping"}))
		mustKeep(t, openRegistration(t, k, "keeping", nil), registeredAt(t, k, "keeping"))
	})
}
