package config

import (
	"fmt"
	"os"
	"reflect"

	"go.yaml.in/yaml/v4"
)

// decoder fills Go values from YAML by the tags that Kind.Settings describes. It never stops at a mistake: it reports
// it, leaves the value as it was, and goes on.
type decoder struct {
	env    func(name string) (string, bool)
	syntax bool // neither files nor environment variables have to exist
	types  map[reflect.Type][]field
	visits int // values decoded; bounds what aliases can expand to
}

// maxVisits bounds the values of one configuration, so that aliases of aliases cannot grow without end. It leaves room
// for some three million clients.
const maxVisits = 50_000_000

// block is a part of a file that is decoded later, because its form depends on something else.
type block struct{ scope scope }

// shape is implemented by settings that can be written in more than one way.
type shape interface {
	decode(d *decoder, s scope)
}

func newDecoder() *decoder {
	return &decoder{env: os.LookupEnv, types: map[reflect.Type][]field{}}
}

func (d *decoder) fields(t reflect.Type) []field {
	if all, ok := d.types[t]; ok {
		return all
	}
	all := fieldsOf(t)
	d.types[t] = all
	return all
}

// value decodes what stands at s into v.
func (d *decoder) value(s scope, v reflect.Value, f field) {
	if d.visits++; d.visits >= maxVisits {
		if d.visits == maxVisits {
			s.report("the configuration is too large once its aliases are followed", "")
		}
		return
	}
	switch p := v.Addr().Interface().(type) {
	case *block:
		p.scope = s
		return
	case shape:
		p.decode(d, s)
		return
	}
	switch kind := v.Kind(); {
	case isScalar(v.Type()):
		d.scalar(s, v, f)
	case kind == reflect.Pointer:
		d.pointer(s, v, f)
	case kind == reflect.Struct:
		d.structs(s, v)
	case kind == reflect.Map:
		d.mapping(s, v, f)
	case kind == reflect.Slice:
		d.list(s, v, f)
	default:
		d.free(s, v)
	}
}

// pointer makes an optional section; one that is written without a value counts as not written.
func (d *decoder) pointer(s scope, v reflect.Value, f field) {
	if isNull(s.node) && !isScalar(v.Type().Elem()) {
		return
	}
	v.Set(reflect.New(v.Type().Elem()))
	d.value(s, v.Elem(), f)
}

func (d *decoder) mapping(s scope, v reflect.Value, f field) {
	if isNull(s.node) {
		return
	}
	if s.node.Kind != yaml.MappingNode {
		s.report("is "+describeNode(s.node)+", not a mapping", "write key: value")
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	d.eachKey(s, func(key string, at scope) {
		elem := reflect.New(v.Type().Elem()).Elem()
		d.value(at, elem, field{name: f.name})
		v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), elem)
	})
}

func (d *decoder) list(s scope, v reflect.Value, f field) {
	if isNull(s.node) {
		return
	}
	if s.node.Kind != yaml.SequenceNode {
		s.report("is "+describeNode(s.node)+", not a list", "write [a, b], or one entry per line after a dash")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(s.node.Content), len(s.node.Content)))
	for i := range s.node.Content {
		d.value(s.index(i), v.Index(i), f)
	}
}

// free decodes into a type without rules of its own, such as any.
func (d *decoder) free(s scope, v reflect.Value) {
	if err := s.node.Load(v.Addr().Interface()); err != nil {
		s.report("cannot be read: "+yamlText(err), "")
	}
}

// eachKey calls yield for each key of a mapping, once, with the place of its value; keys that a merge key brings in
// come last.
func (d *decoder) eachKey(s scope, yield func(key string, at scope)) {
	d.keys(s, map[string]int{}, maxAliasChain, yield)
}

