package config

import (
	"reflect"
	"slices"
	"strings"
	"time"
)

// field is one setting of a struct, as its tags describe it.
type field struct {
	name       string
	index      []int
	typ        reflect.Type
	owner      reflect.Type // the struct that declares it
	standard   string       // text of the default
	implied    string       // text of what the zero value means
	hasDefault bool
	enum       []string
	format     string
	doc        string
	required   bool
	secret     bool // the file that it names holds a secret, although there is no x_env beside it
}

// fieldsOf lists the settings of a struct type in the order they are declared.
func fieldsOf(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		sf := t.Field(i)
		name, options, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		if name == "-" || (!sf.IsExported() && !sf.Anonymous) {
			continue
		}
		if options == "inline" {
			for _, inner := range fieldsOf(sf.Type) {
				inner.index = append([]int{i}, inner.index...)
				out = append(out, inner)
			}
			continue
		}
		if name == "" {
			name = strings.ToLower(sf.Name)
		}
		out = append(out, describe(sf, t, name, i))
	}
	return out
}

func describe(sf reflect.StructField, owner reflect.Type, name string, i int) field {
	f := field{name: name, index: []int{i}, typ: sf.Type, owner: owner}
	f.standard, f.hasDefault = sf.Tag.Lookup("default")
	f.implied = sf.Tag.Get("implied")
	f.format = sf.Tag.Get("format")
	f.doc = sf.Tag.Get("doc")
	f.required = sf.Tag.Get("required") == "true"
	f.secret = sf.Tag.Get("secret") == "true"
	if enum := sf.Tag.Get("enum"); enum != "" {
		f.enum = strings.Split(enum, ",")
	}
	return f
}

// secretOf returns "x" for a field "x_file" or "x_env" that is half of a secret.
func secretOf(name string, all []field) (string, bool) {
	for _, suffix := range []string{"_file", "_env"} {
		base, ok := strings.CutSuffix(name, suffix)
		if ok && hasField(all, base+"_file") && hasField(all, base+"_env") {
			return base, true
		}
	}
	return "", false
}

func hasField(all []field, name string) bool {
	for _, f := range all {
		if f.name == name {
			return true
		}
	}
	return false
}

// fileAlone says whether the secret of that name is read from a file and never from a variable.
func fileAlone(name string, all []field) bool {
	return slices.ContainsFunc(all, func(f field) bool { return f.secret && f.name == name+"_file" })
}

func fieldNames(all []field) []string {
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = f.name
	}
	return names
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	timeType     = reflect.TypeFor[time.Time]()
	spanType     = reflect.TypeFor[span]()
	dateType     = reflect.TypeFor[date]()
	blockType    = reflect.TypeFor[block]()
)

// reflectElem returns the settable value that a pointer leads to.
func reflectElem(pointer any) reflect.Value { return reflect.ValueOf(pointer).Elem() }
