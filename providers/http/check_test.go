package http_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rotad/rotad/providers"
	kind "github.com/rotad/rotad/providers/http"
)

func TestChecksSayWhatIsWrong(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*kind.Settings)
		want   string // path of a complaint; empty = none
	}{
		"right":          {func(*kind.Settings) {}, ""},
		"no such preset": {func(s *kind.Settings) { s.Preset = "telicant" }, "preset"},
		"no mode":        {func(s *kind.Settings) { s.Mode = "" }, "mode"},
		"a mode that stages, without what that needs": {func(s *kind.Settings) { s.Mode = "staged" }, "activate"},
		"a switch in a mode without": {
			func(s *kind.Settings) { s.Activate = &kind.Call{Path: "/c/{id}/switch"} }, "activate",
		},
		"a staged secret in a mode without": {func(s *kind.Settings) { s.Inspect.Staged.ID = "$.next" }, "inspect.staged"},
		"no login":                          {func(s *kind.Settings) { s.Access = kind.Access{} }, "token_file"},
		"two logins":                        {func(s *kind.Settings) { s.ClientID = "x" }, "token_file"},
		"a user without a password":         {func(s *kind.Settings) { s.Access = kind.Access{Username: "x"} }, "password_file"},
		"a client without an URL": {
			func(s *kind.Settings) { s.Access = kind.Access{ClientID: "x", ClientSecretEnv: "S"} }, "login_url",
		},
		"a value in a path":      {func(s *kind.Settings) { s.Create.Path = "/x/{value}" }, "create.path"},
		"a value in a query":     {func(s *kind.Settings) { s.Create.Query = map[string]string{"v": "{value}"} }, "create.query.v"},
		"an unknown name":        {func(s *kind.Settings) { s.Create.JSON = map[string]any{"a": []any{"{nobody}"}} }, "create.json.a[0]"},
		"an unknown format":      {func(s *kind.Settings) { s.Create.JSON = map[string]any{"a": "{expires:weeks}"} }, "create.json.a"},
		"a brace":                {func(s *kind.Settings) { s.Create.JSON = map[string]any{"a": "{id"} }, "create.json.a"},
		"a query in a path":      {func(s *kind.Settings) { s.Inspect.Path = "/x?y=1" }, "inspect.path"},
		"a broken escape":        {func(s *kind.Settings) { s.Inspect.Path = "/%zz" }, "inspect.path"},
		"a path without /":       {func(s *kind.Settings) { s.Inspect.Path = "x" }, "inspect.path"},
		"two bodies":             {func(s *kind.Settings) { s.Create.JSON, s.Create.Form = true, map[string]string{} }, "create.form"},
		"a header's name":        {func(s *kind.Settings) { s.Create.Headers = map[string]string{"a b": ""} }, "create.headers"},
		"no JSONPath":            {func(s *kind.Settings) { s.Create.Answer.Value = "secret" }, "create.answer.value"},
		"a search at any depth":  {func(s *kind.Settings) { s.Create.Answer.Value = "$..secret" }, "create.answer.value"},
		"several selectors":      {func(s *kind.Settings) { s.Create.Answer.Value = "$['a','b']" }, "create.answer.value"},
		"the root in a filter":   {func(s *kind.Settings) { s.Inspect.Current.ID = "$.a[?@.x == $.y]" }, "inspect.current.id"},
		"a pattern from outside": {func(s *kind.Settings) { s.Inspect.Current.ID = "$.a[?match(@.x, @.y)]" }, "inspect.current.id"},
		"a pattern of one's own": {func(s *kind.Settings) { s.Inspect.Current.ID = "$.a[?search(@.x, 'a, b.*')]" }, ""},
		"no place of the value":  {func(s *kind.Settings) { s.Create.Answer.Value = "" }, "create.answer.value"},
		"an unfilled variable":   {func(s *kind.Settings) { s.Vars = map[string]string{"account": ""} }, "vars.account"},
		"a variable that is taken": {
			func(s *kind.Settings) { s.Vars = map[string]string{"secret_id": "x"} }, "vars.secret_id",
		},
		"a variable in a host": {
			func(s *kind.Settings) { s.URL, s.Vars = "https://{t}.api", map[string]string{"t": "evil.com/"} }, "vars.t",
		},
		"a password in an URL": {func(s *kind.Settings) { s.URL = "https://u:p@api" }, "url"},
		"an outage as a proof that nothing was made": {
			func(s *kind.Settings) { s.Errors = []kind.Rule{{Status: []int{503}, Means: "busy"}} }, "errors[0].status",
		},
		"the same for a look": {
			func(s *kind.Settings) {
				s.Errors = []kind.Rule{{On: []string{"inspect"}, Status: []int{503}, Means: "busy"}}
			}, "",
		},
		"a success as a refusal": {
			func(s *kind.Settings) { s.Errors = []kind.Rule{{Status: []int{200}, Means: "busy"}} }, "errors[0].status",
		},
		"a rule for everything": {func(s *kind.Settings) { s.Errors = []kind.Rule{{Means: "busy"}} }, "errors[0]"},
		"an operation": {func(s *kind.Settings) {
			s.Errors = []kind.Rule{{On: []string{"look"}, Status: []int{400}, Means: "busy"}}
		}, "errors[0].on"},
		"two-slot without list": {func(s *kind.Settings) { s.Mode = "two-slot" }, "inspect.list"},
		"a slot without a look": {func(s *kind.Settings) { s.Inspect, s.Revoke = kind.Look{}, &kind.Ending{Call: kind.Call{Path: "/x"}} }, "revoke"},
		"revoke in a cutover":   {func(s *kind.Settings) { s.Mode, s.Revoke = "hard-cutover", &kind.Ending{Call: kind.Call{Path: "/x"}} }, "revoke"},
		"something before the end of a slot": {
			func(s *kind.Settings) {
				s.Revoke = &kind.Ending{Call: kind.Call{Path: "/x"}, Before: &kind.Call{Path: "/x/{secret_id}/off"}}
			}, "revoke.before",
		},
		"something before the end that is about no secret": {
			func(s *kind.Settings) {
				s.Revoke = &kind.Ending{Call: kind.Call{Path: "/x/{secret_id}"}, Before: &kind.Call{Path: "/x/off"}}
			}, "revoke.before",
		},
		"a second look that finds nothing": {func(s *kind.Settings) { s.Inspect.Previous, s.Inspect.Beside = kind.Fields{}, &kind.Call{Path: "/x"} }, "inspect.beside"},
		"a second look without a first": {
			func(s *kind.Settings) { s.Inspect.Path, s.Inspect.Beside = "", &kind.Call{Path: "/x"} }, "inspect.beside",
		},
		"a handle that nothing shows": {func(s *kind.Settings) { s.Revoke = &kind.Ending{Call: kind.Call{Path: "/x/{handle}"}} }, "inspect"},
		"a handle": {func(s *kind.Settings) {
			s.Inspect.Previous.Handle, s.Revoke = "$.old.name", &kind.Ending{Call: kind.Call{Path: "/x/{handle}"}}
		}, ""},
		"a short value":          {func(s *kind.Settings) { s.Value.Length = 8 }, "value.length"},
		"a value of 96 bits":     {func(s *kind.Settings) { s.Value.Length, s.Value.Alphabet = 24, "0123456789abcdef" }, "value.length"},
		"a poor alphabet":        {func(s *kind.Settings) { s.Value.Alphabet = "aaaaaaaaaaaaaaaaaaaaaaaaaa" }, "value.alphabet"},
		"verify that shows none": {func(s *kind.Settings) { s.Verify = kind.Proof{Request: &kind.Ask{Call: kind.Call{Path: "/x"}}} }, "verify.request"},
		"nothing to prove with":  {func(s *kind.Settings) { s.Verify = kind.Proof{} }, "verify"},
		"a code with two meanings": {
			func(s *kind.Settings) { s.Verify.Accepted, s.Verify.Refused = []string{"x"}, []string{"x"} }, "verify.refused",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := slots()
			test.change(&s)
			found := test.want == ""
			s.Validate(func(path, what, hint string) {
				if test.want == "" {
					t.Errorf("%s %s (%s)", path, what, hint)
				}
				found = found || path == test.want
			})
			if !found {
				t.Errorf("nothing is said about %s", test.want)
			}
			if _, err := kind.Kind().Open(providers.Opening{Name: "x", Settings: &s}); (err == nil) != (test.want == "") {
				t.Errorf("open: %v", err)
			}
		})
	}
}

