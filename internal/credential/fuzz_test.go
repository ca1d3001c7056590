package credential_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
)

// Two clients share a secret only if they say so: refs, places in Vault and staging keys that differ never meet.
func FuzzKeysNeverMeet(f *testing.F) {
	f.Add("client_id", "a", "client_id", "b")
	f.Add("a", "b&c=d", "a", "b")
	f.Add("a", "%26", "a", "&")
	f.Add("a=b", "c", "a", "b=c")
	f.Add("", "", "=", "")
	f.Add("a/b", "c", "a", "b/c")
	f.Fuzz(func(t *testing.T, k1, v1, k2, v2 string) {
		one, two := credential.Ref{k1: v1}, credential.Ref{k2: v2}
		both, other := credential.Ref{k1: v1, k2: v2}, credential.Ref{k2: v1, k1: v2}
		refs := []credential.Ref{one, two, both, other, {}}
		for i, a := range refs {
			for _, b := range refs[i+1:] {
				if (a.Canonical() == b.Canonical()) != maps.Equal(a, b) {
					t.Errorf("%q and %q are told apart: %t", a, b, a.Canonical() != b.Canonical())
				}
			}
		}
		if strings.Contains(k1+v1+k2+v2, "\x00") {
			return // no configuration holds one
		}
		a := credential.Client{Provider: k1, Ref: one, Vault: credential.VaultPath{Mount: k1, Path: v1}}
		b := credential.Client{Provider: k2, Ref: two, Vault: credential.VaultPath{Mount: k2, Path: v2}}
		same := k1 == k2 && v1 == v2
		if (a.Vault.Key() == b.Vault.Key()) != same || (a.StagingKey() == b.StagingKey()) != same {
			t.Errorf("%+v and %+v meet", a, b)
		}
	})
}
