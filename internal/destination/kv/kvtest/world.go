package kvtest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/destination"
	"github.com/rotad/rotad/internal/destination/kv"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/internal/vault"
	"github.com/rotad/rotad/internal/vault/vaulttest"
)

const (
	first  = "first-secret-value-of-this-test"
	second = "second-secret-value-of-this-test"
)

// world is one path of a server, and a client of rotad's that comes to it through a proxy.
type world struct {
	t      *testing.T
	server vaulttest.Server
	faults *sandbox.Faults
	client *vault.Client
	place  credential.VaultPlace
}

func newWorld(t *testing.T, server vaulttest.Server) *world {
	t.Helper()
	target, err := url.Parse(server.Address)
	if err != nil {
		t.Fatal(err)
	}
	clock := vaulttest.Clock()
	w := &world{t: t, server: server, faults: sandbox.NewFaults(clock.After)}
	proxy := httptest.NewServer(w.faults.Wrap(httputil.NewSingleHostReverseProxy(target)))
	t.Cleanup(proxy.Close)
	settings := server.Settings
	settings.Address = proxy.URL
	if w.client, err = vault.Open(settings, clock, nil); err != nil {
		t.Fatal(err)
	}
	w.place = credential.VaultPlace{
		Mount: server.Settings.Mount, Path: "apps/copy-" + clock.Now().Format("150405.000000000"),
		Previous: map[string]string{"client_secret": "client_secret_previous"},
	}
	return w
}

func copyOf(secret string) credential.Copy {
	return credential.Copy{Client: "billing", Version: 7, Bundle: bundleOf(secret)}
}

func bundleOf(secret string) credential.Bundle {
	return credential.Bundle{
		credential.FieldClientID: credential.NewSensitive("billing"), credential.FieldClientSecret: credential.NewSensitive(secret),
	}
}

// Set, Destination, Held, Stamp, Tamper and Break make this a World of the conformance suite.

func (w *world) Set() destination.Set {
	return destination.Set{Vault: func(string) (kv.Vault, error) { return w.client, nil }}
}

func (w *world) Destination() credential.Destination {
	return credential.Destination{Name: "further", Vault: &w.place}
}

func (w *world) Held(t *testing.T) map[string]string {
	held := map[string]string{}
	for key, raw := range w.data() {
		var text string
		if slices.Contains([]string{"theirs", "count", "nested"}, key) {
			continue
		}
		if err := json.Unmarshal([]byte(raw), &text); err != nil {
			t.Errorf("%s is no text", key)
		}
		held[key] = text
	}
	return held
}

func (w *world) Stamp(*testing.T) string { return strconv.Itoa(w.version()) }

func (w *world) Tamper(*testing.T) {
	w.put(`"client_id":"billing","client_secret":"something else"`)
}

func (w *world) Break(*testing.T) func() {
	w.faults.Reply(sandbox.When{Method: http.MethodPut, Path: "/data/", Count: -1}, http.StatusForbidden, map[string]any{"errors": []string{"permission denied"}})
	return w.faults.Clear
}

// beforeWrite lets somebody else act right before writes of rotad reach the server.
func (w *world) beforeWrite(count int, act func()) {
	w.faults.Clear()
	w.faults.Before(sandbox.When{Method: http.MethodPut, Path: "/data/", Count: count}, act)
}

func (w *world) deliver(c credential.Copy, written bool) {
	w.t.Helper()
	got, err := w.Set().Deliver(w.t.Context(), w.Destination(), c)
	if err != nil || got != written {
		w.t.Fatalf("written %t, want %t; %v", got, written, err)
	}
}

// put writes the data of the place as somebody else: the members of an object, as they are.
func (w *world) put(members string) {
	w.t.Helper()
	w.must(http.MethodPut, w.api("data"), map[string]any{"data": json.RawMessage("{" + members + "}")})
}

func (w *world) version() int {
	w.t.Helper()
	var body struct {
		Data struct {
			Version int `json:"current_version"`
		} `json:"data"`
	}
	if err := json.Unmarshal(w.must(http.MethodGet, w.api("metadata"), nil), &body); err != nil {
		w.t.Error(err)
	}
	return body.Data.Version
}

func (w *world) expectVersion(want int) {
	w.t.Helper()
	if got := w.version(); got != want {
		w.t.Errorf("version %d, want %d", got, want)
	}
}

// expectKeys compares the names that are there, quoted.
func (w *world) expectKeys(want ...string) {
	w.t.Helper()
	var got []string
	for key := range w.data() {
		got = append(got, strconv.Quote(key))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.t.Errorf("it has %s, want %s", strings.Join(got, ", "), strings.Join(want, ", "))
	}
}

func (w *world) api(side string) string { return w.place.Mount + "/" + side + "/" + w.place.Path }

// ask sends a request as root and returns status and body.
func (w *world) ask(method, path string, body any) (int, []byte) {
	w.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		w.t.Error(err)
	}
	request, err := http.NewRequestWithContext(w.t.Context(), method, w.server.Address+"/v1/"+path, bytes.NewReader(raw))
	if err != nil {
		w.t.Error(err)
		return 0, nil
	}
	request.Header.Set("X-Vault-Token", w.server.Root)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Error(err)
		return 0, nil
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Error(err)
	}
	return response.StatusCode, answer
}

// must sends a request as root that has to succeed.
func (w *world) must(method, path string, body any) []byte {
	w.t.Helper()
	status, answer := w.ask(method, path, body)
	if status/100 != 2 {
		w.t.Errorf("%s %s: HTTP %d", method, path, status)
	}
	return answer
}
