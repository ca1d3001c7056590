package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.etcd.io/bbolt"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/state"
)

// The scripts run this binary as "rotad", and as services that use its secrets.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"rotad": main, "consumer": consumer})
}

// TestScripts plays testdata/script: the commands as people use them, with and without a daemon. Each script has a world
// of its own: a Vault, an AppRole method whose SecretIDs are rotated, a provider with a portal, and a configuration.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup:               setUpScript,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":     codeIs,
			"await":    await,
			"portal":   portal,
			"seal":     seal,
			"newer":    newer,
			"rights":   rights,
			"claim":    claim,
			"accepted": accepted,
			"made":     made,
			"clean":    cleanFile,
			"jwt":      jwt,
			"says":     says,
			"letter":   readLetter,
			"visits":   visits,
			"signs":    signs,
			"cloud":    cloud,
			"opens":    opens,
			"admitted": admitted,
			"kept":     kept,
			"edge":     edgeRights,
			"told":     hears,
			"stray":    stray,
			"refuse":   refuse,
			"issued":   issued,
		},
	})
}

// scriptWorld is what the daemon of a script talks to.
type scriptWorld struct {
	kv      *sandbox.KV
	edge    *sandbox.KV // a further Vault
	roles   *sandbox.AppRole
	spoiled spoiled
	idp     *sandbox.IdP
	plane   *scriptPlane
	hook    *sandbox.Hook
	slack   *sandbox.Slack
}

type worldKey struct{}

func setUpScript(e *testscript.Env) error {
	now := func() time.Time { return time.Now().UTC() }
	w := &scriptWorld{
		kv: sandbox.NewKV(now), roles: sandbox.NewAppRole(now, sandbox.AppRoleSettings{Token: "the-token-of-the-roles", MaxTTL: 200 * 24 * time.Hour}),
		idp: sandbox.NewIdP(now, sandbox.Settings{Graph: sandbox.Graph{Tenant: storyTenant}}),
	}
	kv, roles, idp := httptest.NewServer(w.kv), httptest.NewServer(w.spoiled.wrap(w.roles.Handler())), httptest.NewServer(w.idp.Handler())
	e.Defer(kv.Close)
	e.Defer(roles.Close)
	e.Defer(idp.Close)
	if err := w.populate(); err != nil {
		return err
	}
	if err := w.addDue(); err != nil {
		return err
	}
	if err := w.addPlane(e, now); err != nil {
		return err
	}
	if err := w.addKeys(e); err != nil {
		return err
	}
	if err := w.addCloud(e); err != nil {
		return err
	}
	if err := w.addEdge(e, now); err != nil {
		return err
	}
	if err := w.addStory(e, kv.URL, idp.URL); err != nil {
		return err
	}
	if err := w.addOwn(e); err != nil {
		return err
	}
	e.Values[worldKey{}] = w
	addHealth(e)
	if err := w.addPlaces(e); err != nil {
		return err
	}
	address, err := freeAddress()
	if err != nil {
		return err
	}
	e.Setenv("HANDSHAKE", address)
	if err := addPublic(e); err != nil {
		return err
	}
	e.Setenv("TZ", "UTC")
	e.Setenv("ROTAD_CONFIG", filepath.Join(e.WorkDir, "config.yaml"))
	e.Setenv("SOCKET", filepath.Join(e.WorkDir, "admin.sock"))
	for name, content := range map[string]string{
		"config.yaml": fmt.Sprintf(scriptConfig, kv.URL, roles.URL, idp.URL), "vault-token": w.kv.RootToken(), "roles-token": "the-token-of-the-roles",
	} {
		if err := os.WriteFile(filepath.Join(e.WorkDir, name), []byte(content), 0o600); err != nil {
			return err
		}
	}
	return nil
}

const scriptConfig = `state: {path: rotad.db}
scan: "@every 1s"
listen: {metrics: "off", admin: "unix:admin.sock"}
vault:
  address: %s
  auth: {method: token, token_file: vault-token}
providers:
  roles: {kind: vault-approle, address: %s, token_file: roles-token}
  portal: {kind: manual, token_url: %s/oauth2/token}
policies:
  default: {lifetime: 90d, rotate_before: 14d, overlap: 72h}
  asking: {start: approve, lifetime: 90d}
owners:
  payments: {email: [payments@example.com]}
clients:
  - {id: worker, provider: roles, ref: {role: worker}, owner: payments, vault: {path: apps/worker}}
  - {id: asked, provider: roles, ref: {role: asked}, owner: payments, policy: asking, vault: {path: apps/asked}}
  - {id: partner, provider: portal, ref: {client_id: partner}, owner: payments, expires: 2035-01-01, vault: {path: apps/partner}}
`

