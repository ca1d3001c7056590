package keycloak_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/keycloak"
)

// The token ends, rotad logs in again; a token that Keycloak forgot is replaced, even for a create.
func TestLoginIsRenewed(t *testing.T) {
	r, p := covered(t, sandbox.KeycloakSettings{Policy: &sandbox.KeycloakPolicy{}})
	inspect(t, p)
	r.advance(time.Hour)
	inspect(t, p)
	create(t, p)
	r.AdminForget()
	create(t, p)
	if r.Replaced("billing") != 2 {
		t.Errorf("%d creates", r.Replaced("billing"))
	}
}

// A path that is not that of a realm must not look like a client that is gone.
func TestWrongRealmIsNotAMissingClient(t *testing.T) {
	r := newRealm(t, sandbox.KeycloakSettings{})
	open := func(s keycloak.Settings) providers.Provider {
		s.ClientID = "rotad"
		p, err := keycloak.Kind().Open(providers.Opening{
			Name: "sso", Settings: &s, Secret: func(string) (string, error) { return adminSecret, nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for name, s := range map[string]keycloak.Settings{
		"realm":       {URL: r.server.URL, Realm: "nowhere", LoginRealm: "sandbox"},
		"login realm": {URL: r.server.URL, Realm: "sandbox", LoginRealm: "nowhere"},
		"path":        {URL: r.server.URL + "/auth", Realm: "sandbox"},
	} {
		_, err := open(s).Inspect(t.Context(), target("billing"))
		if providers.ClassOf(err) != providers.ClassRejected {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckNamesMissingRights(t *testing.T) {
	for name, test := range map[string]struct {
		settings sandbox.KeycloakSettings
		secret   string
		problems int
		notes    int
		words    string
	}{
		"everything granted": {secret: adminSecret},
		"no view-realm":      {settings: sandbox.KeycloakSettings{NoViewRealm: true}, secret: adminSecret, notes: 1, words: "view-realm"},
		"only view-clients":  {settings: sandbox.KeycloakSettings{ReadOnly: true}, secret: adminSecret, problems: 1, words: "manage-clients"},
		"wrong secret":       {secret: "wrong", problems: 1, words: "client_id and its secret"},
	} {
		r := newRealm(t, test.settings)
		if err := r.Register(sandbox.KeycloakClient{ClientID: "billing"}); err != nil {
			t.Fatal(err)
		}
		p, err := keycloak.Kind().Open(providers.Opening{
			Name: "sso", Settings: &keycloak.Settings{URL: r.server.URL, Realm: "sandbox", ClientID: "rotad"},
			Secret: func(string) (string, error) { return test.secret, nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		checker, _ := providers.AsChecker(p)
		problems, notes, text, watched := 0, 0, "", false
		for _, f := range checker.Check(t.Context()) {
			watched = watched || f.Rotation
			if text += f.What + f.Hint; f.Problem {
				problems++
			} else {
				notes++
			}
		}
		if watched != (name == "only view-clients") {
			t.Errorf("%s: it is called a matter of rotations alone: %t", name, watched)
		}
		if problems != test.problems || notes != test.notes || !strings.Contains(text, test.words) {
			t.Errorf("%s: %d problems, %d notes: %s", name, problems, notes, text)
		}
	}
}

// rewritten is a transport that changes replies of the admin API.
type rewritten struct {
	path    string
	change  func(string) string
	status  int
	matched int
}

// RoundTrip implements http.RoundTripper.
func (w *rewritten) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || !strings.Contains(r.URL.Path, w.path) {
		return resp, err
	}
	w.matched++
	raw, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(w.change(string(raw)))), -1
	if w.status != 0 {
		resp.StatusCode = w.status
	}
	return resp, err
}

// A server that masks values: nothing is listed under a wrong id, and nothing is revoked on a guess.
func TestMaskedValues(t *testing.T) {
	r, plain := covered(t, sandbox.KeycloakSettings{Policy: &sandbox.KeycloakPolicy{}})
	old := inspect(t, plain).Secrets[0].ID
	issued := create(t, plain)
	p := r.open(t, &rewritten{path: "/clients", change: func(body string) string {
		if strings.Contains(body, `"type":"secret"`) {
			return body
		}
		body = strings.ReplaceAll(body, firstSecret[:strings.Index(firstSecret, "&")]+`\u0026`+firstSecret[strings.Index(firstSecret, "&")+1:], "**********")
		return strings.ReplaceAll(body, issued.Bundle.Secret().Reveal(), "**********")
	}})
	s := inspect(t, p)
	if s.Caps.Readable || s.Caps.StartReadable || len(s.Secrets) != 2 || s.Secrets[0].ID != "" || s.Secrets[1].ID != "" {
		t.Errorf("%+v", s)
	}
	if err := revoke(t, p, old); providers.ClassOf(err) != providers.ClassUnsupported {
		t.Errorf("revoking what cannot be seen: %v", err)
	}
	got, err := recoverer(t, p).Recover(t.Context(), target("billing"))
	if err != nil || !got.Bundle.Equal(issued.Bundle) {
		t.Errorf("the endpoint of the secret alone still shows it: %v", err)
	}
}

func TestDeadlineOfACreateCoversItAll(t *testing.T) {
	r, _ := covered(t, sandbox.KeycloakSettings{})
	p, err := keycloak.Kind().Open(providers.Opening{
		Name: "sso", Settings: &keycloak.Settings{URL: r.server.URL, Realm: "sandbox", ClientID: "rotad"},
		Secret: func(string) (string, error) { return adminSecret, nil }, Deadline: 20 * time.Millisecond, Propagation: time.Minute,
		Transport: hang{},
	})
	if err != nil {
		t.Fatal(err)
	}
	timed, _ := providers.AsTimed(p)
	if want := (providers.Timing{Deadline: 20 * time.Millisecond, Propagation: time.Minute}); timed.Timing() != want {
		t.Errorf("%+v", timed.Timing())
	}
	_, err = p.Create(t.Context(), target("billing"), providers.Request{})
	if providers.ClassOf(err) != providers.ClassUnavailable { // the look before the create hung, so nothing was sent
		t.Errorf("%v", err)
	}
}

type hang struct{}

// RoundTrip implements http.RoundTripper.
func (hang) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}
