package sandbox_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
)

// kvWorld asks a KV directly; its clock is moved by the test.
type kvWorld struct {
	t     *testing.T
	kv    *sandbox.KV
	at    time.Time
	token string
}

func newKVWorld(t *testing.T) *kvWorld {
	t.Helper()
	w := &kvWorld{t: t, at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	w.kv = sandbox.NewKV(func() time.Time { return w.at })
	w.token = w.kv.RootToken()
	return w
}

// ask returns status and body.
func (w *kvWorld) ask(method, path, body string) (int, map[string]any) {
	w.t.Helper()
	request := httptest.NewRequestWithContext(w.t.Context(), method, "/v1/"+path, strings.NewReader(body))
	request.Header.Set("X-Vault-Token", w.token)
	recorder := httptest.NewRecorder()
	w.kv.ServeHTTP(recorder, request)
	var decoded map[string]any
	if recorder.Body.Len() > 0 {
		if err := json.Unmarshal(recorder.Body.Bytes(), &decoded); err != nil {
			w.t.Fatal(err)
		}
	}
	return recorder.Code, decoded
}

// status expects a status and returns the "data" of the answer.
func (w *kvWorld) status(want int, method, path, body string) map[string]any {
	w.t.Helper()
	got, decoded := w.ask(method, path, body)
	if got != want {
		w.t.Fatalf("%s %s: HTTP %d, want %d: %v", method, path, got, want, decoded)
	}
	data, _ := decoded["data"].(map[string]any)
	return data
}

// refused expects a status and Vault's own words.
func (w *kvWorld) refused(want int, words, method, path, body string) {
	w.t.Helper()
	got, decoded := w.ask(method, path, body)
	list, _ := decoded["errors"].([]any)
	text := ""
	for _, e := range list {
		text += e.(string)
	}
	if got != want || !strings.Contains(text, words) {
		w.t.Errorf("%s %s: HTTP %d %q, want %d %q", method, path, got, text, want, words)
	}
}

func TestKVSaysNoInVaultsOwnWords(t *testing.T) {
	w := newKVWorld(t)
	w.status(200, "PUT", "secret/data/a", `{"data":{"x":1},"options":{"cas":0}}`)
	w.status(204, "PUT", "secret/metadata/strict", `{"cas_required":true}`)
	const mismatch = "check-and-set parameter did not match the current version"
	w.refused(400, mismatch, "PUT", "secret/data/a", `{"data":{},"options":{"cas":0}}`)
	w.refused(400, mismatch, "PUT", "secret/data/a", `{"data":{},"options":{"cas":2}}`)
	w.refused(400, "check-and-set parameter required", "PUT", "secret/data/strict", `{"data":{}}`)
	w.refused(400, "no data provided", "PUT", "secret/data/b", `{}`)
	w.refused(400, "no version number", "PUT", "secret/destroy/a", `{}`)
	w.refused(400, "", "PUT", "secret/data/a", `{not json`)
	w.refused(404, "", "GET", "secret/data/none", "")
	w.refused(404, "", "GET", "secret/data/a?version=9", "")
	w.refused(404, "no handler for route", "GET", "nowhere/data/a", "")
	w.refused(403, "preflight capability check", "GET", "sys/internal/ui/mounts/nowhere", "")
	w.refused(400, "invalid role or secret ID", "PUT", "auth/approle/login", `{"role_id":"x","secret_id":"y"}`)
	w.token = "guessed"
	w.refused(403, "invalid token", "GET", "secret/data/a", "")
	w.kv.SetSealed(true)
	w.refused(503, "Vault is sealed", "GET", "secret/data/a", "")
	w.refused(503, "Vault is sealed", "PUT", "auth/approle/login", `{}`)
	w.refused(400, "must be a valid", "PUT", "sys/unseal", `{"key":"guessed"}`)
}

func TestKVDeletesBringsBackAndDestroys(t *testing.T) {
	w := newKVWorld(t)
	w.status(200, "PUT", "secret/data/a", `{"data":{"x":"one"}}`)
	w.status(200, "PUT", "secret/data/a", `{"data":{"x":"two"}}`)
	w.status(204, "DELETE", "secret/data/a", "")
	data := w.status(404, "GET", "secret/data/a", "")
	if meta := data["metadata"].(map[string]any); data["data"] != nil || meta["version"] != 2.0 || meta["deletion_time"] == "" {
		t.Errorf("a deleted version reads as %v", data)
	}
	w.status(204, "PUT", "secret/undelete/a", `{"versions":[2]}`)
	if data := w.status(200, "GET", "secret/data/a", ""); data["data"].(map[string]any)["x"] != "two" {
		t.Errorf("brought back: %v", data)
	}
	w.status(204, "PUT", "secret/destroy/a", `{"versions":[1,2,7]}`)
	w.status(204, "PUT", "secret/undelete/a", `{"versions":[2]}`)
	if data := w.status(404, "GET", "secret/data/a", ""); data["metadata"].(map[string]any)["destroyed"] != true {
		t.Errorf("a destroyed version reads as %v", data)
	}
	w.status(200, "PUT", "secret/data/a", `{"data":{"x":"three"},"options":{"cas":2}}`)
	w.status(204, "DELETE", "secret/metadata/a", "")
	w.status(200, "PUT", "secret/data/a", `{"data":{},"options":{"cas":0}}`)
}

func TestKVKeepsTenVersionsAndDeletesByAge(t *testing.T) {
	w := newKVWorld(t)
	for range 12 {
		w.status(200, "PUT", "secret/data/a", `{"data":{"x":"y"}}`)
	}
	w.status(404, "GET", "secret/data/a?version=2", "")
	w.status(200, "GET", "secret/data/a?version=3", "")
	if meta := w.status(200, "GET", "secret/metadata/a", ""); meta["oldest_version"] != 3.0 || meta["current_version"] != 12.0 {
		t.Errorf("got %v", meta)
	}
	w.status(204, "PUT", "secret/metadata/b", `{"delete_version_after":"1h","max_versions":2}`)
	w.status(200, "PUT", "secret/data/b", `{"data":{"x":"y"}}`)
	w.status(200, "GET", "secret/data/b", "")
	w.at = w.at.Add(2 * time.Hour)
	w.status(404, "GET", "secret/data/b", "")
}

func TestKVMetadata(t *testing.T) {
	w := newKVWorld(t)
	w.status(404, "PATCH", "secret/metadata/a/b", `{"custom_metadata":{"x":"y"}}`)
	w.status(204, "PUT", "secret/metadata/a/b", `{"custom_metadata":{"theirs":"kept","gone":"x"},"max_versions":3}`)
	w.status(204, "PATCH", "secret/metadata/a/b", `{"custom_metadata":{"ours":"1","gone":null}}`)
	meta := w.status(200, "GET", "secret/metadata/a/b", "")
	want := map[string]any{"theirs": "kept", "ours": "1"}
	if !reflect.DeepEqual(meta["custom_metadata"], want) || meta["max_versions"] != 3.0 {
		t.Errorf("got %v", meta)
	}
	w.status(400, "PATCH", "secret/metadata/a/b", `{"custom_metadata":{"long":"`+strings.Repeat("x", 513)+`"}}`)
	w.status(400, "PUT", "secret/metadata/a/b", `{"max_versions":"many"}`)
	w.kv.Put("secret", "c", map[string]any{"x": 1})
	if list := w.status(200, "LIST", "secret/metadata/", ""); !reflect.DeepEqual(list["keys"], []any{"a/", "c"}) {
		t.Errorf("got %v", list)
	}
	if list := w.status(200, "GET", "secret/metadata/a?list=true", ""); !reflect.DeepEqual(list["keys"], []any{"b"}) {
		t.Errorf("got %v", list)
	}
	w.status(404, "LIST", "secret/metadata/none", "")
}

func TestKVTokensEndAndAreRenewed(t *testing.T) {
	w := newKVWorld(t)
	w.kv.AddAppRole("r", "s", time.Hour, sandbox.KVGrant{Path: "secret/data/+/x", Capabilities: []string{"read"}})
	_, login := w.ask("POST", "auth/approle/login", `{"role_id":"r","secret_id":"s"}`)
	auth := login["auth"].(map[string]any)
	w.token = auth["client_token"].(string)
	if auth["lease_duration"] != 3600.0 || auth["renewable"] != true {
		t.Errorf("got %v", auth)
	}
	w.at = w.at.Add(50 * time.Minute)
	if self := w.status(200, "GET", "auth/token/lookup-self", ""); self["ttl"] != 600.0 {
		t.Errorf("got %v", self)
	}
	w.status(200, "PUT", "auth/token/renew-self", "{}")
	w.at = w.at.Add(59 * time.Minute)
	w.status(404, "GET", "secret/data/a/x", "")
	w.refused(403, "permission denied", "PUT", "secret/data/a/x", `{"data":{}}`)
	w.refused(403, "permission denied", "GET", "secret/data/a/b/x", "")
	w.refused(403, "permission denied", "PUT", "sys/seal", "")
	rights := w.status(200, "PUT", "sys/capabilities-self", `{"paths":["secret/data/a/x","secret/data/a"]}`)
	if !reflect.DeepEqual(rights["secret/data/a/x"], []any{"read"}) || !reflect.DeepEqual(rights["secret/data/a"], []any{"deny"}) {
		t.Errorf("got %v", rights)
	}
	w.at = w.at.Add(time.Minute)
	w.refused(403, "invalid token", "GET", "secret/data/a/x", "")
}

func TestKVGrantCovers(t *testing.T) {
	for name, c := range map[string]struct {
		grant, path string
		want        bool
	}{
		"the path itself":          {"secret/data/a", "secret/data/a", true},
		"nothing below it":         {"secret/data/a", "secret/data/a/b", false},
		"a star takes all":         {"secret/data/*", "secret/data/a/b", true},
		"a star within a part":     {"secret/data/a*", "secret/data/abc/d", true},
		"a star and another start": {"secret/data/a*", "secret/data/b", false},
		"a plus takes one part":    {"secret/data/+/x", "secret/data/a/x", true},
		"a plus takes only one":    {"secret/data/+/x", "secret/data/a/b/x", false},
		"a plus and a star":        {"secret/+/a/*", "secret/metadata/a/b", true},
		"shorter":                  {"secret/data/a/*", "secret/data", false},
	} {
		w := newKVWorld(t)
		w.kv.AddToken("t", time.Hour, sandbox.KVGrant{Path: c.grant, Capabilities: []string{"read"}})
		w.token = "t"
		rights := w.status(200, "PUT", "sys/capabilities-self", `{"paths":["`+c.path+`"]}`)
		if got := reflect.DeepEqual(rights[c.path], []any{"read"}); got != c.want {
			t.Errorf("%s: %q covers %q: %t", name, c.grant, c.path, got)
		}
	}
}

func TestKVRemembersWhatItHeld(t *testing.T) {
	w := newKVWorld(t)
	w.status(200, "PUT", "secret/data/a", `{"data":{"x":"one","n":12345678901234567890}}`)
	if n := w.kv.Put("other", "b", map[string]any{"x": "two"}); n != 1 {
		t.Errorf("version %d", n)
	}
	w.status(204, "PUT", "secret/destroy/a", `{"versions":[1]}`)
	writes := w.kv.Writes()
	if len(writes) != 2 || writes[0].Data["x"] != "one" || writes[1].Mount != "other" || !writes[1].At.Equal(w.at) {
		t.Errorf("got %+v", writes)
	}
	if writes[0].Data["n"] != json.Number("12345678901234567890") {
		t.Errorf("a large number became %v", writes[0].Data["n"])
	}
	if data, version := w.kv.Current("secret", "a"); data != nil || version != 1 {
		t.Errorf("a destroyed version reads as %v, %d", data, version)
	}
	if data, version := w.kv.Current("other", "b"); data["x"] != "two" || version != 1 {
		t.Errorf("got %v, %d", data, version)
	}
	if data, version := w.kv.Current("other", "none"); data != nil || version != 0 {
		t.Errorf("got %v, %d", data, version)
	}
	w.kv.Forget()
	w.kv.Put("other", "b", map[string]any{"x": "three"})
	if writes := w.kv.Writes(); writes != nil {
		t.Errorf("remembered %+v", writes)
	}
}

func TestKVTellsItsTimeAndSeal(t *testing.T) {
	w := newKVWorld(t)
	health := func() (int, map[string]any) { return w.ask(http.MethodGet, "sys/health", "") }
	if status, body := health(); status != 200 || body["server_time_utc"] != float64(w.at.Unix()) {
		t.Errorf("HTTP %d %v", status, body)
	}
	w.status(204, "PUT", "sys/seal", "")
	if status, body := health(); status != 503 || body["sealed"] != true {
		t.Errorf("HTTP %d %v", status, body)
	}
	w.status(299, "GET", "sys/health?sealedcode=299", "")
	w.status(200, "PUT", "sys/unseal", `{"key":"`+w.kv.UnsealKey()+`"}`)
	if status, _ := health(); status != 200 {
		t.Errorf("HTTP %d", status)
	}
}

// FuzzKV asks that no request makes the server panic, whatever its path and body are.
func FuzzKV(f *testing.F) {
	f.Add("PUT", "secret/data/a", `{"data":{"x":1},"options":{"cas":0}}`)
	f.Add("PATCH", "secret/metadata/a", `{"custom_metadata":{"x":null}}`)
	f.Add("POST", "sys/capabilities-self", `{"paths":["a//b","*","+"]}`)
	f.Add("LIST", "secret/metadata", `null`)
	f.Add("PUT", "sys/mounts/", `{"options":[]}`)
	f.Add("PUT", "auth/jwt/login", `{"role":"rotad","jwt":"e30.e30.e30"}`)
	f.Fuzz(func(t *testing.T, method, path, body string) {
		kv := sandbox.NewKV(func() time.Time { return time.Unix(0, 0) })
		kv.Put("secret", "a", map[string]any{"x": "y"})
		kv.AddJWTRole(sandbox.KVJWTRole{Method: "jwt", Name: "rotad"})
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/", strings.NewReader(body))
		request.Method, request.URL.Path = method, "/v1/"+path
		request.Header.Set("X-Vault-Token", kv.RootToken())
		kv.ServeHTTP(httptest.NewRecorder(), request)
	})
}
