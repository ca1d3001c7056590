package sandbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
)

const account = "system:serviceaccount:security:rotad"

// jwtWorld has a role of both methods, for tokens of account and the audience "vault".
func jwtWorld(t *testing.T) *kvWorld {
	t.Helper()
	w := newKVWorld(t)
	for _, method := range []string{"jwt", "kubernetes"} {
		w.kv.AddJWTRole(sandbox.KVJWTRole{Method: method, Name: "rotad", Audience: "vault", Subject: account, TTL: time.Hour})
	}
	return w
}

func login(role, jwt string) string { return `{"role":"` + role + `","jwt":"` + jwt + `"}` }

func TestKVTakesAJWTUntilItEnds(t *testing.T) {
	for _, method := range []string{"jwt", "kubernetes"} {
		w := jwtWorld(t)
		w.token = ""
		jwt := w.kv.JWT(account, "vault", time.Minute)
		status, body := w.ask("PUT", "auth/"+method+"/login", login("rotad", jwt))
		auth, _ := body["auth"].(map[string]any)
		if status != 200 || auth["lease_duration"] != 3600.0 || auth["renewable"] != true {
			t.Fatalf("%s: HTTP %d %v", method, status, body)
		}
		w.token = auth["client_token"].(string)
		w.at = w.at.Add(time.Minute)
		w.status(200, "GET", "auth/token/lookup-self", "") // Vault's own token lives on
		want := map[string]int{"jwt": 400, "kubernetes": 403}[method]
		w.refused(want, "token is expired", "PUT", "auth/"+method+"/login", login("rotad", jwt))
	}
}

func TestKVRefusesAJWTInThePluginsWords(t *testing.T) {
	w := jwtWorld(t)
	w.kv.AddJWTRole(sandbox.KVJWTRole{Method: "jwt", Name: "unbound", TTL: time.Hour})
	good := w.kv.JWT(account, "vault", time.Minute)
	header, rest, _ := strings.Cut(good, ".")
	payload, _, _ := strings.Cut(rest, ".")
	foreign := sandbox.NewKV(func() time.Time { return w.at }).JWT(account, "vault", time.Minute)
	for _, c := range []struct {
		rule, role, token string
		jwt, kubernetes   string // words
	}{
		{"another role", "other", good, `role "other" could not be found`, `invalid role name "other"`},
		{"no JWT", "rotad", "x", "malformed", "permission denied"},
		{"an empty JWT", "rotad", "..", "signature", "permission denied"},
		{"no signature", "rotad", header + "." + payload + ".", "signature", "permission denied"},
		{"another issuer", "rotad", foreign, "signature", "permission denied"},
		{"another audience", "rotad", w.kv.JWT(account, "x", time.Minute), "(aud) claim", "(aud) claim"},
		{"another namespace", "rotad", w.kv.JWT("system:serviceaccount:x:rotad", "vault", time.Minute), "(sub) claim", "namespace not authorized"},
		{"another account", "rotad", w.kv.JWT("system:serviceaccount:security:x", "vault", time.Minute), "(sub) claim", "service account name not"},
		{"no audience bound", "unbound", good, "no audiences bound", `invalid role name`},
	} {
		t.Run(c.rule, func(t *testing.T) {
			status := 403
			if strings.Contains(c.kubernetes, "role") {
				status = 400
			}
			w.t = t
			w.refused(400, c.jwt, "PUT", "auth/jwt/login", login(c.role, c.token))
			w.refused(status, c.kubernetes, "PUT", "auth/kubernetes/login", login(c.role, c.token))
		})
	}
}

func TestKVRefusesLoginsOfMethodsThatAreNotThere(t *testing.T) {
	w := jwtWorld(t)
	w.token = ""
	w.refused(403, "permission denied", "PUT", "auth/oidc/login", login("rotad", "x"))
	w.kv.LoseIssuer(true)
	w.refused(400, "fetching keys", "PUT", "auth/jwt/login", login("rotad", w.kv.JWT(account, "vault", time.Minute)))
	w.kv.LoseIssuer(false)
	w.status(200, "PUT", "auth/jwt/login", login("rotad", w.kv.JWT(account, "vault", time.Minute)))
	w.kv.SetSealed(true)
	w.refused(503, "Vault is sealed", "PUT", "auth/jwt/login", login("rotad", "x"))
}
