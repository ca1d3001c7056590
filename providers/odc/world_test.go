package odc_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/odc"
)

const (
	firstSecret = "first+secret/with=every&sort%of"
	ownSecret   = "the-secret-of-rotad-itself"
	adminToken  = "the-token-of-rotad"
)

// world is an organisation with the API client "billing", and what was sent to it.
type world struct {
	odc    *sandbox.ODC
	faults *sandbox.Faults
	url    string

	mu   sync.Mutex
	at   time.Time
	span time.Duration // of the monotonic clock
	sent []string      // method and path of every request
}

func newWorld(t *testing.T, s sandbox.ODCSettings) *world {
	t.Helper()
	w := &world{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), faults: sandbox.NewFaults(time.After)}
	w.odc = sandbox.NewODC(w.now, sandbox.Settings{AdminToken: adminToken}, s)
	for _, r := range []sandbox.Registration{
		{ClientID: "billing", Secret: firstSecret}, {ClientID: "rotad", Secret: ownSecret, Admin: true},
	} {
		if err := w.odc.Register(r); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(w.watch(w.faults.Wrap(w.odc.Handler())))
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

func (w *world) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.sent = append(w.sent, r.Method+" "+r.URL.Path)
		w.mu.Unlock()
		next.ServeHTTP(rw, r)
	})
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *world) elapsed() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.span
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at, w.span = w.at.Add(d), w.span+d
}

// count returns how many requests of a method went to the endpoint that rotates.
func (w *world) count(method string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, s := range w.sent {
		if strings.HasPrefix(s, method+" ") && strings.HasSuffix(s, "/secrets/rotate") {
			n++
		}
	}
	return n
}

func (w *world) open(t *testing.T, s odc.Settings, transport http.RoundTripper) providers.Provider {
	t.Helper()
	if s.URL == "" {
		s.URL = w.url + "/"
	}
	if s.ClientID == "" {
		s.TokenEnv = "T"
	}
	p, err := odc.Kind().Open(providers.Opening{
		Name: "odc", Settings: &s, Transport: transport, Elapsed: w.elapsed, Deadline: 5 * time.Second,
		Secret: func(name string) (string, error) {
			return map[string]string{"client_secret": ownSecret, "token": adminToken + "\n"}[name], nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func target(client string) providers.Target {
	return providers.Target{Client: "c", Ref: credential.Ref{"client_id": client}}
}

func bundle(id, secret string) credential.Bundle {
	return credential.Bundle{
		credential.FieldClientID: credential.NewSensitive(id), credential.FieldClientSecret: credential.NewSensitive(secret),
	}
}

func inspect(t *testing.T, p providers.Provider) credential.Capabilities {
	t.Helper()
	seen, err := p.Inspect(t.Context(), target("billing"))
	if err != nil || seen.ClientID != "billing" || len(seen.Secrets) != 0 {
		t.Fatalf("%+v, error %v", seen, err)
	}
	return seen.Caps
}

func create(t *testing.T, p providers.Provider) providers.Issued {
	t.Helper()
	issued, err := p.Create(t.Context(), target("billing"), providers.Request{Label: "l"})
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

func expectClass(t *testing.T, err error, want providers.Class) {
	t.Helper()
	if got := providers.ClassOf(err); got != want {
		t.Errorf("class %q, want %q (%v)", got, want, err)
	}
}

// reply answers one path in a world without a server.
type reply struct {
	status int
	body   string
}

// answers is a transport that answers by path; discovery leads to /token. What it does not know is 404.
type answers map[string]reply

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	record := httptest.NewRecorder()
	record.Header().Set("Content-Type", "application/json")
	found, ok := a[r.URL.Path]
	if !ok && r.URL.Path == sandbox.PathODCDiscovery {
		raw, err := json.Marshal(map[string]string{"token_endpoint": "https://odc.example.com/token"})
		if err != nil {
			return nil, err
		}
		found, ok = reply{http.StatusOK, string(raw)}, true
	}
	if !ok {
		found.status = http.StatusNotFound
	}
	record.WriteHeader(found.status)
	_, _ = record.WriteString(found.body)
	resp := record.Result()
	resp.Request = r
	return resp, nil
}

func openOn(t *testing.T, a http.RoundTripper, s odc.Settings) providers.Provider {
	t.Helper()
	s.URL, s.TokenEnv = "https://odc.example.com", "T"
	p, err := odc.Kind().Open(providers.Opening{
		Name: "odc", Settings: &s, Transport: a, Elapsed: func() time.Duration { return 0 },
		Secret: func(string) (string, error) { return adminToken, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
