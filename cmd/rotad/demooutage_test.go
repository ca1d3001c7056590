package main

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
)

// absence takes places away for a day, from the moment at which Vault hands out the new secret: the directory of a file, and
// a further Vault, which is sealed.
type absence struct {
	dir, away  string
	edge       *sandbox.KV
	from, back time.Time
	caught     map[string]time.Time // when each copy was made
	err        error
}

func (a *absence) committed(now time.Time, change credential.Change) {
	if change.Record.Client.ID == demoBFF {
		for _, one := range change.Audit {
			if _, before := a.caught[one.Detail]; one.Event == credential.EventDelivered && !a.from.IsZero() && !before {
				a.caught[one.Detail] = now
			}
		}
		if a.from.IsZero() && change.Record.Phase() == credential.PhaseOverlap {
			a.from = now
			a.err = os.Rename(a.dir, a.away)
			a.edge.SetSealed(true)
		}
	}
	if !a.from.IsZero() && a.back.IsZero() && now.Sub(a.from) >= 24*time.Hour {
		a.back = now
		a.err = os.Rename(a.away, a.dir)
		a.edge.SetSealed(false)
	}
}

// furtherVault gives a client of the demo a destination in a further Vault.
func furtherVault(t *testing.T, clock *demoClock) *sandbox.KV {
	t.Helper()
	edge := sandbox.NewKV(clock.now)
	edge.AddAppRole("rotad", "the-secret-id-of-the-edge", 32*demoDay, sandbox.KVGrant{Path: "secret/data/team/*", Capabilities: []string{"create", "read", "update"}})
	server := httptest.NewServer(edge)
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "edge")
	if err := os.WriteFile(file, []byte("the-secret-id-of-the-edge"), 0o600); err != nil {
		t.Fatal(err)
	}
	plain, compose := demoConfig, `        file: {path: "{{.Dir}}/run/secrets/oidc-client-secret"}`+"\n"
	demoConfig = strings.Replace(plain, compose, compose+"      - name: edge\n        vault: {vault: edge, path: team/web-bff}\n", 1) +
		fmt.Sprintf("vaults: {edge: {address: %q, auth: {method: approle, role_id: rotad, secret_id_file: %q}}}\n", server.URL, file)
	t.Cleanup(func() { demoConfig = plain })
	return edge
}

// TestDestinationsAreAwayForADay plays the demo while the places that get copies of one client cannot be written for a day: nobody
// else notices, nobody is refused, its owner is told once of each, and they have the new secret as soon as they are back.
func TestDestinationsAreAwayForADay(t *testing.T) {
	begin := demoBegin(time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC))
	dir := t.TempDir()
	clock := newDemoClock(begin)
	edge := furtherVault(t, clock)
	world, err := newDemoWorld(t.Context(), clock, dir)
	if err != nil {
		t.Fatal(err)
	}
	all := watchLives(t, world)
	a := &absence{dir: filepath.Join(dir, "run", "secrets"), away: filepath.Join(dir, "run", "away"), edge: edge, caught: map[string]time.Time{}}
	world.seen = func(change credential.Change) {
		all.committed(change)
		a.committed(world.clock.now(), change)
	}
	var out, errOut bytes.Buffer
	play := &app{out: &out, err: &errOut, json: true}
	if err := play.playIn(t.Context(), world, begin, 100*demoDay, demoFlags{once: true, dir: dir, limit: 5 * time.Minute, haste: 20}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if err := world.close(); err != nil {
		t.Error(err)
	}
	if a.err != nil || a.back.IsZero() {
		t.Fatalf("from %s to %s, %v", a.from, a.back, a.err)
	}
	events := map[string]string{}
	lines := readDemo(t, out.String())
	for _, line := range lines {
		events[line.Client] += " " + line.Event
	}
	if last := lines[len(lines)-1]; last.Violations == nil || *last.Violations != 0 {
		t.Errorf("the summary: %+v", last)
	}
	golden, err := os.ReadFile(filepath.Join("testdata", "demo-events.golden"))
	if err != nil {
		t.Fatal(err)
	}
	for client, got := range events {
		if client != "" && !strings.Contains(string(golden), client+":"+got+"\n") {
			t.Errorf("%s lives otherwise than without the outage:%s", client, got)
		}
	}
	for _, place := range []string{"compose", "edge"} {
		if caught := a.caught[place]; caught.Before(a.back) || caught.Sub(a.back) > time.Hour {
			t.Errorf("back at %s, and the new secret was in %s at %s", a.back, place, caught)
		}
	}
	told := slices.DeleteFunc(all.notices(demoBFF), func(n string) bool { return !strings.HasPrefix(n, "failed ") })
	if len(told) != 2 || !strings.Contains(told[0], "destination") {
		t.Errorf("told of the outage: %q", told)
	}
	life := all.known[demoBFF]
	if got := all.mounted(life); got != "new" {
		t.Errorf("in the end the file holds %s", got)
	}
	copied, _ := edge.Current("secret", "team/web-bff")
	published, _ := world.kv.Current("secret", "apps/web-bff/oidc")
	if copied["client_secret"] == nil || copied["client_secret"] != published["AUTH_CLIENT_SECRET"] {
		t.Error("in the end the further Vault does not hold the new secret")
	}
}
