package http_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	kind "github.com/rotad/rotad/providers/http"
	"github.com/rotad/rotad/providers/providertest"
)

// single are the presets for servers that keep one secret per client, and what a block has to add.
func single(url string) map[string]kind.Settings {
	return map[string]kind.Settings{
		"auth0": {
			URL: url + sandbox.PathAuth0, Access: kind.Access{TokenEnv: "T"}, Vars: map[string]string{"audience": "https://api.example.com"},
		},
		"fusionauth": {URL: url + sandbox.PathFusionAuth, Access: kind.Access{TokenEnv: "T"}},
		"hydra": {
			URL: url + sandbox.PathHydra, Access: kind.Access{Anonymous: true}, Vars: map[string]string{"public": "sandbox"},
			Verify: kind.Proof{TokenURL: url + sandbox.PathHydra + "/oauth2/token"},
		},
		"zitadel": {URL: url + sandbox.PathZitadel, Access: kind.Access{TokenEnv: "T"}},
	}
}

func TestConformanceOfPresetsThatReplaceTheOneSecret(t *testing.T) {
	for preset := range single("") {
		t.Run(preset, func(t *testing.T) {
			providertest.Run(t, func(t *testing.T) providertest.World {
				return singleWorld(t, preset)
			})
		})
	}
}

// rotating are those whose replaced secret lives on.
func rotating(url string) map[string]kind.Settings {
	return map[string]kind.Settings{
		"broadcom": {
			URL: url + sandbox.PathBroker, Access: kind.Access{TokenEnv: "T"}, Vars: map[string]string{"tenant": "CUSTOMER"}, Grace: 2 * day,
		},
		"hydra-rotate": {
			URL: url + sandbox.PathHydra, Access: kind.Access{Anonymous: true}, Vars: map[string]string{"public": "sandbox"}, Grace: 2 * day,
			Verify: kind.Proof{TokenURL: url + sandbox.PathHydra + "/oauth2/token"},
		},
	}
}

func TestConformanceOfPresetsThatLetTheReplacedSecretLiveOn(t *testing.T) {
	for preset := range rotating("") {
		t.Run(preset, func(t *testing.T) {
			providertest.Run(t, func(t *testing.T) providertest.World {
				w := singleWorld(t, preset)
				w.Creates = func(r *http.Request) bool {
					return r.Method == http.MethodPost && (strings.Contains(r.URL.Path, "/oauth2-clients/") || strings.HasSuffix(r.URL.Path, "/rotate"))
				}
				return w
			})
		})
	}
}

func singleWorld(t *testing.T, preset string) providertest.World {
	t.Helper()
	s := sandbox.NewSingle(ticking(), "bearer", nil)
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	if err := s.Register("billing", firstSecret); err != nil {
		t.Fatal(err)
	}
	settings, once := single(server.URL)[preset]
	if !once {
		settings = rotating(server.URL)[preset]
	}
	settings.Preset = preset
	mine := target("billing")
	if preset == "zitadel" { // a user is named by its id
		mine.Ref = credential.Ref{"id": "billing"}
	}
	return providertest.World{
		Reads: func(r *http.Request) bool { return r.URL.Path == sandbox.PathZitadel+"/v2/users" },
		Name:  "api", Target: mine, Unknown: target("none"), Bundle: bundle("billing", firstSecret),
		Field: credential.FieldClientSecret, Canaries: []string{"bearer", firstSecret},
		Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
			return open(t, settings, transport)
		},
		Created: func() int { return s.Made("billing") },
		Accepts: func(b credential.Bundle) bool { return s.Accepts("billing", b.Secret().Reveal()) },
		Creates: func(r *http.Request) bool {
			return r.Method == http.MethodPatch || r.Method == http.MethodPost && strings.HasSuffix(strings.TrimSuffix(r.URL.Path, "-secret"), "secret") ||
				strings.HasSuffix(r.URL.Path, "/rotate-secret")
		},
		Verifies: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/token") },
	}
}
