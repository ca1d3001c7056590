// Package rules_test runs the shipped Prometheus rules through a real promtool, and checks what promtool does not: that
// every alert tells who has to act and how.
package rules_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/rotad/rotad/test/servers"
)

const shipped = "../../deploy/prometheus"

func TestPromtool(t *testing.T) {
	cache, err := servers.OpenCache()
	if err != nil {
		t.Fatal(err)
	}
	promtool, err := servers.InstallPrometheus(t.Context(), cache)
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"check", "rules", "rules.yaml"}, {"test", "rules", "rules_test.yaml"}} {
		cmd := exec.CommandContext(t.Context(), promtool, args...)
		cmd.Dir = shipped
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

type alert struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func alerts(t *testing.T) []alert {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []alert `yaml:"rules"`
		} `yaml:"groups"`
	}
	raw, err := os.ReadFile(filepath.Join(shipped, "rules.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	var all []alert
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	if len(all) < 15 {
		t.Fatalf("found %d alerts, want all of them", len(all))
	}
	return all
}

func TestEveryAlertSaysWhoActsAndHow(t *testing.T) {
	const runbooks = "https://github.com/rotad/rotad/blob/main/"
	for _, a := range alerts(t) {
		if !slices.Contains([]string{"page", "ticket"}, a.Labels["severity"]) || a.Labels["owner"] == "" {
			t.Errorf("%s: severity %q, owner %q", a.Alert, a.Labels["severity"], a.Labels["owner"])
		}
		if a.Annotations["summary"] == "" || a.Annotations["description"] == "" {
			t.Errorf("%s lacks a summary or a description", a.Alert)
		}
		page, ok := strings.CutPrefix(a.Annotations["runbook_url"], runbooks)
		if !ok || !strings.HasPrefix(page, "docs/runbooks/") {
			t.Errorf("%s: the runbook %q is not one of ours", a.Alert, a.Annotations["runbook_url"])
			continue
		}
		if _, err := os.Stat(filepath.Join("../..", page)); err != nil {
			t.Errorf("%s: its runbook is missing: %v", a.Alert, err)
		}
	}
}

func TestEveryAlertIsShownToFire(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(shipped, "rules_test.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range alerts(t) {
		fires := strings.Contains(string(raw), `alertname="`+a.Alert+`",alertstate="firing"`) ||
			strings.Contains(string(raw), "alertname: "+a.Alert+"\n")
		if !fires {
			t.Errorf("no test shows that %s fires", a.Alert)
		}
	}
}
