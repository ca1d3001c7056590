package vaultapprole_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/vaultapprole"
)

// opened is a server with the role "billing" and the provider for it.
func opened(t *testing.T, values string, role sandbox.AppRoleRole, transport http.RoundTripper) (*vault, providers.Provider) {
	t.Helper()
	v := newVault(t)
	role.Name = "billing"
	if _, err := v.AddRole(role); err != nil {
		t.Fatal(err)
	}
	return v, v.open(t, vaultapprole.Settings{Values: values, TokenFile: "f"}, transport)
}

func TestSecretIDsStandBesideEachOther(t *testing.T) {
	v, p := opened(t, "server", sandbox.AppRoleRole{}, nil)
	s, err := p.Inspect(t.Context(), target("billing"))
	if err != nil || len(s.Secrets) != 0 || s.Caps.Mode != credential.ModeTwoSlot || s.ClientID == "" || !s.Time.Equal(v.now()) {
		t.Fatalf("an empty role: %+v, %v", s, err)
	}
	want := providers.Request{Label: "rotad-r1-1", Expires: v.now().Add(36 * time.Hour)}
	first, err := p.Create(t.Context(), target("billing"), want)
	if err != nil {
		t.Fatal(err)
	}
	v.offset.Add(int64(time.Minute))
	second, err := p.Create(t.Context(), target("billing"), providers.Request{Label: "rotad-r2-1"})
	if err != nil {
		t.Fatal(err)
	}
	s, err = p.Inspect(t.Context(), target("billing"))
	if err != nil || len(s.Secrets) != 2 || s.Secrets[0].ID != second.Secret.ID || s.Secrets[1].ID != first.Secret.ID {
		t.Fatalf("newest first: %+v, %v", s.Secrets, err)
	}
	if got := s.Secrets[1]; got.Label != want.Label || !got.Expires.Equal(want.Expires) || got.Never || got.Slot != "" {
		t.Errorf("with an expiry: %+v", got)
	}
	if got := s.Secrets[0]; !got.Never || !got.Expires.IsZero() || !got.Start.Equal(v.now()) {
		t.Errorf("without one: %+v", got)
	}
	if first.Bundle[vaultapprole.FieldRoleID].Reveal() != s.ClientID || !first.OldDies.IsZero() {
		t.Errorf("the role id belongs to the bundle: %v", first.OldDies)
	}
}

