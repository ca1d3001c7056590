package sandbox_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
)

// manage sends a request to a registration, and returns the status and what the server says.
func manage(t *testing.T, g *sandbox.Registrar, method, path, token, body string) (int, map[string]any) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	g.Handler().ServeHTTP(w, r)
	raw, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	var said map[string]any
	if err := json.Unmarshal(raw, &said); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return w.Code, said
}

func registrar(t *testing.T, s sandbox.RegistrarSettings) (g *sandbox.Registrar, at *time.Time, secret, token string) {
	t.Helper()
	now := time.Unix(1_772_366_400, 0)
	g = sandbox.NewRegistrar(func() time.Time { return now }, s)
	secret, token, err := g.Register("billing", map[string]any{"client_name": "Billing"})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := g.Register("billing", nil); err == nil {
		t.Error("a client was registered twice")
	}
	return g, &now, secret, token
}

const registration = sandbox.PathRegister + "/billing"

// What oidc-provider 9.13 refuses, it refuses with these words.
func TestRegistrarRefusesWhatAClientMustNotSend(t *testing.T) {
	g, _, secret, token := registrar(t, sandbox.RegistrarSettings{Rotates: true, RotatesToken: true})
	for body, words := range map[string]string{
		`{"client_id":"billing","client_secret_expires_at":0}`:     "request MUST NOT include the client_secret_expires_at field",
		`{"client_id":"billing","registration_access_token":"x"}`:  "request MUST NOT include the registration_access_token field",
		`{"client_id":"billing","registration_client_uri":"x"}`:    "request MUST NOT include the registration_client_uri field",
		`{"client_id":"billing","client_id_issued_at":1772366400}`: "request MUST NOT include the client_id_issued_at field",
		`{"client_id":"billing","client_secret":"another"}`:        "provided client_secret does not match the authenticated client's one",
		`{"client_name":"x"}`: "provided client_id does not match the authenticated client's one",
		`null`:                "the body is no JSON object",
		`{"client_id":"billing","client_secret":"` + secret + `"} x`: "",
	} {
		status, said := manage(t, g, http.MethodPut, registration, token, body)
		if words == "" {
			token = said["registration_access_token"].(string)
			if status != http.StatusOK {
				t.Errorf("%s: %d", body, status)
			}
			continue
		}
		if status != http.StatusBadRequest || said["error"] != "invalid_request" || said["error_description"] != words {
			t.Errorf("%s: %d %v", body, status, said)
		}
	}
}

func TestRegistrarUpdates(t *testing.T) {
	for name, test := range map[string]struct {
		settings       sandbox.RegistrarSettings
		secret, opened bool // after an update the old secret logs in, the old token opens
	}{
		"keeps all":         {sandbox.RegistrarSettings{}, true, true},
		"keeps the secret":  {sandbox.RegistrarSettings{RotatesToken: true}, true, false},
		"keeps the token":   {sandbox.RegistrarSettings{Rotates: true}, false, true},
		"keeps nothing":     {sandbox.RegistrarSettings{Rotates: true, RotatesToken: true}, false, false},
		"is early":          {sandbox.RegistrarSettings{Early: true, Life: time.Hour}, true, true},
		"shows no secret":   {sandbox.RegistrarSettings{Rotates: true, Hidden: true, Silent: true}, false, true},
		"reads are updates": {sandbox.RegistrarSettings{ReadsReplace: true}, true, false},
	} {
		g, _, secret, token := registrar(t, test.settings)
		_, read := manage(t, g, http.MethodGet, registration, token, "")
		used := token
		if test.settings.ReadsReplace {
			used = read["registration_access_token"].(string)
		}
		status, said := manage(t, g, http.MethodPut, registration, used, `{"client_id":"billing","x":[1]}`)
		if status != http.StatusOK || g.Accepts("billing", secret) != test.secret || g.Opens("billing", token) != test.opened {
			t.Errorf("%s: %d, the old secret logs in: %t, the old token opens: %t", name, status, g.Accepts("billing", secret), g.Opens("billing", token))
		}
		if now, shown := said["client_secret"].(string); shown == test.settings.Silent || shown && !g.Accepts("billing", now) {
			t.Errorf("%s: the reply shows a secret: %t", name, shown)
		}
		if _, shown := read["client_secret"]; shown == test.settings.Hidden {
			t.Errorf("%s: a read shows the secret: %t", name, shown)
		}
		if got := g.Metadata("billing"); len(got) != 1 || got["x"] == nil {
			t.Errorf("%s: what was left out is still there: %v", name, got)
		}
	}
}

func TestRegistrarLivesByItsClock(t *testing.T) {
	g, now, secret, token := registrar(t, sandbox.RegistrarSettings{Early: true, Life: 10 * time.Hour})
	if _, said := manage(t, g, http.MethodGet, registration, token, ""); said["client_secret_expires_at"] != float64(1_772_366_400+36000) {
		t.Errorf("%v", said["client_secret_expires_at"])
	}
	*now = now.Add(9*time.Hour + time.Minute)
	if _, said := manage(t, g, http.MethodPut, registration, token, `{"client_id":"billing"}`); said["client_secret"] == secret || g.Made("billing") != 2 {
		t.Error("shortly before its end the secret was kept")
	}
	*now = now.Add(10 * time.Hour)
	if g.Accepts("billing", secret) {
		t.Error("an expired secret logs in")
	}
}

func TestRegistrarTellsAnUnknownClientAsItTellsAWrongToken(t *testing.T) {
	g, _, _, token := registrar(t, sandbox.RegistrarSettings{})
	fresh := g.Reissue("billing")
	for path, used := range map[string]string{
		registration: token, sandbox.PathRegister + "/nobody": fresh, sandbox.PathRegister: fresh, sandbox.PathRegister + "?client_id=nobody": fresh,
	} {
		if status, said := manage(t, g, http.MethodGet, path, used, ""); status != http.StatusUnauthorized || said["error"] != "invalid_token" {
			t.Errorf("%s: %d %v", path, status, said)
		}
	}
	if status, _ := manage(t, g, http.MethodGet, sandbox.PathRegister+"?client_id=billing", fresh, ""); status != http.StatusOK {
		t.Errorf("the address as a query: %d", status)
	}
}
