package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/rotad/rotad/internal/chart"
	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/grafana"
)

// The chart's copies and its schema are what they are made of: the rules, the dashboards, and every setting and kind that
// this program knows.
func TestGeneratedFilesOfTheChartAreCurrent(t *testing.T) {
	const top = "../.."
	rules, err := os.ReadFile(filepath.Join(top, grafana.Rules))
	if err != nil {
		t.Fatal(err)
	}
	settings, err := config.Schema(configKinds())
	if err != nil {
		t.Fatal(err)
	}
	files, err := chart.Files(rules, settings)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 5 {
		t.Errorf("%d files, want the schema, the rules and three dashboards", len(files))
	}
	for path, want := range files {
		if got, err := os.ReadFile(filepath.Join(top, path)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is out of date: make generate (%v)", path, err)
		}
	}
	for _, pattern := range []string{"files/*.*", "files/dashboards/*"} {
		there, err := filepath.Glob(filepath.Join(top, chart.Dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range there {
			if rel, _ := filepath.Rel(top, path); files[rel] == nil {
				t.Errorf("nothing generates %s any more: delete it", rel)
			}
		}
	}
}
