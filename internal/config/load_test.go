package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
)

const day = 24 * time.Hour

func TestDefaultsAreFilledIn(t *testing.T) {
	c := mustLoad(t, minimal)
	policy := credential.Policy{
		Name: "default", Start: credential.StartAuto, Lifetime: 90 * day, RotateBefore: 14 * day, Overlap: 72 * time.Hour,
		OverlapMin: 72 * time.Hour, Announce: 7 * day,
		Warn: []credential.Warning{{Before: 30 * day}, {Before: 7 * day, Every: day}}, WarnWhen: credential.WarnUnlessAutomatic,
		MaxAttempts: 8, OverlapEnds: credential.EndsByTime, Quiet: 24 * time.Hour, AtMax: credential.AtMaxHold, Drift: credential.DriftNote,
	}
	tests := []struct {
		what      string
		got, want any
	}{
		{"state", c.State, config.State{Path: "/var/lib/rotad/rotad.db"}},
		{"scan", c.Scan, "17 * * * *"},
		{"listen.metrics", c.Listen.Metrics, "127.0.0.1:9847"},
		{"listen.admin", c.Listen.Admin, "unix:/run/rotad/admin.sock"},
		{"listen.public", c.Listen.Public.On(), false},
		{"vault mount", c.Vault.Mount, "secret"},
		{"vault staging", c.Vault.Staging, "rotad/staging"},
		{"metrics", c.Metrics, config.Metrics{ClientSeries: 10000}},
		{"log", c.Log, config.Log{Level: "info", Format: "text"}},
		{"runtime", c.Runtime, config.Runtime{Workers: 32, Shutdown: 90 * time.Second}},
		{"policy", c.Policies["default"], policy},
		{"the built-in policy", config.BuiltinPolicy(), policy},
	}
	for _, test := range tests {
		if !reflect.DeepEqual(test.got, test.want) {
			t.Errorf("%s: got %+v, want %+v", test.what, test.got, test.want)
		}
	}
}

func TestPoliciesTakeTheRestFromTheBuiltinDefaults(t *testing.T) {
	c := mustLoad(t, minimal+`
policies:
  default: {overlap: 40s, announce: 0s}
  quick: {lifetime: 10d, rotate_before: 5d, overlap: P1D, overlap_min: 1h, warn: {at: [], when: always}, delete_early: true}
  empty:
`)
	if p := c.Policies["default"]; p.Overlap != 40*time.Second || p.OverlapMin != 40*time.Second || p.Announce != 0 ||
		p.Lifetime != 90*day {
		t.Errorf("default: %+v", p)
	}
	if p := c.Policies["quick"]; p.Overlap != day || p.OverlapMin != time.Hour || len(p.Warn) != 0 || p.Announce != 7*day ||
		p.WarnWhen != credential.WarnAlways || !p.DeleteEarly {
		t.Errorf("quick: %+v", p)
	}
	empty := config.BuiltinPolicy()
	empty.Name = "empty"
	if !reflect.DeepEqual(c.Policies["empty"], empty) {
		t.Errorf("empty: %+v", c.Policies["empty"])
	}
}

func TestClientsAreRead(t *testing.T) {
	c := mustLoad(t, small+`
clients:
  - id: billing
    provider: portal
    ref: {client_id: billing}
    owner: team
    vault: {path: apps/billing, fields: {client_secret: OIDC_SECRET}}
    verify: {method: auth_code, auth: post, scope: api, successes: 2, interval: 1s, deadline: 5m}
    probes: [{url: "https://billing.example.com/health?deep=1", expect: 204}]
    expires: 2027-01-31
    current_id: k1
    allow_cutover: true
    bootstrap: true
    grace: 1h
    keep_retired: true
    renamed_from: old-billing
    labels: {system: "7"}
`)
	want := credential.Client{
		ID: "billing", Provider: "portal", Ref: credential.Ref{"client_id": "billing"}, Owner: "team", Policy: "default",
		Vault: credential.VaultPath{
			Mount: "secret", Path: "apps/billing", Fields: map[string]string{"client_secret": "OIDC_SECRET"},
		},
		Verify: credential.VerifySettings{
			Method: credential.VerifyAuthCode, Auth: "post", Scope: "api", Successes: 2, Interval: time.Second,
			Deadline: 5 * time.Minute,
		},
		Probes:  []credential.Probe{{URL: "https://billing.example.com/health?deep=1", Expect: 204}},
		Expires: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC), CurrentID: "k1", AllowCut: true, Bootstrap: true,
		Grace: time.Hour, KeepRetired: true, RenamedFrom: "old-billing", Labels: map[string]string{"system": "7"},
		Source: c.File + ":9",
	}
	if len(c.Clients) != 1 || !reflect.DeepEqual(c.Clients[0], want) {
		t.Errorf("got  %+v\nwant %+v", c.Clients, want)
	}
}

