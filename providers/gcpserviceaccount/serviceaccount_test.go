package gcpserviceaccount_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/gcpserviceaccount"
)

func TestABundleIsTheWholeFile(t *testing.T) {
	w := newProject(t, sandbox.GoogleSettings{KeyLife: 90 * 24 * time.Hour})
	p := w.open(t, w.own, nil)
	issued, err := p.Create(t.Context(), w.target("billing"), providers.Request{})
	if err != nil {
		t.Fatal(err)
	}
	file := issued.Bundle[gcpserviceaccount.FieldCredentials].Reveal()
	if issued.Bundle.Names() != issued.Secret.ID || !strings.Contains(file, `"type": "service_account"`) || !strings.Contains(file, w.Email("billing")) {
		t.Errorf("the bundle is no credentials file of the key %q", issued.Secret.ID)
	}
	if got := issued.Secret.Expires.Sub(issued.Secret.Start); got != 90*24*time.Hour || issued.Secret.Never {
		t.Errorf("it ends after %v: %+v", got, issued.Secret)
	}
	seen, err := p.Inspect(t.Context(), w.target("billing"))
	if err != nil || len(seen.Secrets) != 2 || seen.Secrets[0].ID != issued.Secret.ID || seen.Caps.Slots != 10 || seen.Time.IsZero() {
		t.Fatalf("newest first: %+v, %v", seen, err)
	}
}

// An eleventh key is refused in two ways, and both mean the same.
func TestThereIsNoEleventhKey(t *testing.T) {
	for name, plain := range map[string]bool{"with words": false, "without a word": true} {
		t.Run(name, func(t *testing.T) {
			w := newProject(t, sandbox.GoogleSettings{Plain: plain})
			p := w.open(t, w.own, nil)
			for range 9 {
				if _, err := p.Create(t.Context(), w.target("billing"), providers.Request{}); err != nil {
					t.Fatal(err)
				}
			}
			_, err := p.Create(t.Context(), w.target("billing"), providers.Request{})
			if providers.ClassOf(err) != providers.ClassQuota || w.Made("billing") != 9 {
				t.Errorf("%v; %d were made", err, w.Made("billing"))
			}
		})
	}
}

func TestAnOrganizationThatForbidsKeys(t *testing.T) {
	w := newProject(t, sandbox.GoogleSettings{Policy: true})
	_, err := w.open(t, w.own, nil).Create(t.Context(), w.target("billing"), providers.Request{})
	if providers.ClassOf(err) != providers.ClassUnsupported || !strings.Contains(err.Error(), "iam.disableServiceAccountKeyCreation") {
		t.Error(err)
	}
}

// A key that was disabled proves nothing any more, and still takes its place.
func TestAKeyThatIsDisabled(t *testing.T) {
	w := newProject(t, sandbox.GoogleSettings{})
	p := w.open(t, w.own, nil)
	w.DisableKey("billing", w.first.Names())
	if answer, err := p.Verify(t.Context(), w.target("billing"), w.first); answer != providers.Refused {
		t.Error(answer, err)
	}
	if seen, err := p.Inspect(t.Context(), w.target("billing")); err != nil || len(seen.Secrets) != 1 {
		t.Errorf("%+v, %v", seen.Secrets, err)
	}
}

// A key of another service account is none of this one's, however good it is.
func TestAKeyOfSomebodyElse(t *testing.T) {
	w := newProject(t, sandbox.GoogleSettings{})
	p := w.open(t, w.own, nil)
	if answer, err := p.Verify(t.Context(), w.target("billing"), bundle(t, w.own)); answer != providers.Refused {
		t.Error(answer, err)
	}
	if answer, err := p.Verify(t.Context(), w.target("rotad"), bundle(t, w.own)); answer != providers.Accepted {
		t.Error(answer, err)
	}
}

