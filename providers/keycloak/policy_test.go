package keycloak_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
)

const profileJSON = `{"profiles":[
	{"name":"rotation","executors":[{"executor":"secret-rotation","configuration":{"rotated-expiration-period":3600}}]},
	{"name":"short","executors":[{"executor":"pkce-enforcer","configuration":{}},{"executor":"secret-rotation","configuration":{"rotated-expiration-period":"600"}}]},
	{"name":"none","executors":[{"executor":"secret-rotation","configuration":{"rotated-expiration-period":0}}]},
	{"name":"default","executors":[{"executor":"secret-rotation","configuration":{}}]},
	{"name":"pkce","executors":[{"executor":"pkce-enforcer","configuration":{}}]}]}`

// policyJSON is one enabled policy with these conditions.
func policyJSON(profile string, conditions ...string) string {
	return fmt.Sprintf(`{"name":"p","enabled":true,"profiles":[%q],"conditions":[%s]}`, profile, strings.Join(conditions, ","))
}

func conditionJSON(name, configuration string) string {
	return fmt.Sprintf(`{"condition":%q,"configuration":%s}`, name, configuration)
}

const (
	any0   = `{"condition":"any-client","configuration":{}}`
	anyNot = `{"condition":"any-client","configuration":{"is-negative-logic":true}}`
)

// Which policies cover a client was measured by replacing secrets at version 26.5.
func TestWhichPolicyCoversAClient(t *testing.T) {
	role := func(name string) string { return conditionJSON("client-roles", `{"roles":["`+name+`"]}`) }
	attribute := func(pairs string) string { return conditionJSON("client-attributes", `{"attributes":"`+pairs+`"}`) }
	access := func(kind string) string { return conditionJSON("client-access-type", `{"type":["`+kind+`"]}`) }
	for _, test := range []struct {
		name     string
		policies []string
		grace    time.Duration // 0 = not covered
		reason   string
	}{
		{"no policy", nil, 0, "no enabled client policy"},
		{"any client", []string{policyJSON("rotation", any0)}, time.Hour, `"p" covers it`},
		{"any client, negated", []string{policyJSON("rotation", anyNot)}, 0, ""},
		{"no condition covers nobody", []string{policyJSON("rotation")}, 0, ""},
		{"disabled", []string{strings.Replace(policyJSON("rotation", any0), "true", "false", 1)}, 0, ""},
		{"another executor", []string{policyJSON("pkce", any0)}, 0, ""},
		{"an unknown profile", []string{policyJSON("gone", any0)}, 0, ""},
		{"confidential clients", []string{policyJSON("rotation", access("confidential"))}, time.Hour, ""},
		{"public clients", []string{policyJSON("rotation", access("public"))}, 0, ""},
		{"not public clients", []string{policyJSON("rotation", conditionJSON("client-access-type", `{"type":["public"],"is-negative-logic":"true"}`))}, time.Hour, ""},
		{"its protocol", []string{policyJSON("rotation", conditionJSON("client-type", `{"protocol":"openid-connect"}`))}, time.Hour, ""},
		{"another protocol", []string{policyJSON("rotation", conditionJSON("client-type", `{"protocol":"saml"}`))}, 0, ""},
		{"a role that it has", []string{policyJSON("rotation", role("payer"))}, time.Hour, ""},
		{"a role that it lacks", []string{policyJSON("rotation", role("other"))}, 0, ""},
		{"all conditions must agree", []string{policyJSON("rotation", any0, role("other"))}, 0, ""},
		{"an attribute that it has", []string{policyJSON("rotation", attribute(`[{\"key\":\"rotate\",\"value\":\"true\"}]`))}, time.Hour, ""},
		{"an attribute with another value", []string{policyJSON("rotation", attribute(`[{\"key\":\"rotate\",\"value\":\"no\"}]`))}, 0, ""},
		{"an attribute that it lacks", []string{policyJSON("rotation", attribute(`[{\"key\":\"x\",\"value\":\"\"}]`))}, 0, ""},
		{"an attribute twice", []string{policyJSON("rotation", attribute(`[{\"key\":\"rotate\",\"value\":\"true\"},{\"key\":\"rotate\",\"value\":\"true\"}]`))}, 0, ""},
		{"no attribute at all", []string{policyJSON("rotation", attribute(`[]`))}, time.Hour, ""},
		{"an attribute that is only shown", []string{policyJSON("rotation", attribute(`[{\"key\":\"realm_client\",\"value\":\"false\"}]`))}, 0, "not certain"},
		{"attributes that cannot be read", []string{policyJSON("rotation", attribute(`{`))}, 0, "not certain"},
		{"an unknown condition", []string{policyJSON("rotation", conditionJSON("client-scopes", `{}`), any0)}, 0, `"p" has the condition "client-scopes"; taken as not covered`},
		{"an unknown condition beside a certain no", []string{policyJSON("rotation", conditionJSON("grant-type", `{}`), anyNot)}, 0, "no enabled client policy"},
		{"an unknown condition, negated", []string{policyJSON("rotation", conditionJSON("acr", `{"is-negative-logic":true}`))}, 0, "not certain"},
		{"one is uncertain, another covers it", []string{policyJSON("rotation", conditionJSON("acr", `{}`)), policyJSON("short", any0)}, 10 * time.Minute, "covers it"},
		{"the shortest grace counts", []string{policyJSON("rotation", any0), policyJSON("short", any0)}, 10 * time.Minute, ""},
		{"the default grace", []string{policyJSON("default", any0)}, 48 * time.Hour, ""},
		{"a grace of nothing is none", []string{policyJSON("none", any0)}, 0, "keeps no old secret"},
	} {
		t.Run(test.name, func(t *testing.T) {
			caps := capsUnder(t, `{"policies":[`+strings.Join(test.policies, ",")+`]}`)
			mode := credential.ModeGraceWindow
			if test.grace == 0 {
				mode = credential.ModeHardCutover
			}
			if caps.Mode != mode || caps.Grace != test.grace || !strings.Contains(caps.Reason, test.reason) {
				t.Errorf("%s, %v: %s; want %s, %v", caps.Mode, caps.Grace, caps.Reason, mode, test.grace)
			}
		})
	}
}

