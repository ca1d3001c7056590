package vault_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/vault"
	"github.com/rotad/rotad/internal/vault/vaulttest"
)

// custom reads custom_metadata with the root token.
func custom(t *testing.T, f *fixture, path string) map[string]string {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/secret/metadata/"+path, nil)
	request.Header.Set("X-Vault-Token", f.kv.RootToken())
	recorder := httptest.NewRecorder()
	f.kv.ServeHTTP(recorder, request)
	var body struct {
		Data struct {
			Custom map[string]string `json:"custom_metadata"`
		} `json:"data"`
	}
	if err := json.Unmarshal(recorder.Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	return body.Data.Custom
}

const html = "<html>" + vaulttest.Canary + "</html>"

func TestAnswersAreClassified(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		class  vault.Class
		is     error // nil = none of the definite ones
	}{
		"another version":         {400, `{"errors":["check-and-set parameter did not match the current version"]}`, vault.ClassMismatch, credential.ErrCAS},
		"bad request":             {400, `{"errors":["` + vaulttest.Canary + `"]}`, vault.ClassRejected, nil},
		"denied":                  {403, `{"errors":["permission denied ` + vaulttest.Canary + `"]}`, vault.ClassDenied, credential.ErrDenied},
		"no mount":                {404, `{"errors":["no handler for route \"x\". route entry not found."]}`, vault.ClassNoMount, credential.ErrNoMount},
		"sealed":                  {503, `{"errors":["Vault is sealed"]}`, vault.ClassSealed, credential.ErrSealed},
		"standby alone":           {503, `{"errors":["node is not active"]}`, vault.ClassSealed, credential.ErrSealed},
		"no leader":               {503, `{"errors":["no active Vault instance found"]}`, vault.ClassSealed, credential.ErrSealed},
		"leader lost":             {500, `{"errors":["local node not active but active cluster node not found"]}`, vault.ClassSealed, credential.ErrSealed},
		"overloaded":              {503, `{"errors":["overloaded, try again later"]}`, vault.ClassUnavailable, nil},
		"proxy says unavailable":  {503, html, vault.ClassUnavailable, nil},
		"proxy says bad gateway":  {502, html, vault.ClassUnavailable, nil},
		"proxy knows no page":     {404, html, vault.ClassNotUnderstood, nil},
		"proxy denies":            {403, html, vault.ClassNotUnderstood, nil},
		"proxy denies in JSON":    {404, `{"message":"` + vaulttest.Canary + `"}`, vault.ClassNotUnderstood, nil},
		"quota":                   {429, `{"errors":["request path x: rate limit quota exceeded"]}`, vault.ClassThrottled, nil},
		"stale index":             {412, `{"errors":["required index state not present"]}`, vault.ClassRejected, nil},
		"broken":                  {500, `{"errors":["` + vaulttest.Canary + `"]}`, vault.ClassUnavailable, nil},
		"success in HTML":         {200, html, vault.ClassNotUnderstood, nil},
		"success without content": {200, ``, vault.ClassNotUnderstood, nil},
		"success without version": {200, `{"data":{"created_time":"2026-03-01T12:00:00Z"}}`, vault.ClassNotUnderstood, nil},
		"KV version 1":            {204, ``, vault.ClassNotUnderstood, nil},
		"success of wrong types":  {200, `{"data":{"data":"` + vaulttest.Canary + `","version":"` + vaulttest.Canary + `"}}`, vault.ClassNotUnderstood, nil},
		"success broken off":      {200, `{"data":{"data":{"a":"` + vaulttest.Canary, vault.ClassNotUnderstood, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := ready(t)
			requests := 0
			f.can(func(w http.ResponseWriter, _ *http.Request) {
				requests++
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			_, _, err := f.client.Stage(t.Context(), "key", 0, vaulttest.Full())
			expect(t, err, c.class, c.is)
			if c.status != http.StatusForbidden && requests != 1 {
				t.Errorf("%d requests for one write", requests)
			}
			if _, err = f.client.Staging(t.Context(), "key"); c.status != http.StatusOK || c.body == "" {
				expect(t, err, c.class, c.is)
			} else if err == nil {
				t.Error("a reply that is no entry was taken for one")
			}
		})
	}
}

// ready returns a fixture that has logged in and seen its mount.
func ready(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t, time.Hour)
	if _, err := f.client.Staging(t.Context(), "key"); err != nil {
		t.Fatal(err)
	}
	return f
}

func expect(t *testing.T, err error, class vault.Class, is error) {
	t.Helper()
	if got := vault.ClassOf(err); got != class {
		t.Errorf("got class %q of %v, want %q", got, err, class)
	}
	for _, definite := range []error{credential.ErrCAS, credential.ErrDenied, credential.ErrSealed, credential.ErrNoMount} {
		if errors.Is(err, definite) != (is != nil && errors.Is(is, definite)) {
			t.Errorf("%v wraps %v", err, definite)
		}
	}
	if err != nil && strings.Contains(err.Error(), vaulttest.Canary) {
		t.Errorf("the error tells a secret")
	}
}

