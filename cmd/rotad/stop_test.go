package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/rotad/rotad/internal/config"
)

// A service manager that stops rotad while it starts must not read from its exit code that the configuration is wrong: it
// would never start it again.
func TestAStopDuringTheStartIsNoFailure(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config.yaml")
	const text = `state: {path: rotad.db}
listen: {metrics: "off", admin: "unix:admin.sock"}
vault: {address: "http://127.0.0.1:1", auth: {method: approle, role_id: rotad}}
owners: {team: {email: [team@example.com]}}
providers: {portal: {kind: manual, token_url: "http://127.0.0.1:1/token"}}
clients: [{id: a, provider: portal, ref: {client_id: a}, owner: team, vault: {path: a}}]
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, problems := config.Load(path, configKinds())
	if cfg == nil {
		t.Fatal(problems)
	}
	d, err := newDaemon(cfg, daemonSettings{clocks: realClocks(), log: slog.New(slog.DiscardHandler), noSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.close() }()
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := new(app).serve(stopped, d); err != nil {
		t.Errorf("it ended with %v", err)
	}
}
