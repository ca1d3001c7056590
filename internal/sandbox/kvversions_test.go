package sandbox_test

import (
	"fmt"
	"testing"
)

func TestKVVersionsTellWhatBecameOfThem(t *testing.T) {
	w := newKVWorld(t)
	for _, value := range []string{"one", "two", "three"} {
		w.status(200, "PUT", "secret/data/a", fmt.Sprintf(`{"data":{"x":%q}}`, value))
	}
	w.status(204, "PUT", "secret/destroy/a", `{"versions":[1]}`)
	w.status(204, "PUT", "secret/delete/a", `{"versions":[2]}`)
	var got []string
	for _, v := range w.kv.Versions("secret", "a") {
		got = append(got, fmt.Sprint(v.Number, v.Deleted, v.Destroyed, v.At.Equal(w.at)))
	}
	if want := "[1 false true true 2 true false true 3 false false true]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if w.kv.Versions("secret", "b") != nil || w.kv.Versions("nowhere", "a") != nil {
		t.Error("versions of what does not exist")
	}
}
