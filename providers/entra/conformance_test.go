package entra_test

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
	"github.com/rotad/rotad/providers/entra"
	"github.com/rotad/rotad/providers/providertest"
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
	idp := sandbox.NewIdP(ticking(), sandbox.Settings{})
	for _, r := range []sandbox.Registration{
		{ClientID: "rotad", Secret: "rotads-own", Admin: true, Roles: []string{"Application.ReadWrite.OwnedBy"}}, {ClientID: "app", Secret: firstSecret, TTL: time.Hour},
	} {
		if err := idp.Register(r); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(idp.Handler())
	t.Cleanup(server.Close)
	return providertest.World{
		Name:   "corp",
		Target: app(), Unknown: providers.Target{Ref: credential.Ref{"app_id": "none"}},
		Bundle: bundle("app", firstSecret), Field: credential.FieldClientSecret, Canaries: []string{"rotads-own"},
		Expires: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
		Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
			p, err := entra.Kind().Open(providers.Opening{
				Name: "corp", Transport: transport,
				Settings: &entra.Settings{
					TenantID: "tenant", ClientID: "rotad",
					GraphURL: server.URL + sandbox.PathGraph, LoginURL: server.URL + sandbox.PathLogin,
				},
				Secret: func(string) (string, error) { return "rotads-own", nil },
			})
			if err != nil {
				t.Fatal(err)
			}
			return p
		},
		Creates:  func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/addPassword") },
		Verifies: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/token") },
		Created:  func() int { return idp.Made("app") },
		Accepts: func(b credential.Bundle) bool {
			answer, _ := idp.Login(t.Context(), b)
			return answer == providers.Accepted
		},
	}
}
