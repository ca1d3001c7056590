package dcr_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/dcr"
)

const (
	token = credential.FieldRegistrationToken
	uri   = credential.FieldRegistrationURI
)

func recoverer(t testing.TB, p providers.Provider) providers.Recoverer {
	t.Helper()
	r, ok := providers.AsRecoverer(p)
	if !ok {
		t.Fatal("no Recoverer")
	}
	return r
}

// mustSay checks the class of an error and that it tells a person what to do.
func mustSay(t *testing.T, err error, class providers.Class, words ...string) {
	t.Helper()
	if providers.ClassOf(err) != class {
		t.Fatalf("%v, want %s", err, class)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%v, want it to name %q", err, word)
		}
	}
}

// updates matches the requests that create.
func updates() sandbox.When { return sandbox.When{Method: http.MethodPut} }

// What an update leaves out is deleted, so everything that the server has said goes back, and nothing that must not.
func TestRegistrationSurvivesAnUpdate(t *testing.T) {
	v := newServer(t, sandbox.RegistrarSettings{Rotates: true, RotatesToken: true, RefusesValue: true})
	issued, err := v.open(t, nil).Create(t.Context(), v.target(), providers.Request{})
	if err != nil {
		t.Fatal(err)
	}
	if got := v.Metadata("billing"); !reflect.DeepEqual(got, registered()) {
		t.Errorf("after an update %v, want %v", got, registered())
	}
	if v.Opens("billing", v.vault[token].Reveal()) || !v.Opens("billing", issued.Bundle[token].Reveal()) {
		t.Error("the bundle does not hold the token that opens the registration now")
	}
	if issued.Bundle[uri].Reveal() != v.uri() || len(issued.Bundle) != 4 {
		t.Errorf("%d fields, address %q", len(issued.Bundle), issued.Bundle[uri].Reveal())
	}
}

// A server that keeps the secret has rotated nothing. That is an error, and the key that came with it must not be lost.
func TestKeptSecretIsAnErrorAndKeepsTheKey(t *testing.T) {
	for name, test := range map[string]struct {
		settings sandbox.RegistrarSettings
		words    string
	}{
		"the token stays":         {sandbox.RegistrarSettings{}, "rotates: never"},
		"the token rotates":       {sandbox.RegistrarSettings{RotatesToken: true}, "rotates: never"},
		"it is too early":         {sandbox.RegistrarSettings{RotatesToken: true, Early: true, Life: 100 * time.Hour}, "shorten rotate_before"},
		"the reply leaves it out": {sandbox.RegistrarSettings{RotatesToken: true, Silent: true}, "rotates: never"},
		"and so does a read":      {sandbox.RegistrarSettings{RotatesToken: true, Silent: true, Hidden: true}, "rotates: never"},
	} {
		t.Run(name, func(t *testing.T) {
			v := newServer(t, test.settings)
			p := v.open(t, nil)
			for range 2 { // the second time with the key of the first
				issued, err := p.Create(t.Context(), v.target(), providers.Request{})
				mustSay(t, err, providers.ClassUnsupported, "nothing was rotated", test.words, "rotad submit")
				if !providers.Definite(err) || !issued.Bundle.Login().Equal(v.vault.Login()) {
					t.Fatal("the bundle that is to be kept does not log in as before")
				}
				if !v.Opens("billing", issued.Bundle[token].Reveal()) {
					t.Fatal("the key that is good now is lost")
				}
				v.vault = issued.Bundle
			}
			if v.Made("billing") != 1 {
				t.Error("a secret was made")
			}
			v.offset.Add(int64(95 * time.Hour))
			if _, err := p.Create(t.Context(), v.target(), providers.Request{}); (err == nil) != test.settings.Early {
				t.Errorf("shortly before the end: %v", err)
			}
		})
	}
}

func TestServersThatAreKnownNeverToRotate(t *testing.T) {
	v := newServer(t, sandbox.RegistrarSettings{Rotates: true})
	p := v.openAs(t, nil, dcr.Settings{Rotates: "never"})
	seen, err := p.Inspect(t.Context(), v.target())
	if err != nil || seen.Caps.Mode != credential.ModeManual || !strings.Contains(seen.Caps.Instructions, "rotad submit") || seen.Caps.Reason == "" {
		t.Errorf("%+v, %v", seen.Caps, err)
	}
	_, err = p.Create(t.Context(), v.target(), providers.Request{})
	mustSay(t, err, providers.ClassUnsupported, "rotates: never")
	if v.Made("billing") != 1 {
		t.Error("an update was sent all the same")
	}
}

