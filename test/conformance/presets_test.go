package conformance_test

import (
	"crypto/rand"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	rest "github.com/rotad/rotad/providers/http"
	"github.com/rotad/rotad/providers/providertest"
	"github.com/rotad/rotad/test/servers"
)

// TestConformanceHydra runs the suite with the preset hydra against a real Ory Hydra.
func TestConformanceHydra(t *testing.T) {
	cache, err := servers.OpenCache()
	must(t, err)
	dir, err := servers.TempDir()
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	h, err := servers.StartHydra(t.Context(), cache, "..", dir)
	must(t, err)
	t.Cleanup(h.Stop)
	providertest.Run(t, func(t *testing.T) providertest.World {
		t.Helper()
		return hydraWorld(t, h)
	})
}

func hydraSettings(h *servers.Hydra) rest.Settings {
	return rest.Settings{
		Preset: "hydra", URL: h.Admin, Vars: map[string]string{"public": "unused"}, Access: rest.Access{Anonymous: true},
		Verify: rest.Proof{TokenURL: h.Public + "/oauth2/token"}, // the preset's is https
	}
}

func openRest(t *testing.T, s rest.Settings, transport http.RoundTripper) providers.Provider {
	t.Helper()
	s.Validate(func(path, what, hint string) { t.Errorf("%s %s (%s)", path, what, hint) })
	p, err := rest.Kind().Open(providers.Opening{
		Name: "api", Settings: &s, Transport: transport, Elapsed: elapsed(), Secret: func(string) (string, error) { return "unused", nil },
	})
	must(t, err)
	return p
}

func hydraWorld(t *testing.T, h *servers.Hydra) providertest.World {
	t.Helper()
	const first = "first-secret_of.a~client"
	id := "client-" + rand.Text()[:8]
	must(t, h.Register(t.Context(), id, first))
	creates := func(r *http.Request) bool { return r.Method == http.MethodPatch }
	count := &counter{creates: creates}
	return providertest.World{
		Name: "api", Transport: count, Target: targetOf(id, nil), Unknown: targetOf("nobody", nil), Field: credential.FieldClientSecret,
		Bundle: credential.Bundle{
			credential.FieldClientID: credential.NewSensitive(id), credential.FieldClientSecret: credential.NewSensitive(first),
		},
		Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
			t.Helper()
			return openRest(t, hydraSettings(h), transport)
		},
		Creates: creates, Verifies: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/token") },
		Created: func() int { return int(count.made.Load()) },
		Accepts: func(b credential.Bundle) bool {
			ok, err := h.Accepts(t.Context(), id, b.Secret().Reveal())
			must(t, err)
			return ok
		},
		Canaries: []string{first},
	}
}
