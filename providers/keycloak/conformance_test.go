package keycloak_test

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
	"github.com/rotad/rotad/providers/keycloak"
	"github.com/rotad/rotad/providers/providertest"
)

const (
	adminSecret = "admin+secret/with=odd&chars"
	firstSecret = "first secret with a space & more"
)

// realm is a stand-in with a clock that tests move.
type realm struct {
	*sandbox.Keycloak

	server *httptest.Server
	offset atomic.Int64
}

func newRealm(t testing.TB, s sandbox.KeycloakSettings) *realm {
	t.Helper()
	r := &realm{}
	s.AdminSecret = adminSecret
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	r.Keycloak = sandbox.NewKeycloak(func() time.Time { return start.Add(time.Duration(r.offset.Load())) }, s)
	r.server = httptest.NewServer(r.Handler())
	t.Cleanup(r.server.Close)
	return r
}

func (r *realm) advance(d time.Duration) { r.offset.Add(int64(d)) }

func (r *realm) open(t *testing.T, transport http.RoundTripper) providers.Provider {
	t.Helper()
	p, err := keycloak.Kind().Open(providers.Opening{
		Name:     "sso",
		Settings: &keycloak.Settings{URL: r.server.URL + "/", Realm: "sandbox", ClientID: "rotad"},
		Secret: func(name string) (string, error) {
			if name != "client_secret" {
				t.Errorf("the secret %q is asked for", name)
			}
			return adminSecret, nil
		},
		Transport: transport,
		Elapsed:   func() time.Duration { return time.Duration(r.offset.Load()) },
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

func world(t *testing.T, s sandbox.KeycloakSettings, method credential.VerifyMethod, auth string) providertest.World {
	t.Helper()
	r := newRealm(t, s)
	for _, c := range []sandbox.KeycloakClient{
		{ClientID: "billing", Secret: firstSecret, ServiceAccount: true}, {ClientID: "other"},
	} {
		if err := r.Register(c); err != nil {
			t.Fatal(err)
		}
	}
	mine := target("billing")
	mine.Verify.Method, mine.Verify.Auth = method, auth
	return providertest.World{
		Name: "sso", Open: r.open, Target: mine, Unknown: target("nobody"),
		Bundle: bundle("billing", firstSecret), Field: credential.FieldClientSecret,
		Creates: func(req *http.Request) bool {
			return req.Method == http.MethodPost && strings.HasSuffix(req.URL.Path, "/client-secret")
		},
		Verifies: func(req *http.Request) bool { return strings.Contains(req.URL.Path, "/token") },
		Created:  func() int { return r.Replaced("billing") },
		Accepts: func(b credential.Bundle) bool {
			return r.Accepts("billing", b.Secret())
		},
		Canaries: []string{adminSecret, firstSecret},
	}
}

func TestConformance(t *testing.T) {
	policy := &sandbox.KeycloakPolicy{}
	for _, test := range []struct {
		name     string
		settings sandbox.KeycloakSettings
		method   credential.VerifyMethod
		auth     string
	}{
		{"a policy covers the client", sandbox.KeycloakSettings{Policy: policy}, credential.VerifyAuto, "basic"},
		{"no policy", sandbox.KeycloakSettings{}, credential.VerifyClientCredentials, "post"},
		{"a policy that may not be read", sandbox.KeycloakSettings{NoViewRealm: true}, credential.VerifyIntrospection, "basic"},
	} {
		t.Run(test.name, func(t *testing.T) {
			providertest.Run(t, func(t *testing.T) providertest.World {
				return world(t, test.settings, test.method, test.auth)
			})
		})
	}
}
