package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
)

// probed are a Vault and an identity provider that remember every request.
type probed struct {
	t      *testing.T
	dir    string
	kv     *sandbox.KV
	server *httptest.Server

	mu   sync.Mutex
	sent []string // "METHOD path"
}

// newProbed has two applications in Entra, of which rotad owns one, and what its own application may do.
func newProbed(t *testing.T, own sandbox.Registration, grants ...sandbox.KVGrant) *probed {
	t.Helper()
	p := &probed{t: t, dir: t.TempDir(), kv: sandbox.NewKV(time.Now)}
	p.kv.AddToken("vault-token", time.Hour, grants...)
	idp := sandbox.NewIdP(time.Now, sandbox.Settings{})
	own.ClientID, own.Secret, own.Admin = "rotad", "own", true
	for _, r := range []sandbox.Registration{
		own, {ClientID: "mine", Secret: "s", OwnedBy: []string{sandbox.Principal("rotad")}}, {ClientID: "theirs", Secret: "s"},
	} {
		if err := idp.Register(r); err != nil {
			t.Fatal(err)
		}
	}
	entra := idp.Handler()
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.sent = append(p.sent, r.Method+" "+r.URL.Path)
		p.mu.Unlock()
		if strings.HasPrefix(r.URL.Path, "/v1/") {
			p.kv.ServeHTTP(w, r)
			return
		}
		entra.ServeHTTP(w, r)
	}))
	t.Cleanup(p.server.Close)
	for name, text := range map[string]string{"vault": "vault-token", "entra": "own"} {
		p.write(name, text)
	}
	return p
}

func (p *probed) write(name, text string) string {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return path
}

// check runs "rotad check --online", with a policy that begins rotations in some way.
func (p *probed) check(start string) (code int, out string) {
	p.t.Helper()
	config := p.write("config.yaml", fmt.Sprintf(`
state: {path: %[1]q}
vault: {address: %[2]q, mount: secret, staging: rotad/staging, auth: {method: token, token_file: vault}}
providers:
  corp: {kind: entra, allow_unproven: true, tenant_id: contoso, client_id: rotad, client_secret_file: entra, graph_url: "%[2]s/graph/v1.0", login_url: "%[2]s/login"}
policies: {default: {start: %[3]s}}
owners: {payments: {email: [payments@example.com]}}
clients:
  - {id: mine, provider: corp, ref: {app_id: mine}, owner: payments, vault: {path: apps/mine}}
  - {id: theirs, provider: corp, ref: {app_id: theirs}, owner: payments, vault: {path: apps/theirs}}
`, filepath.Join(p.dir, "rotad.db"), p.server.URL, start))
	code, out, errOut := command(p.t, "check", "--config", config, "--online")
	p.t.Logf("exit code %d\n%s%s", code, out, errOut)
	return code, out
}

// changing returns the requests that could change something: all but those that read, log in, or ask Vault what a token may do.
func (p *probed) changing() (some []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, request := range p.sent {
		method, path, _ := strings.Cut(request, " ")
		if method != http.MethodGet && !strings.HasSuffix(path, "/token") && path != "/v1/sys/capabilities-self" {
			some = append(some, request)
		}
	}
	return some
}

// leastGrants are deploy/vault/rotad.hcl, as far as the stand-in has it.
func leastGrants() []sandbox.KVGrant {
	return []sandbox.KVGrant{
		{Path: "secret/data/rotad/staging/*", Capabilities: []string{"create", "read", "update"}},
		{Path: "secret/destroy/rotad/staging/*", Capabilities: []string{"update"}},
		{Path: "secret/data/apps/*", Capabilities: []string{"create", "read", "update"}},
		{Path: "secret/destroy/apps/*", Capabilities: []string{"update"}},
		{Path: "secret/metadata/apps/*", Capabilities: []string{"create", "read", "update", "patch"}},
	}
}