func TestProvidersCarryTheirSettings(t *testing.T) {
	dir := credentials(t)
	_, problems := loadText(t, minimal+`
providers:
  sso:
    kind: keycloak
    url: https://sso.example.com
    realm: staff
    client_id: rotad
    client_secret_file: ${CREDENTIALS_DIRECTORY}/keycloak
    deadline: 60s
    propagation: 2m
    headers: {X-Forwarded-Proto: https}
    limits: {concurrency: 2, rate: 0.5, burst: 3, creates_per_day: 50}
    wave: {steps: ["2", 2.5%], least: 5}
  graph: {kind: entra, tenant_id: t, client_id: c, client_secret_env: ROTAD_TEST_GRAPH}
`)
	if problems.Err() == nil {
		t.Fatal("an environment variable that is not set is not reported")
	}
	t.Setenv("ROTAD_TEST_GRAPH", "from-the-environment")
	c, problems := config.Load(problems[0].File, kinds())
	if c == nil {
		t.Fatal(problems)
	}
	sso, _ := c.Provider("sso")
	want := keycloakSettings{
		URL: "https://sso.example.com", Realm: "staff", ClientID: "rotad", ClientSecretFile: filepath.Join(dir, "keycloak"),
	}
	if !reflect.DeepEqual(sso.Settings, &want) || sso.Deadline != time.Minute || sso.Propagation != 2*time.Minute ||
		sso.Headers["X-Forwarded-Proto"] != "https" || sso.Limits != (config.Limits{Concurrency: 2, Rate: 0.5, Burst: 3, CreatesPerDay: 50, Breaker: 10}) {
		t.Errorf("got %+v with %+v", sso, sso.Settings)
	}
	pace := credential.Pace{Steps: []credential.WaveStep{{Clients: 2}, {Percent: 2.5}}, Least: 5, Quota: 50}
	if !reflect.DeepEqual(sso.Pace, pace) {
		t.Errorf("the pace is %+v, want %+v", sso.Pace, pace)
	}
	graph, _ := c.Provider("graph")
	if want := (credential.Pace{Steps: []credential.WaveStep{{Clients: 1}, {Percent: 1}, {Percent: 10}}, Least: 10}); !reflect.DeepEqual(graph.Pace, want) {
		t.Errorf("the pace where none is written is %+v, want %+v", graph.Pace, want)
	}
	if s := graph.Settings.(*entraSettings); s.GraphURL != "https://graph.microsoft.com/v1.0" {
		t.Errorf("the default of a kind's setting is not filled in: %+v", s)
	}
	for provider, want := range map[string]string{"sso": "a-secret", "graph": "from-the-environment"} {
		p, _ := c.Provider(provider)
		if got, err := p.Secret("client_secret"); err != nil || got != want {
			t.Errorf("%s: the secret is %q, %v", provider, got, err)
		}
	}
	if _, ok := c.Provider("nobody"); ok {
		t.Error("a provider that is not there is found")
	}
}

func TestIncludedFilesBringClients(t *testing.T) {
	credentials(t)
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "clients.d"), 0o700); err != nil {
		t.Fatal(err)
	}
	entry := func(id string) string {
		return "clients:\n  - {id: " + id + ", provider: portal, ref: {client_id: " + id + "}, owner: team, vault: {path: " + id + "}}\n"
	}
	write(t, filepath.Join(dir, "clients.d", "b.yaml"), entry("b"))
	write(t, filepath.Join(dir, "clients.d", "a.yaml"), entry("a"))
	write(t, filepath.Join(dir, "clients.d", "empty.yaml"), "")
	file := write(t, filepath.Join(dir, "config.yaml"), small+entry("main")+"include: [clients.d/*.yaml, clients.d/a.yaml]\n")
	c, problems := config.Load(file, kinds())
	if c == nil {
		t.Fatal(problems)
	}
	var got []string
	for _, client := range c.Clients {
		got = append(got, client.ID)
	}
	if strings.Join(got, " ") != "main a b" {
		t.Errorf("got %v", got)
	}
	if want := filepath.Join(dir, "clients.d", "a.yaml") + ":2"; c.Clients[1].Source != want {
		t.Errorf("source %q, want %q", c.Clients[1].Source, want)
	}
}

func TestAnchorsAndMergesWork(t *testing.T) {
	c := mustLoad(t, minimal+`
policies:
  base: &base {overlap: 1h, rotate_before: 20d, warn: &warn {when: always}}
  derived: {<<: *base, overlap: 2h}
  other: {warn: *warn}
  both: {<<: [{overlap: 3h}, *base]}
`)
	if p := c.Policies["derived"]; p.Overlap != 2*time.Hour || p.RotateBefore != 20*day || p.WarnWhen != credential.WarnAlways {
		t.Errorf("derived: %+v", p)
	}
	if p := c.Policies["both"]; p.Overlap != 3*time.Hour || p.RotateBefore != 20*day {
		t.Errorf("both: %+v", p)
	}
	if p := c.Policies["other"]; p.WarnWhen != credential.WarnAlways {
		t.Errorf("other: %+v", p)
	}
}

