package dex_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/dex"
	"github.com/rotad/rotad/providers/providertest"
)

const (
	firstSecret = "first secret with a space & more"
	newer       = "what-a-newer-server-keeps"
)

// server is a stand-in with some clients, and the adapter.
type server struct {
	*sandbox.Dex

	url string
}

func newServer(t testing.TB) *server {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }
	s := &server{Dex: sandbox.NewDex(now, nil)}
	for _, c := range []sandbox.DexRegistration{
		{ID: "billing", Secret: firstSecret, Name: "Billing <&>", Newer: newer},
		{ID: "other", Secret: "other-secret"},
		{ID: "browser", Secret: "unused", Public: true},
		{ID: "built-in", Secret: firstSecret, Static: true},
	} {
		if err := s.Register(c); err != nil {
			t.Fatal(err)
		}
	}
	served := httptest.NewUnstartedServer(s.Handler())
	served.Config.Protocols = protocols()
	served.Start()
	t.Cleanup(served.Close)
	s.url = served.URL
	return s
}

// protocols are HTTP/1 for the token endpoint and HTTP/2 without TLS for gRPC.
func protocols() *http.Protocols {
	var p http.Protocols
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	return &p
}

// lines carries each request by the protocol that it is meant for.
func lines(t testing.TB) http.RoundTripper {
	t.Helper()
	var only http.Protocols
	only.SetUnencryptedHTTP2(true)
	grpc := &http.Transport{Protocols: &only}
	t.Cleanup(grpc.CloseIdleConnections)
	return transport(func(r *http.Request) (*http.Response, error) {
		if strings.HasPrefix(r.URL.Path, "/api.Dex/") {
			return grpc.RoundTrip(r)
		}
		return http.DefaultTransport.RoundTrip(r)
	})
}

type transport func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (s *server) open(t testing.TB, through http.RoundTripper) providers.Provider {
	t.Helper()
	p, err := dex.Kind().Open(providers.Opening{
		Name: "door", Settings: &dex.Settings{URL: s.url, TokenURL: s.url + sandbox.PathDexToken}, Transport: through, Deadline: 5 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func target(id string) providers.Target {
	return providers.Target{Client: "id-of-" + id, Ref: credential.Ref{"client_id": id}}
}

func bundle(id, secret string) credential.Bundle {
	return credential.Bundle{
		credential.FieldClientID: credential.NewSensitive(id), credential.FieldClientSecret: credential.NewSensitive(secret),
	}
}

// makes says whether a request makes the client anew: not its copy, and not the old one again. The body is there again afterwards.
func makes(r *http.Request) bool {
	if !strings.HasSuffix(r.URL.Path, "/CreateClient") {
		return false
	}
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return err == nil && !bytes.Contains(body, []byte(firstSecret))
}

func TestConformance(t *testing.T) {
	for _, auth := range []string{"basic", "post"} {
		t.Run(auth, func(t *testing.T) {
			providertest.Run(t, func(t *testing.T) providertest.World {
				s := newServer(t)
				mine := target("billing")
				mine.Verify.Auth = auth
				made := s.Made("billing")
				return providertest.World{
					Name: "door", Target: mine, Unknown: target("nobody"), Bundle: bundle("billing", firstSecret), Transport: lines(t),
					Field:   credential.FieldClientSecret,
					Open:    func(t *testing.T, through http.RoundTripper) providers.Provider { return s.open(t, through) },
					Creates: makes, Verifies: func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, sandbox.PathDexToken) },
					Created: func() int { return s.Made("billing") - made },
					Accepts: func(b credential.Bundle) bool { return s.Accepts("billing", b.Secret().Reveal()) },
				}
			})
		})
	}
}
