package telicent_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/telicent"
)

// The rights are looked at with the call that needs them: reading the metadata of a secret takes client.write as well.
func TestAMissingClientWriteIsSaidBeforeItMatters(t *testing.T) {
	w := newWorld(t, sandbox.Telicent{}, telicent.Settings{})
	w.faults.Status(sandbox.When{Path: "/secret", Count: -1}, http.StatusForbidden, 0)
	checker, ok := w.p.(providers.Checker)
	if !ok {
		t.Fatal("no Checker")
	}
	findings := checker.Check(t.Context())
	if len(findings) != 1 || !findings[0].Problem || !strings.Contains(findings[0].Hint, "client.write") {
		t.Errorf("findings %+v", findings)
	}
}

// Seed data sets a secret once, when a client is made. Whatever rotad does to one goes through its secret endpoints.
func TestOnlyTheSecretEndpointsAreEverWrittenTo(t *testing.T) {
	w := newWorld(t, sandbox.Telicent{}, telicent.Settings{})
	var mu sync.Mutex
	var writes []string
	w.watch = func(r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.Method != http.MethodGet && !strings.Contains(r.URL.Path, "/oauth2/") {
			writes = append(writes, r.Method+" "+strings.TrimPrefix(r.URL.RequestURI(), sandbox.PathTelicent))
		}
	}
	w.create(t, "new")
	old, _ := w.inspect(t, "billing").Current()
	w.advance(day)
	w.expect(t, w.create(t, "billing").Bundle, providers.Accepted)
	if err := w.revoke(t, old.ID); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"POST /clients/new/secret", "POST /clients/billing/secret/rotate", "DELETE /clients/billing/secret?target=previous",
	}
	if !slices.Equal(writes, want) {
		t.Errorf("written to %q, want %q", writes, want)
	}
}
