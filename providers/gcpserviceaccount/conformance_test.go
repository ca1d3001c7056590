package gcpserviceaccount_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/gcp"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/gcpserviceaccount"
	"github.com/rotad/rotad/providers/providertest"
)

// project is a stand-in with the service accounts rotad (an admin) and billing, and the adapter.
type project struct {
	*sandbox.Google

	url   string
	own   string // rotad's key file
	first credential.Bundle
	now   func() time.Time
}

// ticking is a clock that goes on by a second whenever it is read, so that no two keys begin at the same time.
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

func newProject(t testing.TB, s sandbox.GoogleSettings) *project {
	t.Helper()
	now := ticking()
	p := &project{Google: sandbox.NewGoogle(now, "acme-prod", s, nil), now: now}
	var err error
	if p.own, err = p.Register("rotad", true); err != nil {
		t.Fatal(err)
	}
	file, err := p.Register("billing", false)
	if err != nil {
		t.Fatal(err)
	}
	p.first = bundle(t, file)
	served := httptest.NewServer(p.Handler())
	t.Cleanup(served.Close)
	p.url = served.URL
	return p
}

func bundle(t testing.TB, file string) credential.Bundle {
	t.Helper()
	k, err := gcp.ParseKey(credential.NewSensitive(file))
	if err != nil {
		t.Fatal(err)
	}
	return credential.Bundle{
		credential.FieldKeyID: credential.NewSensitive(k.ID), gcpserviceaccount.FieldCredentials: credential.NewSensitive(file),
	}
}

func (p *project) open(t testing.TB, own string, transport http.RoundTripper) providers.Provider {
	t.Helper()
	return p.openWith(t, gcpserviceaccount.Settings{CredentialsFile: "own"}, own, transport)
}

func (p *project) openWith(t testing.TB, s gcpserviceaccount.Settings, secret string, transport http.RoundTripper) providers.Provider {
	t.Helper()
	s.Project, s.URL, s.TokenURL = "acme-prod", p.url, p.url+sandbox.PathGoogleToken
	opened, err := gcpserviceaccount.Kind().Open(providers.Opening{
		Name: "cloud", Transport: transport, Now: p.now, Settings: &s,
		Secret: func(string) (string, error) { return secret, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

func (p *project) target(name string) providers.Target {
	return providers.Target{Client: "id-of-" + name, Ref: credential.Ref{"service_account": p.Email(name)}}
}

// privateKey is the secret part of a key file.
func privateKey(t testing.TB, file string) string {
	t.Helper()
	var f struct {
		Key string `json:"private_key"`
	}
	if err := json.Unmarshal([]byte(file), &f); err != nil {
		t.Fatal(err)
	}
	return f.Key
}

func TestConformance(t *testing.T) {
	for name, s := range map[string]sandbox.GoogleSettings{
		"keys without an end": {}, "keys that end": {KeyLife: 90 * 24 * time.Hour, Plain: true, Page: 1},
	} {
		t.Run(name, func(t *testing.T) {
			providertest.Run(t, func(t *testing.T) providertest.World { return newProject(t, s).world(t) })
		})
	}
}

func (p *project) world(t *testing.T) providertest.World {
	return providertest.World{
		Name: "cloud", Target: p.target("billing"), Unknown: p.target("nobody"), Bundle: p.first,
		Field:    gcpserviceaccount.FieldCredentials,
		Canaries: []string{p.own, privateKey(t, p.own), privateKey(t, p.first[gcpserviceaccount.FieldCredentials].Reveal())},
		Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
			return p.open(t, p.own, transport)
		},
		Creates: func(r *http.Request) bool {
			return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/keys")
		},
		Verifies: func(r *http.Request) bool { return r.URL.Path == sandbox.PathGoogleToken },
		Created:  func() int { return p.Made("billing") },
		Accepts: func(b credential.Bundle) bool {
			k, err := gcp.ParseKey(b[gcpserviceaccount.FieldCredentials])
			return err == nil && p.Lives("billing", k.ID)
		},
	}
}
