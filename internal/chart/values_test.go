package chart_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/rotad/rotad/internal/chart"
)

func read(t *testing.T, name string, to any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("../..", chart.Dir, name))
	if err != nil {
		t.Fatal(err)
	}
	decode := yaml.Unmarshal
	if filepath.Ext(name) == ".json" {
		decode = json.Unmarshal
	}
	if err := decode(raw, to); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// leaves are the paths of values that have no named values below them.
func leaves(at string, schema map[string]any) []string {
	properties, _ := schema["properties"].(map[string]any)
	if len(properties) == 0 || at == "config" {
		return []string{at}
	}
	var all []string
	for name, below := range properties {
		part, _ := below.(map[string]any)
		all = append(all, leaves(strings.TrimPrefix(at+"."+name, "."), part)...)
	}
	return all
}

// has says whether a value stands in values.yaml.
func has(values map[string]any, path string) bool {
	name, rest, deeper := strings.Cut(path, ".")
	below, there := values[name]
	if !deeper || !there {
		return there
	}
	part, ok := below.(map[string]any)
	return ok && has(part, rest)
}

// values.yaml is where people look: a value that the schema allows stands there with its default and its comment.
func TestEveryValueStandsInValuesYAML(t *testing.T) {
	var schema, values map[string]any
	read(t, "values.schema.json", &schema)
	read(t, "values.yaml", &values)
	all := leaves("", schema)
	if len(all) < 40 {
		t.Fatalf("the schema has only the values %v", all)
	}
	for _, path := range all {
		if path != "global" && !has(values, path) { // global is Helm's own
			t.Errorf("values.yaml does not show %s", path)
		}
	}
	top, _ := schema["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if top[name] == nil {
			t.Errorf("values.yaml shows %s, which the schema refuses", name)
		}
	}
}

// What the chart writes itself, and what would come from the environment, is no value.
func TestTheConfigurationAmongTheValuesHasItsLimits(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("../..", chart.Dir, "values.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{`_env": {`, `"listen": {`, `"include": {`, `"shutdown": {`, "$defs"} {
		if strings.Contains(string(raw), gone) {
			t.Errorf("values.schema.json has %s", gone)
		}
	}
	for _, kept := range []string{`"client_secret_file": {`, `"allow_filesystem": {`, `"workers": {`, `"const": "entra"`} {
		if !strings.Contains(string(raw), kept) {
			t.Errorf("values.schema.json lacks %s", kept)
		}
	}
}

// A schema of the configuration that has changed its shape is noticed, rather than let everything through.
func TestFilesNeedTheSchemaOfTheConfiguration(t *testing.T) {
	for _, settings := range []string{"", "{}", `{"properties": {"clients": {}}}`} {
		if _, err := chart.Files([]byte("groups:\n"), []byte(settings)); err == nil {
			t.Errorf("%q is taken for the schema of the configuration", settings)
		}
	}
}
