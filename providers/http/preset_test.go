package http_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	kind "github.com/rotad/rotad/providers/http"
)

// recorded is the block that a preset's recording is played with: what only its user can know.
func recorded(t *testing.T, preset string) kind.Settings {
	t.Helper()
	file := filepath.Join("testdata", "presets", preset+".yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Source []string
		URL    string
		Vars   map[string]string
	}
	if err := yaml.Load(text, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Source) == 0 || !strings.HasPrefix(r.Source[0], "https://") {
		t.Error("the recording does not say where the answers are documented")
	}
	return kind.Settings{Preset: preset, URL: r.URL, Vars: r.Vars, RecordedFile: file}
}

// access is the login that a preset is written for.
func access(s kind.Settings) kind.Access {
	switch s.Preset {
	case "cloudflare-access", "fusionauth", "okta", "telicent", "workos", "zitadel":
		return kind.Access{TokenEnv: "T"}
	case "hydra", "hydra-rotate":
		return kind.Access{Anonymous: true}
	case "stytch":
		return kind.Access{Username: "project-test-1", PasswordEnv: "P"}
	}
	return kind.Access{ClientID: "rotad", ClientSecretEnv: "S"}
}

// TestEveryPresetReadsItsRecordedAnswers is what "rotad check" does with a recorded_file, for every preset.
func TestEveryPresetReadsItsRecordedAnswers(t *testing.T) {
	all := kind.Presets()
	if len(all) < 5 {
		t.Fatalf("%d presets", len(all))
	}
	for _, p := range all {
		t.Run(p.Name, func(t *testing.T) {
			s := recorded(t, p.Name)
			s.Access = access(s)
			s.Validate(func(path, what, hint string) { t.Errorf("%s: %s (%s)", path, what, hint) })
			if p.Summary == "" || !strings.Contains(p.Text, "\n# https://") {
				t.Error("the preset lacks its summary or its source")
			}
		})
	}
}
