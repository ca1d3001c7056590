package telicent_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/telicent"
)

const (
	day         = 24 * time.Hour
	firstSecret = "first-secret"
)

// world is an auth server with the client "billing" and rotad's bearer token.
type world struct {
	mu     sync.Mutex
	at     time.Time
	idp    *sandbox.IdP
	faults *sandbox.Faults
	watch  func(*http.Request) // nil = nobody
	url    string
	token  string
	p      providers.Provider
}

func newWorld(t *testing.T, s sandbox.Telicent, settings telicent.Settings) *world {
	t.Helper()
	w := &world{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), token: "bearer"}
	w.idp = sandbox.NewIdP(w.now, sandbox.Settings{AdminToken: "bearer", Telicent: s})
	for _, r := range []sandbox.Registration{
		{ClientID: "billing", Secret: firstSecret, TTL: 365 * day},
		{ClientID: "new"},
		{ClientID: "rotad", Secret: "own", Admin: true},
	} {
		if err := w.idp.Register(r); err != nil {
			t.Fatal(err)
		}
	}
	w.faults = sandbox.NewFaults(time.After)
	served := w.faults.Wrap(w.idp.Handler())
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.watch != nil {
			w.watch(r)
		}
		served.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	w.url = server.URL + sandbox.PathTelicent
	settings.URL = w.url
	if settings.ClientID == "" {
		settings.TokenEnv = "TOKEN"
	}
	p, err := telicent.Kind().Open(w.opening(&settings))
	if err != nil {
		t.Fatal(err)
	}
	w.p = p
	return w
}

func (w *world) opening(s *telicent.Settings) providers.Opening {
	return providers.Opening{
		Name: "auth", Settings: s, Deadline: 2 * time.Second,
		Secret: func(name string) (string, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if name == "client_secret" {
				return "own", nil
			}
			return w.token, nil
		},
	}
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

func (w *world) setToken(s string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.token = s
}

func (w *world) inspect(t *testing.T, client string) providers.Snapshot {
	t.Helper()
	seen, err := w.p.Inspect(t.Context(), target(client))
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

func (w *world) create(t *testing.T, client string) providers.Issued {
	t.Helper()
	issued, err := w.p.Create(t.Context(), target(client), providers.Request{Label: "rotad-1"})
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

func (w *world) expect(t *testing.T, b credential.Bundle, want providers.Answer) {
	t.Helper()
	got, err := w.p.Verify(t.Context(), target("billing"), b)
	if got != want || (err != nil) != (want == providers.Unknown) {
		t.Errorf("%s, want %s (error %v)", got, want, err)
	}
}

func (w *world) revoke(t *testing.T, id string) error {
	t.Helper()
	r, ok := w.p.(providers.Revoker)
	if !ok {
		t.Fatal("the provider cannot revoke")
	}
	return r.Revoke(t.Context(), target("billing"), id)
}

func target(client string) providers.Target {
	return providers.Target{Client: "c", Ref: credential.Ref{"client_id": client}}
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
