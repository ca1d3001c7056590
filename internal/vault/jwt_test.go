package vault_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/internal/vault"
	"github.com/rotad/rotad/internal/vault/vaulttest"
)

var jwtLogins = []string{vault.MethodJWT, vault.MethodKubernetes}

func TestJWTIsReadFromItsFileAtEveryLogin(t *testing.T) {
	byEvery(t, jwtLogins, time.Hour, func(t *testing.T, f *fixture) {
		if err := f.client.Login(t.Context()); err != nil {
			t.Fatal(err)
		}
		kept := f.jwtFile
		f.jwtFile = "" // nobody keeps it fresh any more
		f.pass(2 * jwtLife)
		err := f.client.Login(t.Context())
		if !errors.Is(err, credential.ErrDenied) || !strings.Contains(err.Error(), kept+": the token has ended") {
			t.Errorf("with the token of then: %v", err)
		}
		if _, err := f.client.Staging(t.Context(), "key"); err != nil {
			t.Errorf("vault's own token lives on: %v", err)
		}
		f.jwtFile = kept
		f.freshen(0)
		if err := f.client.Login(t.Context()); err != nil {
			t.Errorf("with a new one: %v", err)
		}
	})
}

// What is no JWT is never sent: it may be another secret.
func TestWhatHoldsNoJWTIsNotSent(t *testing.T) {
	const part = "canary-6e1f" // vaulttest.Canary is base64url
	for name, c := range map[string]struct{ content, text string }{
		"nothing":        {" \n", "is empty"},
		"two parts":      {part + "." + part, "holds no JWT"},
		"four parts":     {strings.Repeat(part+".", 3) + part, "holds no JWT"},
		"an empty part":  {part + ".." + part, "holds no JWT"},
		"no signature":   {part + "." + part + ".", "holds no JWT"},
		"two JWTs":       {strings.Repeat(part+"."+part+"."+part+"\n", 2), "holds no JWT"},
		"padding":        {part + "=." + part + "." + part, "holds no JWT"},
		"an answer":      {`{"access_token":"` + part + "." + part + "." + part + `"}`, "holds no JWT"},
		"no text at all": {part + "." + part + "." + part + "\x00", "holds no JWT"},
		"a whole disk":   {part + "." + part + "." + strings.Repeat("x", 64<<10), "is larger than 64 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixtureBy(t, vault.MethodJWT, time.Hour)
			replace(t, f.jwtFile, c.content)
			err := f.client.Login(t.Context())
			if err == nil || !strings.Contains(err.Error(), f.jwtFile+" "+c.text) || strings.Contains(err.Error(), part) {
				t.Errorf("got %v, want the file and %q", err, c.text)
			}
			if f.count(f.loginAt) != 0 {
				t.Error("it was sent to vault")
			}
		})
	}
	f := newFixtureBy(t, vault.MethodKubernetes, time.Hour)
	f.settings.Auth.JWTFile = "/does/not/exist"
	if err := f.open(f.settings).Login(t.Context()); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "/does/not/exist") {
		t.Errorf("a file that is missing: %v", err)
	}
}

func TestRefusedJWTSaysWhatToCheck(t *testing.T) {
	for _, c := range []struct{ rule, subject, audience, jwt, kubernetes string }{
		{"audience", account, "x", "its bound_audiences are not", "its audience is not"},
		{"namespace", "system:serviceaccount:x:rotad", "vault", "its bound_subject is not", "its bound_service_account_namespaces do not"},
		{"account", "system:serviceaccount:security:x", "vault", "its bound_subject is not", "its bound_service_account_names do not"},
	} {
		for method, want := range map[string]string{vault.MethodJWT: c.jwt, vault.MethodKubernetes: c.kubernetes} {
			t.Run(c.rule+"/"+method, func(t *testing.T) {
				f := newFixtureBy(t, method, time.Hour)
				f.refuses(f.kv.JWT(c.subject, c.audience, time.Hour), want)
			})
		}
	}
	for method, want := range map[string]string{vault.MethodJWT: "not signed by the issuer", vault.MethodKubernetes: "system:auth-delegator"} {
		t.Run("issuer/"+method, func(t *testing.T) {
			f := newFixtureBy(t, method, time.Hour)
			f.refuses(sandbox.NewKV(f.wall).JWT(account, "vault", time.Hour), want)
		})
		t.Run("role/"+method, func(t *testing.T) {
			f := newFixtureBy(t, method, time.Hour)
			f.settings.Auth.Role = "other"
			f.client = f.open(f.settings)
			f.refuses(f.kv.JWT(account, "vault", time.Hour), "the mount has no such role")
		})
	}
}