func TestWhatIsSaidOfNoKey(t *testing.T) {
	w := newProject(t, sandbox.GoogleSettings{})
	p := w.open(t, w.own, nil)
	w.SwitchOff("billing")
	for name, account := range map[string]string{"a disabled account": "billing", "no account": "nobody"} {
		answer, err := p.Verify(t.Context(), w.target(account), w.first)
		if answer != providers.Unknown || providers.ClassOf(err) != providers.ClassNotFound {
			t.Errorf("%s: %s, %v", name, answer, err)
		}
	}
	late := newProject(t, sandbox.GoogleSettings{})
	opened, err := gcpserviceaccount.Kind().Open(providers.Opening{
		Name: "cloud", Now: func() time.Time { return late.now().Add(-time.Hour) },
		Settings: &gcpserviceaccount.Settings{Project: "acme-prod", CredentialsFile: "own", URL: late.url, TokenURL: late.url + sandbox.PathGoogleToken},
		Secret:   func(string) (string, error) { return late.own, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := opened.Verify(t.Context(), late.target("billing"), late.first)
	if answer != providers.Unknown || err == nil || !strings.Contains(err.Error(), "clock") {
		t.Errorf("a clock that is an hour late: %s, %v", answer, err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	w := newProject(t, sandbox.GoogleSettings{})
	weak, err := w.Register("weak", false)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		account, own string
		r            providers.Request
		want         providers.Class
	}{
		"an unknown account":              {account: w.Email("nobody"), own: w.own, want: providers.ClassNotFound},
		"no account":                      {own: w.own, want: providers.ClassNotFound},
		"an account without the right":    {account: w.Email("billing"), own: weak, want: providers.ClassAuth},
		"no key file":                     {account: w.Email("billing"), own: "{}", want: providers.ClassAuth},
		"a key file that was cut":         {account: w.Email("billing"), own: w.own[:100], want: providers.ClassAuth},
		"a key that Google does not know": {account: w.Email("billing"), own: strings.Replace(w.own, `"private_key_id": "`, `"private_key_id": "0`, 1), want: providers.ClassAuth},
		"a value of rotad's own":          {account: w.Email("billing"), own: w.own, r: providers.Request{Proposed: w.first}, want: providers.ClassUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			target := providers.Target{Ref: credential.Ref{"service_account": test.account}}
			_, err := w.open(t, test.own, nil).Create(t.Context(), target, test.r)
			if got := providers.ClassOf(err); got != test.want || !providers.Definite(err) {
				t.Errorf("class %q, want %q (%v)", got, test.want, err)
			}
		})
	}
	if w.Made("billing") != 0 || w.Made("rotad") != 0 {
		t.Error("one of them was made all the same")
	}
}

func TestRotadLogsInWithoutAKey(t *testing.T) {
	w := newProject(t, sandbox.GoogleSettings{})
	p := w.openWith(t, gcpserviceaccount.Settings{MetadataURL: w.url}, "", nil)
	if seen, err := p.Inspect(t.Context(), w.target("billing")); err != nil || len(seen.Secrets) != 1 {
		t.Errorf("as the machine: %+v, %v", seen, err)
	}
	token := tokenOf(t, w)
	p = w.openWith(t, gcpserviceaccount.Settings{TokenFile: "token"}, token+"\n", nil)
	if seen, err := p.Inspect(t.Context(), w.target("billing")); err != nil || len(seen.Secrets) != 1 {
		t.Errorf("with a token: %+v, %v", seen, err)
	}
	p = w.openWith(t, gcpserviceaccount.Settings{TokenFile: "token"}, "an old one", nil)
	if _, err := p.Inspect(t.Context(), w.target("billing")); providers.ClassOf(err) != providers.ClassAuth {
		t.Errorf("with a token that is none: %v", err)
	}
}

// tokenOf gets a token as the machine's own programs do.
func tokenOf(t *testing.T, w *project) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/computeMetadata/v1/instance/service-accounts/default/token", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Metadata-Flavor", "Google")
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reply.Body.Close() }()
	raw, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), `"access_token":"`)
	token, _, _ := strings.Cut(rest, `"`)
	return token
}

func TestSettingsNeedExactlyOneLogin(t *testing.T) {
	for name, test := range map[string]struct {
		s    gcpserviceaccount.Settings
		want string
	}{
		"a key":               {s: gcpserviceaccount.Settings{CredentialsFile: "f"}},
		"a key in a variable": {s: gcpserviceaccount.Settings{CredentialsEnv: "E"}},
		"a token":             {s: gcpserviceaccount.Settings{TokenEnv: "E"}},
		"the machine's":       {s: gcpserviceaccount.Settings{MetadataURL: "http://metadata.google.internal"}},
		"none":                {want: "there is no way to log in"},
		"a key and the machine's": {
			s: gcpserviceaccount.Settings{CredentialsFile: "f", MetadataURL: "http://metadata.google.internal"}, want: "there is more than one way to log in",
		},
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

func TestCheck(t *testing.T) {
	w := newProject(t, sandbox.GoogleSettings{})
	weak, err := w.Register("weak", false)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		own      string
		findings int
		problem  bool
	}{
		"an admin":                     {own: w.own},
		"rights at single accounts":    {own: weak, findings: 1},
		"a key that nobody knows":      {own: strings.Replace(w.own, w.Email("rotad"), w.Email("nobody"), 1), findings: 1, problem: true},
		"a file that is no key at all": {own: "", findings: 1, problem: true},
	} {
		t.Run(name, func(t *testing.T) {
			checker, _ := providers.AsChecker(w.open(t, test.own, nil))
			got := checker.Check(t.Context())
			if len(got) != test.findings || len(got) == 1 && (got[0].Problem != test.problem || got[0].Hint == "") {
				t.Errorf("%+v", got)
			}
		})
	}
}