func TestCheckOnlineNamesWhatIsMissingAndWhatIsTooWide(t *testing.T) {
	const owned = "Application.ReadWrite.OwnedBy"
	everything := []string{"create", "read", "update", "patch", "delete", "list", "sudo"}
	for name, test := range map[string]struct {
		own    sandbox.Registration
		grants []sandbox.KVGrant
		start  string
		code   int
		want   []string
		unsaid []string
	}{
		"the least, but for one owner": {
			own: sandbox.Registration{Roles: []string{owned}}, grants: leastGrants(), start: "auto", code: exitFailed,
			want: []string{
				"provider corp: problem: right missing: owner of the application at theirs (", "hint: az ad app owner add --id theirs --owner-object-id sp-rotad",
				"vault: ok (",
			},
			unsaid: []string{"too wide", "at mine"},
		},
		"none": {
			own: sandbox.Registration{Roles: []string{}}, grants: leastGrants(), start: "auto", code: exitFailed,
			want:   []string{"provider corp: problem: right missing: " + owned + " (", "hint: az ad app permission add --id rotad "},
			unsaid: []string{"too wide"},
		},
		"all of them": {
			own: sandbox.Registration{Roles: []string{owned, "Application.ReadWrite.All"}}, grants: []sandbox.KVGrant{{Path: "secret/*", Capabilities: everything}, {Path: "sys/policies/*", Capabilities: everything}}, start: "auto", code: exitDone,
			want: []string{
				"provider corp: note: right too wide: Application.ReadWrite.All (it changes every application of the tenant", "provider corp: ok; its rights: " + owned,
				"vault: note: right too wide: ", "sys/policies/acl/", "and give itself any right", "it reaches secrets of others in this mount",
				"delete, list, sudo on secret/metadata/apps/mine and 1 more",
			},
			unsaid: []string{"missing"},
		},
		"only to watch": {
			own: sandbox.Registration{Roles: []string{"Application.Read.All"}}, grants: leastGrants(), start: "observe", code: exitDone,
			want: []string{enoughToWatch, "hint: to rotate: az ad app permission add"},
		},
		"a token that says nothing": {
			grants: leastGrants(), start: "auto", code: exitDone,
			want: []string{"provider corp: ok; which rights it has cannot be read here, needed are: application permission " + owned},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProbed(t, test.own, test.grants...)
			code, out := p.check(test.start)
			if code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			for _, want := range test.want {
				if !strings.Contains(out, want) {
					t.Errorf("it does not say %q", want)
				}
			}
			for _, unsaid := range test.unsaid {
				if strings.Contains(out, unsaid) {
					t.Errorf("it says %q", unsaid)
				}
			}
			if sent := p.changing(); len(sent) > 0 || len(p.sent) < 5 {
				t.Errorf("of %d requests these could change something: %v", len(p.sent), sent)
			}
		})
	}
}

func TestARootTokenIsNamedOnce(t *testing.T) {
	p := newProbed(t, sandbox.Registration{})
	p.write("vault", p.kv.RootToken())
	if _, out := p.check("auto"); strings.Count(out, "right too wide") != 1 || !strings.Contains(out, "root token") {
		t.Errorf("it is said %d times", strings.Count(out, "right too wide"))
	}
}

// A thousand clients with the same fault are one line.
func TestRightsThatDifferByTheirClientsAreOneLine(t *testing.T) {
	var rights []providers.Right
	for i := range 1000 {
		for _, name := range []string{"delete", "sudo"} {
			rights = append(rights, providers.Right{Name: name, Client: fmt.Sprint("c", i), Held: true, Why: "unused", Change: fmt.Sprint("leave it out of policy ", i)})
		}
		rights = append(rights, providers.Right{Name: "update", Need: providers.NeedRotate, Held: true})
	}
	groups := grouped(rights)
	if len(groups) != 1 || !slices.Equal(groups[0].names, []string{"delete", "sudo"}) || len(groups[0].clients) != 1000 {
		t.Fatalf("%d groups", len(groups))
	}
	if line := some(groups[0].clients); !strings.HasSuffix(line, "c9 and 990 more") {
		t.Errorf("%s", line)
	}
	names := grouped([]providers.Right{
		{Name: "a", Held: true, Why: "unused", Change: "x"}, {Name: "b", Held: true, Why: "unused", Change: "x"}, {Name: "c", Held: true, Why: "unused", Change: "y"},
	})
	if len(names) != 2 || !slices.Equal(names[0].names, []string{"a", "b"}) {
		t.Errorf("%+v", names)
	}
}
