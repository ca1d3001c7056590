package keypair_test

import (
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/keypair"
)

// FuzzKey reads what stands in Vault: a key that its algorithm fits, or an error.
func FuzzKey(f *testing.F) {
	f.Add("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n", "EdDSA")
	f.Add("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n", "none")
	f.Add("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n", "RS256")
	f.Add("secret", "")
	f.Fuzz(func(t *testing.T, private, algorithm string) {
		key, a, err := keypair.Of(credential.Bundle{credential.FieldPrivateKey: credential.NewSensitive(private), credential.FieldAlgorithm: credential.NewSensitive(algorithm)})
		if (err == nil) != (key != nil) || err == nil && a == "" {
			t.Errorf("%v, %q, %v", key, a, err)
		}
	})
}