func TestNothingThereIsOnlyWhatVaultSaysSo(t *testing.T) {
	f := ready(t)
	f.can(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"errors":[]}`)
	})
	entry, err := f.client.Staging(t.Context(), "key")
	if err != nil || entry.Version != 0 {
		t.Errorf("got %+v, %v", entry.Version, err)
	}
}

// TestConnectionsThatFail speaks below HTTP: what a server in trouble, or somebody in between, may do.
func TestConnectionsThatFail(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		class  vault.Class
	}{
		"no answer":         {"", vault.ClassNotUnderstood},
		"no HTTP":           {vaulttest.Canary + " says hello\r\n\r\n", vault.ClassNotUnderstood},
		"broken header":     {"HTTP/1.1 200 OK\r\n" + vaulttest.Canary + "\r\n\r\n", vault.ClassNotUnderstood},
		"broken status":     {"HTTP/1.1 " + vaulttest.Canary + " OK\r\n\r\n", vault.ClassNotUnderstood},
		"body broken off":   {"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"data\":{", vault.ClassNotUnderstood},
		"redirect to a lie": {"HTTP/1.1 307 x\r\nLocation: ://" + vaulttest.Canary + "\r\nContent-Length: 0\r\n\r\n", vault.ClassNotUnderstood},
	} {
		t.Run(name, func(t *testing.T) {
			f := ready(t)
			f.can(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.WriteString(conn, c.answer)
				_ = conn.Close()
			})
			_, _, err := f.client.Stage(t.Context(), "key", 0, vaulttest.Full())
			expect(t, err, c.class, nil)
		})
	}
}

func TestNobodyListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	f := newFixture(t, time.Hour)
	f.settings.Address = "http://" + address
	_, err = f.open(f.settings).Staging(t.Context(), "key")
	expect(t, err, vault.ClassUnavailable, nil)
	if !strings.Contains(err.Error(), address) || !strings.Contains(err.Error(), "refused") {
		t.Errorf("a person could not tell from %q", err)
	}
}

func TestAnswerLargerThanVaultGivesIsCutOff(t *testing.T) {
	f := ready(t)
	f.can(func(w http.ResponseWriter, _ *http.Request) {
		chunk := []byte(strings.Repeat(vaulttest.Canary, 1<<12))
		for range 1 << 10 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	_, _, err := f.client.Stage(t.Context(), "key", 0, vaulttest.Full())
	expect(t, err, vault.ClassUnavailable, nil)
}

func TestCallsEnd(t *testing.T) {
	f := ready(t)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	f.can(func(http.ResponseWriter, *http.Request) { <-release })
	f.settings.Timeout = 50 * time.Millisecond
	_, err := f.open(f.settings).Staging(t.Context(), "key")
	expect(t, err, vault.ClassTimeout, nil)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v is no deadline", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = f.client.Staging(ctx, "key")
	expect(t, err, vault.ClassCancelled, nil)
}

func TestMountThatIsReplacedUnderTheClientIsNoticed(t *testing.T) {
	f := ready(t)
	f.kv.Mount("secret", 1)
	_, _, err := f.client.Stage(t.Context(), "key", 0, vaulttest.Full())
	expect(t, err, vault.ClassNotUnderstood, nil)
	_, _, err = f.client.Stage(t.Context(), "key", 0, vaulttest.Full())
	expect(t, err, vault.ClassNoMount, credential.ErrNoMount)
	f.kv.Mount("secret", 2)
	if _, _, err = f.client.Stage(t.Context(), "key", 0, vaulttest.Full()); err != nil {
		t.Error(err)
	}
}

func TestWhoeverWaitsForALoginGivesUpInTime(t *testing.T) {
	f := newFixture(t, time.Hour)
	release := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(silent.Close)
	t.Cleanup(func() { close(release) })
	f.settings.Address, f.settings.Timeout = silent.URL, 200*time.Millisecond
	client := f.open(f.settings)
	start := time.Now()
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			_, err := client.Staging(t.Context(), "key")
			expect(t, err, vault.ClassTimeout, nil)
		})
	}
	wg.Wait()
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("sixteen calls waited %s for each other", took)
	}
}

// TestPromoteWithoutItsBaseWritesNothing stands for a standby that is behind: the active node would accept the
// compare-and-swap, and the keys of others would be gone.
func TestPromoteWithoutItsBaseWritesNothing(t *testing.T) {
	f := ready(t)
	f.can(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			t.Errorf("%s was sent", r.Method)
		}
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"errors":[]}`)
	})
	bundle := credential.Bundle{"client_secret": credential.NewSensitive("s")}
	_, _, err := f.client.Promote(t.Context(), credential.VaultPath{Path: "apps/x"}, 2, bundle)
	expect(t, err, vault.ClassMismatch, credential.ErrCAS)
}
