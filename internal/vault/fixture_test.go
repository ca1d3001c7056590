package vault_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/internal/vault"
	"github.com/rotad/rotad/internal/vault/vaulttest"
)

var policyBlock = regexp.MustCompile(`(?s)path "([^"]+)" \{\s*capabilities = \[([^\]]*)\]\s*\}`)

// leastGrants are the rights of the policy that rotad is shipped with: the tests have no others.
func leastGrants(t *testing.T) []sandbox.KVGrant {
	t.Helper()
	policy, err := os.ReadFile("../../deploy/vault/rotad.hcl")
	if err != nil {
		t.Fatal(err)
	}
	var grants []sandbox.KVGrant
	for _, block := range policyBlock.FindAllStringSubmatch(string(policy), -1) {
		var capabilities []string
		if err := json.Unmarshal([]byte("["+block[2]+"]"), &capabilities); err != nil {
			t.Fatal(err)
		}
		grants = append(grants, sandbox.KVGrant{Path: block[1], Capabilities: capabilities})
	}
	if got, want := len(grants), strings.Count(string(policy), "\npath "); got != want {
		t.Fatalf("read %d of %d blocks", got, want)
	}
	return grants
}

const secretID = "secret-id-" + vaulttest.Canary

// file writes a secret for a Settings field and returns its path.
func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// fixture is a client of a sandbox, both living by one clock that the test moves.
type fixture struct {
	t        *testing.T
	kv       *sandbox.KV
	faults   *sandbox.Faults
	client   *vault.Client
	settings vault.Settings
	log      *bytes.Buffer

	loginAt string // path of the requests that log in
	jwtFile string // which whoever hands out JWTs keeps fresh; empty = the login is another one

	mu      sync.Mutex
	now     time.Time
	elapsed time.Duration
	paths   []string         // of the requests, in order
	canned  http.HandlerFunc // answers requests for data; nil = the sandbox does
	asked   chan time.Duration
	fire    chan time.Time
}

// The logins that give a new token each time, and all of them.
var (
	roleLogins = []string{vault.MethodAppRole, vault.MethodJWT, vault.MethodKubernetes}
	allLogins  = append([]string{vault.MethodToken}, roleLogins...)
)

// account is who the JWTs of the tests are for.
const account = "system:serviceaccount:security:rotad"

// jwtLife is how long a JWT is good for: less than any token that it gives.
const jwtLife = 10 * time.Minute

// byEvery runs a test once for each login.
func byEvery(t *testing.T, logins []string, ttl time.Duration, test func(t *testing.T, f *fixture)) {
	t.Helper()
	for _, method := range logins {
		t.Run(method, func(t *testing.T) { test(t, newFixtureBy(t, method, ttl)) })
	}
}

// newFixture begins with an AppRole whose tokens live for ttl.
func newFixture(t *testing.T, ttl time.Duration) *fixture {
	t.Helper()
	return newFixtureBy(t, vault.MethodAppRole, ttl)
}

// newFixtureBy begins with a login whose tokens live for ttl.
func newFixtureBy(t *testing.T, method string, ttl time.Duration) *fixture {
	t.Helper()
	f := &fixture{
		t: t, faults: sandbox.NewFaults(time.After), log: &bytes.Buffer{}, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		asked: make(chan time.Duration), fire: make(chan time.Time),
	}
	f.kv = sandbox.NewKV(f.wall)
	server := httptest.NewServer(f.record(f.faults.Wrap(f.kv)))
	t.Cleanup(server.Close)
	f.settings = vault.Settings{Address: server.URL, Auth: f.account(method, ttl)}
	f.client = f.open(f.settings)
	t.Cleanup(func() {
		if strings.Contains(f.log.String(), vaulttest.Canary) {
			t.Error("a secret stands in the log")
		}
	})
	return f
}

// account makes what a login needs in Vault, and returns rotad's side of it.
func (f *fixture) account(method string, ttl time.Duration) vault.Auth {
	f.t.Helper()
	f.loginAt = "auth/" + method + "/login"
	switch method {
	case vault.MethodToken:
		f.loginAt = "auth/token/lookup-self"
		f.kv.AddToken("token-"+vaulttest.Canary, ttl, leastGrants(f.t)...)
		return vault.Auth{Method: method, TokenFile: file(f.t, "token-"+vaulttest.Canary)}
	case vault.MethodAppRole:
		f.kv.AddAppRole("rotad", secretID, ttl, leastGrants(f.t)...)
		return vault.Auth{Method: method, RoleID: "rotad", SecretIDFile: file(f.t, secretID+"\n")}
	}
	f.kv.AddJWTRole(sandbox.KVJWTRole{
		Method: method, Name: "rotad", Audience: "vault", Subject: account, TTL: ttl, Grants: leastGrants(f.t),
	})
	f.jwtFile = file(f.t, "")
	f.freshen(0)
	return vault.Auth{Method: method, Role: "rotad", JWTFile: f.jwtFile}
}

// freshen puts a new JWT in place of the old one at one stroke, as a kubelet does: the loop may be reading it. It is good
// for a while from a moment on.
func (f *fixture) freshen(from time.Duration) {
	if f.jwtFile == "" {
		return
	}
	replace(f.t, f.jwtFile+".new", f.kv.JWT(account, "vault", from+jwtLife)+"\n")
	if err := os.Rename(f.jwtFile+".new", f.jwtFile); err != nil {
		f.t.Error(err)
	}
}

func (f *fixture) open(settings vault.Settings) *vault.Client {
	f.t.Helper()
	clock := vault.Clock{Now: f.wall, Elapsed: f.monotonic, After: f.after}
	client, err := vault.Open(settings, clock, slog.New(slog.NewTextHandler(f.log, nil)))
	if err != nil {
		f.t.Fatal(err)
	}
	return client
}

func (f *fixture) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.paths = append(f.paths, strings.TrimPrefix(r.URL.Path, "/v1/"))
		canned := f.canned
		f.mu.Unlock()
		if canned != nil && strings.Contains(r.URL.Path, "/data/") {
			canned(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// can answers every later request for data with a handler of the test's own.
func (f *fixture) can(canned http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.canned = canned
}

// count returns how many requests so far went to a path.
func (f *fixture) count(path string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, p := range f.paths {
		if p == path {
			n++
		}
	}
	return n
}

func (f *fixture) wall() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *fixture) monotonic() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.elapsed
}

// pass moves both clocks.
func (f *fixture) pass(d time.Duration) { f.move(d, d) }

// suspend moves the wall only, as when the machine sleeps.
func (f *fixture) suspend(d time.Duration) { f.move(d, 0) }

// move has the JWT replaced first, so that no moment sees one that has ended.
func (f *fixture) move(wall, monotonic time.Duration) {
	f.freshen(wall)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now, f.elapsed = f.now.Add(wall), f.elapsed+monotonic
}

func (f *fixture) after(d time.Duration) <-chan time.Time {
	f.asked <- d
	return f.fire
}

// run starts the renewal loop; the test then drives it with step.
func (f *fixture) run() {
	ctx := f.t.Context()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		f.client.Run(ctx)
	}()
	f.t.Cleanup(func() { // the context has ended by now
		select {
		case <-f.asked:
			<-stopped
		case <-stopped:
		}
	})
}

// step waits until the loop sleeps, lets that time pass, wakes it, and returns how long it slept. When step returns
// the loop is awake; the next step begins when it has done its round.
func (f *fixture) step() time.Duration {
	d := <-f.asked
	f.pass(d)
	f.fire <- f.wall()
	return d
}
