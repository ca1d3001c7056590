package httpapi_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers/httpapi"
)

// jwt is a token with claims and a signature that nobody can check.
func jwt(claims string) credential.Sensitive {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	return credential.NewSensitive(part(`{"alg":"none"}`) + "." + part(claims) + "." + part("signature"))
}

func TestWhatATokenSaysAboutItself(t *testing.T) {
	c, ok := httpapi.ClaimsOf(jwt(`{"oid":"7","scope":"a:read  a:write a:read","roles":["x.All","y z",7,"bad\u001b[31m"],"resource_access":{"rm":{"roles":["view"]}},"none":null}`))
	if !ok {
		t.Fatal("a JWT was not read")
	}
	for _, want := range []struct {
		path  []string
		words string
		there bool
	}{
		{[]string{"scope"}, "a:read a:write", true},
		{[]string{"roles"}, "x.All y z", true},
		{[]string{"resource_access", "rm", "roles"}, "view", true},
		{[]string{"resource_access", "other", "roles"}, "", false},
		{[]string{"scope", "deeper"}, "", false},
		{[]string{"none"}, "", true},
		{[]string{"missing"}, "", false},
	} {
		words, there := c.Words(want.path...)
		if strings.Join(words, " ") != want.words || there != want.there {
			t.Errorf("%v: %q, there: %v", want.path, words, there)
		}
	}
	if c.Text("oid") != "7" || c.Text("scope") != "" || c.Text("missing") != "" {
		t.Errorf("texts: %q, %q, %q", c.Text("oid"), c.Text("scope"), c.Text("missing"))
	}
}

func TestATokenThatIsNoJWTSaysNothing(t *testing.T) {
	for name, token := range map[string]credential.Sensitive{
		"empty": {}, "opaque": credential.NewSensitive("00aBcD"), "with dots": credential.NewSensitive("a.b.c"),
		"no object": jwt(`["roles"]`), "nothing": jwt(`null`), "broken": jwt(`{"roles":`), "two documents": jwt(`{}{}`),
		"encrypted": credential.NewSensitive("a.b.c.d.e"), "endless": jwt(`{"a":"` + strings.Repeat("x", 64<<10) + `"}`),
	} {
		if c, ok := httpapi.ClaimsOf(token); ok {
			t.Errorf("%s: %v", name, c)
		}
	}
}

func TestTheGrantedScopeIsKeptWithTheToken(t *testing.T) {
	for body, want := range map[string]string{
		`{"access_token":"tok","scope":"read:clients update:clients"}`: "read:clients update:clients",
		`{"access_token":"tok","scope":["all","none"]}`:                "all none",
		`{"access_token":"tok","scope":{"odd":true}}`:                  "",
		`{"access_token":"tok"}`:                                       "",
	} {
		client := inProcess(t, func(*http.Request) (*http.Response, error) { return reply(200, "application/json", "", body), nil })
		tokens := httpapi.NewTokens(httpapi.ClientCredentials{Client: client, Secret: func() (string, error) { return "s", nil }}.Login, nil)
		for range 2 { // also the one from the cache
			if got, err := tokens.Held(t.Context()); err != nil || got.Scope != want || got.Value.Reveal() != "tok" {
				t.Errorf("%s: scope %q, error %v", body, got.Scope, err)
			}
		}
	}
}

func FuzzClaims(f *testing.F) {
	for _, claims := range []string{`{"roles":["a","b c"]}`, `{"scope":"a\tb"}`, `{"a":{"b":{"roles":"\u202e"}}}`, `[]`, `{`} {
		f.Add(claims)
	}
	f.Fuzz(func(t *testing.T, claims string) {
		c, ok := httpapi.ClaimsOf(jwt(claims))
		if !ok && c != nil {
			t.Errorf("claims of what was not read: %v", c)
		}
		for name := range c {
			words, there := c.Words(name)
			if !there || len(words) > 500 || slices.ContainsFunc(words, func(w string) bool {
				return w == "" || fmt.Sprintf("%+q", w) != `"`+strings.ReplaceAll(strings.ReplaceAll(w, `\`, `\\`), `"`, `\"`)+`"`
			}) {
				t.Errorf("%s: %q, there: %v", name, words, there)
			}
		}
	})
}

func TestScopesComeWithTheLoginOrInTheToken(t *testing.T) {
	for name, test := range map[string]struct {
		token httpapi.Token
		want  string
		known bool
	}{
		"with the login":       {httpapi.Token{Scope: "a b", Value: jwt(`{"scope":"c"}`)}, "a b", true},
		"in the token":         {httpapi.Token{Value: jwt(`{"scope":"c d"}`)}, "c d", true},
		"as a list":            {httpapi.Token{Value: jwt(`{"scp":["c","d"]}`)}, "c d", true},
		"none":                 {httpapi.Token{Value: jwt(`{"scope":""}`)}, "", true},
		"nowhere":              {httpapi.Token{Value: jwt(`{"sub":"c"}`)}, "", false},
		"in no readable token": {httpapi.Token{Value: credential.NewSensitive("opaque")}, "", false},
	} {
		if words, known := test.token.Scopes(); strings.Join(words, " ") != test.want || known != test.known {
			t.Errorf("%s: %q, known: %t", name, words, known)
		}
	}
}
