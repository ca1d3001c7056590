package telekom_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/telekom"
)

// transport answers every request with a text; what begins with a number of three digits is the status.
type transport func(*http.Request) string

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Date": {"Sun, 01 Mar 2026 12:00:00 GMT"}},
		Body: io.NopCloser(strings.NewReader(f(r))), Request: r,
	}, nil
}

// says is a platform whose status is always the same.
func says(t testing.TB, status string) providers.Provider {
	t.Helper()
	s := &telekom.Settings{
		URL: "https://plane/x", Group: "g", Team: "t", ClientID: "c", ClientSecretEnv: "S", TokenURL: "https://idp/token", SecretRotation: "auto",
	}
	w := &world{team: teamSecret}
	return w.open(t, s, transport(func(r *http.Request) string {
		switch {
		case strings.HasSuffix(r.URL.Path, "/status"):
			return status
		case r.Method == http.MethodPatch:
			return `{"clientId":"x","message":"y"}`
		}
		return `{"access_token":"x","expires_in":300}`
	}))
}

func TestHowAStatusMayBeWritten(t *testing.T) {
	for name, test := range map[string]struct {
		body    string
		class   providers.Class
		listed  int
		expires string
	}{
		"as documented": {
			`{"overallStatus":"complete","clientSecret":"s","rotatedClientSecret":"r","currentExpiresAt":"2026-05-01T00:00:00Z","rotatedExpiresAt":"2026-03-02T00:00:00Z"}`,
			"", 2, "2026-05-01T00:00:00Z",
		},
		"with the names of older builds": {
			`{"overallStatus":"complete","currentSecretValue":"s","rotatedSecretValue":"r","rotatedExpiresAt":"2026-03-02T00:00:00Z"}`, "", 2, "",
		},
		"with zero times":                {`{"overallStatus":"complete","clientSecret":"s","currentExpiresAt":"0001-01-01T00:00:00Z","rotatedExpiresAt":"0001-01-01T00:00:00Z"}`, "", 1, ""},
		"with zero times of a zone":      {`{"overallStatus":"complete","clientSecret":"s","currentExpiresAt":"0001-01-01T01:00:00+02:00"}`, "", 1, ""},
		"with the first second of 1970":  {`{"overallStatus":"complete","clientSecret":"s","rotatedExpiresAt":"1970-01-01T00:00:00Z"}`, "", 1, ""},
		"with null":                      {`{"overallStatus":"complete","clientSecret":"s","currentExpiresAt":null,"rotatedClientSecret":null}`, "", 1, ""},
		"with a zone and a fraction":     {`{"overallStatus":"complete","clientSecret":"s","currentExpiresAt":"2026-05-01T02:00:00.75+02:00"}`, "", 1, "2026-05-01T00:00:00Z"},
		"with a replaced one of no date": {`{"overallStatus":"complete","clientSecret":"s","rotatedClientSecret":"r"}`, "", 1, ""},
		"with a date of no value":        {`{"overallStatus":"complete","clientSecret":"s","rotatedExpiresAt":"2026-03-02T00:00:00Z"}`, "", 2, ""},
		"while it works":                 {`{"overallStatus":"processing","clientSecret":"s"}`, providers.ClassBusy, 0, ""},
		"blocked":                        {`{"overallStatus":"blocked"}`, providers.ClassBusy, 0, ""},
		"with a word that nobody knows":  {`{"overallStatus":"CANARY"}`, providers.ClassBusy, 0, ""},
		"with a mask":                    {`{"overallStatus":"complete","clientSecret":"**********"}`, providers.ClassAuth, 0, ""},
		"with a deadline that is no time": {
			`{"overallStatus":"complete","clientSecret":"s","rotatedExpiresAt":"CANARY"}`, providers.ClassUnavailable, 0, "",
		},
		"without a word": {`{"clientSecret":"s"}`, providers.ClassUnavailable, 0, ""},
		"as a list":      {`[]`, providers.ClassUnavailable, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			seen, err := says(t, test.body).Inspect(t.Context(), target(day))
			expectClass(t, err, test.class)
			if err != nil && strings.Contains(err.Error(), "CANARY") {
				t.Errorf("the error repeats the body: %v", err)
			}
			if len(seen.Secrets) != test.listed {
				t.Fatalf("%+v", seen.Secrets)
			}
			if want, _ := time.Parse(time.RFC3339, test.expires); test.listed > 0 && !seen.Secrets[0].Expires.Equal(want) {
				t.Errorf("expires %v, want %v", seen.Secrets[0].Expires, want)
			}
		})
	}
}

func FuzzStatus(f *testing.F) {
	for _, seed := range []string{
		`{"overallStatus":"complete","clientSecret":"canary","currentExpiresAt":"2026-05-01T00:00:00Z"}`,
		`{"overallStatus":"complete","currentSecretValue":"canary","rotatedSecretValue":"canary","rotatedExpiresAt":"2026-03-02T00:00:00Z"}`,
		`{"overallStatus":"canary","clientSecret":"**"}`, `{"overallStatus":"complete","clientSecret":["canary"]}`, `"canary"`, `<canary>`, ``,
		`{"overallStatus":"complete","clientSecret":"canary","rotatedExpiresAt":"9999-12-31T23:59:60Z"}`, `{"overallStatus":"complete"} {}`,
		`{"overallStatus":"complete","clientSecret":"canary","error":"canary"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		p := says(t, body)
		seen, err := p.Inspect(t.Context(), target(day))
		issued, createErr := p.Create(t.Context(), target(day), providers.Request{})
		for _, err := range []error{err, createErr} {
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("the error repeats the body: %v", err)
			}
		}
		if createErr == nil || len(issued.Bundle) > 0 {
			t.Error("the status has not changed, and a new secret is said to be there")
		}
		if (err == nil) == (len(seen.Secrets) == 0) {
			t.Errorf("listed %d, error %v", len(seen.Secrets), err)
		}
		for _, s := range seen.Secrets {
			if s.Slot == providers.SlotCurrent && s.ID == "" || !s.Expires.IsZero() && s.Expires.Year() < 2000 {
				t.Errorf("%+v", s)
			}
		}
	})
}

func FuzzInfo(f *testing.F) {
	for _, seed := range []string{
		`{"applications":[{"irisTokenEndpointUrl":"https://idp/token"}]}`, `{"irisIssuerUrl":"https://idp/"}`, `{"applications":{}}`, `null`, `<p>`,
		`{"applications":[{"irisTokenEndpointUrl":"https://user:canary@idp/token?x#y"}]}`, `{"irisIssuerUrl":"://canary"}`, `{"irisTokenEndpointUrl":"https://[::1"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		s := &telekom.Settings{
			URL: "https://plane", Group: "g", Team: "t", ClientID: "c", ClientSecretEnv: "S", TokenURL: "https://idp/login", SecretRotation: "auto",
		}
		w := &world{team: teamSecret}
		p := w.open(t, s, transport(func(r *http.Request) string {
			if r.URL.Scheme != "https" {
				t.Errorf("a request in clear to %s", r.URL.Host)
			}
			if strings.HasSuffix(r.URL.Path, "/info") {
				return body
			}
			return `{"access_token":"x"}`
		}))
		if _, err := p.Verify(t.Context(), target(0), bundle(firstSecret)); err != nil {
			if text := fmt.Sprint(err); strings.Contains(text, "canary") || strings.Contains(text, firstSecret) {
				t.Errorf("the error repeats the body or a secret: %v", err)
			}
		}
	})
}
