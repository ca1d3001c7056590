package entracertificate_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/entracertificate"
	"github.com/rotad/rotad/providers/providertest"
)

// tenant is a stand-in with rotad's own application and "app", which has one certificate and one of somebody else's.
type tenant struct {
	*sandbox.IdP

	mu     sync.Mutex
	at     time.Time
	faults *sandbox.Faults
	url    string
	first  credential.Bundle
}

// now is a clock that goes on by a second whenever it is read.
func (w *tenant) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(time.Second)
	return w.at
}

func (w *tenant) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newTenant(t testing.TB, g sandbox.Graph) *tenant {
	t.Helper()
	w := &tenant{at: begin, faults: sandbox.NewFaults(time.After)}
	g.Tenant = "tenant"
	w.IdP = sandbox.NewIdP(w.now, sandbox.Settings{Graph: g})
	for _, r := range []sandbox.Registration{{ClientID: "rotad", Secret: "rotads-own", Admin: true}, {ClientID: "app"}, {ClientID: "bare"}} {
		if err := w.Register(r); err != nil {
			t.Fatal(err)
		}
	}
	served := httptest.NewServer(w.faults.Wrap(w.Handler()))
	t.Cleanup(served.Close)
	w.url = served.URL
	made, err := twoPairs()
	if err != nil {
		t.Fatal(err)
	}
	w.first = made[0]
	for _, b := range made {
		if err := w.Certify("app", certificate(t, b)); err != nil {
			t.Fatal(err)
		}
	}
	w.advance(g.Propagation)
	return w
}

// twoPairs are those that every tenant begins with: making keys takes time.
var twoPairs = sync.OnceValues(func() (made []credential.Bundle, err error) {
	p, err := entracertificate.Kind().Open(providers.Opening{
		Name: "corp", Now: func() time.Time { return begin }, Settings: &entracertificate.Settings{TenantID: "tenant", ClientID: "rotad"},
	})
	if err != nil {
		return nil, err
	}
	generator, _ := providers.AsGenerator(p)
	for range 2 {
		b, err := generator.Generate(target("app"))
		if err != nil {
			return nil, err
		}
		made = append(made, b)
	}
	return made, nil
})

// pair makes a pair for the application.
func (w *tenant) pair(t testing.TB) credential.Bundle {
	t.Helper()
	generator, _ := providers.AsGenerator(w.open(t, nil))
	b, err := generator.Generate(target("app"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func certificate(t testing.TB, b credential.Bundle) []byte {
	t.Helper()
	block, _ := pem.Decode([]byte(b[entracertificate.FieldCertificate].Reveal()))
	if block == nil {
		t.Fatal("the bundle has no certificate")
	}
	return block.Bytes
}

func (w *tenant) open(t testing.TB, transport http.RoundTripper) providers.Provider {
	t.Helper()
	return w.openAs(t, "rotad", transport)
}

func (w *tenant) openAs(t testing.TB, own string, transport http.RoundTripper) providers.Provider {
	t.Helper()
	p, err := entracertificate.Kind().Open(providers.Opening{
		Name: "corp", Transport: transport, Now: w.now,
		Settings: &entracertificate.Settings{
			TenantID: "tenant", ClientID: own, GraphURL: w.url + sandbox.PathGraph, LoginURL: w.url + sandbox.PathLogin,
		},
		Secret: func(string) (string, error) { return "rotads-own", nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func target(app string) providers.Target {
	return providers.Target{Client: "id-of-" + app, Ref: credential.Ref{"app_id": app}}
}

func TestConformance(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.World {
		w := newTenant(t, sandbox.Graph{})
		return providertest.World{
			Name: "corp", Target: target("app"), Unknown: target("none"), Bundle: w.first, Field: credential.FieldPrivateKey,
			Canaries: []string{"rotads-own", w.first[credential.FieldPrivateKey].Reveal()},
			Expires:  time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
			Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
				return w.open(t, transport)
			},
			Creates:  func(r *http.Request) bool { return r.Method == http.MethodPatch },
			Verifies: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/token") },
			Created:  func() int { return w.Certified("app") },
		}
	})
}
