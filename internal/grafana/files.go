package grafana

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Rules is where the alerts are written down, from the top of the tree.
const Rules = "deploy/prometheus/rules.yaml"

const provisioning = "deploy/grafana/provisioning/"

// Files returns every generated file by its path from the top of the tree. rules are the rules of Prometheus.
func Files(rules []byte) (map[string][]byte, error) {
	alerts, err := alerting(rules)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{provisioning + "alerting/rules.yaml": alerts}
	for _, d := range dashboards() {
		var text bytes.Buffer
		to := json.NewEncoder(&text)
		to.SetEscapeHTML(false)
		to.SetIndent("", "  ")
		if err := to.Encode(d); err != nil {
			return nil, fmt.Errorf("writing the dashboard %s: %w", d.UID, err)
		}
		files[provisioning+"dashboards/"+d.UID+".json"] = text.Bytes()
	}
	return files, nil
}

// dashboards are all of them. Their uids stand in links and bookmarks and never change.
func dashboards() []dashboard { return []dashboard{fleet(), owner(), itself()} }
