package manual_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/manual"
)

const firstSecret = "first-secret"

type world struct {
	idp    *sandbox.IdP
	faults *sandbox.Faults
	url    string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	w := &world{
		idp:    sandbox.NewIdP(func() time.Time { return at }, sandbox.Settings{}),
		faults: sandbox.NewFaults(time.After),
	}
	if err := w.idp.Register(sandbox.Registration{ClientID: "odc", Secret: firstSecret}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(w.faults.Wrap(w.idp.Handler()))
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

func open(t *testing.T, s manual.Settings) providers.Provider {
	t.Helper()
	p, err := manual.Kind().Open(providers.Opening{Name: "portal", Settings: &s})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func target(m credential.VerifyMethod) providers.Target {
	return providers.Target{
		Ref: credential.Ref{"client_id": "odc"}, Verify: credential.VerifySettings{Method: m},
	}
}

func bundle(secret string) credential.Bundle {
	return credential.Bundle{
		credential.FieldClientID:     credential.NewSensitive("odc"),
		credential.FieldClientSecret: credential.NewSensitive(secret),
	}
}

func TestInspectTellsThePersonWhatToDo(t *testing.T) {
	for name, test := range map[string]struct {
		settings           manual.Settings
		instructions, hint string
	}{
		"as configured": {
			manual.Settings{Instructions: "Ask Joe.", TokenURL: "https://idp/token"}, "Ask Joe.", "a person makes the secret",
		},
		"by default": {manual.Settings{}, "rotad submit", "without a token_url"},
	} {
		t.Run(name, func(t *testing.T) {
			seen, err := open(t, test.settings).Inspect(t.Context(), target(""))
			if err != nil {
				t.Fatal(err)
			}
			c := seen.Caps
			if c.Mode != credential.ModeManual || len(seen.Secrets) != 0 || seen.ClientID != "odc" ||
				!strings.Contains(c.Instructions, test.instructions) || !strings.Contains(c.Reason, test.hint) {
				t.Errorf("%+v", seen)
			}
		})
	}
	_, err := open(t, manual.Settings{}).Inspect(t.Context(), providers.Target{})
	if providers.ClassOf(err) != providers.ClassRejected {
		t.Errorf("without a client_id: %v", err)
	}
}

func TestCreateIsUnsupported(t *testing.T) {
	_, err := open(t, manual.Settings{}).Create(t.Context(), target(""), providers.Request{})
	if providers.ClassOf(err) != providers.ClassUnsupported {
		t.Errorf("%v", err)
	}
}

func TestASecretOfThePortalIsProved(t *testing.T) {
	w := newWorld(t)
	p := open(t, manual.Settings{
		TokenURL: w.url + sandbox.PathToken, IntrospectionURL: w.url + sandbox.PathIntrospect,
	})
	value, _, err := w.idp.Portal().NewSecret("odc")
	if err != nil {
		t.Fatal(err)
	}
	all := []credential.VerifyMethod{
		credential.VerifyAuto, credential.VerifyAuthCode, credential.VerifyClientCredentials, credential.VerifyIntrospection,
	}
	expect := func(secret string, want providers.Answer) {
		t.Helper()
		for _, method := range all {
			if got, err := p.Verify(t.Context(), target(method), bundle(secret)); got != want || err != nil {
				t.Errorf("%s: %s, want %s (error %v)", method, got, want, err)
			}
		}
	}
	expect(value, providers.Accepted)
	expect(firstSecret, providers.Accepted)
	expect("random", providers.Refused)
	if _, err := w.idp.Portal().RemoveOld("odc"); err != nil {
		t.Fatal(err)
	}
	expect(firstSecret, providers.Refused)
	expect(value, providers.Accepted)
}

func TestWithoutAnEndpointNothingIsProved(t *testing.T) {
	w := newWorld(t)
	for name, test := range map[string]struct {
		settings manual.Settings
		method   credential.VerifyMethod
		missing  string
	}{
		"no token endpoint": {manual.Settings{}, "", "token_url"},
		"no introspection endpoint": {
			manual.Settings{TokenURL: w.url + sandbox.PathToken}, credential.VerifyIntrospection, "introspection_url",
		},
	} {
		t.Run(name, func(t *testing.T) {
			answer, err := open(t, test.settings).Verify(t.Context(), target(test.method), bundle(firstSecret))
			if answer != providers.Unknown || providers.ClassOf(err) != providers.ClassUnsupported {
				t.Fatalf("%s, error %v", answer, err)
			}
			if !strings.Contains(err.Error(), test.missing) {
				t.Errorf("the error does not name what is missing: %v", err)
			}
		})
	}
}

// TestUnauthorizedClientCountsOnlyWhereItIsPlain shows the one code that servers use for different things.
func TestUnauthorizedClientCountsOnlyWhereItIsPlain(t *testing.T) {
	w := newWorld(t)
	p := open(t, manual.Settings{TokenURL: w.url + sandbox.PathToken, IntrospectionURL: w.url + sandbox.PathIntrospect})
	for _, test := range []struct {
		method credential.VerifyMethod
		status int
		want   providers.Answer
	}{
		{credential.VerifyAuthCode, 401, providers.Refused},
		{credential.VerifyIntrospection, 401, providers.Refused},
		{credential.VerifyClientCredentials, 401, providers.Unknown},
		{credential.VerifyAuthCode, 400, providers.Unknown},
		{credential.VerifyClientCredentials, 400, providers.Unknown},
	} {
		w.faults.Reply(sandbox.When{}, test.status, map[string]string{"error": "unauthorized_client"})
		got, err := p.Verify(t.Context(), target(test.method), bundle(firstSecret))
		if got != test.want || (err == nil) != (got != providers.Unknown) {
			t.Errorf("%s with %d: %s, want %s (error %v)", test.method, test.status, got, test.want, err)
		}
	}
}

func TestATokenEndpointKeepsItsLastSlash(t *testing.T) {
	w := newWorld(t)
	p := open(t, manual.Settings{TokenURL: w.url + sandbox.PathToken + "/"})
	answer, err := p.Verify(t.Context(), target(""), bundle(firstSecret))
	if answer != providers.Unknown || providers.ClassOf(err) != providers.ClassNotFound {
		t.Errorf("the sandbox has no such path, but answers %s, error %v", answer, err)
	}
}

func TestCheckSaysThatNothingCanBeProved(t *testing.T) {
	for address, want := range map[string]int{"": 1, "https://idp/token": 0} {
		checker, ok := open(t, manual.Settings{TokenURL: address}).(providers.Checker)
		if !ok {
			t.Fatal("no Checker")
		}
		if findings := checker.Check(t.Context()); len(findings) != want {
			t.Errorf("%q: %+v", address, findings)
		}
	}
}

func TestSettings(t *testing.T) {
	problems := 0
	count := func(string, string, string) { problems++ }
	(&manual.Settings{IntrospectionURL: "https://idp/introspect"}).Validate(count)
	if problems != 1 {
		t.Errorf("%d problems, want 1", problems)
	}
	if (&manual.Settings{}).Validate(count); problems != 1 {
		t.Errorf("settings without a mistake have %d", problems-1)
	}
	for name, settings := range map[string]any{
		"no settings": nil, "no scheme": &manual.Settings{TokenURL: "idp/token"}, "broken": &manual.Settings{TokenURL: "://"},
		"broken introspection": &manual.Settings{TokenURL: "https://idp/token", IntrospectionURL: "x"},
	} {
		if _, err := manual.Kind().Open(providers.Opening{Name: "portal", Settings: settings}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	timed, ok := open(t, manual.Settings{}).(providers.Timed)
	if !ok || timed.Timing() != (providers.Timing{Deadline: time.Minute, Propagation: 2 * time.Minute}) {
		t.Error("timing")
	}
}

func FuzzVerifyAnswers(f *testing.F) {
	f.Add(200, `{"access_token":"t"}`)
	f.Add(400, `{"error":"invalid_grant"}`)
	f.Add(401, `{"error":"invalid_client","error_description":"can ary"}`)
	f.Add(401, `{"error":"unauthorized_client"}`)
	f.Add(200, `<html>can ary`)
	f.Add(500, ``)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 100 || status > 599 {
			return
		}
		p, err := manual.Kind().Open(providers.Opening{
			Name: "portal", Settings: &manual.Settings{TokenURL: "https://idp/token"}, Transport: oneAnswer{status, body},
		})
		if err != nil {
			t.Fatal(err)
		}
		answer, err := p.Verify(t.Context(), target(""), bundle("x"))
		if (err != nil) != (answer == providers.Unknown) {
			t.Errorf("%s with error %v", answer, err)
		}
		if answer == providers.Accepted && !strings.Contains(body, "invalid_") && !strings.Contains(body, `\u`) {
			t.Errorf("%d %q proves the secret", status, body)
		}
		if err != nil && strings.Contains(err.Error(), "can ary") {
			t.Errorf("the error repeats the body: %v", err)
		}
	})
}