func (d *decoder) keys(s scope, first map[string]int, depth int, yield func(key string, at scope)) {
	own := map[string]bool{}
	for i := 0; i+1 < len(s.node.Content); i += 2 {
		k, v := s.node.Content[i], s.node.Content[i+1]
		at := s
		at.line, at.node = k.Line, target(v)
		if k.Kind != yaml.ScalarNode || isNull(k) {
			at.complain("a key is "+describeNode(target(k))+", not text", "")
			continue
		}
		if isMerge(k) {
			continue
		}
		at.path = joinPath(s.path, k.Value)
		line, again := first[k.Value]
		switch {
		case own[k.Value]:
			at.complain(fmt.Sprintf("is given twice, first at line %d", line), "delete one of them")
		case !again:
			first[k.Value], own[k.Value] = k.Line, true
			yield(k.Value, at)
		}
	}
	d.merge(s, first, depth, yield)
}

func (d *decoder) merge(s scope, first map[string]int, depth int, yield func(key string, at scope)) {
	for _, other := range merged(s.node) {
		at := s
		at.node = other
		switch {
		case other.Kind != yaml.MappingNode:
			at.line = other.Line
			at.complain("<< brings in "+describeNode(other)+", not a mapping", "name an anchor of a mapping")
		case depth > 0:
			d.keys(at, first, depth-1, yield)
		}
	}
}

// complain reports at this very place, where the path would lead elsewhere (to the first of two equal keys).
func (s scope) complain(what, hint string) {
	s.sink.add(Problem{File: s.file, Line: s.line, Path: s.path, What: what, Hint: hint})
}

// structs decodes one mapping into one or more structs that share it: every key belongs to one of them.
func (d *decoder) structs(s scope, targets ...reflect.Value) {
	places := map[string]slot{}
	var all []field
	for _, v := range targets {
		for _, f := range d.fields(v.Type()) {
			f.setDefault(v)
			all = append(all, f)
			places[f.name] = slot{v, f}
		}
	}
	switch {
	case isNull(s.node):
	case s.node.Kind != yaml.MappingNode:
		s.report("is "+describeNode(s.node)+", not a mapping", "write key: value")
		return
	default:
		d.eachKey(s, func(key string, at scope) {
			p, known := places[key]
			if !known {
				d.unknown(at, key, all)
				return
			}
			d.value(at, p.in.FieldByIndex(p.field.index), p.field)
			p.field.check(at, p.in.FieldByIndex(p.field.index))
		})
	}
	d.absent(s, all, places)
	d.references(s, all, places)
}

// slot is where the value of a key goes.
type slot struct {
	in    reflect.Value
	field field
}

// absent completes what is not written: defaults of whole sections, and complaints about what is required.
func (d *decoder) absent(s scope, all []field, places map[string]slot) {
	for _, f := range all {
		if s.has(f.name) {
			continue
		}
		v := places[f.name].in.FieldByIndex(f.index)
		switch _, secret := secretOf(f.name, all); {
		case f.typ == blockType:
			v.Set(reflect.ValueOf(block{s.child(f.name)}))
		case f.typ.Kind() == reflect.Struct && !isScalar(f.typ):
			d.structs(s.child(f.name), v)
		case f.required && !secret:
			s.child(f.name).report("is required", "")
		}
	}
}

// unknown reports a key that no struct has. A secret written inline is the one worth its own words.
func (d *decoder) unknown(at scope, key string, all []field) {
	const never = "secrets never stand in the configuration"
	if fileAlone(key, all) {
		at.report(never, fmt.Sprintf("write %s_file: /path/of/a/file", key))
		return
	}
	if hasField(all, key+"_file") && hasField(all, key+"_env") {
		at.report(never,
			fmt.Sprintf("write %s_file: /path/of/a/file or %s_env: NAME_OF_A_VARIABLE", key, key))
		return
	}
	at.report("unknown key", suggest(key, fieldNames(all)))
}

func isNull(n *yaml.Node) bool {
	return n == nil || n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// describeNode says for people what a value is.
func describeNode(n *yaml.Node) string {
	switch {
	case isNull(n):
		return "empty"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	}
	words := map[string]string{
		"!!str": "text", "!!int": "a number", "!!float": "a number", "!!bool": "true or false", "!!timestamp": "a date",
	}
	if word, ok := words[n.ShortTag()]; ok {
		return word
	}
	return "a value of another type (" + n.ShortTag() + ")"
}
