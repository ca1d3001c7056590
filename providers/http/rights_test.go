package http_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/rotad/rotad/providers"
	kind "github.com/rotad/rotad/providers/http"
)

// login is a transport that answers the login and nothing else.
type login string

// RoundTrip implements http.RoundTripper.
func (l login) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(string(l))), Request: r,
	}, nil
}

func claims(text string) string {
	part := base64.RawURLEncoding.EncodeToString
	return `{"access_token":"` + part([]byte("{}")) + "." + part([]byte(text)) + `.s"}`
}

func describedRights(claim string) kind.Settings {
	s := described(kind.Settings{
		Preset: "none", URL: "https://idp.example.com", Mode: "hard-cutover", Reason: "one secret",
		Create: kind.Make{Call: kind.Call{Path: "/clients/{id}/rotate"}, Answer: kind.Answer{Fields: kind.Fields{Value: "$.secret"}}},
		Verify: kind.Proof{TokenURL: "{url}/token"},
	})
	s.Rights = kind.Rights{Claim: claim, Look: []string{"read:clients"}, Rotate: []string{"update:keys"}, Spare: []string{"openid"}, Grant: "the console"}
	return s
}

// described lets rotad log in as a client of its own.
func described(s kind.Settings) kind.Settings {
	s.Access = kind.Access{ClientID: "rotad", ClientSecretFile: "f", LoginURL: "{url}/token"}
	return s
}

func TestRightsAreComparedWithTheDescription(t *testing.T) {
	for name, test := range map[string]struct {
		claim, reply  string
		missing, wide string
		unknown       bool
	}{
		"the login says it": {"", `{"access_token":"t","scope":"read:clients update:keys openid"}`, "", "", false},
		"only to look":      {"", `{"access_token":"t","scope":"read:clients"}`, "update:keys", "", false},
		"too wide": {
			"", `{"access_token":"t","scope":"read:clients update:keys delete:users create:users"}`, "", "delete:users, create:users", false,
		},
		"the token says it":      {"", claims(`{"scp":["read:clients","delete:users"]}`), "update:keys", "delete:users", false},
		"in a claim of its own":  {"$.permissions", claims(`{"permissions":["update:keys"],"scope":"read:clients"}`), "read:clients", "", false},
		"in one that is missing": {"$.permissions", claims(`{"scope":"read:clients"}`), "read:clients, update:keys", "", false},
		"nothing says it":        {"", `{"access_token":"opaque"}`, "", "", true},
		"no JWT":                 {"$.permissions", `{"access_token":"opaque","scope":"read:clients"}`, "", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			reader, ok := providers.AsRightsReader(open(t, describedRights(test.claim), login(test.reply)))
			if !ok {
				t.Fatal("the rights cannot be read")
			}
			rights, err := reader.Rights(t.Context(), nil)
			if test.unknown != (providers.ClassOf(err) == providers.ClassUnsupported) {
				t.Fatalf("error %v", err)
			}
			var missing, wide []string
			for _, r := range rights {
				if r.Missing() {
					missing = append(missing, r.Name)
				} else if r.TooWide() {
					wide = append(wide, r.Name)
				}
				if r.Change != "the console" {
					t.Errorf("%+v does not say where it is granted", r)
				}
			}
			if strings.Join(missing, ", ") != test.missing || strings.Join(wide, ", ") != test.wide {
				t.Errorf("missing %v, too wide %v", missing, wide)
			}
		})
	}
}

func TestRightsThatCannotBeMeantAreRefused(t *testing.T) {
	for at, rights := range map[string]kind.Rights{
		"rights.look":   {Grant: "the console"},
		"rights.rotate": {Rotate: []string{"update:keys read:clients"}},
		"rights.spare":  {Look: []string{"read"}, Spare: []string{""}},
		"rights.claim":  {Look: []string{"read"}, Claim: "permissions["},
	} {
		s := describedRights("")
		s.Rights = rights
		var reported []string
		s.Validate(func(path, _, _ string) { reported = append(reported, path) })
		if !slices.Equal(reported, []string{at}) {
			t.Errorf("%+v: reported %v, want %s", rights, reported, at)
		}
	}
}

// An API without a login lets everybody do everything, and a description may say nothing of rights.
func TestRightsOfNobodyAreUnknown(t *testing.T) {
	anonymous, silent := describedRights(""), describedRights("")
	anonymous.Access = kind.Access{Anonymous: true}
	silent.Rights = kind.Rights{}
	for name, s := range map[string]kind.Settings{"no login": anonymous, "no description": silent} {
		reader, _ := providers.AsRightsReader(open(t, s, login(`{"access_token":"t","scope":"all"}`)))
		if _, err := reader.Rights(t.Context(), nil); providers.ClassOf(err) != providers.ClassUnsupported {
			t.Errorf("%s: %v", name, err)
		}
	}
}
