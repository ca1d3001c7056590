package lightapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/lightapi"
)

const (
	firstSecret = "first secret with a space & more"
	ownSecret   = "own+secret/with=odd&chars"
	adminToken  = "the-token-of-the-portal"
	propagation = time.Minute
)

// portal is a stand-in with a clock that tests move, bad days, and the adapter.
type portal struct {
	*sandbox.LightAPI

	t      testing.TB
	server *httptest.Server
	gate   sandbox.Gate
	faults *sandbox.Faults
	offset atomic.Int64
	p      providers.Provider
}

func newPortal(t testing.TB, s sandbox.LightAPISettings, settings lightapi.Settings) *portal {
	t.Helper()
	w := &portal{t: t, faults: sandbox.NewFaults(time.After)}
	s.Token = adminToken
	w.LightAPI = sandbox.NewLightAPI(w.now, s)
	for _, c := range []sandbox.LightAPIClient{
		{ClientID: "billing", Secret: firstSecret, Position: "head-of-billing"},
		{ClientID: "rotad", Secret: ownSecret, Admin: true},
		{ClientID: "browser", Public: true},
		{ClientID: "retired", Inactive: true},
	} {
		if err := w.Register(c); err != nil {
			t.Fatal(err)
		}
	}
	w.server = httptest.NewServer(w.gate.Wrap(w.faults.Wrap(w.Handler())))
	t.Cleanup(w.server.Close)
	w.p = w.open(t, settings, nil)
	return w
}

func (w *portal) now() time.Time {
	return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(w.offset.Load()))
}

func (w *portal) advance(d time.Duration) { w.offset.Add(int64(d)) }

// open opens an adapter, as a restart of rotad does.
func (w *portal) open(t testing.TB, s lightapi.Settings, transport http.RoundTripper) providers.Provider {
	t.Helper()
	s.URL, s.HostID, s.TokenURL = w.server.URL+"/", "host", w.server.URL+sandbox.PathLightOAuth
	if s.ClientID == "" {
		s.TokenEnv = "TOKEN"
	}
	p, err := lightapi.Kind().Open(providers.Opening{
		Name: "portal", Settings: &s, Transport: transport, Deadline: 5 * time.Second, Propagation: propagation,
		Secret: func(name string) (string, error) {
			return map[string]string{"token": adminToken + "\n", "client_secret": ownSecret}[name], nil
		},
		Elapsed: func() time.Duration { return time.Duration(w.offset.Load()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (w *portal) create(r providers.Request) (providers.Issued, error) {
	w.t.Helper()
	return w.p.Create(w.t.Context(), target("billing"), r)
}

// answer asks with a value.
func (w *portal) answer(value string) providers.Answer {
	w.t.Helper()
	got, _ := w.p.Verify(w.t.Context(), target("billing"), bundle("billing", value))
	return got
}

// after lets somebody act after the next look at the client that rotad takes, before anything else happens.
func (w *portal) after(action string, act func() error) {
	w.gate.Spoil(func(r *http.Request) bool { return strings.Contains(r.URL.RawQuery, action) }, func() bool {
		if err := act(); err != nil {
			w.t.Error(err)
		}
		return false
	})
}

func target(clientID string) providers.Target {
	return providers.Target{Client: "id-of-" + clientID, Ref: credential.Ref{"client_id": clientID}}
}

func bundle(clientID, secret string) credential.Bundle {
	return credential.Bundle{
		credential.FieldClientID: credential.NewSensitive(clientID), credential.FieldClientSecret: credential.NewSensitive(secret),
	}
}

func expectClass(t *testing.T, err error, want providers.Class) {
	t.Helper()
	if got := providers.ClassOf(err); got != want {
		t.Errorf("class %q, want %q (%v)", got, want, err)
	}
}
