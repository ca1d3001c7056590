package vaultapprole_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/vaultapprole"
)

// What Verify leaves behind would fill Vault with leases.
func TestVerifyRevokesItsToken(t *testing.T) {
	v := newVault(t)
	if _, err := v.AddRole(sandbox.AppRoleRole{Name: "billing"}); err != nil {
		t.Fatal(err)
	}
	secret, _, err := v.Issue("billing")
	if err != nil {
		t.Fatal(err)
	}
	var last *http.Request
	p := v.open(t, vaultapprole.Settings{TokenFile: "f"}, watch{&last})
	if got, err := p.Verify(t.Context(), target("billing"), bundle("", secret)); got != providers.Accepted {
		t.Fatalf("%s, %v", got, err)
	}
	if last.URL.Path != "/v1/auth/token/revoke-self" || last.Header.Get("X-Vault-Token") == rootToken || last.Header.Get("X-Vault-Token") == "" {
		t.Errorf("the last request: %s with another token than its own", last.URL.Path)
	}
}

// A bundle that lost its role id, or never had one, is completed from the role.
func TestVerifyWithoutARoleID(t *testing.T) {
	v, p := opened(t, "server", sandbox.AppRoleRole{}, nil)
	secret, _, err := v.Issue("billing")
	if err != nil {
		t.Fatal(err)
	}
	b := bundle("", secret)
	if got, err := p.Verify(t.Context(), target("billing"), b); got != providers.Accepted {
		t.Errorf("%s, %v", got, err)
	}
}

func TestRevokeStaysWithinTheRole(t *testing.T) {
	v, p := opened(t, "server", sandbox.AppRoleRole{}, nil)
	if _, err := v.AddRole(sandbox.AppRoleRole{Name: "other"}); err != nil {
		t.Fatal(err)
	}
	secret, accessor, err := v.Issue("other")
	if err != nil {
		t.Fatal(err)
	}
	revoker, _ := providers.AsRevoker(p)
	if err := revoker.Revoke(t.Context(), target("billing"), accessor); err != nil {
		t.Errorf("%v", err)
	}
	if !v.Accepts("other", credential.NewSensitive(secret)) {
		t.Error("the SecretID of another role was revoked")
	}
}

func TestSettingsSayHowToLogIn(t *testing.T) {
	for name, test := range map[string]struct {
		settings vaultapprole.Settings
		path     string // of the mistake; empty = none
	}{
		"a token":                     {vaultapprole.Settings{TokenFile: "f"}, ""},
		"a token in the environment":  {vaultapprole.Settings{TokenEnv: "E"}, ""},
		"a role":                      {vaultapprole.Settings{RoleID: "r", SecretIDFile: "f"}, ""},
		"nothing":                     {vaultapprole.Settings{}, "token_file"},
		"both":                        {vaultapprole.Settings{TokenFile: "f", RoleID: "r", SecretIDEnv: "E"}, "role_id"},
		"a role without its SecretID": {vaultapprole.Settings{RoleID: "r"}, "secret_id_file"},
		"a SecretID without a role":   {vaultapprole.Settings{SecretIDFile: "f"}, "role_id"},
	} {
		got := ""
		test.settings.Validate(func(path, what, hint string) {
			if got += path; what == "" || hint == "" {
				t.Errorf("%s: %q, hint %q", name, what, hint)
			}
		})
		if got != test.path {
			t.Errorf("%s: %q, want %q", name, got, test.path)
		}
	}
}

func TestNamespaceMountAndHeaders(t *testing.T) {
	v := newVault(t)
	var seen *http.Request
	p := v.open(t, vaultapprole.Settings{TokenFile: "f", Namespace: "team/a", Mount: "apps/approle"}, watch{&seen})
	_, _ = p.Inspect(t.Context(), target("a/../b"))
	if seen.Header.Get("X-Vault-Namespace") != "team/a" || seen.Header.Get("X-Vault-Token") != rootToken ||
		seen.Header.Get("X-Vault-Request") != "true" || seen.Header.Get("Authorization") != "" {
		t.Errorf("%v", seen.Header)
	}
	if got := seen.URL.EscapedPath(); got != "/v1/auth/apps/approle/role/a%2F..%2Fb" {
		t.Errorf("%s", got)
	}
}

type watch struct{ seen **http.Request }

// RoundTrip implements http.RoundTripper.
func (w watch) RoundTrip(r *http.Request) (*http.Response, error) {
	*w.seen = r
	return http.DefaultTransport.RoundTrip(r)
}

func TestCheck(t *testing.T) {
	for name, test := range map[string]struct {
		status  int
		body    string
		problem bool
		words   string
	}{
		"well":       {200, `{"data":{"policies":["default","rotad"]}}`, false, ""},
		"root":       {200, `{"data":{"policies":["root"]}}`, false, "policy root"},
		"ended":      {403, `{"errors":["permission denied"]}`, true, "Renew"},
		"not there":  {502, ``, true, "can be reached"},
		"some proxy": {200, `<html>`, true, "address"},
	} {
		_, p := opened(t, "server", sandbox.AppRoleRole{}, &rewritten{path: "/lookup-self", status: test.status, body: test.body})
		checker, _ := providers.AsChecker(p)
		text, problem := "", false
		for _, f := range checker.Check(t.Context()) {
			text, problem = text+f.What+f.Hint, problem || f.Problem
		}
		if problem != test.problem || !strings.Contains(text, test.words) || (test.words == "") != (text == "") {
			t.Errorf("%s: problem %t, %q", name, problem, text)
		}
	}
}

// inProcess is a transport that asks a handler directly.
type inProcess http.HandlerFunc

// RoundTrip implements http.RoundTripper.
func (f inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	w.Header()["Content-Type"] = nil
	f(w, r)
	return w.Result(), nil
}

func FuzzReplies(f *testing.F) {
	f.Add(200, `{"data":{"secret_id":"s","secret_id_accessor":"a","secret_id_ttl":60}}`)
	f.Add(200, `{"data":{"secret_id":1}}`)
	f.Add(500, `{"errors":["SecretID is already registered"]}`)
	v := newVault(f)
	if _, err := v.AddRole(sandbox.AppRoleRole{Name: "billing"}); err != nil {
		f.Fatal(err)
	}
	handler := v.Handler()
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		p := v.open(t, vaultapprole.Settings{TokenFile: "f"}, inProcess(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/secret-id") {
				handler.ServeHTTP(w, r)
				return
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}))
		issued, err := p.Create(t.Context(), target("billing"), providers.Request{})
		switch {
		case err == nil && (issued.Secret.ID == "" || issued.Bundle[vaultapprole.FieldSecretID].Empty()):
			t.Errorf("success without a secret: %+v", issued.Secret)
		case providers.ClassOf(err) == providers.ClassNotUnderstood && issued.Raw.Reveal() != body:
			t.Error("the reply is not kept")
		}
	})
}