// refuses expects that a JWT is refused, by an error that names role, mount and file and tells nothing of the JWT, and
// that "check --online" says the same.
func (f *fixture) refuses(jwt, why string) {
	f.t.Helper()
	replace(f.t, f.jwtFile, jwt)
	err := f.client.Login(f.t.Context())
	if !errors.Is(err, credential.ErrDenied) {
		f.t.Fatalf("got %v", err)
	}
	role, mount := f.settings.Auth.Role, strings.TrimSuffix(f.loginAt, "/login")
	for _, want := range []string{`role "` + role + `"`, mount + " ", f.jwtFile, why} {
		if !strings.Contains(err.Error(), want) {
			f.t.Errorf("%q does not say %q", err, want)
		}
	}
	for part := range strings.SplitSeq(jwt, ".") {
		if strings.Contains(err.Error(), part) {
			f.t.Error("the error tells a part of the token")
		}
	}
	found := f.client.Check(f.t.Context(), nil, nil)
	if len(found) != 1 || !found[0].Problem || found[0].What != err.Error() {
		f.t.Errorf("the check says %+v", found)
	}
}

// Vault answers 400 where it cannot ask the issuer. That is nobody's refusal, and passes by itself.
func TestIssuerThatIsDownIsNoRefusal(t *testing.T) {
	f := newFixtureBy(t, vault.MethodJWT, time.Hour)
	f.kv.LoseIssuer(true)
	expect(t, f.client.Login(t.Context()), vault.ClassUnavailable, nil)
	f.kv.LoseIssuer(false)
	expect(t, f.client.Login(t.Context()), "", nil)
}

func TestJWTLoginsThatAreNoRefusal(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		class  vault.Class
		is     error
	}{
		"sealed":           {503, `{"errors":["Vault is sealed"]}`, vault.ClassSealed, credential.ErrSealed},
		"a quota":          {429, `{"errors":["rate limit"]}`, vault.ClassThrottled, nil},
		"a proxy's page":   {403, html, vault.ClassNotUnderstood, nil},
		"trouble":          {500, `{"errors":["` + vaulttest.Canary + `"]}`, vault.ClassUnavailable, nil},
		"no token":         {200, `{"auth":{"client_token":""}}`, vault.ClassNotUnderstood, nil},
		"another language": {403, `{"errors":["` + vaulttest.Canary + `"]}`, vault.ClassDenied, credential.ErrDenied},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixtureBy(t, vault.MethodKubernetes, time.Hour)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			t.Cleanup(server.Close)
			f.settings.Address = server.URL
			expect(t, f.open(f.settings).Login(t.Context()), c.class, c.is)
		})
	}
}

func TestJWTLoginGoesToTheConfiguredMount(t *testing.T) {
	f := newFixtureBy(t, vault.MethodKubernetes, time.Hour)
	f.settings.Auth.Mount = "/clusters/east/"
	err := f.open(f.settings).Login(t.Context())
	if !errors.Is(err, credential.ErrDenied) || !strings.Contains(err.Error(), "auth/clusters/east ") {
		t.Errorf("got %v", err)
	}
	if f.count("auth/clusters/east/login") != 1 {
		t.Errorf("the login went to %v", f.paths)
	}
}
