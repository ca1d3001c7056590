package telekom_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/telekom"
)

func TestVerifyByEveryWay(t *testing.T) {
	w := newWorld(t, slow(), sandbox.RoverApp{})
	p := w.provider(t)
	for _, method := range []credential.VerifyMethod{
		"", credential.VerifyAuto, credential.VerifyClientCredentials, credential.VerifyAuthCode, credential.VerifyIntrospection,
	} {
		for _, auth := range []string{"basic", "post"} {
			for secret, want := range map[string]providers.Answer{firstSecret: providers.Accepted, "wrong": providers.Refused} {
				to := target(0)
				to.Verify = credential.VerifySettings{Method: method, Auth: auth}
				if got, err := p.Verify(t.Context(), to, bundle(secret)); got != want {
					t.Errorf("%s by %s: %s, want %s (error %v)", method, auth, got, want, err)
				}
			}
		}
	}
}

// TestTheTokenEndpointIsLookedUpOnceAndAgainWhenItRefuses: an application that moves to another zone has another one.
func TestTheTokenEndpointIsLookedUpOnceAndAgainWhenItRefuses(t *testing.T) {
	w := newWorld(t, slow(), sandbox.RoverApp{})
	p := w.provider(t)
	w.faults.Rewrite(sandbox.When{Path: "/info", Count: -1}, func(body []byte) []byte { return body })
	for range 3 {
		expect(t, p, bundle(firstSecret), providers.Accepted)
	}
	if n := w.faults.Hits(); n != 1 {
		t.Errorf("%d look-ups for three proofs, want 1", n)
	}
	expect(t, p, bundle("wrong"), providers.Refused)
	expect(t, p, bundle(firstSecret), providers.Accepted)
	if n := w.faults.Hits(); n != 2 {
		t.Errorf("%d look-ups after a refusal, want 2", n)
	}
}

func TestHowAnInfoMayNameTheTokenEndpoint(t *testing.T) {
	for name, test := range map[string]struct {
		body   string
		answer providers.Answer
		class  providers.Class
	}{
		"in the list":          {`{"applications":[{"irisTokenEndpointUrl":"BASE/protocol/openid-connect/token"}]}`, providers.Accepted, ""},
		"alone":                {`{"irisTokenEndpointUrl":"BASE/protocol/openid-connect/token"}`, providers.Accepted, ""},
		"by its issuer":        {`{"applications":[{"irisIssuerUrl":"BASE/"}]}`, providers.Accepted, ""},
		"not at all":           {`{"applications":[{}]}`, providers.Unknown, providers.ClassRejected},
		"of two applications":  {`{"applications":[{"irisIssuerUrl":"BASE"},{"irisIssuerUrl":"BASE"}]}`, providers.Unknown, providers.ClassRejected},
		"as something else":    {`{"applications":[{"irisTokenEndpointUrl":"file:///etc/passwd"}]}`, providers.Unknown, providers.ClassRejected},
		"as a broken address":  {`{"applications":[{"irisTokenEndpointUrl":"://CANARY"}]}`, providers.Unknown, providers.ClassRejected},
		"in no JSON":           {`<html>`, providers.Unknown, providers.ClassUnavailable},
		"in a list of nothing": {`{"applications":[]}`, providers.Unknown, providers.ClassRejected},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, slow(), sandbox.RoverApp{})
			base := w.server.URL + strings.TrimSuffix(sandbox.PathRoverToken, "/protocol/openid-connect/token")
			w.faults.Malformed(sandbox.When{Path: "/info", Count: -1}, strings.ReplaceAll(test.body, "BASE", base))
			got, err := w.provider(t).Verify(t.Context(), target(0), bundle(firstSecret))
			expectClass(t, err, test.class)
			if got != test.answer || err != nil && strings.Contains(err.Error(), "CANARY") {
				t.Errorf("%s, want %s (error %v)", got, test.answer, err)
			}
		})
	}
}

// TestAnOddAnswerIsNoProof: what says "not implemented" is asked again, never published unproved.
func TestAnOddAnswerIsNoProof(t *testing.T) {
	for name, path := range map[string]string{"info": "/info", "token endpoint": "/token"} {
		w := newWorld(t, slow(), sandbox.RoverApp{})
		p := w.provider(t)
		if _, err := p.Inspect(t.Context(), target(0)); err != nil { // the team's own login is over
			t.Fatal(err)
		}
		w.faults.Status(sandbox.When{Path: path}, http.StatusNotImplemented, 0)
		got, err := p.Verify(t.Context(), target(0), bundle(firstSecret))
		if got != providers.Unknown || providers.ClassOf(err) != providers.ClassUnavailable {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

// TestNoSecretLeavesTLSBecauseThePlatformSaysSo asks a platform with TLS that names an endpoint without.
func TestNoSecretLeavesTLSBecauseThePlatformSaysSo(t *testing.T) {
	asked := 0
	reply := transport(func(r *http.Request) string {
		switch {
		case r.URL.Scheme == "http":
			asked++
			return `{"access_token":"x"}`
		case strings.HasSuffix(r.URL.Path, "/info"):
			return `{"applications":[{"irisTokenEndpointUrl":"http://idp/token"}]}`
		}
		return `{"access_token":"x","expires_in":300}`
	})
	s := telekom.Settings{
		URL: "https://plane", Group: "g", Team: "t", ClientID: "c", ClientSecretEnv: "S", TokenURL: "https://idp/token", SecretRotation: "auto",
	}
	for verifyURL, want := range map[string]int{"": 0, "http://idp/token": 1} {
		s.VerifyURL = verifyURL
		w := &world{team: teamSecret}
		_, _ = w.open(t, &s, reply).Verify(t.Context(), target(0), bundle(firstSecret))
		if asked != want {
			t.Errorf("verify_url %q: asked %d times in clear, want %d", verifyURL, asked, want)
		}
		asked = 0
	}
}
