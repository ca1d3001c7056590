package gcpoauthclient_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/gcpoauthclient"
)

const rotation = "0197f9b2-6c5e-7a41-9d2f-3b1c55aa0e10"

// A label is kept as the id of the credential, and read back from it.
func TestALabelIsKeptAsTheID(t *testing.T) {
	p := newProject(t, sandbox.GoogleSettings{})
	opened := p.open(t, p.own, nil)
	label := credential.Label(rotation, 2)
	issued, err := opened.Create(t.Context(), target("portal"), providers.Request{Label: label})
	if err != nil || issued.Secret.Label != label {
		t.Fatalf("%+v, %v", issued.Secret, err)
	}
	seen, err := opened.Inspect(t.Context(), target("portal"))
	if err != nil || len(seen.Secrets) != 2 {
		t.Fatalf("%+v, %v", seen, err)
	}
	if s, ok := seen.Find(issued.Secret.ID); !ok || s.Label != label || !strings.HasPrefix(s.Label, credential.LabelsOf(rotation)) {
		t.Errorf("%+v", seen.Secrets)
	}
	if s, ok := seen.Find("by-hand"); !ok || s.Label != "" {
		t.Errorf("a label of somebody else's: %+v", seen.Secrets)
	}
	if _, err = opened.Create(t.Context(), target("portal"), providers.Request{Label: credential.Label(rotation, 3)}); providers.ClassOf(err) != providers.ClassQuota {
		t.Errorf("a third one: %v", err)
	}
}

// What arrives twice has made a secret that nobody heard of: nobody may conclude that nothing happened.
func TestARequestThatArrivesTwice(t *testing.T) {
	p := newProject(t, sandbox.GoogleSettings{})
	opened := p.open(t, p.own, nil)
	r := providers.Request{Label: credential.Label(rotation, 1)}
	if _, err := opened.Create(t.Context(), target("portal"), r); err != nil {
		t.Fatal(err)
	}
	if _, err := opened.Create(t.Context(), target("portal"), r); providers.ClassOf(err) != providers.ClassIndeterminate {
		t.Errorf("%v", err)
	}
	if p.MadeFor("portal") != 1 {
		t.Errorf("%d were made", p.MadeFor("portal"))
	}
}

// A revoke whose second half never came is ended by the next one.
func TestARevokeThatWasCutInTwo(t *testing.T) {
	p := newProject(t, sandbox.GoogleSettings{})
	opened := p.open(t, p.own, nil)
	revoker, _ := providers.AsRevoker(opened)
	p.faults.Status(sandbox.When{Method: http.MethodDelete}, http.StatusServiceUnavailable, 0)
	if err := revoker.Revoke(t.Context(), target("portal"), "by-hand"); providers.ClassOf(err) != providers.ClassIndeterminate {
		t.Errorf("the second half: %v", err)
	}
	if p.Accepts(p.first[credential.FieldClientID].Reveal(), firstSecret) {
		t.Error("the first half did nothing")
	}
	if err := revoker.Revoke(t.Context(), target("portal"), "by-hand"); err != nil {
		t.Error(err)
	}
	if seen, err := opened.Inspect(t.Context(), target("portal")); err != nil || len(seen.Secrets) != 0 {
		t.Errorf("%+v, %v", seen.Secrets, err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	p := newProject(t, sandbox.GoogleSettings{})
	weak, err := p.Register("weak", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.RegisterClient("browser", ""); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		client, own string
		r           providers.Request
		want        providers.Class
	}{
		"an unknown client":            {client: "nobody", own: p.own, want: providers.ClassNotFound},
		"no client":                    {own: p.own, want: providers.ClassNotFound},
		"a public client":              {client: "browser", own: p.own, want: providers.ClassUnsupported},
		"an account without the right": {client: "portal", own: weak, want: providers.ClassAuth},
		"no key file":                  {client: "portal", own: "", want: providers.ClassAuth},
		"a value of rotad's own":       {client: "portal", own: p.own, r: providers.Request{Proposed: p.first}, want: providers.ClassUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := p.open(t, test.own, nil).Create(t.Context(), target(test.client), test.r)
			if got := providers.ClassOf(err); got != test.want || !providers.Definite(err) {
				t.Errorf("class %q, want %q (%v)", got, test.want, err)
			}
		})
	}
	if p.MadeFor("portal") != 0 {
		t.Error("one of them was made all the same")
	}
}

func TestAProjectIsWalked(t *testing.T) {
	p := newProject(t, sandbox.GoogleSettings{})
	if _, err := p.RegisterClient("browser", ""); err != nil {
		t.Fatal(err)
	}
	lister, _ := providers.AsLister(p.open(t, p.own, nil))
	page, err := lister.List(t.Context(), "")
	if err != nil || len(page.Clients) != 2 || page.Next != "" || page.Requests != 3 {
		t.Fatalf("%+v, %v", page, err)
	}
	if c := page.Clients[0]; c.Ref["oauth_client"] != "portal" || !c.Whole || c.Unusable != "" || c.Name != "App portal" || len(c.Snapshot.Secrets) != 1 {
		t.Errorf("%+v", c)
	}
	if page.Clients[1].Unusable == "" {
		t.Errorf("a public client has no secret: %+v", page.Clients[1])
	}
}

func TestCheck(t *testing.T) {
	p := newProject(t, sandbox.GoogleSettings{})
	weak, err := p.Register("weak", false)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		own      string
		findings int
		problem  bool
	}{
		"an admin":                {own: p.own},
		"rights at single places": {own: weak, findings: 1},
		"no key file":             {own: "{}", findings: 1, problem: true},
	} {
		t.Run(name, func(t *testing.T) {
			checker, _ := providers.AsChecker(p.open(t, test.own, nil))
			got := checker.Check(t.Context())
			if len(got) != test.findings || len(got) == 1 && (got[0].Problem != test.problem || got[0].Hint == "") {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestSettingsNeedExactlyOneLogin(t *testing.T) {
	for name, test := range map[string]struct {
		s    gcpoauthclient.Settings
		want string
	}{
		"a key": {s: gcpoauthclient.Settings{CredentialsFile: "f"}},
		"none":  {want: "there is no way to log in"},
		"two":   {s: gcpoauthclient.Settings{CredentialsFile: "f", TokenEnv: "E"}, want: "there is more than one way to log in"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			test.s.Validate(func(_, what, _ string) { got = append(got, what) })
			if strings.Join(got, "") != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}
