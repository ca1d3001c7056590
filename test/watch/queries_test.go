package watch_test

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/rotad/rotad/test/servers"
)

// TestEveryQueryFindsSomething asks a real Prometheus everything that dashboards and alerts ask. An empty answer is a
// query that names what does not exist, joins what does not match, or a state that this test does not bring about.
func TestEveryQueryFindsSomething(t *testing.T) {
	t.Parallel()
	l := startLively(t)
	l.stir()
	all := append(panelQueries(t), alertQueries(t)...)
	for _, q := range all {
		if !q.silent {
			q.mustSpeak(l)
		}
	}
	l.d.Stop(time.Minute)
	for _, q := range all {
		if q.silent {
			q.mustSpeak(l)
		}
	}
}

// mustSpeak asks until there is an answer with a value, and prints it.
func (q question) mustSpeak(l *lively) {
	l.T.Helper()
	var samples []servers.Sample
	l.Await(20*time.Second, q.name+" finds something", func() error {
		var err error
		samples, err = q.ask(l)
		if err == nil && !speaks(samples) {
			err = fmt.Errorf("%s: %d series without a value", q.expr, len(samples))
		}
		return err
	})
	l.T.Logf("%s: %d series, %s", q.name, len(samples), show(samples[0]))
}

// question is one query with the way in which it is asked.
type question struct {
	name   string
	expr   string
	span   bool          // about all the time that there was, instead of this moment
	later  time.Duration // asked as if this much time had passed and nothing had moved
	silent bool          // asked when the daemon has stopped
}

func (q question) ask(l *lively) ([]servers.Sample, error) {
	if q.span {
		return l.p.QueryRange(l.T.Context(), q.expr, time.Since(l.began), 5*time.Second)
	}
	return l.p.QueryAt(l.T.Context(), q.expr, time.Now().Add(q.later))
}

// speaks says whether a series has a value: a quantile of nothing has none.
func speaks(samples []servers.Sample) bool {
	for _, s := range samples {
		if !math.IsNaN(s.Value) {
			return true
		}
	}
	return false
}

func show(s servers.Sample) string {
	var labels []string
	for _, name := range []string{"client", "owner", "provider", "phase", "reason", "state", "action", "outcome", "step", "invariant"} {
		if v := s.Labels[name]; v != "" {
			labels = append(labels, name+"="+v)
		}
	}
	return fmt.Sprintf("first {%s} %g", strings.Join(labels, " "), s.Value)
}

// panelQueries are the queries of all panels, annotations and variables, with the variables as a reader would choose
// them: everything, and on the owner's page one owner.
func panelQueries(t *testing.T) []question {
	t.Helper()
	files, err := filepath.Glob(dashboards + "/*.json")
	must(t, err)
	var all []question
	for _, file := range files {
		type target struct {
			Expr  string `json:"expr"`
			RefID string `json:"refId"`
			Range bool   `json:"range"`
		}
		var d struct {
			UID    string `json:"uid"`
			Panels []struct {
				Title   string   `json:"title"`
				Targets []target `json:"targets"`
			} `json:"panels"`
			Annotations struct {
				List []struct {
					Name   string `json:"name"`
					Target target `json:"target"`
				} `json:"list"`
			} `json:"annotations"`
		}
		must(t, json.Unmarshal([]byte(read(t, file)), &d))
		chosen := variables(d.UID)
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				all = append(all, question{name: d.UID + " / " + p.Title + " " + q.RefID, expr: chosen.Replace(q.Expr), span: q.Range})
			}
		}
		for _, a := range d.Annotations.List {
			all = append(all, question{name: d.UID + " / annotation " + a.Name, expr: chosen.Replace(a.Target.Expr), span: true})
		}
	}
	if len(all) < 50 {
		t.Fatalf("found %d queries in %d dashboards, want all of them", len(all), len(files))
	}
	return append(all, variableQueries()...)
}

func variables(uid string) *strings.Replacer {
	owner := ".*"
	if uid == "rotad-owner" {
		owner = "payments"
	}
	return strings.NewReplacer("$owner", owner, "$provider", ".*", "$__rate_interval", "1m", "$__interval", "1h")
}

// variableQueries ask for what label_values would list.
func variableQueries() []question {
	return []question{
		{name: "variable owner", expr: "group by (owner) (rotad_secret_expiry_timestamp_seconds)"},
		{name: "variable provider", expr: "group by (provider) (rotad_clients)"},
	}
}

// laters says which alerts are about time that a test does not wait for. The daemon stands still meanwhile: its series
// keep their last values.
var laters = map[string]time.Duration{
	"RotadRotationStuck":  30*time.Minute - 5*time.Second, // half an hour ago is five seconds ago
	"RotadScanStale":      7 * time.Hour,
	"RotadVaultTokenEnds": 55 * time.Minute,
	"RotadNoticesStuck":   61 * time.Minute,
	"RotadNoticesUnsent":  61 * time.Minute,
	"RotadStalled":        10 * time.Minute,
}

// reachable changes the alerts that no state here can raise: what is late is taken up at once, the one channel fails, and no wave
// has enough clients to stand still. They are asked for what is reached; rules_test.yaml shows that they fire.
func reachable(name, expr string) string {
	switch name {
	case "RotadRunsLate":
		return strings.Replace(expr, "> 900", ">= 0", 1)
	case "RotadNoticesUnsent":
		asked, _, _ := strings.Cut(expr, "unless")
		return asked
	case "RotadWaveStopped":
		return strings.Replace(expr, "> 0", ">= 0", 1)
	}
	return expr
}

// alertQueries are the rules of Prometheus, and the alerts of Grafana that are made from them.
func alertQueries(t *testing.T) []question {
	t.Helper()
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert string `yaml:"alert"`
				Title string `yaml:"title"`
				Expr  string `yaml:"expr"`
				Data  []struct {
					Model struct {
						Expr string `yaml:"expr"`
					} `yaml:"model"`
				} `yaml:"data"`
			} `yaml:"rules"`
		} `yaml:"groups"`
	}
	var all []question
	for _, file := range []string{"prometheus/rules.yaml", "grafana/provisioning/alerting/rules.yaml"} {
		must(t, yaml.Unmarshal([]byte(read(t, filepath.Join("../../deploy", file))), &rules))
		for _, g := range rules.Groups {
			for _, r := range g.Rules {
				name, expr := r.Alert, r.Expr
				if len(r.Data) > 0 {
					name, expr = r.Title, r.Data[0].Model.Expr
				}
				all = append(all, question{
					name: filepath.Dir(file) + " " + name, expr: reachable(name, expr), later: laters[name], silent: name == "RotadSilent",
				})
			}
		}
	}
	return all
}
