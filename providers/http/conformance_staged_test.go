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

// TestConformanceOfThePresetSalesforce: with the secret the client_id changes, and the two slots have an answer each.
func TestConformanceOfThePresetSalesforce(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.World {
		s := sandbox.NewSalesforce(ticking(), "bearer", nil)
		server := httptest.NewServer(s.Handler())
		t.Cleanup(server.Close)
		if err := s.Register(sandbox.SalesforceConsumer{App: "0xI1", ID: "888A", Key: "3MVG9first", Secret: firstSecret}); err != nil {
			t.Fatal(err)
		}
		settings := kind.Settings{Preset: "salesforce", URL: server.URL, Access: kind.Access{TokenEnv: "T"}}
		return providertest.World{
			Name: "api", Target: providers.Target{Client: "c", Ref: credential.Ref{"parent": "0xI1", "id": "888A"}},
			Unknown: providers.Target{Ref: credential.Ref{"parent": "0xI1", "id": "888B"}}, Bundle: bundle("3MVG9first", firstSecret),
			Field: credential.FieldClientSecret, Canaries: []string{"bearer", firstSecret},
			Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
				return open(t, settings, transport)
			},
			Created: func() int { return s.Made("0xI1", "888A") },
			Accepts: func(b credential.Bundle) bool {
				return s.Accepts(b[credential.FieldClientID].Reveal(), b.Secret().Reveal())
			},
			Creates: func(r *http.Request) bool {
				return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/staged")
			},
			Verifies: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/token") },
		}
	})
}

// TestConformanceOfPresetsWithSecretsSideBySide: an id and a date, and nothing else.
func TestConformanceOfPresetsWithSecretsSideBySide(t *testing.T) {
	for preset, settings := range map[string]func(url string) kind.Settings{
		"workos": func(url string) kind.Settings {
			return kind.Settings{
				URL: url + sandbox.PathWorkOS, Access: kind.Access{TokenEnv: "T"}, Vars: map[string]string{"authkit": "sandbox"},
				Verify: kind.Proof{TokenURL: url + sandbox.PathWorkOS + "/oauth2/token"},
			}
		},
		"transmit": func(url string) kind.Settings {
			return kind.Settings{URL: url + sandbox.PathTransmit, Access: kind.Access{ClientID: "rotad", ClientSecretEnv: "S"}}
		},
	} {
		t.Run(preset, func(t *testing.T) {
			providertest.Run(t, func(t *testing.T) providertest.World {
				idp, url := standIn(t, sandbox.Settings{AdminToken: "bearer"})
				s := settings(url)
				s.Preset = preset
				w := world(t, idp, s)
				w.Creates = func(r *http.Request) bool {
					return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "secrets")
				}
				w.Verifies = func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/token") }
				return w
			})
		})
	}
}
