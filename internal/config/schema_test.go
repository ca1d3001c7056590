package config_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/rotad/rotad/internal/config"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := config.Schema(kinds())
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	if err := compiler.AddResource("rotad.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("rotad.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// asJSON turns YAML into what a JSON Schema speaks of.
func asJSON(t *testing.T, text string) any {
	t.Helper()
	var node yaml.Node
	if err := yaml.Load([]byte(text), &node); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(plain(&node))
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// plain keeps dates as they are written.
func plain(n *yaml.Node) any {
	if n.Kind == yaml.DocumentNode {
		return plain(n.Content[0])
	}
	if n.Kind == yaml.MappingNode {
		out := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			out[n.Content[i].Value] = plain(n.Content[i+1])
		}
		return out
	}
	if n.Kind == yaml.SequenceNode {
		out := []any{}
		for _, entry := range n.Content {
			out = append(out, plain(entry))
		}
		return out
	}
	if tag := n.ShortTag(); tag == "!!str" || tag == "!!timestamp" {
		return n.Value
	}
	var value any
	if err := n.Load(&value); err != nil {
		panic(err)
	}
	return value
}

func TestSchemaAcceptsTheExample(t *testing.T) {
	if err := compiled(t).Validate(asJSON(t, example(t))); err != nil {
		t.Error(err)
	}
}

func TestSchemaAcceptsWhatLoadAccepts(t *testing.T) {
	schema := compiled(t)
	for _, text := range []string{minimal, small, minimal + "policies: {default: }\nowners:\nclients:\n", small + `
policies: {a: {overlap: 0, warn: {at: [P1W, {before: 1d12h}]}}}`} {
		mustLoad(t, text)
		if err := schema.Validate(asJSON(t, text)); err != nil {
			t.Errorf("%s\n%v", text, err)
		}
	}
}

func TestSchemaRefusesMistakes(t *testing.T) {
	schema := compiled(t)
	for _, test := range []struct{ rule, text string }{
		{"a key that does not exist", minimal + "stat: {}"},
		{"a key that does not exist, deep inside", small + "policies: {a: {windw: {}}}"},
		{"a wrong type", minimal + "runtime: {workers: many}"},
		{"a word that is not one of several", minimal + "log: {level: loud}"},
		{"a duration without a unit", minimal + "runtime: {shutdown: 90}"},
		{"a duration with a wrong unit", minimal + "runtime: {shutdown: 90y}"},
		{"a required key that is missing", "vault: {address: 'https://a'}"},
		{"an inline secret", small + "smtp: {password: x}"},
		{"both ways to name a secret", minimal + "smtp: {host: a, from: a@b.c, password_file: a, password_env: b}"},
		{"no way to name a required secret", minimal + "providers: {a: {kind: entra, tenant_id: a, client_id: b}}"},
		{"an unknown kind", minimal + "providers: {a: {kind: entr}}"},
		{"a setting of another kind", minimal + "providers: {a: {kind: manual, realm: x}}"},
		{"a milestone of neither form", minimal + "policies: {a: {warn: {at: [{after: 1d}]}}}"},
		{"a client without an id", small + "clients: [{provider: portal, owner: team, vault: {path: a}}]"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			text := test.text
			if strings.Contains(text, "smtp: {password") {
				text = minimal + "smtp: {host: a, from: a@b.c, password: x}"
			}
			if schema.Validate(asJSON(t, text)) == nil {
				t.Error("accepted")
			}
		})
	}
}

// Each setting is described once: in the comment where it is declared.
func TestDescriptionsAreTheDocComments(t *testing.T) {
	docs := map[string]string{}
	for _, file := range []string{"settings.go", "channel.go", "policy.go", "client.go", "destination.go", "kubernetes.go", "vaultplace.go", "reload.go", "consumer.go"} {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				describe(t, docs, spec)
			}
			return true
		})
	}
	text, err := json.MarshalIndent(docs, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "descriptions.json", append(text, '\n'))
}

func describe(t *testing.T, docs map[string]string, spec *ast.TypeSpec) {
	t.Helper()
	structure, ok := spec.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, f := range structure.Fields.List {
		if f.Tag == nil {
			continue
		}
		key := reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("yaml")
		if key == "-" || key == ",inline" { // whose settings are described where they are declared
			continue
		}
		doc := strings.Join(strings.Fields(f.Doc.Text()), " ")
		if doc == "" {
			t.Errorf("%s.%s has no comment", spec.Name.Name, key)
		}
		docs[spec.Name.Name+"."+key] = doc
	}
}

// An editor shows the description of every setting.
func TestEveryPropertyOfTheSchemaIsDescribed(t *testing.T) {
	text, err := config.Schema(kinds())
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	count := 0
	walk(schema, "", func(path string, property map[string]any) {
		count++
		if property["description"] == nil && path != "providers.kind" && path != "channels.kind" {
			t.Errorf("%s has no description", path)
		}
	})
	if count < 100 {
		t.Errorf("only %d properties", count)
	}
}

// walk visits every property of a schema, in whatever part of it.
func walk(schema map[string]any, path string, visit func(path string, property map[string]any)) {
	for key, part := range schema {
		switch part := part.(type) {
		case map[string]any:
			if key != "properties" {
				walk(part, path, visit)
				continue
			}
			for name, property := range part {
				below := strings.TrimPrefix(path+"."+name, ".")
				if p := property.(map[string]any); p["const"] == nil {
					visit(below, p)
					walk(p, below, visit)
				}
			}
		case []any:
			for _, entry := range part {
				if m, ok := entry.(map[string]any); ok {
					walk(m, path, visit)
				}
			}
		}
	}
}