// The reply to an update is lost. Where the key is still good the new secret is read back; else a person has to get a new
// key, and the secret is read back with that.
func TestLostReply(t *testing.T) {
	for _, rotates := range []bool{false, true} {
		v := newServer(t, sandbox.RegistrarSettings{Rotates: true, RotatesToken: rotates})
		p := v.open(t, nil)
		v.DropReply(updates())
		_, err := p.Create(t.Context(), v.target(), providers.Request{})
		mustSay(t, err, providers.ClassIndeterminate)
		if v.Accepts("billing", v.vault.Secret().Reveal()) {
			t.Fatal("the update did not land: this shows nothing")
		}
		if rotates {
			_, err = recoverer(t, p).Recover(t.Context(), v.target())
			mustSay(t, err, providers.ClassAuth, "the answer to an update was lost", "administrator", "registration_access_token in Vault")
			v.vault[token] = credential.NewSensitive(v.Reissue("billing") + "\n") // as an editor leaves it
		}
		back, err := recoverer(t, p).Recover(t.Context(), v.target())
		if err != nil || !v.Accepts("billing", back.Bundle.Secret().Reveal()) || !v.Opens("billing", back.Bundle[token].Reveal()) {
			t.Errorf("the token rotates: %t: what was read back is not complete (%v)", rotates, err)
		}
	}
}

// A reply that cannot be read holds the only copy of secret and key: it is kept.
func TestRepliesWithoutASecret(t *testing.T) {
	for name, settings := range map[string]sandbox.RegistrarSettings{
		"the registration shows it": {Rotates: true, RotatesToken: true, Silent: true},
		"nothing shows it":          {Rotates: true, RotatesToken: true, Silent: true, Hidden: true},
	} {
		v := newServer(t, settings)
		issued, err := v.open(t, nil).Create(t.Context(), v.target(), providers.Request{})
		if !settings.Hidden {
			if err != nil || !v.Accepts("billing", issued.Bundle.Secret().Reveal()) || !v.Opens("billing", issued.Bundle[token].Reveal()) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		mustSay(t, err, providers.ClassNotUnderstood, "left the secret out")
		if !strings.Contains(issued.Raw.Reveal(), token) || len(issued.Bundle) > 0 {
			t.Errorf("%s: the reply with the new key is lost", name)
		}
	}
}

func TestServersThatDoNotShowTheSecret(t *testing.T) {
	v := newServer(t, sandbox.RegistrarSettings{Rotates: true, Hidden: true})
	p := v.open(t, nil)
	seen, err := p.Inspect(t.Context(), v.target())
	if err != nil || seen.Caps.Readable || seen.Caps.StartReadable || len(seen.Secrets) != 0 {
		t.Errorf("%+v, %v", seen, err)
	}
	_, err = recoverer(t, p).Recover(t.Context(), v.target())
	mustSay(t, err, providers.ClassUnsupported)
	issued, err := p.Create(t.Context(), v.target(), providers.Request{})
	if err != nil || !v.Accepts("billing", issued.Bundle.Secret().Reveal()) {
		t.Errorf("%v", err)
	}
}

// A key that a read has taken away cannot be kept by one who only looks. It is found out at once, not at the next update.
func TestServersThatReplaceTheTokenWithEveryRead(t *testing.T) {
	v := newServer(t, sandbox.RegistrarSettings{Rotates: true, ReadsReplace: true})
	_, err := v.open(t, nil).Inspect(t.Context(), v.target())
	mustSay(t, err, providers.ClassAuth, "with every read", "kind: manual")
}

func TestKeyComesFromVault(t *testing.T) {
	v := newServer(t, sandbox.RegistrarSettings{Rotates: true})
	p := v.open(t, nil)
	for name, test := range map[string]struct {
		held  func(context.Context) (credential.Bundle, error)
		class providers.Class
		word  string
	}{
		"nobody can read Vault": {nil, providers.ClassUnsupported, "Vault"},
		"Vault is away": {
			func(context.Context) (credential.Bundle, error) { return nil, errors.New("vault is sealed") }, providers.ClassUnavailable, "vault is sealed",
		},
		"there is none": {
			func(context.Context) (credential.Bundle, error) { return v.vault.Login(), nil }, providers.ClassAuth, "write the one that came with its registration",
		},
	} {
		target := v.target()
		target.Held = test.held
		_, err := p.Inspect(t.Context(), target)
		mustSay(t, err, test.class, test.word)
		_, err = p.Create(t.Context(), target, providers.Request{})
		mustSay(t, err, test.class, test.word)
		if v.Made("billing") != 1 {
			t.Errorf("%s: a secret was made", name)
		}
	}
}

// recorder is a transport that notes where requests go.
type recorder struct{ hosts []string }

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.hosts = append(r.hosts, req.URL.Host)
	return http.DefaultTransport.RoundTrip(req)
}

