package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/providers"
)

func TestEveryKindAndPresetSaysWhatItWasProvedAgainst(t *testing.T) {
	var want []string
	for _, k := range kinds() {
		want = append(want, k.Name)
		for _, p := range k.Presets {
			want = append(want, k.Name+"/"+p.Name)
			if len(p.Modes) != 1 || p.Modes[0] == "" || p.Rights == "" || p.Traits.Live == "" {
				t.Errorf("the preset %s does not say what it can do: %+v", p.Name, p)
			}
		}
		if k.Traits.Value == "" || k.Traits.Live == "" || k.Rights == "" {
			t.Errorf("the kind %s does not say what it can do: %+v", k.Name, k.Traits)
		}
	}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(evidence)); !slices.Equal(got, want) {
		t.Errorf("the table has %v, want %v", got, want)
	}
}

// pinned are where the versions of the servers stand that the tests start.
var pinned = map[string]struct{ file, version string }{
	"Keycloak":             {"keycloak.go", `KeycloakVersion = "(.+)"`},
	"node-oidc-provider":   {"oidcprovider/package.json", `"oidc-provider": "(.+)"`},
	"django-oauth-toolkit": {"django/requirements.txt", `django-oauth-toolkit==(.+)`},
	"Casdoor":              {"casdoor/go.mod", `github.com/casdoor/casdoor v(\S+)`},
	"Dex":                  {"dex.go", `DexVersion = "(.+)"`},
	"Hydra":                {"hydra/go.mod", `github.com/ory/hydra/v2 v(\S+)`},
	"moto":                 {"moto/requirements.txt", `moto==(.+)`},
	"Vault":                {"vault/go.mod", `github.com/hashicorp/vault v(.+)`},
}

// Who claims a server has a test that starts that version of it and asks it through the adapter.
func TestAServerIsClaimedByATestThatAsksIt(t *testing.T) {
	for line, e := range evidence {
		if (e.Level == providers.EvidenceServer) != (e.Server != "" && e.Test != "") {
			t.Errorf("%s: %+v", line, e)
		}
		if e.Level != providers.EvidenceServer {
			continue
		}
		text, err := os.ReadFile(filepath.Join("../..", e.Test))
		kind, preset, described := strings.Cut(line, "/")
		asked := strings.Contains(string(text), strings.ReplaceAll(kind, "-", "")+".Kind()") || strings.Contains(string(text), `"kind": "`+line+`"`)
		if described {
			asked = strings.Contains(string(text), `Preset: "`+preset+`"`)
		}
		if err != nil || !asked {
			t.Errorf("%s: %s does not ask this kind (%v)", line, e.Test, err)
		}
		for server := range strings.SplitSeq(e.Server, ", ") {
			product, version, _ := strings.Cut(server, " ")
			at := pinned[product]
			raw, err := os.ReadFile(filepath.Join("../../test/servers", at.file))
			if err != nil {
				t.Fatalf("%s: %v", product, err)
			}
			if m := regexp.MustCompile(at.version).FindSubmatch(raw); m == nil || string(m[1]) != version {
				t.Errorf("%s: the tests start %s %q, the table has %q", line, product, m, version)
			}
		}
	}
}

// What the conformance suite asks of a real server is not called documentation.
func TestAKindThatAsksServersInTestsSaysSo(t *testing.T) {
	files, err := filepath.Glob("../../test/conformance/*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	asks := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(\w+)\.Kind\(\)`).FindAllStringSubmatch(string(text), -1) {
			asks[m[1]] = true
		}
	}
	for _, k := range kinds() {
		if asks[strings.ReplaceAll(k.Name, "-", "")] && evidenceOf(k.Name, "").Level != providers.EvidenceServer {
			t.Errorf("%s asks a server in test/conformance, and the table has %s", k.Name, evidenceOf(k.Name, ""))
		}
	}
	if len(asks) < 4 {
		t.Errorf("only %v are asked", asks)
	}
}

// What was written from documentation alone is used by a person's word; that the kind http as such is proved says nothing of a
// preset.
func TestWhatIsUnprovenNeedsThePersonsWord(t *testing.T) {
	const (
		telicent = "kind: telicent, url: \"https://a.example.com\", token_env: HOME"
		logto    = "kind: http, preset: logto, url: \"https://a.example.com\", vars: {tenant: a}, client_id: a, client_secret_env: HOME"
		own      = "kind: http, preset: none, url: \"https://a.example.com\", token_env: HOME, mode: hard-cutover, " +
			"create: {path: /s, answer: {value: $.s}}, verify: {token_url: \"https://a.example.com/token\"}"
	)
	for name, test := range map[string]struct {
		block, names string
		word         bool
	}{
		"a kind":                                {telicent, "the kind telicent ", false},
		"a kind, with the word":                 {telicent, "", true},
		"a preset":                              {logto, "the preset logto ", false},
		"a preset, with the word":               {logto, "", true},
		"a description of one's own":            {own, "", false},
		"a kind that was proved":                {"kind: manual", "", false},
		"a kind that was proved, with the word": {"kind: manual", "", true},
		"a kind that asks nobody":               {"kind: generated", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			block := test.block
			if test.word {
				block += ", allow_unproven: true"
			}
			file := filepath.Join(t.TempDir(), "config.yaml")
			text := "vault: {address: \"https://v.example.com\", auth: {method: token, token_env: HOME}}\nproviders:\n  p: {" + block + "}\n"
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg, problems := config.Load(file, configKinds())
			if cfg == nil {
				t.Fatalf("it does not start\n%v", problems)
			}
			var said []string
			for _, p := range problems {
				if p.Path == "providers.p.allow_unproven" {
					said = append(said, p.What)
				} else if !p.Warning {
					t.Errorf("something else is wrong: %s", p)
				}
			}
			if named := len(said) == 1 && strings.HasPrefix(said[0], test.names); named != (test.names != "") || len(said) > 1 {
				t.Errorf("it says %q", said)
			}
		})
	}
}

// What "rotad kinds" says of revoking is what the adapters can do.
func TestKindsSayWhetherTheyRevoke(t *testing.T) {
	cfg, problems := config.Load("../../config.example.yaml", configKinds(), config.SyntaxOnly())
	if cfg == nil {
		t.Fatal(problems.Errors())
	}
	d := &daemon{daemonSettings: daemonSettings{clocks: realClocks()}}
	d.meters = newMeters(d)
	for _, p := range cfg.Providers {
		kind, _ := kindNamed(p.Kind)
		opened, err := d.open(p)
		if err != nil || p.Kind == "http" || p.Kind == "exec" { // which depend on a description, or on a program
			continue
		}
		if _, revokes := providers.AsRevoker(opened.Provider); revokes != kind.Traits.Revokes {
			t.Errorf("%s can revoke: %v, and says %v", p.Kind, revokes, kind.Traits.Revokes)
		}
	}
}
