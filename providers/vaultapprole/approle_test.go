package vaultapprole_test

import (
	"io"
	"net/http"
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
	times  int // how often; 0 = always
	done   int
	status int
	body   string
}

// RoundTrip implements http.RoundTripper.
func (w *rewritten) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || !strings.HasSuffix(r.URL.Path, w.path) {
		return resp, err
	}
	if w.done++; w.times > 0 && w.done > w.times {
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
	hidden.times, hidden.done = 1, 0 // hidden from the first look only
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
