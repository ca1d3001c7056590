package jwks_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/jwks"
)

// world is a client, where its keys are published, and a server that checks its signatures.
type world struct {
	keys     *sandbox.Keys
	provider providers.Provider
	public   *httptest.Server
	dir      string
}

const client = "bff/pay me"

func target() providers.Target {
	return providers.Target{Client: "bff", Ref: credential.Ref{"client_id": client}}
}

func newWorld(t *testing.T, algorithm string) *world {
	t.Helper()
	w := &world{dir: t.TempDir()}
	w.keys = sandbox.NewKeys(time.Now, sandbox.KeySettings{Audience: "https://idp.example.com"})
	idp := httptest.NewServer(w.keys.Handler())
	t.Cleanup(idp.Close)
	var err error
	w.provider, err = jwks.Kind().Open(providers.Opening{Name: "keys", Settings: &jwks.Settings{
		TokenURL: idp.URL + "/oauth2/token", Audience: "https://idp.example.com", Directory: w.dir, Algorithm: algorithm, MaxAge: time.Minute,
	}})
	if err != nil {
		t.Fatal(err)
	}
	publisher, ok := providers.AsPublisher(w.provider)
	if !ok {
		t.Fatal("nothing is published")
	}
	w.public = httptest.NewServer(publisher.Published())
	t.Cleanup(w.public.Close)
	w.keys.Register(client, w.public.URL+"/bff%2Fpay%20me.json")
	return w
}

func (w *world) pair(t *testing.T) credential.Bundle {
	t.Helper()
	g, _ := providers.AsGenerator(w.provider)
	b, err := g.Generate(target())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (w *world) publish(t *testing.T, b credential.Bundle, label string) credential.Secret {
	t.Helper()
	issued, err := w.provider.Create(t.Context(), target(), providers.Request{Proposed: b, Label: label})
	if err != nil {
		t.Fatal(err)
	}
	return issued.Secret
}

func (w *world) answers(t *testing.T, b credential.Bundle, want providers.Answer, what string) {
	t.Helper()
	if got, err := w.provider.Verify(t.Context(), target(), b); got != want {
		t.Errorf("%s: %s, %v", what, got, err)
	}
}

func (w *world) listed(t *testing.T) []credential.Secret {
	t.Helper()
	snap, err := w.provider.Inspect(t.Context(), target())
	if err != nil || snap.Caps.Mode != credential.ModeKeySet || snap.ClientID != client {
		t.Fatalf("%+v, %v", snap, err)
	}
	return snap.Secrets
}

func TestAKeyIsPublishedUsedAndDropped(t *testing.T) {
	for _, algorithm := range []string{"ES256", "ES384", "RS256", "PS256", "EdDSA"} {
		t.Run(algorithm, func(t *testing.T) {
			w := newWorld(t, algorithm)
			old, fresh := w.pair(t), w.pair(t)
			first := w.publish(t, old, "rotad/one/1")
			w.answers(t, old, providers.Accepted, "the first key")
			w.answers(t, fresh, providers.Refused, "a key that is not published")
			second := w.publish(t, fresh, "rotad/two/1")
			if list := w.listed(t); len(list) != 2 || list[0].ID != first.ID || list[1] != second || second.Label != "rotad/two/1" || second.Start.IsZero() {
				t.Fatalf("listed %+v", list)
			}
			w.answers(t, fresh, providers.Refused, "the new key, before caches have it")
			w.keys.Age(2 * time.Minute)
			w.answers(t, old, providers.Accepted, "the old key beside the new one")
			w.answers(t, fresh, providers.Accepted, "the new key, when caches have it")
			revoker, _ := providers.AsRevoker(w.provider)
			for range 2 { // one that is gone already is success
				if err := revoker.Revoke(t.Context(), target(), first.ID); err != nil {
					t.Fatal(err)
				}
			}
			w.answers(t, old, providers.Accepted, "the old key, as long as caches have it")
			w.keys.Age(11 * time.Second) // less than max_age: the server fetches again for a key that it does not know
			w.answers(t, old, providers.Refused, "the old key, when caches have dropped it")
			w.answers(t, fresh, providers.Accepted, "the new key alone")
		})
	}
}

// A create whose answer was lost is made again with the same pair, and publishes it once.
func TestTheSamePairAgainChangesNothing(t *testing.T) {
	w := newWorld(t, "ES256")
	pair := w.pair(t)
	made := w.publish(t, pair, "rotad/one/1")
	before, _ := os.ReadFile(filepath.Join(w.dir, "bff%2Fpay%20me.json"))
	if again := w.publish(t, pair, "rotad/one/1"); again != made {
		t.Errorf("%+v, then %+v", made, again)
	}
	if after, _ := os.ReadFile(filepath.Join(w.dir, "bff%2Fpay%20me.json")); string(after) != string(before) || len(before) == 0 {
		t.Error("the file has changed")
	}
	if rest, _ := filepath.Glob(filepath.Join(w.dir, ".*")); len(rest) != 0 {
		t.Errorf("left behind: %v", rest)
	}
}

// What is no key, and a key under the name of another, are asked about as well: the verifier must refuse them.
func TestAProofThatProvesNothingIsRefused(t *testing.T) {
	w := newWorld(t, "ES256")
	pair, other := w.pair(t), w.pair(t)
	w.publish(t, pair, "rotad/one/1")
	for name, private := range map[string]credential.Sensitive{
		"a random text":    credential.NewSensitive("RANDOMRANDOMRANDOM"),
		"another's key":    other[credential.FieldPrivateKey],
		"a public key":     credential.NewSensitive("-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n"),
		"an empty private": {},
	} {
		spoilt := maps.Clone(pair)
		spoilt[credential.FieldPrivateKey] = private
		w.answers(t, spoilt, providers.Refused, name)
	}
	w.answers(t, pair, providers.Accepted, "the pair itself")
}

func TestTheFileHoldsNothingPrivate(t *testing.T) {
	for _, algorithm := range []string{"ES256", "RS256", "EdDSA"} {
		w := newWorld(t, algorithm)
		w.publish(t, w.pair(t), "rotad/one/1")
		raw, err := os.ReadFile(filepath.Join(w.dir, "bff%2Fpay%20me.json"))
		if err != nil {
			t.Fatal(err)
		}
		var set struct {
			Keys []map[string]any `json:"keys"`
		}
		if err := json.Unmarshal(raw, &set); err != nil || len(set.Keys) != 1 {
			t.Fatalf("%s: %v", raw, err)
		}
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} { // RFC 7518 section 6
			if _, there := set.Keys[0][private]; there {
				t.Errorf("%s: the set has the private member %q", algorithm, private)
			}
		}
		if set.Keys[0]["use"] != "sig" || set.Keys[0]["alg"] != algorithm || set.Keys[0]["kid"] == "" {
			t.Errorf("%s: %v", algorithm, set.Keys[0])
		}
	}
}

