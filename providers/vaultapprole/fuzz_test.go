package vaultapprole_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/vaultapprole"
)

// places are the endpoints whose answers are replaced, one at a time.
var places = []string{"/role/billing", "/role-id", "/secret-id", "/secret-id-accessor/lookup", "/secret-id/lookup", "/login", "/destroy"}

// Whatever Vault answers to a look, a login or a revoke: no secret without an id is listed, nothing is proved by what is
// not an answer, and no answer is repeated in an error.
func FuzzLooks(f *testing.F) {
	const mark = "Q0q0Q0q0"
	for i, body := range []string{
		`{"data":{"bind_secret_id":true,"secret_id_num_uses":0,"secret_id_ttl":-1}}`, `{"data":{"role_id":"` + mark + `"}}`,
		`{"data":{"keys":["a","a","",null]}}`,
		`{"data":{"secret_id_accessor":"a","creation_time":"2026-03-01T12:00:00Z","expiration_time":"0001-01-01T00:00:00Z","metadata":{"rotad":"l"}}}`,
		`{"data":{"secret_id_accessor":"","metadata":null}}`, `{"auth":{"client_token":"` + mark + `","lease_duration":1}}`,
		`{"errors":["failed to find accessor entry ` + mark + `"]}`,
	} {
		f.Add(uint8(i), 200, body)
		f.Add(uint8(i), 400, body)
	}
	f.Add(uint8(5), 200, `{"auth":{"client_token":"","mfa_requirement":{"x":1}}}`)
	f.Add(uint8(5), 400, `{"errors":["invalid role or secret ID"]}`)
	f.Add(uint8(3), 204, ``)
	v := newVault(f)
	roleID, err := v.AddRole(sandbox.AppRoleRole{Name: "billing"})
	if err != nil {
		f.Fatal(err)
	}
	if _, _, err := v.Issue("billing"); err != nil {
		f.Fatal(err)
	}
	handler := v.Handler()
	f.Fuzz(func(t *testing.T, place uint8, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		p := v.open(t, vaultapprole.Settings{TokenFile: "f"}, inProcess(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, places[int(place)%len(places)]) || r.Header.Get("X-Vault-Token") == "" && !strings.HasSuffix(r.URL.Path, "/login") {
				handler.ServeHTTP(w, r)
				return
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}))
		seen, err := p.Inspect(t.Context(), target("billing"))
		for _, s := range seen.Secrets {
			if s.ID == "" {
				t.Error("a secret without an id is listed")
			}
		}
		answer, unproved := p.Verify(t.Context(), target("billing"), bundle(roleID, "not issued"))
		if (unproved == nil) != (answer != providers.Unknown) {
			t.Errorf("%s with error %v", answer, unproved)
		}
		if answer == providers.Accepted && (places[int(place)%len(places)] != "/login" || status/100 != 2) {
			t.Errorf("%d %q proves a value that was never issued", status, body)
		}
		revoker, ok := providers.AsRevoker(p)
		if !ok {
			t.Fatal("no Revoker")
		}
		for _, err := range []error{err, unproved, revoker.Revoke(t.Context(), target("billing"), "none")} {
			if err != nil && strings.Contains(err.Error(), mark) {
				t.Errorf("the error repeats the answer: %v", err)
			}
		}
	})
}
