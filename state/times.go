package state

import (
	"reflect"
	"time"
)

// Encoded times are RFC 3339 texts, which have four digits for the year. Any other year would be written and never read
// again, so that every time is looked at first; this is many times cheaper than reading each value back.
const (
	firstSecond = -62167219200 // 0000-01-01T00:00:00Z
	endSecond   = 253402300800 // 10000-01-01T00:00:00Z
)

// timeCheck says whether all times in a value can be encoded. A nil one means that the type holds no time.
type timeCheck func(v reflect.Value) bool

var timeType = reflect.TypeFor[time.Time]()

// timeCheckFor builds the check of a type once. The types of package credential are not recursive.
func timeCheckFor(t reflect.Type) timeCheck {
	if t == timeType {
		return encodable
	}
	switch t.Kind() {
	case reflect.Struct:
		return structCheck(t)
	case reflect.Pointer:
		return pointerCheck(t)
	case reflect.Slice, reflect.Array:
		return sliceCheck(t)
	default:
		return nil
	}
}

func encodable(v reflect.Value) bool {
	t, ok := reflect.TypeAssert[time.Time](v)
	return ok && t.Unix() >= firstSecond && t.Unix() < endSecond
}

func structCheck(t reflect.Type) timeCheck {
	type field struct {
		index int
		check timeCheck
	}
	var fields []field
	for i := range t.NumField() {
		if check := timeCheckFor(t.Field(i).Type); check != nil {
			fields = append(fields, field{i, check})
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return func(v reflect.Value) bool {
		for _, f := range fields {
			if !f.check(v.Field(f.index)) {
				return false
			}
		}
		return true
	}
}

func pointerCheck(t reflect.Type) timeCheck {
	check := timeCheckFor(t.Elem())
	if check == nil {
		return nil
	}
	return func(v reflect.Value) bool { return v.IsNil() || check(v.Elem()) }
}

func sliceCheck(t reflect.Type) timeCheck {
	check := timeCheckFor(t.Elem())
	if check == nil {
		return nil
	}
	return func(v reflect.Value) bool {
		for i := range v.Len() {
			if !check(v.Index(i)) {
				return false
			}
		}
		return true
	}
}