func TestARecordingThatDiffersIsSaid(t *testing.T) {
	const good = `
ref: {id: x}
steps:
  - do: create
    calls:
      - {request: GET https://api/c/x, answer: {has: true}}
      - {request: POST https://api/c/x/rotate, answer: {secret: CANARY1, start: 1772366400, expires: 1803902400}}
    expect: {issued: {id: start-1772366400, slot: current, start: "2026-03-01T12:00:00Z", expires: "2027-03-01T12:00:00Z", bundle: {client_secret: CANARY1}}}
`
	for name, test := range map[string]struct{ old, fresh, want string }{
		"as recorded":         {"", "", ""},
		"another request":     {"/rotate", "/renew", "POST https://api/c/x/rotate is sent"},
		"a call that is left": {"      - {request: POST", "      - {request: GET https://api/c/x}\n      - {request: POST", "is sent"},
		"another value":       {"client_secret: CANARY1}}}", "client_secret: CANARY2}}}", "the field client_secret"},
		"another expiry":      {"2027-03-01", "2027-03-02", "the new secret is read as"},
		"no error":            {"expect: {issued", "expect: {class: quota, issued", `want "quota" (no error)`},
		"an error":            {"secret: CANARY1,", "pass: CANARY1,", `the class of the error is "not-understood"`},
		"an unknown key":      {"do: create", "do: create\n    CANARY1: 1", "not YAML of this form"},
		"an unknown step":     {"do: create", "do: rotate", "no such operation"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "recorded.yaml")
			if err := os.WriteFile(file, []byte(strings.Replace(good, test.old, test.fresh, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			s := slots()
			s.RecordedFile = file
			said := ""
			s.Validate(func(path, what, _ string) { said += path + ": " + what })
			if (said == "") != (test.want == "") || !strings.Contains(said, test.want) || strings.Contains(said, "CANARY") {
				t.Errorf("said %q, want %q", said, test.want)
			}
		})
	}
}

// A value that rotad makes is at least as hard to guess as one of a provider, which is a random UUID at the least.
func TestChosenValuesAreAtLeastAsStrongAsAProvidersOwn(t *testing.T) {
	seen := map[string]bool{}
	for name, chosen := range map[string]kind.Chosen{
		"the default": {}, "hexadecimal": {Length: 32, Alphabet: "0123456789abcdef"}, "digits and letters": {Length: 25, Alphabet: "0123456789abcdefghijklmnopqrstuvwxyz"},
	} {
		s := slots()
		s.Inspect, s.Mode, s.Value, s.Create.Answer = kind.Look{}, "hard-cutover", chosen, kind.Answer{}
		s.Create.JSON = map[string]any{"client_secret": "{value}"}
		p := open(t, s, &replies{answers: map[string]string{"POST /c/x/rotate": "204"}})
		for range 200 {
			issued, err := p.Create(t.Context(), target("x"), providers.Request{})
			if err != nil {
				t.Fatal(err)
			}
			value := issued.Bundle.Secret().Reveal()
			if seen[value] || len(value) < 25 {
				t.Fatalf("%s: %d characters, seen before: %t", name, len(value), seen[value])
			}
			seen[value] = true
		}
	}
}

// A name that is none is told together with those that are, and an empty variable with the command that explains it.
func TestAWrongPresetIsNamedBesideTheRightOnes(t *testing.T) {
	for name, test := range map[string]struct {
		settings kind.Settings
		want     string
	}{
		"a name that is none": {
			kind.Settings{Preset: "oktta", URL: "https://api.example.com"}, `preset: there is no preset "oktta", known are auth0, `,
		},
		"none is a name as well": {
			kind.Settings{Preset: "oktta", URL: "https://api.example.com"}, `zitadel; none = everything is described here`,
		},
		"a variable of a preset": {
			kind.Settings{Preset: "okta", URL: "https://api.example.com"}, "vars.server: is empty, the preset needs it: rotad kinds --preset okta says",
		},
		"a variable of one's own": {
			kind.Settings{Preset: "none", URL: "https://api.example.com", Vars: map[string]string{"tenant": ""}},
			"vars.tenant: is empty, write its value",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var said strings.Builder
			test.settings.Validate(func(path, what, hint string) { said.WriteString(path + ": " + what + ", " + hint + "\n") })
			if !strings.Contains(said.String(), test.want) {
				t.Errorf("said:\n%swant %s", said.String(), test.want)
			}
		})
	}
}
