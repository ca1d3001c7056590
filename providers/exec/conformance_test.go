package exec

import (
	"maps"
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
	"github.com/rotad/rotad/providers/vaultapprole"
)

const (
	firstSecret = "first-secret-of-the-client"
	ownSecret   = "rotads-own-secret"
)

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

// opened is the kind with the test's own program, which reaches a server through a transport.
func opened(server string, settings map[string]string, secretField string) func(*testing.T, http.RoundTripper) providers.Provider {
	return func(t *testing.T, transport http.RoundTripper) providers.Provider {
		t.Helper()
		address := providertest.Bridge(t, server, transport)
		mine := maps.Clone(settings)
		for name, value := range mine {
			mine[name] = strings.Replace(value, "{server}", address, 1)
		}
		p, err := Kind().Open(providers.Opening{
			Name: "portal", Settings: &Settings{
				ProgramFile: programFile, Environment: map[string]string{asProgram: adapter, quickExit: "atexit_sleep_ms=0"}, Settings: mine,
				CredentialFile: "/run/secrets/portal", SecretField: secretField,
			},
			Secret: func(string) (string, error) { return ownSecret, nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
}

func serverOf(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func clientBy(ref, id string) providers.Target {
	return providers.Target{Client: "the-client", Ref: credential.Ref{ref: id}}
}

func bundle(id, secret string) credential.Bundle {
	return credential.Bundle{
		credential.FieldClientID: credential.NewSensitive(id), credential.FieldClientSecret: credential.NewSensitive(secret),
	}
}

func idp(t *testing.T, s sandbox.Settings) (*sandbox.IdP, string) {
	t.Helper()
	p := sandbox.NewIdP(ticking(), s)
	for _, r := range []sandbox.Registration{
		{ClientID: "rotad", Secret: ownSecret, Admin: true}, {ClientID: "billing", Secret: firstSecret, TTL: 365 * 24 * time.Hour},
	} {
		if err := p.Register(r); err != nil {
			t.Fatal(err)
		}
	}
	return p, serverOf(t, p.Handler())
}

func logsIn(t *testing.T, p *sandbox.IdP) func(credential.Bundle) bool {
	return func(b credential.Bundle) bool {
		answer, _ := p.Login(t.Context(), b)
		return answer == providers.Accepted
	}
}

// TestConformance runs the suite with programs of every automatic overlap mode.
func TestConformance(t *testing.T) {
	for name, build := range map[string]func(*testing.T) providertest.World{
		"two-slot": twoSlot, "grace-window": graceWindow, "grace-window, value readable": readable, "caller-chosen": callerChosen,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			providertest.Run(t, func(t *testing.T) providertest.World {
				w := build(t)
				w.Name, w.Bridged = "portal", true
				w.Canaries = append(w.Canaries, ownSecret, firstSecret)
				return w
			})
		})
	}
}

func twoSlot(t *testing.T) providertest.World {
	p, server := idp(t, sandbox.Settings{})
	return providertest.World{
		Open:   opened(server, map[string]string{"kind": "entra", "graph": "{server}" + sandbox.PathGraph, "login": "{server}" + sandbox.PathLogin}, ""),
		Target: clientBy("app_id", "billing"), Unknown: clientBy("app_id", "nobody"),
		Bundle: bundle("billing", firstSecret), Field: credential.FieldClientSecret,
		Creates:  func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/addPassword") },
		Verifies: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/token") },
		Created:  func() int { return p.Made("billing") }, Accepts: logsIn(t, p),
		Expires: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

func graceWindow(t *testing.T) providertest.World {
	p, server := idp(t, sandbox.Settings{AdminToken: ownSecret})
	return providertest.World{
		Open:   opened(server, map[string]string{"kind": "telicent", "url": "{server}" + sandbox.PathTelicent}, ""),
		Target: clientBy("client_id", "billing"), Unknown: clientBy("client_id", "nobody"),
		Bundle: bundle("billing", firstSecret), Field: credential.FieldClientSecret,
		Creates: func(r *http.Request) bool {
			return r.Method == http.MethodPost && strings.Contains(r.URL.Path, "/clients/")
		},
		Verifies: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/oauth2/token") },
		Created:  func() int { return p.Made("billing") }, Accepts: logsIn(t, p),
	}
}

func readable(t *testing.T) providertest.World {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	k := sandbox.NewKeycloak(func() time.Time { return at }, sandbox.KeycloakSettings{Realm: "staff", AdminSecret: ownSecret, Policy: &sandbox.KeycloakPolicy{}})
	if err := k.Register(sandbox.KeycloakClient{ClientID: "billing", Secret: firstSecret, ServiceAccount: true}); err != nil {
		t.Fatal(err)
	}
	return providertest.World{
		Open:   opened(serverOf(t, k.Handler()), map[string]string{"kind": "keycloak", "url": "{server}"}, ""),
		Target: clientBy("client_id", "billing"), Unknown: clientBy("client_id", "nobody"),
		Bundle: bundle("billing", firstSecret), Field: credential.FieldClientSecret,
		Creates: func(r *http.Request) bool {
			return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/client-secret")
		},
		Verifies: func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/token") },
		Created:  func() int { return k.Replaced("billing") },
		Accepts:  func(b credential.Bundle) bool { return k.Accepts("billing", b.Secret()) },
	}
}

func callerChosen(t *testing.T) providertest.World {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	v := sandbox.NewAppRole(func() time.Time { return now }, sandbox.AppRoleSettings{Token: ownSecret})
	roleID, err := v.AddRole(sandbox.AppRoleRole{Name: "billing"})
	if err != nil {
		t.Fatal(err)
	}
	first, _, err := v.Issue("billing")
	if err != nil {
		t.Fatal(err)
	}
	return providertest.World{
		Open:   opened(serverOf(t, v.Handler()), map[string]string{"kind": "approle", "url": "{server}"}, vaultapprole.FieldSecretID),
		Target: clientBy("role", "billing"), Unknown: clientBy("role", "nobody"),
		Bundle: credential.Bundle{
			vaultapprole.FieldRoleID: credential.NewSensitive(roleID), vaultapprole.FieldSecretID: credential.NewSensitive(first),
		},
		Field: vaultapprole.FieldSecretID,
		Creates: func(r *http.Request) bool {
			return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "secret-id")
		},
		Verifies: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/login") },
		Created:  func() int { return v.Created("billing") },
		Accepts:  func(b credential.Bundle) bool { return v.Accepts("billing", b[vaultapprole.FieldSecretID]) },
		Canaries: []string{first}, Expires: now.Add(240 * time.Hour),
	}
}
