package jwks_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/jwks"
	"github.com/rotad/rotad/providers/providertest"
)

func TestConformance(t *testing.T) {
	for _, algorithm := range []string{"ES256", "EdDSA"} {
		t.Run(algorithm, func(t *testing.T) {
			providertest.Run(t, func(t *testing.T) providertest.World { return conforming(t, algorithm) })
		})
	}
}

func conforming(t *testing.T, algorithm string) providertest.World {
	t.Helper()
	dir := t.TempDir()
	keys := sandbox.NewKeys(time.Now, sandbox.KeySettings{MinFetch: time.Nanosecond})
	idp := httptest.NewServer(keys.Handler())
	t.Cleanup(idp.Close)
	open := func(t *testing.T, transport http.RoundTripper) providers.Provider {
		t.Helper()
		p, err := jwks.Kind().Open(providers.Opening{Name: "keys", Transport: transport, Settings: &jwks.Settings{
			TokenURL: idp.URL + "/oauth2/token", Directory: dir, Algorithm: algorithm,
		}})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := open(t, http.DefaultTransport)
	publisher, _ := providers.AsPublisher(p)
	public := httptest.NewServer(publisher.Published())
	t.Cleanup(public.Close)
	keys.Register("bff", public.URL+"/bff.json")
	target := providers.Target{Client: "bff", Ref: credential.Ref{"client_id": "bff"}}
	generator, _ := providers.AsGenerator(p)
	first, err := generator.Generate(target)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Create(t.Context(), target, providers.Request{Proposed: first}); err != nil {
		t.Fatal(err)
	}
	return providertest.World{
		Name: "keys", Target: target, Unknown: providers.Target{Client: "nobody"}, Open: open, Bundle: first, Field: credential.FieldPrivateKey,
		NoLook:   true,
		Verifies: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/token") },
		Created: func() int {
			snap, err := p.Inspect(t.Context(), target)
			if err != nil {
				t.Fatal(err)
			}
			return len(snap.Secrets)
		},
		Canaries: []string{first[credential.FieldPrivateKey].Reveal()},
	}
}
