package http_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	kind "github.com/rotad/rotad/providers/http"
)

// TestAnAnswerIsReadAgainWithCorrectedPlaces is what "rotad resume --retry" does.
func TestAnAnswerIsReadAgainWithCorrectedPlaces(t *testing.T) {
	raw := credential.NewSensitive(`{"data":{"pass":"s3cret"},"start":1772366400}`)
	wrong, right := slots(), slots()
	right.Create.Answer.Value = "$.secret or $.data.pass"
	for s, want := range map[*kind.Settings]providers.Class{&wrong: providers.ClassNotUnderstood, &right: ""} {
		d, ok := open(t, *s, &replies{}).(providers.Decoder)
		if !ok {
			t.Fatal("no Decoder")
		}
		issued, err := d.Decode(target("x"), raw)
		expectClass(t, err, want)
		if want == "" && (!issued.Bundle.Equal(bundle("x", "s3cret")) || issued.Secret.ID != "start-1772366400") {
			t.Errorf("%+v", issued.Secret)
		}
	}
}

// TestAPreviousSecretWithoutANameIsLeftToItsTimer in the flat way to write the answers of the telicent dialect.
func TestAPreviousSecretWithoutANameIsLeftToItsTimer(t *testing.T) {
	_, url := standIn(t, sandbox.Settings{AdminToken: "bearer", Telicent: sandbox.Telicent{Flat: true}})
	p := open(t, kind.Settings{Preset: "telicent", URL: url + sandbox.PathTelicent, Access: kind.Access{TokenEnv: "T"}}, http.DefaultTransport)
	before, err := p.Inspect(t.Context(), target("billing"))
	if err != nil {
		t.Fatal(err)
	}
	issued, err := p.Create(t.Context(), target("billing"), providers.Request{})
	if err != nil || issued.OldDies.IsZero() {
		t.Fatalf("%+v, %v", issued.Secret, err)
	}
	r, _ := providers.AsRevoker(p)
	expectClass(t, r.Revoke(t.Context(), target("billing"), before.Secrets[0].ID), providers.ClassUnsupported)
	expectClass(t, r.Revoke(t.Context(), target("billing"), issued.Secret.ID), providers.ClassConflict)
	first, err := p.Create(t.Context(), target("new"), providers.Request{})
	if err != nil || !first.OldDies.IsZero() || first.Bundle.Secret().Empty() {
		t.Errorf("the first secret: %+v, %v", first.Secret, err)
	}
}

// TestADescriptionThatSeesNothing can replace a secret, and says honestly that nothing is shown.
func TestADescriptionThatSeesNothing(t *testing.T) {
	s := slots()
	s.Inspect, s.Mode = kind.Look{}, "hard-cutover"
	s.Create.JSON = map[string]any{"client_secret": "{value}"}
	s.Create.Answer = kind.Answer{}
	s.Value = kind.Chosen{Length: 32, Alphabet: "abcdefghijklmnop", Prefix: "Aa1!"}
	r := &replies{answers: map[string]string{"POST /c/x/rotate": "204"}}
	p := open(t, s, r)
	seen, err := p.Inspect(t.Context(), target("x"))
	if err != nil || len(seen.Secrets) != 0 || seen.Caps.StartReadable || seen.Caps.Readable || len(r.sent) != 0 {
		t.Errorf("%+v, %v, sent %q", seen, err, r.sent)
	}
	issued, err := p.Create(t.Context(), target("x"), providers.Request{})
	value := issued.Bundle.Secret().Reveal()
	if err != nil || len(value) != 36 || !strings.HasPrefix(value, "Aa1!") || r.sent[0] != `POST /c/x/rotate {"client_secret":"`+value+`"}` {
		t.Errorf("%v, %d characters", err, len(value))
	}
	if _, ok := providers.AsRevoker(p); ok {
		t.Error("it can revoke")
	}
	if _, ok := providers.AsRecoverer(p); ok {
		t.Error("it can recover")
	}
}

