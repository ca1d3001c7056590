package oracle

import (
	"reflect"
	"strings"
	"sync"
	"time"
)

// confidential is I7: every text of the record, the audit and the notices, against every value that is known. The
// outputs of a whole process are searched by the canary scan.
func confidential(v *View) string {
	var values []string
	for _, s := range append(v.Secrets, Secret{Value: v.Hands}, Secret{Value: v.Staged}) {
		if s.Value != "" {
			values = append(values, s.Value)
		}
	}
	where := ""
	search := func(text string) bool {
		for _, value := range values {
			if strings.Contains(text, value) {
				return true
			}
		}
		return false
	}
	if texts(reflect.ValueOf(v.Record), search) {
		where = "the record"
	}
	if texts(reflect.ValueOf(v.Audit), search) {
		where = "the audit"
	}
	if texts(reflect.ValueOf(v.Notices), search) {
		where = "a notice"
	}
	if where == "" {
		return ""
	}
	return where + " holds a clear value"
}

// texts shows every string within a value to a search, until it finds something.
func texts(v reflect.Value, search func(string) bool) bool {
	switch v.Kind() {
	case reflect.String:
		return v.Len() > 0 && search(v.String())
	case reflect.Pointer, reflect.Interface:
		return !v.IsNil() && texts(v.Elem(), search)
	case reflect.Struct:
		return v.Type() != reflect.TypeFor[time.Time]() && anyField(v, search)
	case reflect.Slice, reflect.Array:
		return anyElement(v, search)
	case reflect.Map:
		return anyEntry(v, search)
	default:
		return false
	}
}

func anyElement(v reflect.Value, search func(string) bool) bool {
	for i := range v.Len() {
		if texts(v.Index(i), search) {
			return true
		}
	}
	return false
}

func anyEntry(v reflect.Value, search func(string) bool) bool {
	for key, value := range v.Seq2() {
		if texts(key, search) || texts(value, search) {
			return true
		}
	}
	return false
}

func anyField(v reflect.Value, search func(string) bool) bool {
	for _, i := range telling(v.Type()) {
		if texts(v.Field(i), search) {
			return true
		}
	}
	return false
}

// telling returns the fields of a type that can hold a text.
func telling(t reflect.Type) []int {
	if known, ok := tellings.Load(t); ok {
		return known.([]int) //nolint:forcetypeassert // nothing else is stored there
	}
	var fields []int
	for i := range t.NumField() {
		if field := t.Field(i).Type; canTell(field) {
			fields = append(fields, i)
		}
	}
	tellings.Store(t, fields)
	return fields
}

// tellings are the answers of telling so far.
var tellings sync.Map

// canTell says no where there can be no text, and yes where it is not sure.
func canTell(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct:
		return t != reflect.TypeFor[time.Time]()
	case reflect.String, reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Array, reflect.Map:
		return true
	default:
		return false
	}
}
