package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/internal/tenant"
)

// discovered is a tenant with a configuration that reads it.
type discovered struct {
	*sandbox.Tenant
	*testing.T

	dir   string
	fails atomic.Int64  // pages after which the tenant refuses rotad; 0 = it never does
	kills atomic.Bool   // who asks is killed in place of that, and gets no answer
	asked chan struct{} // gets a word then
	pages atomic.Int64
}

const discoverConfig = `state: {path: rotad.db}
listen: {metrics: "off", admin: "unix:admin.sock"}
vault: {address: "http://127.0.0.1:1", auth: {method: approle, role_id: rotad}}
owners: {payments: {email: [payments@example.com]}, platform: {email: [platform@example.com]}}
policies:
  default: {lifetime: 90d, rotate_before: 14d, overlap: 72h}
  watch: {start: observe, lifetime: 90d, rotate_before: 14d, overlap: 72h}
providers:
  corp: {kind: entra, allow_unproven: true, tenant_id: t, client_id: rotad, client_secret_file: secret, graph_url: "%s/graph/v1.0", login_url: "%s/login"}
  portal: {kind: manual, token_url: "http://127.0.0.1:1/token"}
include: [adopted*.yaml]
clients:
  - {id: known, provider: corp, ref: {app_id: %q}, owner: payments, policy: watch, vault: {path: apps/app-0000001}}
`

func discover(t *testing.T, s sandbox.TenantSettings) *discovered {
	t.Helper()
	d := &discovered{T: t, dir: t.TempDir(), asked: make(chan struct{}), Tenant: sandbox.NewTenant(func() time.Time { return time.Now().UTC() }, s)}
	handler := d.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/applications") {
			if after := d.fails.Load(); after > 0 && d.pages.Load() >= after {
				if d.kills.Load() {
					d.asked <- struct{}{}
					<-r.Context().Done()
					return
				}
				http.Error(w, "{}", http.StatusForbidden)
				return
			}
			d.pages.Add(1)
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	d.write("config.yaml", fmt.Sprintf(discoverConfig, server.URL, server.URL, d.App(0).ID))
	d.write("secret", "of rotad itself")
	return d
}

func (d *discovered) write(name, text string) {
	d.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
		d.Fatal(err)
	}
}

func (d *discovered) read(name string) string {
	d.Helper()
	text, err := os.ReadFile(filepath.Join(d.dir, name))
	if err != nil {
		d.Fatal(err)
	}
	return string(text)
}

// rotad runs a command and wants an exit code.
func (d *discovered) rotad(code int, args ...string) (out, errs string) {
	d.Helper()
	var stdout, stderr bytes.Buffer
	for i, arg := range args {
		args[i] = strings.ReplaceAll(arg, "DIR", d.dir)
	}
	got := run(append(args, "--config", filepath.Join(d.dir, "config.yaml")), strings.NewReader(""), &stdout, &stderr, nil)
	if got != code {
		d.Fatalf("rotad %s: exit code %d, want %d\n%.600s\n%.2000s", strings.Join(args, " "), got, code, stdout.String(), stderr.String())
	}
	return stdout.String(), stderr.String()
}

func rowsIn(t *testing.T, text string) []tenant.Row {
	t.Helper()
	var rows []tenant.Row
	for decoder := json.NewDecoder(strings.NewReader(text)); ; {
		var r tenant.Row
		err := decoder.Decode(&r)
		if err == io.EOF {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r)
	}
}

// Every credential of the tenant is listed once, one object a line, and nothing is asked for but pages.
func TestATenantIsListed(t *testing.T) {
	d := discover(t, sandbox.TenantSettings{Size: 2100, Throttle: 2, Wait: time.Second})
	out, errs := d.rotad(exitDone, "discover", "corp", "--json")
	want, century, behind := 0, 0, 0
	for i := range 2100 {
		want += len(d.App(i).Secrets)
	}
	rows := rowsIn(t, out)
	for _, r := range rows {
		if r.Century {
			century++
		}
		if r.LeftBehind {
			behind++
		}
	}
	if len(rows) != want || strings.Count(out, "\n") != want || century != 21 || behind != 42 {
		t.Errorf("%d rows, want %d; %d of a century, %d left behind", len(rows), want, century, behind)
	}
	if r := rows[0]; r.Ref["app_id"] != d.App(0).ID || r.Owners[0] != d.App(0).Owner || r.MadeBy != tenant.MadeByOther || r.AgeDays < 1 {
		t.Errorf("%+v", r)
	}
	if !strings.Contains(errs, "2100 clients in 3 pages (4 requests)") || !strings.Contains(errs, "waiting") {
		t.Errorf("%s", errs)
	}
	if d.Requests("list") != 4 || d.Requests("look") != 0 || d.Requests("change") != 0 {
		t.Errorf("%d pages, %d looks, %d changes were asked for", d.Requests("list"), d.Requests("look"), d.Requests("change"))
	}
	table, _ := d.rotad(exitDone, "discover", "corp")
	if !strings.HasPrefix(table, "CLIENT ") || strings.Count(table, "CLIENT ") != 1 || strings.Count(table, "\n") != want+1 || !strings.Contains(table, "left-behind") {
		t.Errorf("the table for people has %d lines:\n%.600s", strings.Count(table, "\n"), table)
	}
}

