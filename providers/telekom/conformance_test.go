package telekom_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/providertest"
	"github.com/rotad/rotad/providers/telekom"
)

func TestConformance(t *testing.T) {
	older := slow()
	older.OldNames, older.ZeroTimes = true, true
	for name, test := range map[string]struct {
		settings sandbox.RoverSettings
		app      sandbox.RoverApp
		grace    time.Duration
		method   credential.VerifyMethod
	}{
		"a zone with the feature":        {slow(), sandbox.RoverApp{}, 7 * day, credential.VerifyAuto},
		"an older build":                 {older, sandbox.RoverApp{}, 7 * day, credential.VerifyAuthCode},
		"a zone without the feature":     {slow(), sandbox.RoverApp{Off: true}, 0, credential.VerifyAuto},
		"a zone without it, older build": {older, sandbox.RoverApp{Off: true}, 0, credential.VerifyAuto},
	} {
		t.Run(name, func(t *testing.T) {
			providertest.Run(t, func(t *testing.T) providertest.World {
				return conformanceWorld(t, newWorld(t, test.settings, test.app), test.grace, test.method)
			})
		})
	}
}

func conformanceWorld(t *testing.T, w *world, grace time.Duration, method credential.VerifyMethod) providertest.World {
	t.Helper()
	mine, unknown := target(grace), target(grace)
	mine.Verify.Method = method
	unknown.Ref = credential.Ref{"application": "none"}
	return providertest.World{
		Name: "plane", Target: mine, Unknown: unknown, Bundle: bundle(firstSecret), Field: credential.FieldClientSecret,
		Canaries: []string{teamSecret, w.blob()}, ValueIsRead: true,
		Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
			return w.open(t, &telekom.Settings{RoverTokenEnv: "ROVER_TOKEN", SecretRotation: "auto"}, transport)
		},
		Creates: func(r *http.Request) bool { return r.Method == http.MethodPatch },
		Verifies: func(r *http.Request) bool {
			id, _, _ := r.BasicAuth()
			return strings.HasSuffix(r.URL.Path, "/token") && strings.HasSuffix(id, "--billing")
		},
		Created: func() int { return w.rover.Made("billing") },
		Accepts: func(b credential.Bundle) bool { return w.rover.Accepts("billing", b.Secret()) },
	}
}