// The key goes to the configured server and to no other, whatever stands in Vault or in a reply.
func TestKeyIsSentNowhereElse(t *testing.T) {
	for _, address := range []string{
		"https://elsewhere.invalid/register/billing", "http://user@%s/register/billing", "//%s/register/billing", "/register/billing", "::",
	} {
		v := newServer(t, sandbox.RegistrarSettings{Rotates: true})
		r := &recorder{}
		v.vault[uri] = credential.NewSensitive(strings.ReplaceAll(address, "%s", strings.TrimPrefix(v.url, "http://")))
		_, err := v.open(t, r).Create(t.Context(), v.target(), providers.Request{})
		mustSay(t, err, providers.ClassRejected, "registration_client_uri", "url")
		if len(r.hosts) > 0 {
			t.Errorf("%s: something was sent to %v", address, r.hosts)
		}
	}
	v := newServer(t, sandbox.RegistrarSettings{Rotates: true, Inner: "http://inner.invalid:8080"})
	issued, err := v.open(t, nil).Create(t.Context(), v.target(), providers.Request{})
	if err != nil || !issued.Bundle[uri].Empty() {
		t.Errorf("the server's inner name is kept: %q (%v)", issued.Bundle[uri].Reveal(), err)
	}
}

func TestRegistrationOfAnotherClient(t *testing.T) {
	v := newServer(t, sandbox.RegistrarSettings{Rotates: true})
	_, other, err := v.Register("other", nil)
	if err != nil {
		t.Fatal(err)
	}
	v.vault[token], v.vault[uri] = credential.NewSensitive(other), credential.NewSensitive(v.url+sandbox.PathRegister+"/other")
	_, err = v.open(t, nil).Create(t.Context(), v.target(), providers.Request{})
	mustSay(t, err, providers.ClassRejected, "another client")
	if v.Made("other") != 1 {
		t.Error("the secret of another client was replaced")
	}
}

// The update went to the right place, and what came back is about somebody else: nothing of it may be published.
func TestReplyAboutAnotherClient(t *testing.T) {
	v := newServer(t, sandbox.RegistrarSettings{Rotates: true})
	v.Rewrite(updates(), func(body []byte) []byte {
		return []byte(strings.Replace(string(body), `"client_id":"billing"`, `"client_id":"other"`, 1))
	})
	issued, err := v.open(t, nil).Create(t.Context(), v.target(), providers.Request{})
	mustSay(t, err, providers.ClassNotUnderstood, "another client")
	if issued.Raw.Empty() || len(issued.Bundle) > 0 {
		t.Error("the reply is lost, or taken for the client's")
	}
}

func TestClientsThatUseNoSecret(t *testing.T) {
	for method, want := range map[string]providers.Class{
		"client_secret_post": "", "client_secret_jwt": "", "none": providers.ClassUnsupported, "private_key_jwt": providers.ClassUnsupported,
	} {
		v := newServer(t, sandbox.RegistrarSettings{Rotates: true})
		v.Rewrite(sandbox.When{Method: http.MethodGet}, func(body []byte) []byte {
			return []byte(strings.Replace(string(body), "client_secret_basic", method, 1))
		})
		seen, err := v.open(t, nil).Inspect(t.Context(), v.target())
		if providers.ClassOf(err) != want || seen.Caps.HMAC != (method == "client_secret_jwt") {
			t.Errorf("%s: %+v, %v", method, seen.Caps, err)
		}
	}
}

