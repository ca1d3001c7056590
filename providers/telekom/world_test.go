package telekom_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/telekom"
)

const (
	day         = 24 * time.Hour
	firstSecret = "first-secret-of-billing"
	teamSecret  = "the-secret-of-the-team"
	looks       = 60 // a create gives up after so many
)

// world is a control plane with the application "billing", and a clock that tests and pauses move.
type world struct {
	rover  *sandbox.Rover
	faults *sandbox.Faults
	server *httptest.Server

	mu     sync.Mutex
	at     time.Time
	pauses int
	team   string
}

func newWorld(t testing.TB, s sandbox.RoverSettings, app sandbox.RoverApp) *world {
	t.Helper()
	w := &world{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), team: teamSecret}
	s.TeamSecret = teamSecret
	w.rover = sandbox.NewRover(w.now, s)
	app.Name, app.Secret = "billing", firstSecret
	if err := w.rover.Register(app); err != nil {
		t.Fatal(err)
	}
	w.faults = sandbox.NewFaults(time.After)
	w.server = httptest.NewServer(w.faults.Wrap(w.rover.Handler()))
	t.Cleanup(w.server.Close)
	return w
}

// slow is a controller that sees a wish after two seconds and needs three more.
func slow() sandbox.RoverSettings {
	return sandbox.RoverSettings{Lag: 2 * time.Second, Converge: 3 * time.Second}
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

// pause lets a second pass between two looks, and the deadline after enough of them.
func (w *world) pause(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(time.Second)
	if w.pauses++; w.pauses%looks == 0 {
		return context.DeadlineExceeded
	}
	return nil
}

func (w *world) blob() string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil,
		`{"environment":"sandbox","group":"eni","team":"hyperion","client_id":"eni--hyperion","client_secret":%q,"token_url":%q,"server_url":%q,"generated_at":1}`,
		w.team, w.server.URL+sandbox.PathRoverToken, w.server.URL))
}

func (w *world) open(t testing.TB, s *telekom.Settings, transport http.RoundTripper) providers.Provider {
	t.Helper()
	p, err := telekom.Kind().Open(providers.Opening{
		Name: "plane", Settings: s, Transport: transport,
		Secret: func(name string) (string, error) {
			if name == "rover_token" {
				return w.blob() + "\n", nil
			}
			return w.team, nil
		},
		Elapsed: func() time.Duration { return w.now().Sub(time.Time{}.AddDate(2000, 0, 0)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return telekom.Paced(p, w.pause)
}

// provider is how most people configure it.
func (w *world) provider(t testing.TB) providers.Provider {
	t.Helper()
	return w.open(t, &telekom.Settings{RoverTokenEnv: "ROVER_TOKEN", SecretRotation: "auto"}, nil)
}

func target(grace time.Duration) providers.Target {
	return providers.Target{Client: "c", Ref: credential.Ref{"application": "billing"}, Grace: grace}
}

func bundle(secret string) credential.Bundle {
	return credential.Bundle{
		credential.FieldClientID:     credential.NewSensitive("eni--hyperion--billing"),
		credential.FieldClientSecret: credential.NewSensitive(secret),
	}
}

func inspect(t *testing.T, p providers.Provider, to providers.Target) providers.Snapshot {
	t.Helper()
	seen, err := p.Inspect(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

func create(t *testing.T, p providers.Provider, to providers.Target) providers.Issued {
	t.Helper()
	issued, err := p.Create(t.Context(), to, providers.Request{})
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

func recovered(t *testing.T, p providers.Provider, to providers.Target) (providers.Issued, error) {
	t.Helper()
	r, ok := providers.AsRecoverer(p)
	if !ok {
		t.Fatal("no Recoverer")
	}
	return r.Recover(t.Context(), to)
}

func expect(t *testing.T, p providers.Provider, b credential.Bundle, want providers.Answer) {
	t.Helper()
	if got, err := p.Verify(t.Context(), target(0), b); got != want {
		t.Errorf("%s, want %s (error %v)", got, want, err)
	}
}

func expectClass(t *testing.T, err error, want providers.Class) {
	t.Helper()
	if got := providers.ClassOf(err); got != want {
		t.Errorf("class %q, want %q (%v)", got, want, err)
	}
}
