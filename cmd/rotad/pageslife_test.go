package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
)

// tenantClients are registered: more than worthPages.
const tenantClients = 110

const tenantConfig = `state: {path: rotad.db}
scan: "@every 10s"
listen: {metrics: "off", admin: "unix:admin.sock"}
vault: {address: %[1]s, auth: {method: token, token_file: vault-token}}
providers:
  corp:
    kind: entra
    allow_unproven: true
    tenant_id: contoso.example.com
    client_id: rotad-entra
    client_secret_file: entra
    graph_url: %[2]s/graph/v1.0
    login_url: %[2]s/login
    propagation: 1s # what was written a moment ago is not sure of its place in a list
policies: {watch: {start: observe}}
owners: {payments: {email: [payments@example.com]}}
clients:
`

// graphCalls counts what Graph is asked: pages of the tenant, and single applications.
type graphCalls struct{ pages, singles atomic.Int64 }

func (a *graphCalls) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case strings.HasSuffix(path, "/applications"):
			a.pages.Add(1)
		case strings.Contains(path, "/applications"):
			a.singles.Add(1)
		}
		next.ServeHTTP(w, r)
	})
}

// The whole daemon, over HTTP: once its clients are known, a tenant costs a page or two for each tick, and not a request for each
// client; and every client has been looked at all the same.
func TestTheDaemonReadsATenantInPages(t *testing.T) {
	now := func() time.Time { return time.Now().UTC() }
	kv, idp := sandbox.NewKV(now), sandbox.NewIdP(now, sandbox.Settings{Graph: sandbox.Graph{Tenant: "contoso.example.com"}})
	var count graphCalls
	vault, graph := httptest.NewServer(kv), httptest.NewServer(count.wrap(idp.Handler()))
	defer vault.Close()
	defer graph.Close()
	dir, text := t.TempDir(), fmt.Sprintf(tenantConfig, vault.URL, graph.URL)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(idp.Register(sandbox.Registration{ClientID: "rotad-entra", Secret: "the-secret-of-rotad", Admin: true}))
	for i := range tenantClients {
		app, secret := fmt.Sprintf("22222222-2222-4222-8222-%012d", i), fmt.Sprintf("the-secret-of-client-%d", i)
		must(idp.Register(sandbox.Registration{ClientID: app, Secret: secret, TTL: 90 * 24 * time.Hour}))
		kv.Put("secret", fmt.Sprintf("apps/c%d", i), map[string]any{"client_id": app, "client_secret": secret})
		text += fmt.Sprintf("  - {id: c%d, provider: corp, ref: {app_id: %s}, owner: payments, policy: watch, vault: {path: apps/c%[1]d}}\n", i, app)
	}
	for name, content := range map[string]string{"config.yaml": text, "vault-token": kv.RootToken(), "entra": "the-secret-of-rotad"} {
		must(os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	cfg, problems := config.Load(filepath.Join(dir, "config.yaml"), configKinds())
	if cfg == nil {
		t.Fatal(problems)
	}
	var log safeLog
	d, err := newDaemon(cfg, daemonSettings{clocks: realClocks(), log: slog.New(slog.NewTextHandler(&log, nil)), noSync: true})
	must(err)
	must(d.register(t.Context(), cfg))
	ctx, stop := context.WithCancel(t.Context())
	var ended sync.WaitGroup
	ended.Go(func() {
		if err := d.run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	defer func() {
		stop()
		ended.Wait()
		must(d.close())
	}()

	records := func(holds func(*credential.Record) bool) (n int) {
		for i := range tenantClients {
			rec, ok, err := d.store.Get(t.Context(), fmt.Sprintf("c%d", i))
			must(err)
			if ok && holds(&rec) {
				n++
			}
		}
		return n
	}
	await := func(what string, holds func() bool) {
		t.Helper()
		limit := time.After(2 * time.Minute)
		pause := time.NewTicker(50 * time.Millisecond)
		defer pause.Stop()
		for !holds() {
			select {
			case <-limit:
				t.Fatalf("not in time: %s; pages %d, singles %d; the log: %s", what, count.pages.Load(), count.singles.Load(), log.String())
			case <-pause.C:
			}
		}
	}
	await("every client is known", func() bool {
		return records(func(r *credential.Record) bool { return r.Sight == credential.SightAdopted && !r.Presumed }) == tenantClients
	})
	first := count.singles.Load()
	walked := func() int { return strings.Count(log.String(), "a tenant was read in pages") }
	before := walked()
	await("a walk of known clients", func() bool { return walked() > before+1 })
	since, pages, singles, walks := now(), count.pages.Load(), count.singles.Load(), walked()
	await("another walk", func() bool { return walked() > walks })
	pages, singles, walks = count.pages.Load()-pages, count.singles.Load()-singles, walked()-walks
	t.Logf("%d clients: %d requests for the first looks, then %d pages and %d single requests in %d walks", tenantClients, first, pages, singles, walks)
	if first < tenantClients {
		t.Errorf("%d requests for the first looks at %d clients: the stand-in does not count", first, tenantClients)
	}
	if pages == 0 || pages > int64(5*walks) || singles > tenantClients/10 {
		t.Errorf("%d pages and %d single requests in %d walks, want a few pages and hardly any other; the log: %s", pages, singles, walks, log.String())
	}
	if n := records(func(r *credential.Record) bool { return r.Looked.After(since) }); n < tenantClients {
		t.Errorf("%d of %d clients have been looked at in %d walks; the log: %s", n, tenantClients, walks, log.String())
	}
}