// capsUnder inspects a client under policies that a server sends as given.
func capsUnder(t *testing.T, policies string) credential.Capabilities {
	t.Helper()
	r := newRealm(t, sandbox.KeycloakSettings{})
	err := r.Register(sandbox.KeycloakClient{ClientID: "billing", Attributes: map[string]string{"rotate": "true"}})
	if err != nil {
		t.Fatal(err)
	}
	lists := &rewritten{path: "/client-policies/policies", change: func(string) string { return policies }}
	s, err := r.open(t, chain{
		lists, &rewritten{path: "/client-policies/profiles", change: func(string) string { return profileJSON }},
		&rewritten{path: "/roles", change: func(string) string { return `[{"name":"payer"}]` }},
	}).Inspect(t.Context(), target("billing"))
	if err != nil {
		t.Fatal(err)
	}
	return s.Caps
}

// A server without client policies keeps no old secret; one that cannot answer now is asked again later.
func TestPoliciesThatCannotBeHad(t *testing.T) {
	for status, want := range map[int]providers.Class{404: "", 405: "", 500: providers.ClassUnavailable, 429: providers.ClassThrottled} {
		r, _ := covered(t, sandbox.KeycloakSettings{Policy: &sandbox.KeycloakPolicy{}})
		p := r.open(t, &rewritten{path: "/client-policies", status: status, change: func(s string) string { return s }})
		s, err := p.Inspect(t.Context(), target("billing"))
		if providers.ClassOf(err) != want || (err == nil && s.Caps.Mode != credential.ModeHardCutover) {
			t.Errorf("%d: %s, %v", status, s.Caps.Mode, err)
		}
	}
}

func FuzzPolicies(f *testing.F) {
	f.Add(`{"policies":[` + policyJSON("rotation", any0) + `]}`)
	f.Add(`{"policies":[{"conditions":[{"condition":"client-attributes","configuration":{"attributes":"[{\"key\":1}]"}}]}]}`)
	f.Add(`{"policies":[{"conditions":[{"configuration":null}],"profiles":null}]}`)
	r := newRealm(f, sandbox.KeycloakSettings{})
	if err := r.Register(sandbox.KeycloakClient{ClientID: "billing"}); err != nil {
		f.Fatal(err)
	}
	handler := r.Handler()
	f.Fuzz(func(t *testing.T, body string) {
		p := r.open(t, inProcess(func(w http.ResponseWriter, req *http.Request) {
			switch {
			case strings.HasSuffix(req.URL.Path, "/client-policies/policies"):
				_, _ = io.WriteString(w, body)
			case strings.HasSuffix(req.URL.Path, "/client-policies/profiles"):
				_, _ = io.WriteString(w, profileJSON)
			default:
				handler.ServeHTTP(w, req)
			}
		}))
		s, err := p.Inspect(t.Context(), target("billing"))
		if err != nil && providers.ClassOf(err) != providers.ClassUnavailable {
			t.Errorf("%v", err)
		}
		if err == nil && s.Caps.Mode == credential.ModeGraceWindow && s.Caps.Grace <= 0 {
			t.Errorf("an overlap is promised without a grace: %+v", s.Caps)
		}
	})
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

// chain is a transport that applies the first rewriting whose path matches.
type chain []*rewritten

// RoundTrip implements http.RoundTripper.
func (c chain) RoundTrip(r *http.Request) (*http.Response, error) {
	for _, w := range c {
		if strings.Contains(r.URL.Path, w.path) {
			return w.RoundTrip(r)
		}
	}
	return http.DefaultTransport.RoundTrip(r)
}
