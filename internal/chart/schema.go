package chart

import (
	"bytes"
	_ "embed" // of the chart's own part of the schema
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
)

// values is the schema of the values without rotad's configuration. Its draft is one that every Helm 3 reads.
//
//go:embed values.json
var values []byte

// object is a JSON Schema, or a part of one.
type object = map[string]any

// valuesSchema puts the schema of the configuration into that of the values: Helm then refuses a setting that rotad does
// not know before anything reaches the cluster.
func valuesSchema(settings []byte) ([]byte, error) {
	var chart, config object
	if err := json.Unmarshal(values, &chart); err != nil {
		return nil, fmt.Errorf("reading the schema of the values: %w", err)
	}
	if err := json.Unmarshal(bytes.ReplaceAll(settings, []byte("#/$defs/"), []byte("#/definitions/")), &config); err != nil {
		return nil, fmt.Errorf("reading the schema of the configuration: %w", err)
	}
	definitions, properties := under(chart, "definitions"), under(chart, "properties")
	maps.Copy(definitions, under(config, "$defs"))
	definitions["clients"] = under(config, "properties")["clients"]
	if definitions["clients"] == nil || definitions["duration"] == nil {
		return nil, errors.New("reading the schema of the configuration: clients or durations are missing in it")
	}
	withoutWhatTheChartWrites(config)
	withoutVariables(config)
	withoutVariables(definitions)
	properties["config"] = config
	return encoded(chart)
}

// withoutWhatTheChartWrites takes those settings out that are the chart's, and what is said once in the definitions.
func withoutWhatTheChartWrites(config object) {
	for _, key := range []string{"$schema", "$defs", "title"} {
		delete(config, key)
	}
	properties := under(config, "properties")
	delete(properties, "listen")
	delete(properties, "include")
	delete(under(properties, "state", "properties"), "path")
	delete(under(properties, "runtime", "properties"), "shutdown")
	properties["clients"] = object{"$ref": "#/definitions/clients"}
}

// withoutVariables takes out every setting that names an environment variable: in a pod a secret is a file.
func withoutVariables(schema any) {
	switch part := schema.(type) {
	case []any:
		for _, item := range part {
			withoutVariables(item)
		}
	case object:
		for name := range under(part, "properties") {
			if strings.HasSuffix(name, "_env") {
				delete(under(part, "properties"), name)
			}
		}
		for _, item := range part {
			withoutVariables(item)
		}
	}
}

// under returns what stands at a path of keys, an empty object where nothing does.
func under(schema object, path ...string) object {
	for _, key := range path {
		next, ok := schema[key].(object)
		if !ok {
			return object{}
		}
		schema = next
	}
	return schema
}

func encoded(schema object) ([]byte, error) {
	var text bytes.Buffer
	to := json.NewEncoder(&text)
	to.SetEscapeHTML(false)
	to.SetIndent("", "  ")
	if err := to.Encode(schema); err != nil {
		return nil, fmt.Errorf("writing the schema of the values: %w", err)
	}
	return text.Bytes(), nil
}
