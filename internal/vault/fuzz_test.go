package vault_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/vault"
)

// The places whose answers are replaced, one at a time; the others answer as Vault does.
var vaultPlaces = []struct{ part, usual string }{
	{"/sys/internal/ui/mounts/", `{"data":{"path":"secret/","type":"kv","options":{"version":"2"}}}`},
	{"/auth/token/lookup-self", `{"data":{"ttl":3600,"renewable":true}}`},
	{"/sys/capabilities-self", `{"data":{"secret/data/a":["root"]}}`},
	{"/metadata/", `{"data":{"max_versions":0,"delete_version_after":"0s"}}`},
	{"/data/", `{"data":{"data":{"client_secret":"s"},"metadata":{"version":3,"created_time":"2026-03-01T12:00:00Z"}}}`},
	{"/data/", `{"data":{"version":4,"created_time":"2026-03-01T12:00:00Z"}}`}, // the answer to a write
}

// answering is a server that answers the places as told.
type answering struct {
	place  int
	status int
	body   string
}

func (a *answering) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for i, p := range vaultPlaces {
		write := i == len(vaultPlaces)-1
		if !strings.Contains(r.URL.Path, p.part) || p.part == "/data/" && write != (r.Method != http.MethodGet) {
			continue
		}
		if i == a.place {
			w.WriteHeader(a.status)
			_, _ = io.WriteString(w, a.body)
			return
		}
		_, _ = io.WriteString(w, p.usual)
		return
	}
	w.WriteHeader(http.StatusNotFound)
	_, _ = io.WriteString(w, `{"errors":[]}`)
}

// FuzzAnswers asks that whatever Vault, or a proxy before it, answers: a write is taken for done only where a newer version
// is named, what is no entry is never taken for an empty place, and no answer is repeated in an error.
func FuzzAnswers(f *testing.F) {
	const mark = "Q0q0Q0q0"
	for i, p := range vaultPlaces {
		f.Add(uint8(i), 200, p.usual)
		f.Add(uint8(i), 503, `<html>`+mark)
		f.Add(uint8(i), 404, `{"errors":[]}`)
		f.Add(uint8(i), 200, `{"data":{"data":{"`+mark+`":"`+mark+`"},"metadata":{"version":-1}}}`)
	}
	f.Add(uint8(4), 404, `{"data":{"data":null,"metadata":{"version":3,"deletion_time":"2026-03-01T12:00:00Z"}}}`)
	f.Add(uint8(5), 400, `{"errors":["check-and-set parameter did not match the current version"]}`)
	f.Add(uint8(5), 200, `{"data":{"version":3,"created_time":"2026-03-01T12:00:00Z"}}`)
	f.Add(uint8(3), 200, `{"data":{"max_versions":1,"delete_version_after":"-1h"}}`)
	token := filepath.Join(f.TempDir(), "token")
	if err := os.WriteFile(token, []byte("t\n"), 0o600); err != nil {
		f.Fatal(err)
	}
	var now atomic.Pointer[answering]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { now.Load().ServeHTTP(w, r) }))
	f.Cleanup(server.Close)
	clock := vault.Clock{
		Now: func() time.Time { return time.Unix(1_772_366_400, 0) }, Elapsed: func() time.Duration { return 0 },
		After: func(time.Duration) <-chan time.Time { return nil },
	}
	f.Fuzz(func(t *testing.T, place uint8, status int, body string) {
		if status < 200 || status > 599 || status == http.StatusNoContent || status == http.StatusNotModified {
			return
		}
		a := &answering{place: int(place) % len(vaultPlaces), status: status, body: body}
		now.Store(a)
		client, err := vault.Open(vault.Settings{
			Address: server.URL, Timeout: 10 * time.Second, Auth: vault.Auth{Method: vault.MethodToken, TokenFile: token},
		}, clock, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		path := credential.VaultPath{Path: "a"}
		seen, read := client.Consumer(t.Context(), path, 0)
		if read == nil && (seen.Version < 0 || seen.Version == 0 && len(seen.Bundle) > 0 || seen.Version == 0 && a.status/100 == 2) {
			t.Errorf("%d %q is read as %+v", status, body, seen)
		}
		if _, err := client.Staging(t.Context(), "k"); err != nil && strings.Contains(err.Error(), mark) {
			t.Errorf("the error repeats the answer: %v", err)
		}
		written, _, wrote := client.Promote(t.Context(), path, 3, credential.Bundle{"client_secret": credential.NewSensitive("n")})
		if wrote == nil && written <= 3 {
			t.Errorf("%d %q is taken for version %d", status, body, written)
		}
		keys := credential.Keys{Values: map[string]credential.Sensitive{"k": credential.NewSensitive("n")}}
		at, has, compared := client.HasKeys(t.Context(), path, keys)
		if at < 0 || has && (at == 0 || compared != nil) {
			t.Errorf("%d %q is taken for a copy in version %d", status, body, at)
		}
		copied, put := client.PutKeys(t.Context(), path, 3, keys)
		if put == nil && copied <= 3 {
			t.Errorf("%d %q is taken for a copy written as version %d", status, body, copied)
		}
		for _, err := range []error{read, wrote, compared, put} {
			if err != nil && strings.Contains(err.Error(), mark) {
				t.Errorf("the error repeats the answer: %v", err)
			}
		}
		for _, finding := range client.Check(t.Context(), []credential.VaultPath{path}, nil) {
			if finding.What == "" || strings.Contains(finding.What+finding.Hint, mark) {
				t.Errorf("a finding says nothing, or repeats the answer: %+v", finding)
			}
		}
	})
}