// Vault refuses a life that the role does not allow, and shortens one that the mount does not allow without a word.
func TestLifeOfASecretID(t *testing.T) {
	for name, test := range map[string]struct {
		role  time.Duration
		asked time.Duration // 0 = no expiry is asked for
		want  time.Duration // 0 = never
		class providers.Class
	}{
		"as asked":               {0, 10 * time.Hour, 10 * time.Hour, ""},
		"less than the role's":   {20 * time.Hour, 10 * time.Hour, 10 * time.Hour, ""},
		"more than the role's":   {5 * time.Hour, 10 * time.Hour, 5 * time.Hour, ""},
		"more than the mount's":  {0, 2000 * time.Hour, 768 * time.Hour, ""},
		"the role's, unasked":    {5 * time.Hour, 0, 5 * time.Hour, ""},
		"for ever":               {0, 0, 0, ""},
		"a moment that is past":  {0, -time.Hour, 0, providers.ClassRejected},
		"less than a second off": {0, time.Millisecond, 0, providers.ClassRejected},
	} {
		v, p := opened(t, "server", sandbox.AppRoleRole{SecretIDTTL: test.role}, nil)
		r := providers.Request{Label: "l"}
		if test.asked != 0 {
			r.Expires = v.now().Add(test.asked)
		}
		issued, err := p.Create(t.Context(), target("billing"), r)
		if providers.ClassOf(err) != test.class {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var want time.Time
		if test.want > 0 {
			want = v.now().Add(test.want)
		}
		if !issued.Secret.Expires.Equal(want) || (err == nil && issued.Secret.Never != want.IsZero()) {
			t.Errorf("%s: %+v, want %v", name, issued.Secret, want)
		}
	}
}

func TestRolesThatCannotBeRotated(t *testing.T) {
	for name, role := range map[string]sandbox.AppRoleRole{"no SecretID needed": {Unbound: true}, "uses are limited": {NumUses: 5}} {
		v, p := opened(t, "server", role, nil)
		_, inspected := p.Inspect(t.Context(), target("billing"))
		_, created := p.Create(t.Context(), target("billing"), providers.Request{})
		if providers.ClassOf(inspected) != providers.ClassUnsupported || providers.ClassOf(created) != providers.ClassUnsupported {
			t.Errorf("%s: %v, %v", name, inspected, created)
		}
		if v.Created("billing") != 0 {
			t.Errorf("%s: one was made", name)
		}
	}
}

func generate(t *testing.T, p providers.Provider) credential.Bundle {
	t.Helper()
	g, ok := providers.AsGenerator(p)
	if !ok {
		t.Fatal("no Generator")
	}
	b, err := g.Generate(target("billing"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOwnValues(t *testing.T) {
	v, p := opened(t, "own", sandbox.AppRoleRole{}, nil)
	value := generate(t, p) // before anything else was asked: the role id must be found out
	if n := len(value[vaultapprole.FieldSecretID].Reveal()); n < 43 || value[vaultapprole.FieldRoleID].Empty() {
		t.Errorf("%d characters", n)
	}
	if generate(t, p).Equal(value) {
		t.Error("twice the same value")
	}
	s, err := p.Inspect(t.Context(), target("billing"))
	if err != nil || s.Caps.Mode != credential.ModeCaller || !s.Caps.Repeatable {
		t.Errorf("%+v, %v", s.Caps, err)
	}
	r := providers.Request{Label: "l", Proposed: value, Expires: v.now().Add(time.Hour)}
	if _, err := p.Create(t.Context(), target("billing"), r); err != nil {
		t.Fatal(err)
	}
	v.offset.Add(int64(2 * time.Hour)) // expired, and still registered
	r.Expires = v.now().Add(time.Hour)
	if _, err := p.Create(t.Context(), target("billing"), r); providers.ClassOf(err) != providers.ClassRejected {
		t.Errorf("a spent value asks for another one: %v", err)
	}
	for name, err := range map[string]error{
		"own without a value":   second(p.Create(t.Context(), target("billing"), providers.Request{})),
		"server with one":       second(serverValues(t).Create(t.Context(), target("billing"), r)),
		"own, and not this one": second(p.Create(t.Context(), target("billing"), providers.Request{Proposed: credential.Bundle{"x": value["x"]}})),
	} {
		if class := providers.ClassOf(err); class != providers.ClassRejected && class != providers.ClassUnsupported {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func serverValues(t *testing.T) providers.Provider {
	t.Helper()
	_, p := opened(t, "server", sandbox.AppRoleRole{}, nil)
	return p
}

// rewritten is a transport that changes replies.
type rewritten struct {
	path   string
	skip   int
	status int
	body   string
}

// RoundTrip implements http.RoundTripper.
func (w *rewritten) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || !strings.HasSuffix(r.URL.Path, w.path) {
		return resp, err
	}
	if w.skip--; w.skip >= 0 {
		return resp, err
	}
	_ = resp.Body.Close()
	resp.Body, resp.ContentLength, resp.StatusCode = io.NopCloser(strings.NewReader(w.body)), -1, w.status
	return resp, err
}

// Between the look and the create another try has registered the value: Vault calls that an accident of its own.
func TestValueThatWasRegisteredMeanwhile(t *testing.T) {
	hidden := &rewritten{path: "/secret-id/lookup", status: http.StatusNoContent}
	v, p := opened(t, "own", sandbox.AppRoleRole{}, hidden)
	r := providers.Request{Label: "l", Proposed: generate(t, p)}
	if _, err := p.Create(t.Context(), target("billing"), r); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Create(t.Context(), target("billing"), r); providers.ClassOf(err) != providers.ClassIndeterminate {
		t.Errorf("registered, and the look says no: %v", err)
	}
	hidden.path = "nothing"
	issued, err := p.Create(t.Context(), target("billing"), r)
	if err != nil || !issued.Bundle.Equal(r.Proposed) || issued.Secret.ID == "" || v.Created("billing") != 1 {
		t.Errorf("%+v, %v", issued.Secret, err)
	}
}

func TestWhatVaultSays(t *testing.T) {
	for name, test := range map[string]struct {
		path   string
		status int
		body   string
		want   providers.Class
	}{
		"sealed":             {"/secret-id", 503, `{"errors":["Vault is sealed"]}`, providers.ClassUnavailable},
		"overloaded":         {"/secret-id", 503, `{"errors":["server is overloaded"]}`, providers.ClassIndeterminate},
		"an accident":        {"/secret-id", 500, `{"errors":["internal error"]}`, providers.ClassIndeterminate},
		"a right is missing": {"/secret-id", 403, `{"errors":["permission denied"]}`, providers.ClassAuth},
		"no such mount":      {"/role/billing", 404, `{"errors":["no handler for route \"auth/x\""]}`, providers.ClassRejected},
		"no such role":       {"/role/billing", 404, `{"errors":[]}`, providers.ClassNotFound},
		"no role id":         {"/role-id", 200, `{"data":{}}`, providers.ClassUnavailable},
		"a wrapped reply":    {"/secret-id", 200, `{"data":null,"wrap_info":{"token":"CANARY"}}`, providers.ClassNotUnderstood},
	} {
		_, p := opened(t, "server", sandbox.AppRoleRole{}, &rewritten{path: test.path, status: test.status, body: test.body})
		issued, err := p.Create(t.Context(), target("billing"), providers.Request{})
		if providers.ClassOf(err) != test.want || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
		if kept := !issued.Raw.Empty(); kept != (test.want == providers.ClassNotUnderstood) {
			t.Errorf("%s: the reply is kept: %t", name, kept)
		}
	}
}

func TestVerifyAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		want   providers.Answer
	}{
		"wrong":               {400, `{"errors":["invalid role or secret ID"]}`, providers.Refused},
		"right, from here no": {400, `{"errors":["source address \"::1\" unauthorized through CIDR restrictions on the secret ID"]}`, providers.Accepted},
		"a second factor":     {200, `{"auth":{"client_token":"","mfa_requirement":{"mfa_request_id":"x"}}}`, providers.Accepted},
		"nothing inside":      {200, `{"auth":{"client_token":"","mfa_requirement":null}}`, providers.Unknown},
		"sealed":              {503, `{"errors":["Vault is sealed"]}`, providers.Unknown},
		"a gateway":           {403, `<html>`, providers.Unknown},
		"something new":       {400, `{"errors":["CANARY"]}`, providers.Unknown},
	} {
		_, p := opened(t, "server", sandbox.AppRoleRole{}, &rewritten{path: "/login", status: test.status, body: test.body})
		got, err := p.Verify(t.Context(), target("billing"), bundle("r", "s"))
		if got != test.want || (err == nil) != (got != providers.Unknown) {
			t.Errorf("%s: %s, %v; want %s", name, got, err, test.want)
		}
		if err != nil && (strings.Contains(err.Error(), "CANARY") || providers.ClassOf(err) == providers.ClassAuth) {
			t.Errorf("%s: %v", name, err)
		}
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
