package sandbox_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
)

const admin = "admin-token"

// world is an identity provider behind faults, with a clock that a test moves.
type world struct {
	t      *testing.T
	mu     sync.Mutex
	at     time.Time
	idp    *sandbox.IdP
	faults *sandbox.Faults
	url    string
}

func newWorld(t *testing.T, s sandbox.Settings) *world {
	t.Helper()
	w := &world{t: t, at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	s.AdminToken = admin
	w.idp = sandbox.NewIdP(w.now, s)
	w.faults = sandbox.NewFaults(time.After)
	server := httptest.NewServer(w.faults.Wrap(w.idp.Handler()))
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
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

func (w *world) register(r sandbox.Registration) {
	w.t.Helper()
	if err := w.idp.Register(r); err != nil {
		w.t.Fatal(err)
	}
}

// call sends a request and decodes a JSON answer, if there is one.
func (w *world) call(r *http.Request) (status int, body map[string]any) {
	w.t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = json.Unmarshal(data, &body) // answers without JSON have a nil body
	return resp.StatusCode, body
}

func (w *world) request(method, path, body string) *http.Request {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// api sends a request with the admin token.
func (w *world) api(method, path, body string) (status int, answer map[string]any) {
	w.t.Helper()
	r := w.request(method, path, body)
	r.Header.Set("Authorization", "Bearer "+admin)
	return w.call(r)
}

// form sends a form; pairs are names and values.
func (w *world) form(path string, pairs ...string) *http.Request {
	w.t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	r := w.request(http.MethodPost, path, values.Encode())
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Forwarded-Proto", "https")
	return r
}

// login tries client_credentials by post and returns the status.
func (w *world) login(id, secret string) int {
	w.t.Helper()
	status, _ := w.call(w.form(sandbox.PathToken,
		"grant_type", "client_credentials", "client_id", id, "client_secret", secret))
	return status
}

func (w *world) expectLogin(id, secret string, want int) {
	w.t.Helper()
	if got := w.login(id, secret); got != want {
		w.t.Errorf("login of %s: HTTP %d, want %d", id, got, want)
	}
}