// TestTheFirstSecretEndsNothing, whatever the answer says.
func TestTheFirstSecretEndsNothing(t *testing.T) {
	r := &replies{date: noon, answers: map[string]string{
		"GET /c/x": `200 {"has":false}`, "POST /c/x/rotate": `200 {"secret":"s","start":1772366400,"expires":1803902400,"old":{"expires":1773000000}}`,
	}}
	issued, err := open(t, slots(), r).Create(t.Context(), target("x"), providers.Request{})
	if err != nil || !issued.OldDies.IsZero() {
		t.Errorf("the old one dies %v (%v)", issued.OldDies, err)
	}
}

// TestTheCheckAsksForNobody: it changes nothing, and says whether the login and the right to look are there.
func TestTheCheckAsksForNobody(t *testing.T) {
	for answer, want := range map[string]struct{ findings, problems int }{
		"404 {}": {}, `200 {"has":true}`: {}, "401 {}": {1, 1}, "403 {}": {1, 1}, "500 {}": {1, 1}, "200 <html>": {1, 1},
		"400 {}": {1, 0}, // many an API refuses such a name
	} {
		r := &replies{answers: map[string]string{"GET /c/rotad-asks-for-nobody": answer}}
		checker, ok := open(t, slots(), r).(providers.Checker)
		if !ok {
			t.Fatal("no Checker")
		}
		findings, problems := checker.Check(t.Context()), 0
		for _, one := range findings {
			if one.Problem {
				problems++
			}
		}
		if len(findings) != want.findings || problems != want.problems {
			t.Errorf("%s: %+v", answer, findings)
		}
		for _, one := range r.sent {
			if !strings.HasPrefix(one, "GET ") {
				t.Errorf("%s: sent %q", answer, one)
			}
		}
	}
}

