package authentik_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/authentik"
)

// me is a transport that answers who the account is.
type me string

// RoundTrip implements http.RoundTripper.
func (m me) RoundTrip(r *http.Request) (*http.Response, error) {
	status := http.StatusNotFound
	if r.Method == http.MethodGet && r.URL.Path == "/api/v3/core/users/me/" {
		status = http.StatusOK
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(string(m))), Request: r,
	}, nil
}

func TestASuperuserIsTooMuch(t *testing.T) {
	for body, wide := range map[string]bool{
		`{"user":{"username":"rotad","is_superuser":true}}`:  true,
		`{"user":{"username":"rotad","is_superuser":false}}`: false,
	} {
		p, err := authentik.Kind().Open(providers.Opening{
			Name: "corp", Settings: &authentik.Settings{URL: "https://authentik.example.com", TokenFile: "f"}, Transport: me(body),
			Secret: func(string) (string, error) { return "token", nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		reader, ok := providers.AsRightsReader(p)
		if !ok {
			t.Fatal("the rights of the account cannot be read")
		}
		rights, err := reader.Rights(t.Context(), nil)
		switch {
		case wide && (err != nil || len(rights) != 1 || !rights[0].TooWide()):
			t.Errorf("%s: %+v, error %v", body, rights, err)
		case !wide && (providers.ClassOf(err) != providers.ClassUnsupported || len(rights) != 0):
			t.Errorf("%s: %+v, error %v", body, rights, err)
		}
	}
}
