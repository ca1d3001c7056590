package config

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/rotad/rotad/internal/credential"
)

var textType = reflect.TypeFor[encoding.TextUnmarshaler]()

// isScalar says whether a type is written as a single word.
func isScalar(t reflect.Type) bool {
	if t == timeType || reflect.PointerTo(t).Implements(textType) {
		return true
	}
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64:
		return true
	default:
		return false
	}
}

func (d *decoder) scalar(s scope, v reflect.Value, f field) {
	want := wanted(v.Type())
	switch {
	case isNull(s.node):
		s.report("has no value", "write "+want+", or delete the key")
		return
	case s.node.Kind != yaml.ScalarNode:
		s.report("is "+describeNode(s.node)+", not "+want, "")
		return
	case !fits(v.Type(), s.node.ShortTag()):
		s.report("is "+describeNode(s.node)+", not "+want, hintFor(v.Type()))
		return
	}
	if hint, still := unfilled(f.name, s.node.Value); still {
		s.report("is not filled in yet", hint)
		return
	}
	text, ok := d.expand(s, f.name, s.node.Value)
	if !ok {
		return
	}
	if err := setText(v, text); err != nil {
		s.report(err.Error(), "")
		return
	}
	f.checkWord(s, v)
}

// wanted names a type for people.
func wanted(t reflect.Type) string {
	switch {
	case t == durationType, t == spanType:
		return "a duration such as 30d, 72h or 40s"
	case t == timeType, t == dateType:
		return "a date such as 2027-01-31 or 2027-01-31T12:00:00Z"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Int, t.Kind() == reflect.Int64:
		return "a whole number"
	case t.Kind() == reflect.Float64:
		return "a number"
	}
	return "text"
}

// hintFor says how a word of the wrong type is written right.
func hintFor(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Bool:
		return "write true or false, without quotes"
	case t.Kind() == reflect.String:
		return "put it in quotes"
	}
	return ""
}

// fits says whether a YAML tag can carry a type. Text is strict: 0123 and 1e3 change their meaning without quotes.
func fits(t reflect.Type, tag string) bool {
	switch {
	case t == durationType, t == spanType:
		return tag == "!!str" || tag == "!!int" || tag == "!!float"
	case t == timeType, t == dateType, reflect.PointerTo(t).Implements(textType):
		return tag == "!!str" || tag == "!!timestamp"
	case t.Kind() == reflect.Bool:
		return tag == "!!bool"
	case t.Kind() == reflect.Int, t.Kind() == reflect.Int64:
		return tag == "!!int"
	case t.Kind() == reflect.Float64:
		return tag == "!!int" || tag == "!!float"
	}
	return tag == "!!str"
}

// setText sets a value from its written form; defaults in tags are read by it too.
func setText(v reflect.Value, text string) error {
	switch {
	case v.Type() == durationType:
		return setDuration(v, text)
	case v.Type() == timeType:
		t, err := parseDate(text)
		if err == nil {
			v.Set(reflect.ValueOf(t))
		}
		return err
	}
	if u, ok := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr()); ok {
		return u.UnmarshalText([]byte(text))
	}
	return setBasic(v, text)
}

func setDuration(v reflect.Value, text string) error {
	d, err := parseSpan(text)
	if err == nil {
		v.SetInt(int64(d))
	}
	return err
}

// parseSpan reads a duration. The commonest mistake, a number without a unit, is worth words of its own.
func parseSpan(text string) (time.Duration, error) {
	if n, err := strconv.ParseFloat(text, 64); err == nil && n != 0 {
		return 0, fmt.Errorf("%q has no unit: write for example 30d, 72h or 40s", text)
	}
	return credential.ParseDuration(text)
}

func setBasic(v reflect.Value, text string) error {
	switch v.Kind() {
	case reflect.String:
		if strings.ContainsRune(text, 0) {
			return errors.New("contains a NUL character")
		}
		v.SetString(text)
	case reflect.Bool:
		switch text {
		case "true", "false":
			v.SetBool(text == "true")
		default:
			return errors.New("is neither true nor false")
		}
	case reflect.Float64:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
			return fmt.Errorf("%q is not a number", text)
		}
		v.SetFloat(n)
	default:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return fmt.Errorf("%q is not a whole number that fits", text)
		}
		v.SetInt(n)
	}
	return nil
}

// parseDate reads a date (midnight UTC) or an RFC 3339 time.
func parseDate(text string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a date such as 2027-01-31 or 2027-01-31T12:00:00Z", text)
}

// setDefault sets the value that a key has when it is not written. A default that cannot be read is a defect of the
// program, so it panics: every struct is decoded by a test.
func (f field) setDefault(in reflect.Value) {
	if !f.hasDefault {
		return
	}
	if err := setText(in.FieldByIndex(f.index), f.standard); err != nil {
		panic(fmt.Sprintf("the default of %s: %v", f.name, err))
	}
}

// check complains about a required setting that is written, but empty.
func (f field) check(s scope, v reflect.Value) {
	empty := v.Kind() == reflect.String && v.String() == "" ||
		(v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.Len() == 0
	if f.required && empty && s.node.Value == "" {
		s.report("is empty", "it is required")
	}
}

// checkWord applies the rules of a field's tags to a text that was written.
func (f field) checkWord(s scope, v reflect.Value) {
	if v.Kind() != reflect.String || v.String() == "" {
		return
	}
	if len(f.enum) > 0 && !slices.Contains(f.enum, v.String()) {
		s.report(fmt.Sprintf("%q is not one of %s", v.String(), strings.Join(f.enum, ", ")), suggestOnly(v.String(), f.enum))
		return
	}
	if what, hint := formatProblem(f.format, v.String()); what != "" {
		s.report(what, hint)
	}
}

// suggestOnly is suggest without the list of all, which the message has named already.
func suggestOnly(word string, known []string) string {
	if best, ok := nearest(word, known); ok {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return ""
}
