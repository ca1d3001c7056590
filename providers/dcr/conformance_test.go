package dcr_test

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/dcr"
	"github.com/rotad/rotad/providers/providertest"
)

// server is a stand-in with one client, and the Vault that holds its bundle.
type server struct {
	*sandbox.Registrar
	*sandbox.Faults

	url    string
	offset atomic.Int64
	vault  credential.Bundle // what Vault holds of the client
}

func start() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// registered is what the client registers: values of every sort, which must all survive an update.
func registered() map[string]any {
	return map[string]any{
		"client_name": "Billing <&>", "redirect_uris": []any{"https://billing.example.com/cb"}, "default_max_age": 1e9,
		"token_endpoint_auth_method": "client_secret_basic", "x_flag": true, "x_nothing": nil, "x_object": map[string]any{"a": []any{}},
	}
}

func newServer(t testing.TB, s sandbox.RegistrarSettings) *server {
	t.Helper()
	v := &server{Faults: sandbox.NewFaults(time.After)}
	v.Registrar = sandbox.NewRegistrar(func() time.Time { return start().Add(time.Duration(v.offset.Load())) }, s)
	web := httptest.NewServer(v.Wrap(v.Handler()))
	t.Cleanup(web.Close)
	v.url = web.URL
	secret, token, err := v.Register("billing", registered())
	if err != nil {
		t.Fatal(err)
	}
	v.vault = credential.Bundle{
		credential.FieldClientID: credential.NewSensitive("billing"), credential.FieldClientSecret: credential.NewSensitive(secret),
		credential.FieldRegistrationToken: credential.NewSensitive(token),
	}
	return v
}

func (v *server) uri() string { return v.url + sandbox.PathRegister + "/billing" }

func (v *server) open(t testing.TB, transport http.RoundTripper) providers.Provider {
	t.Helper()
	return v.openAs(t, transport, dcr.Settings{})
}

func (v *server) openAs(t testing.TB, transport http.RoundTripper, s dcr.Settings) providers.Provider {
	t.Helper()
	s.URL, s.TokenURL = v.url+sandbox.PathRegister+"/", v.url+sandbox.PathToken
	s.IntrospectionURL = v.url + sandbox.PathIntrospect
	p, err := dcr.Kind().Open(providers.Opening{Name: "reg", Settings: &s, Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// target is the client, with the key that Vault holds when it is asked.
func (v *server) target() providers.Target {
	return providers.Target{
		Client: "id-of-billing", Ref: credential.Ref{"client_id": "billing"},
		Held: func(context.Context) (credential.Bundle, error) { return maps.Clone(v.vault), nil },
	}
}

func TestConformance(t *testing.T) {
	for name, settings := range map[string]sandbox.RegistrarSettings{
		"the token stays":        {Rotates: true},
		"the token rotates":      {Rotates: true, RotatesToken: true},
		"the address is a query": {Rotates: true, RotatesToken: true, ByQuery: true, Life: 90 * 24 * time.Hour},
		"reads sign anew":        {Rotates: true, RotatesToken: true, ReadsResign: true},
	} {
		t.Run(name, func(t *testing.T) {
			providertest.Run(t, func(t *testing.T) providertest.World { return conformanceWorld(t, settings) })
		})
	}
}

func conformanceWorld(t *testing.T, settings sandbox.RegistrarSettings) providertest.World {
	v := newServer(t, settings)
	bundle := maps.Clone(v.vault)
	bundle[credential.FieldRegistrationURI] = credential.NewSensitive(v.uri())
	if settings.ByQuery {
		bundle[credential.FieldRegistrationURI] = credential.NewSensitive(v.url + sandbox.PathRegister + "?client_id=billing")
	}
	known := v.target()
	known.Held = nil // the suite keeps the bundles
	return providertest.World{
		Name: "reg", Target: known, Bundle: bundle, Field: credential.FieldClientSecret, Unknowable: true,
		Unknown: providers.Target{
			Ref:  credential.Ref{"client_id": "nobody"},
			Held: func(context.Context) (credential.Bundle, error) { return maps.Clone(v.vault), nil },
		},
		Open:     func(t *testing.T, transport http.RoundTripper) providers.Provider { return v.open(t, transport) },
		Creates:  func(r *http.Request) bool { return r.Method == http.MethodPut },
		Verifies: func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/oauth2/") },
		Created:  func() int { return v.Made("billing") },
		Accepts:  func(b credential.Bundle) bool { return v.Accepts("billing", b.Secret().Reveal()) },
		Mend: func(held credential.Bundle) credential.Bundle {
			held = maps.Clone(held)
			held[credential.FieldRegistrationToken] = credential.NewSensitive(v.Reissue("billing"))
			return held
		},
		Canaries: []string{v.vault[credential.FieldRegistrationToken].Reveal()},
	}
}
