package entra_test

import (
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/entra"
)

// world is a tenant with the application "app" and rotad's own application.
type world struct {
	mu     sync.Mutex
	at     time.Time
	idp    *sandbox.IdP
	faults *sandbox.Faults
	p      providers.Provider
	secret string // of rotad's own application, as its setting reads now
}

const firstSecret = "first-secret"

func newWorld(t *testing.T, g sandbox.Graph) *world {
	t.Helper()
	g.Tenant = "tenant"
	w := &world{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), secret: "own"}
	w.idp = sandbox.NewIdP(w.now, sandbox.Settings{Graph: g})
	for _, r := range []sandbox.Registration{
		{ClientID: "rotad", Secret: "own", Admin: true},
		{ClientID: "app", ObjectID: "obj", Secret: firstSecret, TTL: 90 * 24 * time.Hour},
		{ClientID: "personal", Audience: "AzureADandPersonalMicrosoftAccount"},
	} {
		if err := w.idp.Register(r); err != nil {
			t.Fatal(err)
		}
	}
	w.faults = sandbox.NewFaults(time.After)
	server := httptest.NewServer(w.faults.Wrap(w.idp.Handler()))
	t.Cleanup(server.Close)
	w.p = w.open(t, entra.Settings{
		TenantID: "tenant", ClientID: "rotad", GraphURL: server.URL + sandbox.PathGraph,
		LoginURL: server.URL + sandbox.PathLogin,
	})
	return w
}

func (w *world) open(t *testing.T, s entra.Settings) providers.Provider {
	t.Helper()
	p, err := entra.Kind().Open(providers.Opening{
		Name: "corp", Settings: &s, Deadline: 2 * time.Second,
		Secret: func(string) (string, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.secret, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

func (w *world) setSecret(s string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.secret = s
}

func (w *world) revoker(t *testing.T) providers.Revoker {
	t.Helper()
	r, ok := w.p.(providers.Revoker)
	if !ok {
		t.Fatal("the provider cannot revoke")
	}
	return r
}

func app() providers.Target {
	return providers.Target{Client: "billing", Ref: credential.Ref{"app_id": "app"}}
}

func bundle(id, secret string) credential.Bundle {
	return credential.Bundle{
		credential.FieldClientID:     credential.NewSensitive(id),
		credential.FieldClientSecret: credential.NewSensitive(secret),
	}
}

func expectClass(t *testing.T, err error, want providers.Class) {
	t.Helper()
	if got := providers.ClassOf(err); got != want {
		t.Errorf("class %q, want %q (%v)", got, want, err)
	}
}
