package casdoor_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/casdoor"
)

// An update writes every column, so everything but the secret has to be what it was.
func TestAnUpdateChangesTheSecretAndNothingElse(t *testing.T) {
	s := newServer(t)
	p := s.open(t, ownSecret, nil)
	before, err := p.Inspect(t.Context(), target("admin/billing"))
	if err != nil {
		t.Fatal(err)
	}
	issued, err := p.Create(t.Context(), target("admin/billing"), providers.Request{})
	if err != nil {
		t.Fatal(err)
	}
	if value := issued.Bundle.Secret().Reveal(); len(value) < 50 || len(value) > 100 || s.Shown("billing", "clientSecret") != value {
		t.Errorf("%d characters, or another value was set", len(value))
	}
	if before.ClientID != "id-of-billing" || issued.Secret.ID == before.Secrets[0].ID || s.Made("other") != 0 {
		t.Errorf("%+v, %+v", before, issued.Secret)
	}
	for member := range map[string]bool{"displayName": true, "expireInHours": true, "redirectUris": true, "grantTypes": true, "createdTime": true} {
		if got, want := s.Shown("billing", member), s.Shown("other", member); !same(got, want) {
			t.Errorf("%s became %v, was %v", member, got, want)
		}
	}
}

func same(a, b any) bool {
	one, isList := a.([]any)
	two, isOther := b.([]any)
	if isList && isOther {
		return len(one) == len(two) && one[0] == two[0]
	}
	return a == b
}

func TestWhatIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		app, own string
		change   func(*server)
		r        providers.Request
		want     providers.Class
	}{
		"an unknown application":  {app: "admin/nobody", want: providers.ClassNotFound},
		"no owner":                {app: "billing", want: providers.ClassRejected},
		"a login that is refused": {app: "admin/billing", own: "stale", want: providers.ClassAuth},
		"an account that may not see": {
			app: "admin/billing", change: func(s *server) { s.Change("billing", "clientSecret", "***") }, want: providers.ClassAuth,
		},
		"an application without a secret": {
			app: "admin/billing", change: func(s *server) { s.Change("billing", "clientSecret", "") }, want: providers.ClassUnsupported,
		},
		"something else that is masked": {
			app: "admin/billing", change: func(s *server) { s.Change("billing", "invitationCodes", []any{"***"}) }, want: providers.ClassAuth,
		},
		"an application that is not whole": {
			app: "admin/billing", change: func(s *server) { s.Change("billing", "clientId", "") }, want: providers.ClassUnavailable,
		},
		"another application": {
			app: "admin/billing", change: func(s *server) { s.Change("billing", "name", "other") }, want: providers.ClassUnavailable,
		},
		"a value of rotad's own": {app: "admin/billing", r: providers.Request{Proposed: bundle("id-of-billing", "x")}, want: providers.ClassUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			own := ownSecret
			if test.own != "" {
				own = test.own
			}
			if test.change != nil {
				test.change(s)
			}
			_, err := s.open(t, own, nil).Create(t.Context(), target(test.app), test.r)
			if got := providers.ClassOf(err); got != test.want || !providers.Definite(err) {
				t.Errorf("class %q, want %q (%v)", got, test.want, err)
			}
			if s.Made("billing") != 0 {
				t.Error("it was made all the same")
			}
		})
	}
}

// What an update is answered with has the status of a success, whatever happened.
func TestWhatAnUpdateSays(t *testing.T) {
	s := newServer(t)
	for name, test := range map[string]struct {
		body string
		want providers.Class
	}{
		"it was gone":            {`{"status":"ok","msg":"","data":"Unaffected"}`, providers.ClassNotFound},
		"no right":               {`{"status":"error","msg":"Unauthorized operation","data":null}`, providers.ClassAuth},
		"a database that failed": {`{"status":"error","msg":"driver: CANARY","data":null}`, providers.ClassIndeterminate},
		"something new":          {`{"status":"ok","data":"CANARY"}`, providers.ClassNotUnderstood},
		"no status":              {`{"data":"Affected"}`, providers.ClassNotUnderstood},
	} {
		p := s.open(t, ownSecret, answered{sandbox.PathCasdoorUpdate, test.body})
		issued, err := p.Create(t.Context(), target("admin/billing"), providers.Request{})
		if got := providers.ClassOf(err); got != test.want || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %q, want %q (%v)", name, got, test.want, err)
		}
		if issued.Raw.Empty() == (test.want == providers.ClassNotUnderstood) || len(issued.Bundle) > 0 {
			t.Errorf("%s: the reply is kept: %t", name, !issued.Raw.Empty())
		}
	}
}

// The grant is looked at before the secret, so an application without it proves nothing.
func TestWithoutTheGrantNothingIsProved(t *testing.T) {
	s := newServer(t)
	s.Change("billing", "grantTypes", nil)
	p := s.open(t, ownSecret, nil)
	for _, method := range []credential.VerifyMethod{credential.VerifyAuto, credential.VerifyAuthCode} {
		mine := target("admin/billing")
		mine.Verify.Method = method
		for _, secret := range []string{firstSecret, "wrong"} {
			if got, err := p.Verify(t.Context(), mine, bundle("id-of-billing", secret)); got != providers.Unknown || err == nil {
				t.Errorf("%s: %s, %v", method, got, err)
			}
		}
	}
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	s := newServer(t)
	for name, test := range map[string]struct {
		transport http.RoundTripper
		hint      string
	}{
		"all is well":          {nil, ""},
		"the login is refused": {answered{sandbox.PathCasdoorGet, `{"status":"error","msg":"Please login first"}`}, "built-in"},
		"a wrong address":      {answered{sandbox.PathCasdoorGet, `{"hello":1}`}, "without /api"},
	} {
		c, ok := s.open(t, ownSecret, test.transport).(providers.Checker)
		if !ok {
			t.Fatal("no Checker")
		}
		findings := c.Check(t.Context())
		if (len(findings) == 0) != (test.hint == "") || len(findings) > 0 && !strings.Contains(findings[0].Hint, test.hint) {
			t.Errorf("%s: %+v", name, findings)
		}
	}
}

func TestOpenRefusesWhatCannotWork(t *testing.T) {
	for name, o := range map[string]providers.Opening{
		"settings of another kind": {Settings: 7}, "no address": {Settings: &casdoor.Settings{URL: "door"}},
	} {
		if _, err := casdoor.Kind().Open(o); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

func TestRights(t *testing.T) {
	s := newServer(t)
	for name, test := range map[string]struct {
		own       string
		transport http.RoundTripper
		told      int
		missing   bool
		class     providers.Class
	}{
		"it is shown secrets":     {own: ownSecret, told: 1},
		"it is not":               {ownSecret, answered{sandbox.PathCasdoorList, `{"status":"ok","data":[{"owner":"admin","name":"a","organization":"o","clientId":"i","clientSecret":"***"}]}`}, 1, true, ""},
		"the login is refused":    {own: "stale", class: providers.ClassAuth},
		"what is no list of them": {ownSecret, answered{sandbox.PathCasdoorList, `{"hello":1}`}, 0, false, providers.ClassUnavailable},
	} {
		reader, ok := providers.AsRightsReader(s.open(t, test.own, test.transport))
		if !ok {
			t.Fatal("casdoor cannot read rights")
		}
		rights, err := reader.Rights(t.Context(), nil)
		if len(rights) != test.told || providers.ClassOf(err) != test.class || test.told > 0 && rights[0].Missing() != test.missing {
			t.Errorf("%s: %+v, %v", name, rights, err)
		}
	}
}
