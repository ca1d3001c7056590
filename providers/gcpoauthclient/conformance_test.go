package gcpoauthclient_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/gcpoauthclient"
	"github.com/rotad/rotad/providers/providertest"
)

const firstSecret = "GOCSPX-the-first-one-of-portal"

// project is a stand-in with the service account rotad (an admin) and the OAuth client portal, and the adapter.
type project struct {
	*sandbox.Google

	faults *sandbox.Faults
	url    string
	own    string // rotad's key file
	first  credential.Bundle
}

func newProject(t testing.TB, s sandbox.GoogleSettings) *project {
	t.Helper()
	p := &project{Google: sandbox.NewGoogle(time.Now, "acme-prod", s, nil), faults: sandbox.NewFaults(time.After)}
	var err error
	if p.own, err = p.Register("rotad", true); err != nil {
		t.Fatal(err)
	}
	id, err := p.RegisterClient("portal", firstSecret)
	if err != nil {
		t.Fatal(err)
	}
	p.first = credential.Bundle{
		credential.FieldClientID: credential.NewSensitive(id), credential.FieldClientSecret: credential.NewSensitive(firstSecret),
	}
	served := httptest.NewServer(p.faults.Wrap(p.Handler()))
	t.Cleanup(served.Close)
	p.url = served.URL
	return p
}

func (p *project) open(t testing.TB, own string, transport http.RoundTripper) providers.Provider {
	t.Helper()
	opened, err := gcpoauthclient.Kind().Open(providers.Opening{
		Name: "cloud", Transport: transport,
		Settings: &gcpoauthclient.Settings{
			Project: "acme-prod", CredentialsFile: "own", URL: p.url, LoginURL: p.url + sandbox.PathGoogleToken, TokenURL: p.url + sandbox.PathGoogleOAuthToken,
		},
		Secret: func(string) (string, error) { return own, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

func target(client string) providers.Target {
	return providers.Target{Client: "id-of-" + client, Ref: credential.Ref{"oauth_client": client}}
}

func TestConformance(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.World {
		p := newProject(t, sandbox.GoogleSettings{Page: 1})
		return providertest.World{
			Name: "cloud", Target: target("portal"), Unknown: target("nobody"), Bundle: p.first,
			Field: credential.FieldClientSecret, Canaries: []string{p.own},
			Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
				return p.open(t, p.own, transport)
			},
			Creates: func(r *http.Request) bool {
				return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/credentials")
			},
			Verifies: func(r *http.Request) bool { return r.URL.Path == sandbox.PathGoogleOAuthToken },
			Created:  func() int { return p.MadeFor("portal") },
			Accepts: func(b credential.Bundle) bool {
				return p.Accepts(b[credential.FieldClientID].Reveal(), b.Secret().Reveal())
			},
		}
	})
}