func TestExpiry(t *testing.T) {
	at := time.Unix(1780000000, 0).UTC()
	for value, want := range map[string]credential.Secret{
		`0`: {Never: true}, `"0"`: {Never: true}, `0.0`: {Never: true}, `1780000000`: {Expires: at}, `"1780000000"`: {Expires: at}, `1.78e9`: {Expires: at},
		`1780000000.9`: {Expires: at}, `-1`: {}, `1e300`: {}, `"NaN"`: {}, `null`: {}, `"soon"`: {}, `253402300800`: {}, `{}`: {},
	} {
		v := newServer(t, sandbox.RegistrarSettings{Rotates: true})
		v.Rewrite(sandbox.When{Method: http.MethodGet}, func(body []byte) []byte {
			return []byte(strings.Replace(string(body), `"client_secret_expires_at":0`, `"client_secret_expires_at":`+value, 1))
		})
		seen, err := v.open(t, nil).Inspect(t.Context(), v.target())
		if err != nil || len(seen.Secrets) != 1 {
			t.Fatalf("%s: %+v, %v", value, seen, err)
		}
		if got := seen.Secrets[0]; got.Never != want.Never || !got.Expires.Equal(want.Expires) {
			t.Errorf("%s: %+v, want %+v", value, got, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	for name, test := range map[string]struct {
		method string
		status int
		class  providers.Class
		word   string
	}{
		"a dead token":          {http.MethodGet, 401, providers.ClassAuth, "administrator"},
		"a static client":       {http.MethodGet, 403, providers.ClassAuth, "static"},
		"no such address":       {http.MethodGet, 404, providers.ClassNotFound, "registration_client_uri"},
		"no management":         {http.MethodPut, 405, providers.ClassUnsupported, "RFC 7592"},
		"metadata not accepted": {http.MethodPut, 400, providers.ClassRejected, "invalid_client_metadata"},
	} {
		t.Run(name, func(t *testing.T) {
			v := newServer(t, sandbox.RegistrarSettings{Rotates: true})
			v.Reply(sandbox.When{Method: test.method, Path: sandbox.PathRegister}, test.status, map[string]string{"error": "invalid_client_metadata"})
			issued, err := v.open(t, nil).Create(t.Context(), v.target(), providers.Request{})
			mustSay(t, err, test.class, test.word)
			if len(issued.Bundle) > 0 || v.Made("billing") != 1 {
				t.Error("something was made, or is said to be")
			}
		})
	}
}

// Keycloak answers a wrong secret with a code that everywhere else proves the secret.
func TestWhatTokenEndpointsSay(t *testing.T) {
	const bad = "Invalid client or Invalid client credentials"
	for name, test := range map[string]struct {
		method credential.VerifyMethod
		status int
		code   string
		text   string
		want   providers.Answer
	}{
		"RFC 6749":                    {"", 401, "invalid_client", "", providers.Refused},
		"RFC 6749, another grant":     {"", 400, "unauthorized_client", "", providers.Accepted},
		"Keycloak":                    {"", 401, "unauthorized_client", bad, providers.Refused},
		"Keycloak, another grant":     {"", 401, "unauthorized_client", "Client not enabled to retrieve service account", providers.Accepted},
		"Keycloak, introspection":     {credential.VerifyIntrospection, 401, "invalid_request", "Authentication failed.", providers.Refused},
		"another complaint with 401":  {"", 401, "invalid_request", "", providers.Unknown},
		"introspection, wrong secret": {credential.VerifyIntrospection, 401, "invalid_client", "", providers.Refused},
	} {
		v := newServer(t, sandbox.RegistrarSettings{})
		v.Reply(sandbox.When{Path: "/oauth2/"}, test.status, map[string]string{"error": test.code, "error_description": test.text})
		target := v.target()
		target.Verify.Method = test.method
		if got, err := v.open(t, nil).Verify(t.Context(), target, v.vault); got != test.want {
			t.Errorf("%s: %s, %v; want %s", name, got, err, test.want)
		}
	}
}

func TestDecodeTakesTheRestFromVault(t *testing.T) {
	v := newServer(t, sandbox.RegistrarSettings{})
	decoder, ok := providers.AsDecoder(v.open(t, nil))
	if !ok {
		t.Fatal("no Decoder")
	}
	got, err := decoder.Decode(v.target(), credential.NewSensitive(`{"client_secret":"new","registration_client_uri":"http://inner.invalid/x"}`))
	want := maps.Clone(v.vault)
	want[credential.FieldClientSecret] = credential.NewSensitive("new")
	if err != nil || !got.Bundle.Equal(want) {
		t.Errorf("%d fields, %v", len(got.Bundle), err)
	}
	for _, body := range []string{`{"client_id":"other","client_secret":"new"}`, `{"client_id":"billing"}`, `null`, `{"client_secret":1}`} {
		_, err = decoder.Decode(v.target(), credential.NewSensitive(body))
		mustSay(t, err, providers.ClassNotUnderstood)
	}
}

func TestSettings(t *testing.T) {
	for address, want := range map[string]string{
		"https://idp.example.com/register": "", "https://idp.example.com/register?tenant=1": "url", "https://idp.example.com/register#x": "url",
	} {
		got := ""
		s := dcr.Settings{URL: address}
		s.Validate(func(path, what, hint string) {
			if got = path; what == "" || hint == "" {
				t.Errorf("%s: %q, %q", address, what, hint)
			}
		})
		if got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}