func TestErrorsLeaveNoConfigurationAndWarningsDo(t *testing.T) {
	credentials(t)
	c, problems := loadText(t, minimal)
	if c == nil || problems.Err() != nil || len(problems.Warnings()) != 1 {
		t.Errorf("a warning: got %v, %v", c, problems)
	}
	if problems.Strict().Err() == nil {
		t.Error("a warning is no error with --strict")
	}
	c, problems = loadText(t, minimal+"scan: never\n")
	if c != nil || len(problems.Errors()) != 1 {
		t.Errorf("an error: got %v, %v", c, problems)
	}
}

func TestAFileThatCannotBeReadIsOneProblem(t *testing.T) {
	for _, file := range []string{filepath.Join(t.TempDir(), "none.yaml"), t.TempDir()} {
		c, problems := config.Load(file, kinds())
		if c != nil || len(problems) != 1 || problems[0].File != file || problems[0].What == "" {
			t.Errorf("%s: got %v, %v", file, c, problems)
		}
	}
}

func TestRelativePathsStartAtTheFile(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "token"), "x")
	file := write(t, filepath.Join(dir, "config.yaml"), `
vault: {address: "https://vault.example.com", auth: {method: token, token_file: token}}
state: {path: rotad.db}
listen: {admin: "unix:admin.sock", metrics: "off"}
`)
	c, problems := config.Load(file, nil)
	if c == nil {
		t.Fatal(problems)
	}
	if c.State.Path != filepath.Join(dir, "rotad.db") || c.Listen.Admin != "unix:"+filepath.Join(dir, "admin.sock") ||
		c.Vault.Auth.TokenFile != filepath.Join(dir, "token") {
		t.Errorf("got %+v %+v %+v", c.State, c.Listen, c.Vault.Auth)
	}
}

// Whether there is such a file depends on where the test runs: in a pod there may be one.
func TestKubernetesPutsTheTokenWhereItAlwaysDoes(t *testing.T) {
	const text = `
vault: {address: "https://vault.example.com", auth: {method: kubernetes, role: rotad}}
`
	const token = "/var/run/secrets/kubernetes.io/serviceaccount/token"
	c, problems := loadText(t, text, config.SyntaxOnly())
	if c == nil || c.Vault.Auth.JWTFile != token {
		t.Fatalf("got %+v, %v", c, problems)
	}
	_, problems = loadText(t, text)
	_, missing := os.Stat(token)
	if told := strings.Contains(fmt.Sprint(problems), "vault.auth.jwt_file: the file "+token); told != (missing != nil) {
		t.Errorf("the file: %v, and the problems are %v", missing, problems)
	}
}

func TestAJWTThatOthersCanReadIsPointedOut(t *testing.T) {
	file := write(t, filepath.Join(t.TempDir(), "jwt"), "x")
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	c, problems := loadText(t, `
vault: {address: "https://vault.example.com", auth: {method: jwt, role: rotad, jwt_file: "`+file+`"}}
`)
	if c == nil || !strings.Contains(fmt.Sprint(problems), "others can read this secret file (mode 0644)") {
		t.Errorf("got %v", problems)
	}
}

func TestSyntaxOnlyNeedsNeitherFilesNorVariables(t *testing.T) {
	text := `
vault: {address: "https://vault.example.com", auth: {method: token, token_file: "${NO_SUCH_VARIABLE}/token"}}
smtp: {host: a, from: a@example.com, username: a, password_env: NO_SUCH_VARIABLE}
`
	if c, problems := loadText(t, text, config.SyntaxOnly()); c == nil {
		t.Error(problems)
	}
	if c, _ := loadText(t, text); c != nil {
		t.Error("without the option it is accepted as well")
	}
}

func TestClientsFromElsewhereAreCheckedAgainstTheConfiguration(t *testing.T) {
	c := mustLoad(t, small)
	good := credential.Client{
		ID: "a", Provider: "portal", Owner: "team", Ref: credential.Ref{"client_id": "a"}, Vault: credential.VaultPath{Path: "a"},
	}
	if problems := c.CheckClient(good); len(problems) != 0 {
		t.Errorf("a good client: %v", problems)
	}
	if full := c.WithDefaults(good); full.Policy != "default" || full.Vault.Mount != "secret" {
		t.Errorf("defaults: %+v", full)
	}
	bad := good
	bad.Owner, bad.Policy, bad.Grace, bad.Verify.Deadline = "nobody", "none", -1, -1
	if problems := c.CheckClient(bad); len(problems.Errors()) != 4 {
		t.Errorf("a bad client: %v", problems)
	}
}

func BenchmarkLoad(b *testing.B) {
	credentials(b)
	var text strings.Builder
	text.WriteString(small + "clients:\n")
	for i := range 10_000 {
		fmt.Fprintf(&text, "- {id: c%d, provider: portal, owner: team, ref: {client_id: c%d}, vault: {path: apps/c%d}}\n", i, i, i)
	}
	file := write(b, filepath.Join(b.TempDir(), "config.yaml"), text.String())
	for b.Loop() {
		if c, problems := config.Load(file, kinds()); c == nil {
			b.Fatal(problems)
		}
	}
}
