package vaulttest

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/internal/vault"
)

// Server is a running Vault that is unsealed, initialised with one key, and has a KV version 2 mount.
type Server struct {
	Address   string
	Root      string         // root token: the suite acts with it as somebody else
	UnsealKey string         // the suite seals the server and opens it again
	Settings  vault.Settings // rotad with its least rights: staging at rotad/staging, consumer paths below apps/
	Powerless vault.Settings // a login without a right in the mount
}

// world is one test: a client of its own, behind a proxy that can lose replies, and a folder of its own.
type world struct {
	t      *testing.T
	server Server
	client *vault.Client
	faults *sandbox.Faults
	mount  string
	key    string // staging key
	path   credential.VaultPath
	log    *bytes.Buffer
}

// Canary stands in every secret value of the suite: no error and no log line may contain it.
const Canary = "canary-6e1f"

// Clock returns the real clock.
func Clock() vault.Clock {
	start := time.Now()
	return vault.Clock{Now: time.Now, Elapsed: func() time.Duration { return time.Since(start) }, After: time.After}
}

func newWorld(t *testing.T, server Server) *world {
	t.Helper()
	// The name of the case alone: a real Vault encodes names, and its files have room for 255 bytes.
	unique := strings.ToLower(strings.ReplaceAll(path.Base(t.Name()), "_", "-")) + "-" + time.Now().Format("150405.000000000")
	w := &world{
		t: t, server: server, faults: sandbox.NewFaults(time.After), log: &bytes.Buffer{},
		mount: server.Settings.Mount, key: unique, path: credential.VaultPath{Path: "apps/" + unique},
	}
	w.client = w.open(server.Settings)
	t.Cleanup(func() { w.clean(w.log.String()) })
	return w
}

// open makes a client that speaks to the server through the faults.
func (w *world) open(settings vault.Settings) *vault.Client {
	w.t.Helper()
	target, err := url.Parse(w.server.Address)
	if err != nil {
		w.t.Fatal(err)
	}
	proxy := httptest.NewServer(w.faults.Wrap(httputil.NewSingleHostReverseProxy(target)))
	w.t.Cleanup(proxy.Close)
	settings.Address = proxy.URL
	client, err := vault.Open(settings, Clock(), slog.New(slog.NewTextHandler(w.log, nil)))
	if err != nil {
		w.t.Fatal(err)
	}
	return client
}

// openAsRoot makes a client that may do everything.
func (w *world) openAsRoot(mount string) *vault.Client {
	w.t.Helper()
	file := filepath.Join(w.t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(w.server.Root+"\n"), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return w.open(vault.Settings{Mount: mount, Auth: vault.Auth{Method: vault.MethodToken, TokenFile: file}})
}

// ask sends a request as root and returns status and body.
func (w *world) ask(method, path string, body any) (int, []byte) {
	w.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(w.t.Context(), method, w.server.Address+"/v1/"+path, bytes.NewReader(raw))
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("X-Vault-Token", w.server.Root)
	if method == http.MethodPatch {
		request.Header.Set("Content-Type", "application/merge-patch+json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return response.StatusCode, answer
}

// must sends a request as root that has to succeed.
func (w *world) must(method, path string, body any) []byte {
	w.t.Helper()
	status, answer := w.ask(method, path, body)
	if status/100 != 2 {
		w.t.Fatalf("%s %s: HTTP %d", method, path, status)
	}
	return answer
}

// foreign writes data to the consumer path as somebody else.
func (w *world) foreign(data any) {
	w.t.Helper()
	w.must(http.MethodPost, w.mount+"/data/"+w.path.Path, map[string]any{"data": data})
}

// stored reads the consumer path as somebody else: each key as the bytes that the server sends.
func (w *world) stored() map[string]json.RawMessage {
	w.t.Helper()
	var body struct {
		Data struct {
			Data map[string]json.RawMessage `json:"data"`
		} `json:"data"`
	}
	if err := json.Unmarshal(w.must(http.MethodGet, w.mount+"/data/"+w.path.Path, nil), &body); err != nil {
		w.t.Fatal(err)
	}
	return body.Data.Data
}

// clean fails the test if a text holds a secret.
func (w *world) clean(text string) {
	w.t.Helper()
	for _, secret := range []string{Canary, w.server.Root, w.server.UnsealKey} {
		if strings.Contains(text, secret) {
			w.t.Errorf("a secret stands in %q", strings.ReplaceAll(text, secret, "<THE SECRET>"))
		}
	}
}
