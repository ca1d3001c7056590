package config_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
)

const exampleFile = "../../config.example.yaml"

func example(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// exampleHere is a copy of the example whose program is one that exists.
func exampleHere(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	program := write(t, filepath.Join(dir, "portal"), "#!/bin/sh\n")
	return write(t, filepath.Join(dir, "config.yaml"), strings.Replace(example(t), "/usr/local/lib/rotad/portal ", program+" ", 1))
}

func TestTheExampleLoads(t *testing.T) {
	credentials(t)
	c, problems := config.Load(exampleHere(t), kinds())
	if c == nil {
		t.Fatal(problems)
	}
	clients, blocks := strings.Count(example(t), "\n  - id: "), strings.Count(example(t), "\n    kind: ")
	if len(c.Clients) != clients || len(c.Providers)+len(c.Channels) != blocks || len(c.Channels) != 2 || c.SMTP == nil {
		t.Errorf("got %d clients of %d, %d providers and %d channels of %d", len(c.Clients), clients, len(c.Providers), len(c.Channels), blocks)
	}
	// Nothing is pointed out but that no file matches the include: four days from Thursday to Monday, the overlap and
	// a day fit into rotate_before.
	for _, p := range problems {
		if p.Path != "include[0]" {
			t.Errorf("a warning: %s", p)
		}
	}
}

// The example is the reference for people: a setting that it does not show is one that nobody finds.
func TestTheExampleShowsEverySetting(t *testing.T) {
	text := example(t)
	schema, err := config.Schema(kinds())
	if err != nil {
		t.Fatal(err)
	}
	var parsed map[string]any
	if err := json.Unmarshal(schema, &parsed); err != nil {
		t.Fatal(err)
	}
	var missing []string
	walk(parsed, "", func(path string, _ map[string]any) {
		key := path[lastDot(path)+1:]
		if !regexp.MustCompile(`(?m)(^|[\s{,#-])` + regexp.QuoteMeta(key) + `:`).MatchString(text) {
			missing = append(missing, path)
		}
	})
	if slices.Sort(missing); len(missing) > 0 {
		t.Errorf("the example does not show %v", missing)
	}
}

func lastDot(path string) int {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '.' {
			return i
		}
	}
	return -1
}

// What the example calls a default is the default: with all of those lines taken out, it means the same.
func TestTheDefaultsInTheExampleAreTrue(t *testing.T) {
	credentials(t)
	full, problems := config.Load(exampleHere(t), kinds())
	if full == nil {
		t.Fatal(problems)
	}
	policy := full.Policies["default"]
	policy.Window = config.BuiltinPolicy().Window
	builtin, err := json.Marshal(config.BuiltinPolicy())
	if err != nil {
		t.Fatal(err)
	}
	shown, err := json.Marshal(policy)
	if err != nil {
		t.Fatal(err)
	}
	if string(builtin) != string(shown) {
		t.Errorf("the policy of the example is\n%s\nand the built-in one\n%s", shown, builtin)
	}
	bare, problems := loadText(t, minimal)
	if bare == nil {
		t.Fatal(problems)
	}
	for _, pair := range []struct {
		what        string
		shown, bare any
	}{
		{"state", full.State, bare.State},
		{"scan", full.Scan, bare.Scan},
		{"listen.metrics", full.Listen.Metrics, bare.Listen.Metrics},
		{"listen.admin", full.Listen.Admin, bare.Listen.Admin},
		{"listen.public.address", full.Listen.Public.Address, bare.Listen.Public.Address},
		{"metrics", full.Metrics, bare.Metrics},
		{"log", full.Log, bare.Log},
		{"runtime", full.Runtime, bare.Runtime},
		{"vault.mount", full.Vault.Mount, bare.Vault.Mount},
		{"vault.staging", full.Vault.Staging, bare.Vault.Staging},
		{"vault.timeout", full.Vault.Timeout, bare.Vault.Timeout},
		{"public_url", full.PublicURL, bare.PublicURL},
	} {
		if pair.shown != pair.bare {
			t.Errorf("%s: the example shows %v, the default is %v", pair.what, pair.shown, pair.bare)
		}
	}
}

// A platform that mails by itself, 30 days before the expiry and daily from 7 days on, is matched by a policy.
func TestTheExampleShowsTheRhythmOfAPlatform(t *testing.T) {
	credentials(t)
	c, problems := config.Load(exampleHere(t), kinds())
	if c == nil {
		t.Fatal(problems)
	}
	p := c.Policies["as-the-platform"]
	want := []credential.Warning{{Before: 30 * 24 * time.Hour}, {Before: 7 * 24 * time.Hour, Every: 24 * time.Hour}}
	if !slices.Equal(p.Warn, want) || p.WarnWhen != credential.WarnAlways {
		t.Errorf("%+v, %s", p.Warn, p.WarnWhen)
	}
}
