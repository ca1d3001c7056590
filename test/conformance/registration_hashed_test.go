package conformance_test

import (
	"crypto/rand"
	"os"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/dcr"
	"github.com/rotad/rotad/test/servers"
)

// TestRegistrationThatShowsNoSecret asks django-oauth-toolkit, which keeps verifiers: neither a read nor the reply to an
// update shows a secret. That the update has kept it is found out with a login, and the new token is not lost.
func TestRegistrationThatShowsNoSecret(t *testing.T) {
	cache, err := servers.OpenCache()
	must(t, err)
	dir, err := servers.TempDir()
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	server, err := servers.StartDjango(t.Context(), cache, "..", dir)
	must(t, err)
	t.Cleanup(server.Stop)
	r, err := server.Register(t.Context())
	must(t, err)
	open := func(rotates string) providers.Provider {
		p, err := dcr.Kind().Open(providers.Opening{
			Name: "reg", Settings: &dcr.Settings{URL: server.URL + "/register/", TokenURL: server.URL + "/token/", Rotates: rotates},
		})
		must(t, err)
		return p
	}
	bundle := bundleOf(r)
	bundle = keepsUnseen(t, open("update"), bundle)

	never := open("never")
	seen, err := never.Inspect(t.Context(), targetOf(r.ClientID, bundle))
	must(t, err)
	if seen.Caps.Mode != credential.ModeManual {
		t.Errorf("with rotates: never the mode is %s", seen.Caps.Mode)
	}
	wrong := credential.Bundle{
		credential.FieldClientID: credential.NewSensitive(r.ClientID), credential.FieldClientSecret: credential.NewSensitive(rand.Text()),
	}
	for want, b := range map[providers.Answer]credential.Bundle{providers.Accepted: bundle, providers.Refused: wrong} {
		if got, err := never.Verify(t.Context(), targetOf(r.ClientID, nil), b); got != want {
			t.Errorf("%s, want %s: %v", got, want, err)
		}
	}
}

// keepsUnseen asks twice for a new secret, each time with the token that came with the answer before.
func keepsUnseen(t *testing.T, p providers.Provider, bundle credential.Bundle) credential.Bundle {
	t.Helper()
	id := bundle[credential.FieldClientID].Reveal()
	for range 2 {
		seen, err := p.Inspect(t.Context(), targetOf(id, bundle))
		must(t, err)
		if len(seen.Secrets) != 0 || seen.Caps.Readable || seen.Caps.Mode != credential.ModeHardCutover {
			t.Errorf("%+v", seen)
		}
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
	}
	return bundle
}
