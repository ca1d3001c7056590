package jwks_test

import (
	"encoding/json"
	"testing"

	"github.com/rotad/rotad/providers/jwks"
)

// FuzzSet reads files that somebody else may have written: a set whose keys all have names of their own, or an error.
func FuzzSet(f *testing.F) {
	for _, text := range []string{`{"keys":[]}`, `{"keys":[{"kid":"a","rotad_since":1}]}`, `{"keys":null}`, `{"keys":[1]}`, `{"keys":[{"kid":"a"},{"kid":"a"}]}`, `{"keys":[{"kid":{}}]}`, "", "[]"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		ids, err := jwks.DecodeSet(raw)
		if err != nil {
			return
		}
		var set struct{ Keys []json.RawMessage }
		if json.Unmarshal(raw, &set) != nil || len(set.Keys) != len(ids) {
			t.Fatalf("%q has %d keys", raw, len(ids))
		}
		seen := map[string]bool{}
		for _, id := range ids {
			if id == "" || seen[id] {
				t.Errorf("%q: %q", raw, ids)
			}
			seen[id] = true
		}
	})
}
