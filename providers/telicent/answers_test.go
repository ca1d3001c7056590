package telicent_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/telicent"
)

// without takes one member out of a JSON object.
func without(name string) func([]byte) []byte {
	return func(body []byte) []byte {
		var object map[string]any
		if json.Unmarshal(body, &object) != nil {
			return body
		}
		delete(object, name)
		changed, err := json.Marshal(object)
		if err != nil {
			return body
		}
		return changed
	}
}

// answers is a transport that answers by method and path; what it does not know is 404.
type answers map[string]string

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	body, ok := a[r.Method+" "+r.URL.Path]
	status := http.StatusOK
	if !ok {
		status = http.StatusNotFound
	}
	return &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}, nil
}

const (
	statusCall = "GET /clients/billing/secret"
	clientCall = "GET /clients/billing"
	rotateCall = "POST /clients/billing/secret/rotate"
)

func open(t *testing.T, a answers) providers.Provider {
	t.Helper()
	p, err := telicent.Kind().Open(providers.Opening{
		Name: "auth", Settings: &telicent.Settings{URL: "https://auth", TokenEnv: "T"}, Transport: a,
		Secret: func(string) (string, error) { return "bearer", nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestHowAStatusMayBeWritten(t *testing.T) {
	const start = "start-1772366400" // 2026-03-01T12:00:00Z
	for name, test := range map[string]struct {
		answers answers
		ids     []string // of the listed secrets; nil = an error
		class   providers.Class
	}{
		"nested": {
			answers{statusCall: `{"current":{"createdAt":"2026-03-01T12:00:00Z"}}`}, []string{start}, "",
		},
		"with another zone": {
			answers{statusCall: `{"current":{"createdAt":"2026-03-01T13:00:00.25+01:00"}}`}, []string{start}, "",
		},
		"without a zone": {
			answers{statusCall: `{"secretCreatedAt":"2026-03-01T12:00:00.1"}`}, []string{start}, "",
		},
		"in seconds":      {answers{statusCall: `{"created_at":1772366400.5}`}, []string{start}, ""},
		"in milliseconds": {answers{statusCall: `{"created-at":1772366400500}`}, []string{start}, ""},
		"with both slots": {
			answers{statusCall: `{"current":{"createdAt":1772366400},"previous":{"createdAt":1772366300}}`}, []string{start, "start-1772366300"}, "",
		},
		"with a previous slot alone": {
			answers{statusCall: `{"current":null,"previous":{"createdAt":1772366300}}`}, []string{"start-1772366300"}, "",
		},
		"with an expiry alone":       {answers{statusCall: `{"expiresAt":"2026-03-01T12:00:00Z"}`}, []string{""}, ""},
		"with a flag alone":          {answers{statusCall: `{"hasSecret":true}`}, []string{""}, ""},
		"saying that there is none":  {answers{statusCall: `{"hasSecret":false}`}, []string{}, ""},
		"saying null":                {answers{statusCall: `{"createdAt":null,"expiresAt":null}`}, []string{}, ""},
		"404, and the client exists": {answers{clientCall: `{"clientId":"billing"}`}, []string{}, ""},
		"404, and no client either":  {answers{}, nil, providers.ClassNotFound},
		"under names that nobody guesses": {
			answers{statusCall: `{"born":"2026-03-01T12:00:00Z"}`}, nil, providers.ClassUnavailable,
		},
		"as a list": {answers{statusCall: `[]`}, nil, providers.ClassUnavailable},
		"with a date that is none": {
			answers{statusCall: `{"createdAt":"0001-01-01T00:00:00Z"}`}, nil, providers.ClassUnavailable,
		},
	} {
		t.Run(name, func(t *testing.T) {
			seen, err := open(t, test.answers).Inspect(t.Context(), target("billing"))
			expectClass(t, err, test.class)
			if len(seen.Secrets) != len(test.ids) {
				t.Fatalf("%+v, want %q", seen.Secrets, test.ids)
			}
			for i, s := range seen.Secrets {
				if s.ID != test.ids[i] {
					t.Errorf("id %q, want %q", s.ID, test.ids[i])
				}
			}
		})
	}
}

func TestRotationIsRequiredWithoutAClock(t *testing.T) {
	for body, want := range map[string]time.Time{
		`{"current":{"createdAt":1772366400},"rotationRequired":true}`:  time.Unix(1772366400, 0),
		`{"hasSecret":true,"rotation_required":true}`:                   time.Unix(946684800, 0),
		`{"hasSecret":true,"rotation_required":"true"}`:                 {},
		`{"current":{"createdAt":1772366400},"rotationRequired":false}`: {},
	} {
		seen, err := open(t, answers{statusCall: body}).Inspect(t.Context(), target("billing"))
		if err != nil || !seen.Caps.Required.Equal(want) {
			t.Errorf("%s: required %v, want %v (error %v)", body, seen.Caps.Required, want, err)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`{"clientId":"billing","secret":"canary","createdAt":"2026-03-01T12:00:00Z","expiresAt":1803902400}`,
		`{"clientSecret":"canary","previousExpiresAt":"2026-03-08T12:00:00"}`,
		`{"client_secret":"canary","created_at":1772366400000,"has_secret":true}`, `{"secret":{"value":"canary"}}`,
		`{"current":{"createdAt":1e400},"previous":[],"rotationRequired":1}`, `{"secret":["canary"]}`, `"canary"`, `<canary>`, ``,
		`{"secret":"canary","error":"canary"}`, `{"secret":"canary"} {}`, `{"secret":"canary"`,
		`{"createdAt":-9e18,"hasSecret":true}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		p := open(t, answers{statusCall: `{"hasSecret":true}`, rotateCall: body})
		issued, err := p.Create(t.Context(), target("billing"), providers.Request{})
		switch {
		case err == nil && issued.Bundle.Secret().Empty():
			t.Error("a success without a secret")
		case err != nil && providers.ClassOf(err) != providers.ClassNotUnderstood:
			t.Errorf("the class is %q", providers.ClassOf(err))
		case err != nil && issued.Raw.Reveal() != body:
			t.Error("the reply is lost")
		}
		seen, inspectErr := open(t, answers{statusCall: body}).Inspect(t.Context(), target("billing"))
		for _, s := range seen.Secrets {
			if (s.ID == "") != s.Start.IsZero() {
				t.Errorf("id %q with start %v", s.ID, s.Start)
			}
		}
		for _, err := range []error{err, inspectErr} {
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("the error repeats the body: %v", err)
			}
		}
	})
}
