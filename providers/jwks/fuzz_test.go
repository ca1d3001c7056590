package jwks_test

import (
	"encoding/json"
	"testing"

	"github.com/rotad/rotad/internal/credential"
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

// FuzzKey reads what stands in Vault: a key that its algorithm fits, or an error.
func FuzzKey(f *testing.F) {
	f.Add("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n", "EdDSA")
	f.Add("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n", "none")
	f.Add("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n", "RS256")
	f.Add("secret", "")
	f.Fuzz(func(t *testing.T, private, algorithm string) {
		key, a, err := jwks.KeyOf(credential.Bundle{credential.FieldPrivateKey: credential.NewSensitive(private), credential.FieldAlgorithm: credential.NewSensitive(algorithm)})
		if (err == nil) != (key != nil) || err == nil && a == "" {
			t.Errorf("%v, %q, %v", key, a, err)
		}
	})
}
