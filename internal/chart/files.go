package chart

import (
	"bytes"
	"path"
	"strings"

	"github.com/rotad/rotad/internal/grafana"
)

// Dir is the directory of the chart, from the top of the tree.
const Dir = "deploy/helm/rotad"

const heading = `# Copied from deploy/prometheus/rules.yaml by "make generate": change that file, not this one.
`

// Files returns every generated file by its path from the top of the tree. rules are the rules of Prometheus, settings is
// what "rotad schema" prints.
func Files(rules, settings []byte) (map[string][]byte, error) {
	schema, err := valuesSchema(settings)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{
		Dir + "/values.schema.json": schema,
		Dir + "/files/rules.yaml":   append([]byte(heading), rules[max(0, bytes.Index(rules, []byte("groups:\n"))):]...),
	}
	provisioned, err := grafana.Files(rules)
	if err != nil {
		return nil, err
	}
	for name, text := range provisioned {
		if strings.HasSuffix(name, ".json") {
			files[Dir+"/files/dashboards/"+path.Base(name)] = text
		}
	}
	return files, nil
}