// submittedBefore is the value that Vault hands out for the manual client.
const submittedBefore = "the-secret-before-the-portal"

func (w *scriptWorld) populate() error {
	for _, role := range []string{"worker", "asked", "spare", "late"} {
		id, err := w.roles.AddRole(sandbox.AppRoleRole{Name: role, SecretIDTTL: 90 * 24 * time.Hour})
		if err != nil {
			return err
		}
		secret, _, err := w.roles.Issue(role)
		if err != nil {
			return err
		}
		w.kv.Put("secret", "apps/"+role, map[string]any{"role_id": id, "secret_id": secret})
	}
	w.kv.Put("secret", "apps/partner", map[string]any{"client_id": "partner", "client_secret": submittedBefore})
	return w.idp.Register(sandbox.Registration{ClientID: "partner", Secret: submittedBefore})
}

func scripted(ts *testscript.TestScript) *scriptWorld {
	w, ok := ts.Value(worldKey{}).(*scriptWorld)
	if !ok {
		ts.Fatalf("the script has no world")
	}
	return w
}

// codeIs runs a program and compares its exit code: code 3 rotad rotate worker.
func codeIs(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N program args...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // ts.Exec returns it bare
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// awaitLimit bounds the wait of a script.
const awaitLimit = 30 * time.Second

// await runs a program until its output matches: await '"phase": "overlap"' rotad show worker --json.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: await pattern program args...")
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	ctx, stop := context.WithTimeout(context.Background(), awaitLimit)
	defer stop()
	pause := time.NewTicker(50 * time.Millisecond)
	defer pause.Stop()
	for {
		_ = ts.Exec(args[1], args[2:]...) // a daemon that has not opened its socket yet
		if pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
		select {
		case <-ctx.Done():
			ts.Fatalf("no output matches %s", args[0])
		case <-pause.C:
		}
	}
}

// portal makes a new secret for a client in the provider's portal, into a file: portal partner fresh.
func portal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: portal client file")
	}
	value, _, err := scripted(ts).idp.Portal().NewSecret(args[0])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(value+"\n"), 0o600))
}

// seal seals Vault; ! seal unseals it; seal edge is about the further one.
func seal(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) > 0 {
		scripted(ts).edge.SetSealed(!neg)
		return
	}
	scripted(ts).kv.SetSealed(!neg)
}

// newer marks a state file as one of the next schema, as a rotad of tomorrow leaves it: newer rotad.db.
func newer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: newer file")
	}
	db, err := bbolt.Open(ts.MkAbs(args[0]), 0o600, nil)
	ts.Check(err)
	ts.Check(db.Update(func(tx *bbolt.Tx) error {
		next := state.Seal("schema", binary.BigEndian.AppendUint64(nil, state.Schema+1))
		return tx.Bucket([]byte("meta")).Put([]byte("schema"), next)
	}))
	ts.Check(db.Close())
}

// rights says what rotad's token may do in Vault from now on: rights read, or rights write.
func rights(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: rights read|write")
	}
	grants := demoGrants()
	if args[0] == "read" {
		grants = []sandbox.KVGrant{{Path: "secret/*", Capabilities: []string{"read"}}}
	}
	scripted(ts).kv.AddToken(narrowToken, time.Hour, grants...)
	ts.Check(os.WriteFile(ts.MkAbs("narrow-token"), []byte(narrowToken), 0o600))
}

const narrowToken = "the-token-with-few-rights"

// claim writes down in Vault that its staging belongs to another rotad.
func claim(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: claim instance")
	}
	scripted(ts).kv.Put("secret", "rotad/staging/instance", map[string]any{"instance": args[0]})
}

// jwt lets Vault take the account of the script at auth/kubernetes, and writes a token of it: jwt audience file.
func jwt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: jwt audience file")
	}
	kv, account := scripted(ts).kv, "system:serviceaccount:security:rotad"
	kv.AddJWTRole(sandbox.KVJWTRole{
		Method: "kubernetes", Name: "rotad", Audience: "vault", Subject: account, TTL: time.Hour, Grants: demoGrants(),
	})
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(kv.JWT(account, args[0], time.Minute)), 0o600))
}
