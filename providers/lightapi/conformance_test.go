package lightapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/lightapi"
	"github.com/rotad/rotad/providers/providertest"
)

func TestConformance(t *testing.T) {
	for _, test := range []struct {
		name     string
		portal   sandbox.LightAPISettings
		settings lightapi.Settings
		auth     string
	}{
		{"JSON-RPC, with a token", sandbox.LightAPISettings{}, lightapi.Settings{}, "basic"},
		{"results in a text, errors with status 200", sandbox.LightAPISettings{Text: true, Inside: true}, lightapi.Settings{}, "post"},
		{
			"an older portal, with a client of rotad's own",
			sandbox.LightAPISettings{Legacy: true, Shown: true},
			lightapi.Settings{Wire: "legacy", ClientID: "rotad"},
			"basic",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			providertest.Run(t, func(t *testing.T) providertest.World {
				w := newPortal(t, test.portal, test.settings)
				mine := target("billing")
				mine.Verify.Auth = test.auth
				return providertest.World{
					Name: "portal", Target: mine, Unknown: target("nobody"), Bundle: bundle("billing", firstSecret),
					Field: credential.FieldClientSecret, Canaries: []string{adminToken, ownSecret},
					Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
						return w.open(t, test.settings, transport)
					},
					Creates:  func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/portal/command") },
					Verifies: func(r *http.Request) bool { return r.URL.Path == sandbox.PathLightOAuth },
					Created:  func() int { return w.Regenerated("billing") },
					Accepts:  func(b credential.Bundle) bool { return w.Accepts("billing", b.Secret()) },
				}
			})
		})
	}
}
