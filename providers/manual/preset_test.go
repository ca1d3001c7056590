package manual_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/manual"
)

// replies answers every request with one text, as JSON.
type replies struct {
	status int
	body   string
	asked  *string // address of the last request
}

// RoundTrip implements http.RoundTripper.
func (r replies) RoundTrip(req *http.Request) (*http.Response, error) {
	*r.asked = req.URL.String()
	return &http.Response{
		StatusCode: r.status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(r.body)), Request: req,
	}, nil
}

// GitHub answers with the status of a success whatever it says (docs.github.com, "Troubleshooting OAuth app access token request errors").
func TestAPresetProvesASecretByItsServersWords(t *testing.T) {
	for name, test := range map[string]struct {
		settings manual.Settings
		status   int
		code     string
		want     providers.Answer
	}{
		"github, wrong":              {manual.Settings{Preset: "github"}, 200, "incorrect_client_credentials", providers.Refused},
		"github, right":              {manual.Settings{Preset: "github"}, 200, "bad_verification_code", providers.Accepted},
		"github, another address":    {manual.Settings{Preset: "github"}, 200, "redirect_uri_mismatch", providers.Accepted},
		"github, something else":     {manual.Settings{Preset: "github"}, 200, "unverified_user_email", providers.Unknown},
		"github, broken":             {manual.Settings{Preset: "github"}, 502, "bad_verification_code", providers.Unknown},
		"google, wrong":              {manual.Settings{Preset: "google-oauth"}, 401, "invalid_client", providers.Refused},
		"google, right":              {manual.Settings{Preset: "google-oauth"}, 400, "invalid_grant", providers.Accepted},
		"own codes":                  {manual.Settings{TokenURL: "https://idp.example.com/token", Refused: []string{"nope"}}, 400, "nope", providers.Refused},
		"own codes beside a preset":  {manual.Settings{Preset: "github", Accepted: []string{"yes"}}, 200, "yes", providers.Accepted},
		"without them it is unknown": {manual.Settings{TokenURL: "https://idp.example.com/token"}, 200, "bad_verification_code", providers.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			asked := ""
			p, err := manual.Kind().Open(providers.Opening{
				Name: "portal", Settings: &test.settings, Transport: replies{test.status, `{"error":"` + test.code + `"}`, &asked},
			})
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Verify(t.Context(), target(credential.VerifyAuto), bundle("s"))
			if got != test.want || (err == nil) != (got != providers.Unknown) {
				t.Errorf("%s, want %s (%v)", got, test.want, err)
			}
			if asked == "" || test.settings.Preset == "github" && asked != "https://github.com/login/oauth/access_token" {
				t.Errorf("%q was asked", asked)
			}
		})
	}
}

func TestAPresetTellsThePersonTheWay(t *testing.T) {
	for preset, words := range map[string]string{"github": "Developer settings", "google-oauth": "Google Auth Platform"} {
		seen, err := open(t, manual.Settings{Preset: preset}).Inspect(t.Context(), target(""))
		if err != nil || !strings.Contains(seen.Caps.Instructions, words) || !strings.Contains(seen.Caps.Instructions, "rotad submit") {
			t.Errorf("%s: %q, %v", preset, seen.Caps.Instructions, err)
		}
		own, err := open(t, manual.Settings{Preset: preset, Instructions: "Ask Joe."}).Inspect(t.Context(), target(""))
		if err != nil || own.Caps.Instructions != "Ask Joe." {
			t.Errorf("%s: what the block says does not win: %q, %v", preset, own.Caps.Instructions, err)
		}
		all := manual.Kind().Presets
		i := slices.IndexFunc(all, func(p providers.Preset) bool { return p.Name == preset })
		if i < 0 || !strings.Contains(all[i].Text, "\n# https://") || !strings.Contains(all[i].Text, words) {
			t.Errorf("%s is not described: %+v", preset, all)
		}
	}
}

func TestAPresetThatCannotWork(t *testing.T) {
	for name, test := range map[string]struct {
		settings manual.Settings
		path     string
	}{
		"a preset that is none":      {manual.Settings{Preset: "bitbucket"}, "preset"},
		"a code that means both":     {manual.Settings{Preset: "github", Refused: []string{"bad_verification_code"}}, "refused"},
		"a preset with its endpoint": {manual.Settings{Preset: "github", IntrospectionURL: "https://a/introspect"}, ""},
		"none":                       {manual.Settings{Preset: "none"}, ""},
	} {
		said := ""
		test.settings.Validate(func(path, _, _ string) { said = path })
		if said != test.path {
			t.Errorf("%s: %q, want %q", name, said, test.path)
		}
	}
	if _, err := manual.Kind().Open(providers.Opening{Settings: &manual.Settings{Preset: "bitbucket"}}); err == nil {
		t.Error("opened with a preset that is none")
	}
	for preset, want := range map[string]string{"github": "github", "": "", "none": "", "bitbucket": ""} {
		if got := (&manual.Settings{Preset: preset}).Described(); got != want {
			t.Errorf("%q stands on %q, want %q", preset, got, want)
		}
	}
}
