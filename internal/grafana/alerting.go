package grafana

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"
)

// Datasource is the uid under which Prometheus is provisioned: alerts have no variable to choose another.
const Datasource = "rotad-prometheus"

// folder holds the alerts. It is not that of the dashboards: whichever of the two Grafana provisions first would make it,
// and the other one would find a folder of this name with another uid.
const folder = "rotad alerts"

// expressions is Grafana's name for what is computed from other answers.
const expressions = "__expr__"

// The steps of an alert. Prometheus fires for every series that a rule returns, whatever its value; Grafana wants a
// condition, and this is the one that its own import of rules makes.
const (
	asked = "query"
	found = "found"
	fires = "fires"
)

// promRules is a file of Prometheus rules.
type promRules struct {
	Groups []struct {
		Name  string     `yaml:"name"`
		Rules []promRule `yaml:"rules"`
	} `yaml:"groups"`
}

type promRule struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

// alertFile is a file of Grafana's alerting provisioning.
type alertFile struct {
	APIVersion int          `yaml:"apiVersion"`
	Groups     []alertGroup `yaml:"groups"`
}

type alertGroup struct {
	OrgID    int     `yaml:"orgId"`
	Name     string  `yaml:"name"`
	Folder   string  `yaml:"folder"`
	Interval string  `yaml:"interval"`
	Rules    []alert `yaml:"rules"`
}

type alert struct {
	UID          string            `yaml:"uid"`
	Title        string            `yaml:"title"`
	Condition    string            `yaml:"condition"`
	Data         []alertStep       `yaml:"data"`
	NoDataState  string            `yaml:"noDataState"`
	ExecErrState string            `yaml:"execErrState"`
	For          string            `yaml:"for"`
	Missing      int               `yaml:"missing_series_evals_to_resolve"`
	Labels       map[string]string `yaml:"labels"`
	Annotations  map[string]string `yaml:"annotations"`
}

type alertStep struct {
	RefID         string         `yaml:"refId"`
	Range         map[string]int `yaml:"relativeTimeRange"`
	DatasourceUID string         `yaml:"datasourceUid"`
	Model         map[string]any `yaml:"model"`
}

const heading = `# Generated from deploy/prometheus/rules.yaml by "make generate": change that file, not this one.
# A "$" that Grafana must not take for a variable of its environment is written twice.
`

// alerting turns the rules of Prometheus into the same alerts, managed by Grafana.
func alerting(rules []byte) ([]byte, error) {
	var from promRules
	if err := yaml.Unmarshal(rules, &from); err != nil {
		return nil, fmt.Errorf("reading the rules of prometheus: %w", err)
	}
	to := alertFile{APIVersion: 1}
	for _, g := range from.Groups {
		group := alertGroup{OrgID: 1, Name: g.Name, Folder: folder, Interval: "1m"}
		for _, r := range g.Rules {
			group.Rules = append(group.Rules, managed(r))
		}
		to.Groups = append(to.Groups, group)
	}
	text := bytes.NewBufferString(heading)
	w := yaml.NewEncoder(text)
	w.SetIndent(2)
	if err := w.Encode(to); err != nil {
		return nil, fmt.Errorf("writing the alerts of grafana: %w", err)
	}
	return text.Bytes(), nil
}

func managed(r promRule) alert {
	a := alert{
		UID: kebab(r.Alert), Title: r.Alert, Condition: fires, For: r.For, Missing: 1,
		NoDataState: "OK", ExecErrState: "KeepLast",
		Data:   []alertStep{question(r.Expr), anyValue(), aboveZero()},
		Labels: map[string]string{}, Annotations: map[string]string{},
	}
	if a.For == "" {
		a.For = "0s"
	}
	if strings.Contains(r.Expr, "absent(") {
		a.ExecErrState = "Alerting" // a Prometheus that does not answer hides a silent rotad; once is enough to say it
	}
	for name, text := range r.Labels {
		a.Labels[name] = strings.ReplaceAll(text, "$", "$$") // labels are expanded, annotations are not
	}
	for name, text := range r.Annotations {
		a.Annotations[name] = strings.ReplaceAll(text, "$value", "$values."+asked+".Value")
	}
	return a
}

func question(expr string) alertStep {
	return alertStep{
		RefID: asked, DatasourceUID: Datasource, Range: map[string]int{"from": 600, "to": 0},
		Model: map[string]any{
			"refId": asked, "expr": strings.TrimSpace(expr), "instant": true, "range": false,
			"datasource": map[string]any{"type": "prometheus", "uid": Datasource},
		},
	}
}

func anyValue() alertStep {
	return computed(found, map[string]any{
		"type": "math", "expression": "is_number($" + asked + ") || is_nan($" + asked + ") || is_inf($" + asked + ")",
	})
}

func aboveZero() alertStep {
	return computed(fires, map[string]any{
		"type": "threshold", "expression": found,
		"conditions": []any{map[string]any{"evaluator": map[string]any{"type": "gt", "params": []int{0}}}},
	})
}

func computed(ref string, model map[string]any) alertStep {
	model["refId"] = ref
	model["datasource"] = map[string]any{"type": expressions, "uid": expressions}
	return alertStep{RefID: ref, DatasourceUID: expressions, Range: map[string]int{"from": 0, "to": 0}, Model: model}
}

// kebab makes the stable uid of an alert from its name: RotadSilent is rotad-silent.
func kebab(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