// Wherever a walk ends, the next one goes on from its small file: the output is the same to the byte, and no page that was
// taken is asked for again. What a kill has left half-written is cut away.
func TestAWalkGoesOnWhereItWasCutOff(t *testing.T) {
	whole := discover(t, sandbox.TenantSettings{Size: 5000})
	whole.rotad(exitDone, "discover", "corp", "--json", "--to", "DIR/list")
	for cut := int64(1); cut <= 5; cut++ {
		d := discover(t, sandbox.TenantSettings{Size: 5000})
		d.fails.Store(cut)
		_, errs := d.rotad(exitFailed, "discover", "corp", "--json", "--to", "DIR/list")
		if !strings.Contains(errs, "the same command goes on from there") {
			t.Fatal(errs)
		}
		if _, err := os.Stat(filepath.Join(d.dir, "list")); err == nil {
			t.Fatal("a list that is not whole has its name already")
		}
		d.write("list.part", d.read("list.part")+`{"a line that the kill`)
		d.fails.Store(0)
		d.rotad(exitDone, "discover", "corp", "--json", "--to", "DIR/list")
		if got := d.read("list"); dated(got) != dated(whole.read("list")) {
			t.Errorf("cut after %d pages: the list has %d bytes, want %d", cut, len(got), len(whole.read("list")))
		}
		if d.pages.Load() != 6 {
			t.Errorf("cut after %d pages: %d pages were read, want each once", cut, d.pages.Load())
		}
		for _, left := range []string{"list.part", "list.progress"} {
			if _, err := os.Stat(filepath.Join(d.dir, left)); err == nil {
				t.Errorf("%s is left over", left)
			}
		}
	}
}

// A process that is killed leaves nothing behind that the next one could not go on from.
func TestAWalkThatIsKilledGoesOn(t *testing.T) {
	d := discover(t, sandbox.TenantSettings{Size: 5000})
	d.rotad(exitDone, "discover", "corp", "--json", "--to", "DIR/whole")
	d.pages.Store(0)
	d.fails.Store(3)
	victim := exec.CommandContext(t.Context(), "rotad", "discover", "corp", "--json", "--to", filepath.Join(d.dir, "list"), "--config", filepath.Join(d.dir, "config.yaml"))
	d.kills.Store(true)
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	<-d.asked
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	err := victim.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.Exited() {
		t.Fatalf("it was not killed: %v", err)
	}
	d.kills.Store(false)
	d.fails.Store(0)
	began := time.Now()
	d.rotad(exitDone, "discover", "corp", "--json", "--to", "DIR/list")
	t.Logf("the other three of six pages took %s", time.Since(began).Round(time.Millisecond))
	if dated(d.read("list")) != dated(d.read("whole")) || d.pages.Load() != 6 {
		t.Errorf("%d bytes, want %d; %d pages were read", len(d.read("list")), len(d.read("whole")), d.pages.Load())
	}
}

// dated leaves the age out, which may change at midnight.
func dated(list string) string {
	var b strings.Builder
	for line := range strings.Lines(list) {
		before, after, _ := strings.Cut(line, `"age_days":`)
		b.WriteString(before + strings.TrimLeft(after, "0123456789"))
	}
	return b.String()
}

const discoverRules = `rules:
  - match: {name: "app-*7"}
    ignore: true
  - match: {tag: cost-3, owner: "team-?@example.com"}
    owner: payments
    policy: watch
    vault: {path: "apps/{id}/oidc"}
    labels: {found: "yes"}
  - match: {name: "app-000*"}
    id: "{client_id}"
    owner: platform
    policy: watch
    vault: {path: "other/{name}"}
`

