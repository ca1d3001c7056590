package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/providers"
)

const awayConfig = `state: {path: rotad.db}
listen: {metrics: "off", admin: "unix:admin.sock"}
vault: {address: "http://127.0.0.1:1", auth: {method: token, token_file: token}}
providers:
  roles: {kind: vault-approle, address: %[1]s, token_file: token, limits: {breaker: 3}}
  others: {kind: vault-approle, address: %[1]s, token_file: token, limits: {breaker: 3}}
`

// A provider that did not answer when rotad stopped is asked once after the start, and everybody else waits for that answer. Since
// when it does not answer, and that people know, is not forgotten; nor is that it answers again.
func TestAProviderThatWasAwayAtTheStopIsAskedOnce(t *testing.T) {
	var gone atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if gone.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		w.WriteHeader(http.StatusForbidden)
	}))
	defer server.Close()
	dir := t.TempDir()
	for name, text := range map[string]string{"config.yaml": fmt.Sprintf(awayConfig, server.URL), "token": "the-token"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, problems := config.Load(filepath.Join(dir, "config.yaml"), configKinds())
	if cfg == nil {
		t.Fatal(problems)
	}
	clocks := realClocks()
	var d *daemon
	start := func() {
		t.Helper()
		var err error
		if d, err = newDaemon(cfg, daemonSettings{clocks: clocks, log: slog.New(slog.DiscardHandler), noSync: true}); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(times int) *providers.Breaker {
		t.Helper()
		c, ok := d.scheduler.Connection("roles")
		if !ok {
			t.Fatal("the provider is not connected")
		}
		for range times {
			_, _ = c.Provider.Inspect(t.Context(), providers.Target{Client: "a", Ref: map[string]string{"role": "a"}})
		}
		return c.Breaker
	}

	restart := func() {
		t.Helper()
		if err := d.close(); err != nil {
			t.Fatal(err)
		}
		start()
	}
	reload := func() {
		t.Helper()
		w, err := d.world(cfg)
		if err != nil {
			t.Fatal(err)
		}
		d.scheduler.Swap(w)
	}

	start()
	gone.Store(true)
	before := time.Now()
	b := ask(3)
	if p := b.Look(clocks.elapsed()); !p.Open || !b.Tell(clocks.elapsed(), 0) {
		t.Fatalf("%+v after three calls without an answer", p)
	}
	for _, again := range []func(){restart, reload, restart} {
		again()
		b = ask(0)
		if first := b.Admit(clocks.elapsed()); !first.Probing || first.Outage < time.Since(before)-time.Second {
			t.Errorf("the first is to go as the probe: %+v", first)
		}
		if next := b.Admit(clocks.elapsed()); next.Wait <= 0 {
			t.Errorf("the next one is to wait for its answer: %+v", next)
		}
		if b.Tell(clocks.elapsed(), 0) {
			t.Error("people are told of the same outage again")
		}
	}
	if c, _ := d.scheduler.Connection("others"); c.Breaker.Look(clocks.elapsed()).Open {
		t.Error("another provider is taken for away")
	}
	gone.Store(false)
	ask(1)
	restart()
	if p := ask(0).Look(clocks.elapsed()); p.Open {
		t.Errorf("a provider that answers is taken for away: %+v", p)
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
}
