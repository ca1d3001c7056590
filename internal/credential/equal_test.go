package credential

import (
	"reflect"
	"testing"
	"time"
)

// filled returns a record with something in every field.
func filled() *Record {
	var r Record
	fill(reflect.ValueOf(&r).Elem())
	return &r
}

func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1, 0).UTC()))
			return
		}
		for _, field := range v.Fields() {
			fill(field)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{"key": "value"}).Convert(v.Type()))
	default:
		change(v)
	}
}

// change gives a leaf another value.
func change(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Uint64:
		v.SetUint(v.Uint() + 1)
	default:
		panic("a record has a field of a kind that this test does not know: " + v.Type().String())
	}
}

// leaves shows every place in a record where something can differ, with its name and what makes it differ.
func leaves(v reflect.Value, name string, show func(name string, differ func())) {
	switch v.Kind() {
	case reflect.Pointer:
		leaves(v.Elem(), name, show)
		show(name+" is nil", func() { v.SetZero() })
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			show(name, func() { v.Set(reflect.ValueOf(time.Unix(2, 0).UTC())) })
			return
		}
		for i := range v.NumField() {
			leaves(v.Field(i), name+"."+v.Type().Field(i).Name, show)
		}
	case reflect.Slice:
		leaves(v.Index(0), name+"[0]", show)
		show(name+" is empty", func() { v.SetZero() })
	case reflect.Map:
		show(name, func() { v.SetMapIndex(reflect.ValueOf("key"), reflect.ValueOf("other")) })
		show(name+" is empty", func() { v.SetZero() })
	default:
		show(name, func() { change(v) })
	}
}

// TestEqualLooksAtEveryField: a field that is added later and forgotten in Equal is found here.
func TestEqualLooksAtEveryField(t *testing.T) {
	if !filled().Equal(filled()) || !new(Record).Equal(new(Record)) {
		t.Fatal("a record differs from one that is the same")
	}
	places := 0
	leaves(reflect.ValueOf(filled()).Elem(), "Record", func(string, func()) { places++ })
	for n := range places {
		at, where, r := 0, "", filled()
		leaves(reflect.ValueOf(r).Elem(), "Record", func(name string, differ func()) {
			if at == n {
				where = name
				differ()
			}
			at++
		})
		if r.Equal(filled()) || filled().Equal(r) {
			t.Errorf("a difference in %s is not seen", where)
		}
	}
}
