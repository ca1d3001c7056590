package sandbox_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
)

// single asks a stand-in for servers with one secret per client, and returns the status and the body.
func single(t *testing.T, s *sandbox.Single, method, path, login, body string) (int, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", login)
	if strings.HasSuffix(path, "/token") {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Del("Authorization")
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func newSingle(t *testing.T) *sandbox.Single {
	t.Helper()
	s := sandbox.NewSingle(func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }, "key", nil)
	for id, secret := range map[string]string{"c": "first", "empty": ""} {
		if err := s.Register(id, secret); err != nil {
			t.Fatal(err)
		}
	}
	if s.Register("c", "") == nil {
		t.Error("a client is registered twice")
	}
	return s
}

func TestSingleReplacesTheOneSecret(t *testing.T) {
	for name, test := range map[string]struct{ method, path, login, body string }{
		"auth0":      {http.MethodPost, sandbox.PathAuth0 + "/api/v2/clients/c/rotate-secret", "Bearer key", ""},
		"fusionauth": {http.MethodPatch, sandbox.PathFusionAuth + "/api/application/c", "key", `{"application":{"oauthConfiguration":{"clientSecret":"second"}}}`},
		"hydra":      {http.MethodPatch, sandbox.PathHydra + "/admin/clients/c", "", `[{"op":"replace","path":"/client_secret","value":"second"}]`},
		"zitadel":    {http.MethodPost, sandbox.PathZitadel + "/v2/users/c/secret", "Bearer key", "{}"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSingle(t)
			if status, body := single(t, s, test.method, test.path, test.login, test.body); status != 200 || !strings.Contains(strings.ToLower(body), "secret") {
				t.Fatalf("HTTP %d", status)
			}
			if s.Made("c") != 1 || s.Accepts("c", "first") || test.body != "" && test.body != "{}" && !s.Accepts("c", "second") {
				t.Errorf("%d made, the old one is accepted: %v", s.Made("c"), s.Accepts("c", "first"))
			}
			if status, _ := single(t, s, test.method, strings.Replace(test.path, "/c", "/none", 1), test.login, test.body); name != "auth0" && status != 404 {
				t.Errorf("an unknown client: HTTP %d", status)
			}
			if status, _ := single(t, s, test.method, test.path, "Bearer wrong", test.body); name != "hydra" && status != 401 {
				t.Errorf("a wrong key: HTTP %d", status)
			}
		})
	}
}

func TestSingleRefusesWhatTheOriginalsRefuse(t *testing.T) {
	const form = "client_id=c&client_secret=first"
	for name, test := range map[string]struct {
		method, path, login, body string
		status                    int
		says                      string
	}{
		"auth0: no audience":     {http.MethodPost, sandbox.PathAuth0 + "/oauth/token", "", form, 403, "access_denied"},
		"auth0: a wrong secret":  {http.MethodPost, sandbox.PathAuth0 + "/oauth/token", "", "client_id=c&client_secret=x", 401, "access_denied"},
		"auth0: no client":       {http.MethodGet, sandbox.PathAuth0 + "/api/v2/clients/none", "Bearer key", "", 404, "statusCode"},
		"fusionauth: a code":     {http.MethodPost, sandbox.PathFusionAuth + "/oauth2/token", "", form + "&grant_type=authorization_code&code=x", 400, "invalid_grant"},
		"fusionauth: no value":   {http.MethodPatch, sandbox.PathFusionAuth + "/api/application/c", "key", "{}", 400, "fieldErrors"},
		"hydra: another path":    {http.MethodPatch, sandbox.PathHydra + "/admin/clients/c", "", `[{"op":"replace","path":"/x","value":"second"}]`, 400, "error"},
		"hydra: a short value":   {http.MethodPatch, sandbox.PathHydra + "/admin/clients/c", "", `[{"op":"replace","path":"/client_secret","value":"x"}]`, 400, "error"},
		"zitadel: no secret yet": {http.MethodPost, sandbox.PathZitadel + "/oauth/v2/token", "", "client_id=empty&client_secret=", 401, "invalid_client"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSingle(t)
			status, body := single(t, s, test.method, test.path, test.login, test.body)
			if status != test.status || !strings.Contains(body, test.says) || s.Made("c") != 0 {
				t.Errorf("HTTP %d, want %d with %q; %d made", status, test.status, test.says, s.Made("c"))
			}
		})
	}
}
