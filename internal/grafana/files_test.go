package grafana_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/rotad/rotad/internal/grafana"
)

var update = flag.Bool("update", false, "write the generated files")

const top = "../.."

func read(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(top, path))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func files(t *testing.T) map[string][]byte {
	t.Helper()
	all, err := grafana.Files(read(t, grafana.Rules))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestGeneratedFilesAreCurrent(t *testing.T) {
	all := files(t)
	for path, want := range all {
		if *update {
			if err := os.WriteFile(filepath.Join(top, path), want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(read(t, path), want) {
			t.Errorf("%s is out of date: make generate", path)
		}
	}
	for _, pattern := range []string{"dashboards/*.json", "alerting/*"} {
		there, err := filepath.Glob(filepath.Join(top, "deploy/grafana/provisioning", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range there {
			if rel, _ := filepath.Rel(top, path); all[rel] == nil {
				t.Errorf("nothing generates %s any more: delete it", rel)
			}
		}
	}
}

type rule struct {
	UID         string            `yaml:"uid"`
	Title       string            `yaml:"title"`
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for"`
	Condition   string            `yaml:"condition"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
	Data        []struct {
		RefID string `yaml:"refId"`
		Model struct {
			Expr       string `yaml:"expr"`
			Expression string `yaml:"expression"`
		} `yaml:"model"`
	} `yaml:"data"`
}

func rules(t *testing.T, text []byte) []rule {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []rule `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	var all []rule
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	if len(all) < 15 {
		t.Fatalf("found %d rules, want all of them", len(all))
	}
	return all
}

// Grafana asks what Prometheus asks, waits as long, and tells the same people.
func TestAlertsOfGrafanaAreThoseOfPrometheus(t *testing.T) {
	theirs := rules(t, read(t, grafana.Rules))
	for i, g := range rules(t, files(t)["deploy/grafana/provisioning/alerting/rules.yaml"]) {
		p := theirs[i]
		if g.Title != p.Alert || g.Data[0].Model.Expr != strings.TrimSpace(p.Expr) || g.For != p.For && p.For != "" {
			t.Errorf("%s asks %q for %s; %s asks %q for %s", g.Title, g.Data[0].Model.Expr, g.For, p.Alert, p.Expr, p.For)
		}
		if g.Labels["severity"] != p.Labels["severity"] || strings.ReplaceAll(g.Labels["owner"], "$$", "$") != p.Labels["owner"] {
			t.Errorf("%s: labels %v, want %v", g.Title, g.Labels, p.Labels)
		}
		if g.Annotations["runbook_url"] != p.Annotations["runbook_url"] || g.Annotations["summary"] == "" {
			t.Errorf("%s: annotations %v", g.Title, g.Annotations)
		}
		if last := g.Data[len(g.Data)-1]; g.Condition != last.RefID || last.Model.Expression != g.Data[1].RefID {
			t.Errorf("%s: the condition %q is not the last of its steps", g.Title, g.Condition)
		}
	}
}

// What Prometheus understands and Grafana reads differently: a single $ in a label is a variable of the environment,
// and $value is a text there that no function takes.
func TestTemplatesAreWrittenForGrafana(t *testing.T) {
	lone, theirs := regexp.MustCompile(`(^|[^$])\$([^$]|$)`), regexp.MustCompile(`\$value\b`)
	uids, templates := map[string]bool{}, 0
	for _, r := range rules(t, files(t)["deploy/grafana/provisioning/alerting/rules.yaml"]) {
		if uids[r.UID] || len(r.UID) > 40 || r.UID == "" {
			t.Errorf("%s: the uid %q is taken, empty, or longer than 40", r.Title, r.UID)
		}
		uids[r.UID] = true
		for name, text := range r.Labels {
			if lone.MatchString(text) {
				t.Errorf("%s: the label %s is expanded to something else: %s", r.Title, name, text)
			}
		}
		for name, text := range r.Annotations {
			if theirs.MatchString(text) || strings.Contains(text, "${") {
				t.Errorf("%s: the annotation %s means something else in grafana: %s", r.Title, name, text)
			}
			templates += strings.Count(text, "$values.query.Value")
		}
	}
	if templates < 10 {
		t.Errorf("only %d annotations show a value", templates)
	}
}

func TestDashboardsAreWhole(t *testing.T) {
	seen := 0
	for path, text := range files(t) {
		if filepath.Ext(path) != ".json" {
			continue
		}
		seen++
		var d struct {
			UID    string `json:"uid"`
			Panels []struct {
				ID      int            `json:"id"`
				Title   string         `json:"title"`
				GridPos map[string]int `json:"gridPos"`
				Targets []struct {
					Expr string `json:"expr"`
				} `json:"targets"`
			} `json:"panels"`
			Templating struct {
				List []struct {
					Name string `json:"name"`
				} `json:"list"`
			} `json:"templating"`
		}
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		ids, cells := map[int]bool{}, map[[2]int]string{}
		for _, p := range d.Panels {
			if ids[p.ID] || len(p.Targets) == 0 || p.Title == "" {
				t.Errorf("%s: the panel %d %q has a number that is taken, no title or no query", path, p.ID, p.Title)
			}
			ids[p.ID] = true
			for x := range p.GridPos["w"] {
				for y := range p.GridPos["h"] {
					at := [2]int{p.GridPos["x"] + x, p.GridPos["y"] + y}
					if cells[at] != "" || at[0] > 23 {
						t.Errorf("%s: %q lies over %q or outside", path, p.Title, cells[at])
					}
					cells[at] = p.Title
				}
			}
		}
		var names []string
		for _, v := range d.Templating.List {
			names = append(names, v.Name)
		}
		if got := strings.Join(names, " "); got != "datasource owner provider" || filepath.Base(path) != d.UID+".json" {
			t.Errorf("%s: uid %q, variables %s", path, d.UID, got)
		}
	}
	if seen != 3 {
		t.Errorf("%d dashboards, want fleet, owner and itself", seen)
	}
}