// TestEveryLoginGoesWhereItBelongs, and a stored token with a line end in it is not sent.
func TestEveryLoginGoesWhereItBelongs(t *testing.T) {
	for want, access := range map[string]kind.Access{
		"Authorization: Bearer s3cret":      {TokenEnv: "T"},
		"Authorization: SSWS s3cret":        {TokenEnv: "T", LoginScheme: "SSWS"},
		"X-Api-Key: s3cret":                 {TokenEnv: "T", LoginHeader: "X-Api-Key"},
		"Authorization: s3cret":             {TokenEnv: "T", LoginHeader: "Authorization"},
		"Authorization: Basic dTpzM2NyZXQ=": {Username: "u", PasswordEnv: "P"},
		"Authorization: ":                   {Anonymous: true},
	} {
		name, value, _ := strings.Cut(want, ": ")
		for secret, calls := range map[string]int{"s3cret\n": 1, "s3\ncret": 0} {
			s, seen := slots(), []string{}
			s.Access = access
			p, err := kind.Kind().Open(providers.Opening{
				Name: "api", Settings: &s, Secret: func(string) (string, error) { return secret, nil },
				Transport: transport(func(r *http.Request) { seen = append(seen, r.Header.Get(name)) }),
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = p.Inspect(t.Context(), target("x"))
			if access.Anonymous {
				calls = 1
			} else if calls == 0 {
				expectClass(t, err, providers.ClassAuth)
			}
			if len(seen) != calls || calls == 1 && seen[0] != value {
				t.Errorf("%q: sent %q, want %q", secret, seen, value)
			}
		}
	}
}

// transport shows requests and answers 404.
type transport func(*http.Request)

func (see transport) RoundTrip(r *http.Request) (*http.Response, error) {
	see(r)
	return &http.Response{StatusCode: 404, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// TestARefusalToRevokeIsBelievedUnlessTheSecretIsGone: some servers answer an id that does not exist like a malformed
// request.
func TestARefusalToRevokeIsBelievedUnlessTheSecretIsGone(t *testing.T) {
	s := graph("https://graph")
	s.Access = kind.Access{TokenEnv: "T"}
	for name, test := range map[string]struct {
		answer, list string
		class        providers.Class
	}{
		"done":                      {"204", `{}`, ""},
		"refused, and still listed": {"400 {}", `{"passwordCredentials":[{"keyId":"a"}]}`, providers.ClassRejected},
		"refused, and gone":         {"400 {}", `{"passwordCredentials":[{"keyId":"b"}]}`, ""},
		"no right":                  {"403 {}", `{}`, providers.ClassAuth},
		"an outage":                 {"503 {}", `{}`, providers.ClassIndeterminate},
		"no list to ask":            {"404 {}", `[]`, providers.ClassUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			const app = "/graph/v1.0/applications%28appId=%27x%27%29"
			r := &replies{answers: map[string]string{
				"POST " + app + "/removePassword": test.answer, "GET " + app: "200 " + test.list,
				"POST /graph/v1.0/applications(appId='x')/removePassword": test.answer, "GET /graph/v1.0/applications(appId='x')": "200 " + test.list,
			}}
			revoker, ok := providers.AsRevoker(open(t, s, r))
			if !ok {
				t.Fatal("no Revoker")
			}
			expectClass(t, revoker.Revoke(t.Context(), target("x"), "a"), test.class)
		})
	}
}

// TestASlotIsEndedOnlyWhileItHoldsTheSecret that is meant.
func TestASlotIsEndedOnlyWhileItHoldsTheSecret(t *testing.T) {
	_, url := standIn(t, sandbox.Settings{AdminToken: "bearer"})
	p := open(t, kind.Settings{Preset: "telicent", URL: url + sandbox.PathTelicent, Access: kind.Access{TokenEnv: "T"}}, http.DefaultTransport)
	before, err := p.Inspect(t.Context(), target("billing"))
	if err != nil {
		t.Fatal(err)
	}
	var last providers.Issued
	for range 2 {
		if last, err = p.Create(t.Context(), target("billing"), providers.Request{}); err != nil {
			t.Fatal(err)
		}
	}
	revoker, _ := providers.AsRevoker(p)
	expectClass(t, revoker.Revoke(t.Context(), target("billing"), before.Secrets[0].ID), providers.ClassConflict)
	seen, err := p.Inspect(t.Context(), target("billing"))
	if err != nil || len(seen.Secrets) != 2 || seen.Secrets[0].ID != last.Secret.ID {
		t.Errorf("%+v (%v)", seen.Secrets, err)
	}
}

// TestAProbeThatSaysSomethingElseProvesNothing: its errors are about the probe, not about rotad's account or the client.
func TestAProbeThatSaysSomethingElseProvesNothing(t *testing.T) {
	s := slots()
	s.Verify = kind.Proof{Request: &kind.Ask{
		Call: kind.Call{Path: "/probe", Method: "GET"}, Auth: "basic",
		Answers: []kind.Sign{{Status: []int{200}, Path: "$.ok", Means: "accepted"}, {Status: []int{401}, Path: "$.wrong", Means: "refused"}},
	}}
	for answer, want := range map[string]providers.Answer{
		`200 {"ok":true}`: providers.Accepted, `401 {"wrong":1}`: providers.Refused, `200 {"ok":false}`: providers.Unknown, "200 <html>": providers.Unknown,
		"401 {}": providers.Unknown, "403 {}": providers.Unknown, "404 {}": providers.Unknown, "405 {}": providers.Unknown, "500 {}": providers.Unknown,
	} {
		r := &replies{answers: map[string]string{"GET /probe": answer}}
		got, err := open(t, s, r).Verify(t.Context(), target("x"), bundle("x", "s3cret"))
		if got != want || (want == providers.Unknown) != (providers.ClassOf(err) == providers.ClassUnavailable) {
			t.Errorf("%s: %s, want %s (%v)", answer, got, want, err)
		}
	}
}
