package main

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/internal/vault"
	"github.com/rotad/rotad/providers"
)

// ownWorld is a daemon that logs in to a Vault and to a provider with the same SecretID.
type ownWorld struct {
	*daemon
	file  string
	roles *sandbox.AppRole
}

func newOwnWorld(t *testing.T) ownWorld {
	t.Helper()
	now := func() time.Time { return time.Now().UTC() }
	w := ownWorld{roles: sandbox.NewAppRole(now, sandbox.AppRoleSettings{}), file: filepath.Join(t.TempDir(), "own")}
	id, err := w.roles.AddAdmin(ownRole, "the-first-of-rotad")
	if err != nil {
		t.Fatal(err)
	}
	server, edge := httptest.NewServer(wholeVault(sandbox.NewKV(now), w.roles.Handler())), httptest.NewServer(wholeVault(sandbox.NewKV(now), w.roles.Handler()))
	t.Cleanup(server.Close)
	t.Cleanup(edge.Close)
	w.holds(t, "the-first-of-rotad")
	text := fmt.Sprintf(`state: {path: rotad.db}
vault: {address: %[1]s, auth: {method: approle, role_id: %[2]s, secret_id_file: %[3]s}}
vaults: {edge: {address: %[4]s, auth: {method: approle, role_id: %[2]s, secret_id_file: %[3]s}}}
providers:
  roles: {kind: vault-approle, address: %[1]s, role_id: %[2]s, secret_id_file: %[3]s}
owners: {team: {email: [team@example.com]}}
clients:
  - id: rotad
    provider: roles
    ref: {role: rotad}
    owner: team
    vault: {path: apps/rotad}
    destinations: [{file: {path: %[3]s, field: secret_id, mode: "0600"}}]
    reload: {steps: [{name: web, command: [/bin/true]}]}
`, server.URL, id, w.file, edge.URL)
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, problems := config.Load(path, configKinds())
	if cfg == nil {
		t.Fatal(problems)
	}
	w.daemon = &daemon{daemonSettings: daemonSettings{clocks: realClocks(), log: slog.New(slog.DiscardHandler)}}
	w.meters = newMeters(w.daemon)
	w.cfg.Store(cfg)
	if w.vault, err = vault.Open(vaultSettings(cfg), w.clocks.ofVault(), nil); err != nil {
		t.Fatal(err)
	}
	if w.vaults, err = w.openVaults(cfg); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *ownWorld) holds(t *testing.T, secret string) {
	t.Helper()
	if err := os.WriteFile(w.file, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
}

// rotad is the first consumer of what it logs in with itself, although nobody has written so.
func TestRotadTakesItsOwnSecretFirst(t *testing.T) {
	w := newOwnWorld(t)
	var steps []string
	for _, r := range w.config().Clients[0].Reloads {
		steps = append(steps, r.Name+" by "+r.Kind())
	}
	if got := strings.Join(steps, ", "); got != "rotad-vault by login, rotad-vault-edge by login, rotad-provider-roles by login, web by command" {
		t.Errorf("steps: %s", got)
	}
	if again := w.config().WithDefaults(w.config().Clients[0]); len(again.Reloads) != 4 {
		t.Errorf("the second time: %d steps", len(again.Reloads))
	}
}

// A login counts only with what the file holds now: a token from before proves nothing.
func TestALoginOfItsOwnIsProvedByDoingIt(t *testing.T) {
	w := newOwnWorld(t)
	for _, at := range []string{"vault", "vault edge", "provider roles"} {
		w.holds(t, "the-first-of-rotad")
		if err := w.reload(t.Context(), credential.Reload{Name: "own", Login: at}, credential.Occasion{}); err != nil {
			t.Errorf("%s: %v", at, err)
		}
		w.holds(t, "what-opens-nothing")
		err := w.reload(t.Context(), credential.Reload{Name: "own", Login: at}, credential.Occasion{})
		if err == nil || !strings.Contains(err.Error(), "rotad's own login to "+at) || strings.Contains(err.Error(), "what-opens-nothing") {
			t.Errorf("%s with a wrong secret: %v", at, err)
		}
	}
	for _, at := range []string{"smtp", "vault gone", "provider gone", "nothing"} {
		if err := w.reload(t.Context(), credential.Reload{Name: "own", Login: at}, credential.Occasion{}); err == nil || !strings.Contains(err.Error(), "--undelivered") {
			t.Errorf("%s, which is not configured: %v", at, err)
		}
	}
	if err := w.reload(t.Context(), credential.Reload{Name: "web", Command: []string{"/bin/false"}}, credential.Occasion{}); err == nil {
		t.Error("a step of somebody else's was not done")
	}
}

// Every kind that logs in anywhere can be asked whether that works; else a login of rotad's own could not be proved.
func TestEveryKindThatLogsInCanBeChecked(t *testing.T) {
	cfg, problems := config.Load("../../config.example.yaml", configKinds(), config.SyntaxOnly())
	if cfg == nil {
		t.Fatal(problems.Errors())
	}
	d := &daemon{daemonSettings: daemonSettings{clocks: realClocks()}}
	d.meters = newMeters(d)
	checked := 0
	for _, p := range cfg.Providers {
		if p.LogsIn() {
			opened, err := d.open(p)
			if err != nil && (p.Kind == "exec" || p.Kind == "telekom") { // they want their files; their own tests check them
				continue
			}
			if err != nil {
				t.Fatalf("%s: %v", p.Name, err)
			}
			if _, ok := providers.AsChecker(opened.Provider); !ok {
				t.Errorf("the kind %s has a secret of its own, and no check", p.Kind)
			}
			checked++
		}
	}
	if checked < 6 {
		t.Errorf("%d providers of the example log in anywhere", checked)
	}
}