// Rules register clients without rotating: the file passes "rotad check", a second walk finds nothing left to adopt, and the
// tenant was only read.
func TestClientsAreAdoptedByRules(t *testing.T) {
	d := discover(t, sandbox.TenantSettings{Size: 2100})
	d.write("rules.yaml", discoverRules)
	preview, _ := d.rotad(exitDone, "discover", "corp", "--adopt", "DIR/rules.yaml")
	d.rotad(exitDone, "discover", "corp", "--adopt", "DIR/rules.yaml", "--to", "DIR/adopted.yaml")
	if preview != d.read("adopted.yaml") {
		t.Error("what is shown is not what is written")
	}
	want := 0
	for i := range 2100 {
		name := d.App(i).Name
		if !strings.HasSuffix(name, "7") && (i%7 == 3 || strings.HasPrefix(name, "app-000")) {
			want++
		}
	}
	text := d.read("adopted.yaml")
	if got := strings.Count(text, "\n  - "); got != want-1 || strings.Contains(text, `"policy":"default"`) {
		t.Errorf("%d clients, want %d", got, want)
	}
	if strings.Contains(text, d.App(0).ID) {
		t.Error("a client that is configured already was adopted again")
	}
	out, _ := d.rotad(exitDone, "check")
	if !strings.Contains(out, fmt.Sprintf("ok (%d clients", strings.Count(text, "\n  - ")+1)) {
		t.Errorf("rotad check: %s", out)
	}
	_, errs := d.rotad(exitDone, "discover", "corp", "--adopt", "DIR/rules.yaml", "--to", "DIR/adopted-2.yaml")
	if !strings.Contains(errs, "\n0 clients adopted") {
		t.Errorf("a second walk: %s", errs)
	}
	d.rotad(exitDone, "check")
	if d.Requests("change") != 0 || d.Requests("look") != 0 {
		t.Errorf("%d changes, %d looks were asked for", d.Requests("change"), d.Requests("look"))
	}
	d.rotad(exitRefused, "discover", "corp", "--adopt", "DIR/rules.yaml", "--to", "DIR/adopted.yaml")
}

// Adopting goes on as well, and adopts nobody twice.
func TestAdoptingGoesOnWhereItWasCutOff(t *testing.T) {
	d := discover(t, sandbox.TenantSettings{Size: 4000})
	d.write("rules.yaml", discoverRules)
	whole, _ := d.rotad(exitDone, "discover", "corp", "--adopt", "DIR/rules.yaml")
	d.pages.Store(0)
	d.fails.Store(2)
	d.rotad(exitFailed, "discover", "corp", "--adopt", "DIR/rules.yaml", "--to", "DIR/adopted.yaml")
	d.fails.Store(0)
	d.rotad(exitDone, "discover", "corp", "--adopt", "DIR/rules.yaml", "--to", "DIR/adopted.yaml")
	if d.read("adopted.yaml") != whole {
		t.Error("the file is another one than that of a walk in one piece")
	}
	d.rotad(exitDone, "check")
}

func TestWhatDiscoverRefuses(t *testing.T) {
	d := discover(t, sandbox.TenantSettings{Size: 10})
	for name, test := range map[string]struct {
		rules string
		args  []string
		code  int
		says  string
	}{
		"no such provider":               {"", []string{"discover", "nobody"}, exitWrong, "there is no provider"},
		"a kind that cannot list":        {"", []string{"discover", "portal"}, exitWrong, "rotad kinds --json"},
		"two walks in one":               {"", []string{"discover", "corp", "--drift", "--adopt", "DIR/rules.yaml"}, exitWrong, "two walks"},
		"no unit":                        {"", []string{"discover", "corp", "--left-behind", "30"}, exitWrong, "--left-behind"},
		"a file that exists":             {"", []string{"discover", "corp", "--to", "DIR/config.yaml"}, exitRefused, "exists"},
		"adopting would rotate":          {`rules: [{match: {name: "*"}, owner: payments, vault: {path: "a/{id}"}}]`, nil, exitWrong, "adopting must not rotate"},
		"a policy that does not exist":   {`rules: [{match: {name: "*"}, owner: payments, policy: none, vault: {path: "a/{id}"}}]`, nil, exitWrong, "there is no policy"},
		"an owner that does not exist":   {`rules: [{match: {name: "*"}, owner: nobody, policy: watch, vault: {path: "a/{id}"}}]`, nil, exitWrong, "there is no owner"},
		"a rule that matches everything": {`rules: [{match: {}, owner: payments, policy: watch, vault: {path: "a/{id}"}}]`, nil, exitWrong, "match: is required"},
		"an owner that is not written":   {`rules: [{match: {name: "*"}, policy: watch, vault: {path: "a/{id}"}}]`, nil, exitWrong, "owner: is required, known: "},
		"a placeholder that is none":     {`rules: [{match: {name: "*"}, owner: payments, policy: watch, vault: {path: "a/{team}/{id}"}}]`, nil, exitWrong, "path: has {team}, which stands for nothing here, write one of {id}, {name}, {client_id}"},
		"one id for all":                 {`rules: [{match: {name: "*"}, id: x, owner: payments, policy: watch, vault: {path: "a/{id}"}}]`, nil, exitWrong, "the same id"},
		"one path for all":               {`rules: [{match: {name: "*"}, owner: payments, policy: watch, vault: {path: "a"}}]`, nil, exitWrong, "the same path"},
		"no path":                        {`rules: [{match: {name: "*"}, owner: payments, policy: watch}]`, nil, exitWrong, "vault: is required"},
		"a key that does not exist":      {`rules: [{match: {nane: "*"}, ignore: true}]`, nil, exitWrong, "nane"},
		"a path that another one has":    {`rules: [{match: {name: "*"}, id: "x{name}", owner: payments, policy: watch, vault: {path: "apps/{name}"}}]`, nil, exitRefused, "registered twice"},
	} {
		d.write("rules.yaml", test.rules)
		args := test.args
		if args == nil {
			args = []string{"discover", "corp", "--adopt", "DIR/rules.yaml"}
		}
		_, errs := d.rotad(test.code, args...)
		if !strings.Contains(errs, test.says) {
			t.Errorf("%s: %.600s, want %q", name, errs, test.says)
		}
	}
	if d.Requests("change") != 0 {
		t.Error("something was to be changed")
	}
}

