package authentik_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/authentik"
)

func TestASecretIsReplacedAndCanBeReadAgain(t *testing.T) {
	s := newServer(t)
	p := s.open(t, apiToken, nil)
	before, err := p.Inspect(t.Context(), target("billing"))
	if err != nil {
		t.Fatal(err)
	}
	old, ok := before.Current()
	if !ok || before.Caps.Mode != credential.ModeHardCutover || !before.Caps.Readable || !old.Never || before.ClientID != "billing" || before.Time.IsZero() {
		t.Fatalf("%+v", before)
	}
	issued, err := p.Create(t.Context(), target("billing"), providers.Request{})
	if err != nil {
		t.Fatal(err)
	}
	if value := issued.Bundle.Secret().Reveal(); issued.Secret.ID == old.ID || len(value) < 50 || len(value) > 255 || s.Made("other") != 0 {
		t.Errorf("%+v, %d characters, %d of another", issued.Secret, len(value), s.Made("other"))
	}
	r, ok := p.(providers.Recoverer)
	if !ok {
		t.Fatal("no Recoverer")
	}
	again, err := r.Recover(t.Context(), target("billing"))
	if err != nil || again.Secret != issued.Secret || !again.Bundle.Equal(issued.Bundle) {
		t.Errorf("%+v, %v", again.Secret, err)
	}
	for want, b := range map[providers.Answer]credential.Bundle{providers.Accepted: issued.Bundle, providers.Refused: bundle("billing", firstSecret)} {
		if got, err := p.Verify(t.Context(), target("billing"), b); got != want {
			t.Errorf("%s, want %s: %v", got, want, err)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	s := newServer(t)
	for name, test := range map[string]struct {
		client string
		token  string
		status int // of an update; 0 = that of the server
		r      providers.Request
		want   providers.Class
	}{
		"a public client":           {client: "browser", want: providers.ClassUnsupported},
		"a secret that is hidden":   {client: "shy", want: providers.ClassAuth},
		"an unknown client":         {client: "nobody", want: providers.ClassNotFound},
		"no client":                 {want: providers.ClassNotFound},
		"a token that is no good":   {client: "billing", token: "stale", want: providers.ClassAuth},
		"an update that is refused": {client: "billing", status: http.StatusForbidden, want: providers.ClassAuth},
		"a value of rotad's own":    {client: "billing", r: providers.Request{Proposed: bundle("billing", "x")}, want: providers.ClassUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			s.faults.Clear()
			if test.status != 0 {
				s.faults.Status(sandbox.When{Method: http.MethodPatch, Count: -1}, test.status, 0)
			}
			token := apiToken
			if test.token != "" {
				token = test.token
			}
			_, err := s.open(t, token, nil).Create(t.Context(), target(test.client), test.r)
			if got := providers.ClassOf(err); got != test.want || !providers.Definite(err) {
				t.Errorf("class %q, want %q (%v)", got, test.want, err)
			}
		})
	}
	if s.Made("billing") != 0 {
		t.Error("one of them was made all the same")
	}
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	s := newServer(t)
	for name, test := range map[string]struct {
		token string
		hint  string
	}{
		"all is well": {apiToken, ""}, "the token is refused": {"stale", "view and change"},
	} {
		t.Run(name, func(t *testing.T) {
			c, ok := s.open(t, test.token, nil).(providers.Checker)
			if !ok {
				t.Fatal("no Checker")
			}
			findings := c.Check(t.Context())
			if (len(findings) == 0) != (test.hint == "") || len(findings) > 0 && !strings.Contains(findings[0].Hint, test.hint) {
				t.Errorf("%+v", findings)
			}
		})
	}
	s.faults.Status(sandbox.When{Method: http.MethodGet, Count: -1}, http.StatusNotFound, 0)
	c, _ := s.open(t, apiToken, nil).(providers.Checker)
	if findings := c.Check(t.Context()); len(findings) != 1 || !strings.Contains(findings[0].Hint, "/api/v3") {
		t.Errorf("a wrong address: %+v", findings)
	}
}

func TestOpenRefusesWhatCannotWork(t *testing.T) {
	for name, o := range map[string]providers.Opening{
		"settings of another kind": {Settings: 7}, "no address": {Settings: &authentik.Settings{URL: "auth"}},
	} {
		if _, err := authentik.Kind().Open(o); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}
