package sandbox_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
)

// The statuses and words of the real server, odd ones included.
func TestAppRoleAnswersLikeVault(t *testing.T) {
	a := sandbox.NewAppRole(func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }, sandbox.AppRoleSettings{Token: "root"})
	for _, role := range []sandbox.AppRoleRole{{Name: "r"}, {Name: "few", NumUses: 3, SecretIDTTL: time.Hour}} {
		if _, err := a.AddRole(role); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.AddRole(sandbox.AppRoleRole{Name: "r"}); !errors.Is(err, sandbox.ErrDuplicate) {
		t.Errorf("a role twice: %v", err)
	}
	handler := a.Handler()
	for _, step := range []struct {
		method, path, body string
		status             int
		words              string
	}{
		{"GET", "role/nobody", "", 404, `{"errors":[]}`},
		{"GET", "role/nobody/role-id", "", 404, `{"errors":[]}`},
		{"LIST", "role/r/secret-id", "", 404, `{"errors":[]}`},
		{"LIST", "role/nobody/secret-id", "", 400, `does not exist`},
		{"POST", "role/nobody/secret-id", "{}", 404, `does not exist`},
		{"POST", "role/r/custom-secret-id", `{"secret_id":"v","metadata":"{\"rotad\":\"l\"}"}`, 200, `"secret_id_ttl":0`},
		{"POST", "role/r/custom-secret-id", `{"secret_id":"v"}`, 500, `SecretID is already registered`},
		{"POST", "role/r/secret-id/lookup", `{"secret_id":"v"}`, 200, `"metadata":{"rotad":"l"}`},
		{"POST", "role/r/secret-id/lookup", `{"secret_id":"w"}`, 204, ``},
		{"POST", "role/r/secret-id", `{"ttl":"9999999s"}`, 200, `"secret_id_ttl":2764800`},
		{"POST", "role/few/secret-id", `{"ttl":"7200s"}`, 400, `ttl cannot be longer`},
		{"POST", "role/few/secret-id", `{"num_uses":0}`, 400, `num_uses cannot be higher`},
		{"POST", "role/r/secret-id-accessor/lookup", `{"secret_id_accessor":"x"}`, 404, `failed to find accessor`},
		{"POST", "role/r/secret-id-accessor/destroy", `{"secret_id_accessor":"x"}`, 500, `failed to find accessor`},
		{"POST", "login", `{"role_id":"x","secret_id":"v"}`, 400, `invalid role or secret ID`},
		{"GET", "elsewhere", "", 404, `no handler for route`},
	} {
		req := httptest.NewRequestWithContext(t.Context(), step.method, "/v1/auth/approle/"+step.path, strings.NewReader(step.body))
		req.Header.Set("X-Vault-Token", "root")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, req)
		if body := w.Body.String(); w.Code != step.status || !strings.Contains(body, step.words) {
			t.Errorf("%s %s %s: %d %s, want %d %s", step.method, step.path, step.body, w.Code, body, step.status, step.words)
		}
	}
	if a.Created("r") != 2 || a.Created("nobody") != 0 || !a.Accepts("r", credential.NewSensitive("v")) {
		t.Errorf("%d were made", a.Created("r"))
	}
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/auth/approle/role/r", http.NoBody)
	w := httptest.NewRecorder()
	if handler.ServeHTTP(w, req); w.Code != http.StatusForbidden {
		t.Errorf("without a token: %d", w.Code)
	}
}
