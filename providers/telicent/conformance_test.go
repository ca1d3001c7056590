package telicent_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/providertest"
	"github.com/rotad/rotad/providers/telicent"
)

func TestConformance(t *testing.T) { providertest.Run(t, conformanceWorld) }

// ticking is a clock that goes on by a second whenever it is read, so that no two secrets begin at the same time.
func ticking() func() time.Time {
	var mu sync.Mutex
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		at = at.Add(time.Second)
		return at
	}
}

func conformanceWorld(t *testing.T) providertest.World {
	idp := sandbox.NewIdP(ticking(), sandbox.Settings{AdminToken: "bearer"})
	if err := idp.Register(sandbox.Registration{ClientID: "billing", Secret: firstSecret, TTL: 365 * day}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(idp.Handler())
	t.Cleanup(server.Close)
	return providertest.World{
		Name:   "auth",
		Target: target("billing"), Unknown: target("none"), Bundle: bundle("billing", firstSecret),
		Field: credential.FieldClientSecret, Canaries: []string{"bearer"},
		Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
			p, err := telicent.Kind().Open(providers.Opening{
				Name: "auth", Transport: transport,
				Settings: &telicent.Settings{URL: server.URL + sandbox.PathTelicent, TokenEnv: "TOKEN"},
				Secret:   func(string) (string, error) { return "bearer", nil },
			})
			if err != nil {
				t.Fatal(err)
			}
			return p
		},
		Creates: func(r *http.Request) bool {
			return r.Method == http.MethodPost && strings.Contains(r.URL.Path, "/clients/")
		},
		Verifies: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/oauth2/token") },
		Created:  func() int { return idp.Made("billing") },
		Accepts: func(b credential.Bundle) bool {
			answer, _ := idp.Login(t.Context(), b)
			return answer == providers.Accepted
		},
	}
}
