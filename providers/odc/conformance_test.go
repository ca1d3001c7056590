package odc_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/odc"
	"github.com/rotad/rotad/providers/providertest"
)

func TestConformance(t *testing.T) {
	for _, test := range []struct {
		name     string
		cloud    sandbox.ODCSettings
		settings odc.Settings
		mode     credential.Mode
	}{
		{"by hand", sandbox.ODCSettings{}, odc.Settings{}, credential.ModeManual},
		{"by hand, although there is an endpoint", sandbox.ODCSettings{API: true}, odc.Settings{API: "off"}, credential.ModeManual},
		{"by hand, until there is an endpoint", sandbox.ODCSettings{}, odc.Settings{API: "auto"}, credential.ModeManual},
		{
			"by the API, as soon as there is one",
			sandbox.ODCSettings{API: true, Epoch: true},
			odc.Settings{API: "auto", ClientID: "rotad", OverlapHours: 48},
			credential.ModeGraceWindow,
		},
		{"by the API, with an overlap", sandbox.ODCSettings{API: true}, odc.Settings{API: "on", OverlapHours: 24}, credential.ModeGraceWindow},
		{"by the API, without an overlap", sandbox.ODCSettings{API: true}, odc.Settings{API: "on"}, credential.ModeHardCutover},
	} {
		t.Run(test.name, func(t *testing.T) {
			providertest.Run(t, func(t *testing.T) providertest.World {
				w := newWorld(t, test.cloud)
				if caps := inspect(t, w.open(t, test.settings, nil)); caps.Mode != test.mode {
					t.Fatalf("mode %s, want %s (%s)", caps.Mode, test.mode, caps.Reason)
				}
				return providertest.World{
					Name: "odc", Target: target("billing"), Unknown: target("nobody"), Bundle: bundle("billing", firstSecret),
					Field: credential.FieldClientSecret, Canaries: []string{adminToken, ownSecret}, NoLook: true,
					Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
						return w.open(t, test.settings, transport)
					},
					Creates: func(r *http.Request) bool {
						return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/secrets/rotate")
					},
					Verifies: func(r *http.Request) bool { return r.URL.Path == sandbox.PathODCToken },
					Created:  func() int { return w.odc.Made("billing") },
					Accepts: func(b credential.Bundle) bool {
						answer, _ := w.odc.Login(t.Context(), b)
						return answer == providers.Accepted
					},
				}
			})
		})
	}
}
