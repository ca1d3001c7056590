package config

import (
	_ "embed" // of the descriptions
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
)

// descriptions holds the doc comments of the settings by "struct.key". A test writes it from the source and fails when
// it is out of date, so that a setting is described once, where it is declared.
//
//go:embed descriptions.json
var descriptions []byte

// object is a JSON Schema, or a part of one.
type object = map[string]any

// Schema returns the JSON Schema (draft 2020-12) of a configuration file with these kinds of providers, for editors
// and for "rotad schema". What it accepts may still be refused by Load, which knows relations, names and files.
func Schema(kinds []Kind) ([]byte, error) {
	b := schemaBuilder{kinds: kinds}
	if err := json.Unmarshal(descriptions, &b.docs); err != nil {
		return nil, fmt.Errorf("reading the descriptions of settings: %w", err)
	}
	top := b.structs(reflect.TypeFor[root]())
	top["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	top["title"] = "Configuration of rotad"
	top["$defs"] = object{"duration": durationSchema()}
	out, err := json.MarshalIndent(top, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the schema: %w", err)
	}
	return append(out, '\n'), nil
}

type schemaBuilder struct {
	kinds []Kind
	docs  map[string]string
}

func durationSchema() object {
	return object{
		"description": "A duration: 30d, 2w, 72h, 1d12h, 40s, or ISO 8601 (P30D, PT2H).",
		"anyOf": []any{
			object{"const": 0},
			object{"type": "string", "pattern": `^(0|(\d+(\.\d+)?(ms|us|µs|ns|w|d|h|m|s))+)$`},
			object{"type": "string", "pattern": `^P(\d+W)?(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$`, "minLength": 3},
		},
	}
}

// structs is the schema of a mapping whose keys are the settings of all the given structs.
func (b *schemaBuilder) structs(types ...reflect.Type) object {
	var all []field
	for _, t := range types {
		all = append(all, fieldsOf(t)...)
	}
	properties, required, rules := object{}, []any{}, []any{}
	for _, f := range all {
		properties[f.name] = b.property(f)
		base, secret := secretOf(f.name, all)
		switch {
		case secret && f.name == base+"_file":
			rules = append(rules, pairRule(base, f.required))
		case must(f) && !secret:
			required = append(required, f.name)
		}
	}
	out := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		out["required"] = required
	}
	if len(rules) > 0 {
		out["allOf"] = rules
	}
	return out
}

// pairRule says that of x_file and x_env at most one is written, or exactly one.
func pairRule(base string, required bool) object {
	file, env := []any{base + "_file"}, []any{base + "_env"}
	if required {
		return object{"oneOf": []any{object{"required": file}, object{"required": env}}}
	}
	return object{"not": object{"required": append(file, env...)}}
}

func (b *schemaBuilder) property(f field) object {
	var p object
	if f.typ == blockType {
		p = b.section(f.name)
	} else {
		p = b.typed(f.typ, f)
	}
	doc := f.doc
	if doc == "" {
		doc = b.docs[f.owner.Name()+"."+f.name]
	}
	if doc != "" {
		p["description"] = doc
	}
	switch {
	case f.hasDefault:
		p["default"] = defaultValue(f.typ, f.standard)
	case f.implied != "":
		p["default"] = defaultValue(f.typ, f.implied)
	}
	return p
}

// defaultValue writes a default as YAML would: numbers and booleans without quotes.
func defaultValue(t reflect.Type, text string) any {
	switch n, err := strconv.ParseFloat(text, 64); {
	case t.Kind() == reflect.Bool:
		return text == "true"
	case err == nil && (t.Kind() == reflect.Int || t.Kind() == reflect.Float64):
		return n
	}
	return text
}

func (b *schemaBuilder) typed(t reflect.Type, f field) object {
	switch {
	case t == durationType || t == spanType:
		return object{"$ref": "#/$defs/duration"}
	case reflect.PointerTo(t).Implements(reflect.TypeFor[shape]()):
		return object{"anyOf": []any{object{"$ref": "#/$defs/duration"}, b.structs(t)}}
	case isScalar(t):
		return scalarSchema(t, f)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return b.typed(t.Elem(), f)
	case reflect.Struct:
		return b.structs(t)
	case reflect.Slice:
		return object{"type": []any{"array", "null"}, "items": b.typed(t.Elem(), f)}
	case reflect.Map:
		return object{"type": []any{"object", "null"}, "additionalProperties": b.typed(t.Elem(), field{})}
	}
	return object{}
}

func scalarSchema(t reflect.Type, f field) object {
	switch t.Kind() {
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Float64:
		return object{"type": "number"}
	}
	out := object{"type": "string"}
	if len(f.enum) > 0 {
		out["enum"] = f.enum
	}
	if f.required {
		out["minLength"] = 1
	}
	if pattern := patterns()[f.format]; pattern != nil {
		out["pattern"] = pattern.String()
	}
	if f.format == "url" || f.format == "probe" {
		out["anyOf"] = []any{object{"format": "uri"}, object{"const": ""}}
	}
	return out
}

// must says whether a key has to be written: it is required, or it is a section in which something is.
func must(f field) bool {
	if f.typ.Kind() != reflect.Struct || isScalar(f.typ) || f.typ == blockType {
		return f.required
	}
	return slices.ContainsFunc(fieldsOf(f.typ), must)
}

// section is the schema of a part that is decoded by its name.
func (b *schemaBuilder) section(name string) object {
	named := func(of object) object { return object{"type": []any{"object", "null"}, "additionalProperties": of} }
	switch name {
	case "providers":
		return named(b.byKind(reflect.TypeFor[providerSettings](), b.kinds))
	case "channels":
		return named(b.channel())
	case "vaults":
		return named(b.structs(reflect.TypeFor[VaultServer]()))
	case "policies":
		return named(nullable(b.structs(reflect.TypeFor[policySettings]())))
	case "owners":
		return named(b.structs(reflect.TypeFor[Owner]()))
	case "clients":
		return object{"type": []any{"array", "null"}, "items": b.structs(reflect.TypeFor[clientSettings]())}
	}
	return object{}
}

func nullable(of object) object {
	of["type"] = []any{of["type"], "null"}
	return of
}

// byKind is the schema of a block whose kind decides which settings there are.
func (b *schemaBuilder) byKind(common reflect.Type, kinds []Kind) object {
	names, cases := []any{}, []any{}
	for _, kind := range kinds {
		types := []reflect.Type{common}
		if kind.Settings != nil {
			types = append(types, reflect.TypeOf(kind.Settings()).Elem())
		}
		names = append(names, kind.Name)
		cases = append(cases, object{
			"if":   object{"properties": object{"kind": object{"const": kind.Name}}, "required": []any{"kind"}},
			"then": b.structs(types...),
		})
	}
	out := object{"type": "object", "required": []any{"kind"}, "properties": object{"kind": object{"enum": names}}}
	if len(cases) > 0 {
		out["allOf"] = cases
	}
	return out
}