// A rule that says so may name a policy that rotates: the word stands in the file, for whoever reviews it.
func TestARuleMaySayThatItRotates(t *testing.T) {
	d := discover(t, sandbox.TenantSettings{Size: 10})
	d.write("rules.yaml", `rules: [{match: {name: "*"}, owner: payments, rotate: true, vault: {path: "a/{id}"}}]`)
	out, _ := d.rotad(exitDone, "discover", "corp", "--adopt", "DIR/rules.yaml")
	if strings.Count(out, `"policy":"default"`) != 9 {
		t.Errorf("%.600s", out)
	}
}

// The last line counts what there was, in good English, and keeps quiet about what there was none of.
func TestWhatAWalkHasMetIsSaidInOneLine(t *testing.T) {
	for want, at := range map[string]tenant.Progress{
		"1 client in 1 page (2 requests), 0 of them registered; 1 credential: 1 never expire": {
			Position: tenant.Position{Clients: 1, Pages: 1, Requests: 2}, Counts: tenant.Counts{Credentials: 1, Never: 1},
		},
		"3 clients in 2 pages (2 requests), 1 of them registered; 2 credentials: 1 have expired, 1 of the clients have none": {
			Position: tenant.Position{Clients: 3, Pages: 2, Requests: 2}, Counts: tenant.Counts{Credentials: 2, Registered: 1, Expired: 1, Without: 1},
		},
		"2 clients in 1 page (1 request), 2 of them registered; 2 credentials": {
			Position: tenant.Position{Clients: 2, Pages: 1, Requests: 1}, Counts: tenant.Counts{Credentials: 2, Registered: 2},
		},
	} {
		if got := met(at); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// A rule that matches everything would hand rotad's own account to whoever reads its Vault path, and rotad would be locked
// out by the first rotation.
func TestRotadsOwnAccountIsNotAdopted(t *testing.T) {
	d := discover(t, sandbox.TenantSettings{Size: 10})
	own := d.App(3)
	d.write("config.yaml", strings.Replace(d.read("config.yaml"), "client_id: rotad,", "client_id: "+own.ID+",", 1))
	d.write("rules.yaml", `rules: [{match: {name: "*"}, owner: payments, policy: watch, vault: {path: "a/{id}"}}]`)
	out, errs := d.rotad(exitDone, "discover", "corp", "--adopt", "DIR/rules.yaml")
	if strings.Contains(out, own.Name) || !strings.Contains(out, d.App(4).Name) || !strings.Contains(errs, "note: "+own.ID+" is left out: it is rotad's own account") {
		t.Errorf("%.900s\n%.600s", out, errs)
	}
}

// What goes on with a walk that ended early depends on what it was for.
func TestAWalkThatEndedSaysHowItGoesOn(t *testing.T) {
	for want, f := range map[string]discoverFlags{
		"--drift compares the whole tenant in one walk: repeat it": {drift: true},
		"with --to FILE a walk that was cut off goes on":           {adopt: "rules.yaml"},
		"the same command goes on from there; delete x.progress":   {to: "x", progress: "x.progress"},
	} {
		if got := (&discovery{f: f, at: tenant.Progress{Position: tenant.Position{Pages: 1}}}).again(""); !strings.HasPrefix(got, want) {
			t.Errorf("%+v: %s, want %s", f, got, want)
		}
	}
	if got := (&discovery{f: discoverFlags{to: "x", progress: "x.progress"}}).again(""); !strings.HasPrefix(got, "no page was taken") {
		t.Errorf("before the first page: %s", got)
	}
}