func TestWhatIsServed(t *testing.T) {
	w := newWorld(t, "ES256")
	w.publish(t, w.pair(t), "rotad/one/1")
	get := func(path, tag string) (int, http.Header) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.public.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("If-None-Match", tag)
		reply, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = reply.Body.Close()
		return reply.StatusCode, reply.Header
	}
	status, h := get("/bff%2Fpay%20me.json", "")
	if status != 200 || h.Get("Content-Type") != "application/jwk-set+json" || h.Get("Cache-Control") != "public, max-age=60" || h.Get("ETag") == "" {
		t.Fatalf("%d %v", status, h)
	}
	if again, _ := get("/bff%2Fpay%20me.json", h.Get("ETag")); again != http.StatusNotModified {
		t.Errorf("the same again: %d", again)
	}
	secret := filepath.Join(filepath.Dir(w.dir), "other.json")
	if err := os.WriteFile(secret, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/nobody.json", "/", "/bff", "/..%2Fother.json", "/%2E%2E%2Fother.json", "/../other.json"} {
		if status, _ := get(path, ""); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
}

func TestMistakesAreNamed(t *testing.T) {
	w := newWorld(t, "ES256")
	file := filepath.Join(w.dir, "bff%2Fpay%20me.json")
	for name, text := range map[string]string{
		"no JSON": "{", "no set": "{}", "a key without a name": `{"keys":[{"kty":"EC"}]}`, "two of one name": `{"keys":[{"kid":"a"},{"kid":"a"}]}`, "more after it": `{"keys":[]}{}`,
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := w.provider.Inspect(t.Context(), target())
		if providers.ClassOf(err) != providers.ClassUnavailable || !strings.Contains(err.Error(), "is no JWK Set") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := w.provider.Create(t.Context(), target(), providers.Request{Proposed: w.pair(t)}); err == nil {
			t.Errorf("%s: written over", name)
		}
	}
	if err := os.RemoveAll(w.dir); err != nil {
		t.Fatal(err)
	}
	if _, err := w.provider.Inspect(t.Context(), target()); providers.ClassOf(err) != providers.ClassUnavailable {
		t.Errorf("without its directory: %v", err)
	}
	checker, _ := providers.AsChecker(w.provider)
	if found := checker.Check(t.Context()); len(found) != 1 || !found[0].Problem {
		t.Errorf("the check finds %+v", found)
	}
	if _, err := w.provider.Create(t.Context(), target(), providers.Request{}); providers.ClassOf(err) != providers.ClassUnsupported {
		t.Errorf("without a pair: %v", err)
	}
	if _, err := w.provider.Inspect(t.Context(), providers.Target{}); providers.ClassOf(err) != providers.ClassNotFound {
		t.Errorf("without a ref: %v", err)
	}
}

// A key that a person made before rotad came is kept, and its members with it.
func TestForeignKeysStayAsTheyAre(t *testing.T) {
	w := newWorld(t, "ES256")
	file := filepath.Join(w.dir, "bff%2Fpay%20me.json")
	if err := os.WriteFile(file, []byte(`{"keys":[{"kid":"by-hand","kty":"EC","x5t":"abc","crv":"P-256"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	w.publish(t, w.pair(t), "rotad/one/1")
	raw, _ := os.ReadFile(file)
	if !strings.Contains(string(raw), `"x5t": "abc"`) || len(w.listed(t)) != 2 || w.listed(t)[0].ID != "by-hand" {
		t.Errorf("%s", raw)
	}
}

func TestSettingsAreValidated(t *testing.T) {
	var found []string
	s := jwks.Settings{Directory: "keys", MaxAge: -time.Second}
	s.Validate(func(path, _, _ string) { found = append(found, path) })
	if strings.Join(found, " ") != "directory max_age" {
		t.Errorf("found %v", found)
	}
	if _, err := jwks.Kind().Open(providers.Opening{Settings: &jwks.Settings{TokenURL: "nowhere"}}); err == nil {
		t.Error("opened without an address")
	}
}
