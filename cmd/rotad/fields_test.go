package main

import (
	"slices"
	"testing"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
)

// What a kind's bundle is made of is read back from Vault: a field that nobody looks for makes a published bundle look empty.
func TestEveryFieldOfABundleIsReadBack(t *testing.T) {
	for _, k := range kinds() {
		cfg := &config.Config{Providers: []config.Provider{{Name: "p", Kind: k.Name, Fields: k.Fields}}}
		full := cfg.WithDefaults(credential.Client{ID: "c", Provider: "p"})
		for _, field := range k.Fields {
			if name := full.Vault.Fields[field]; name != field && !slices.Contains(credential.UsualFields(), field) {
				t.Errorf("%s: Vault's reader does not look for the field %s", k.Name, field)
			}
		}
		renamed := credential.Client{ID: "c", Provider: "p"}
		for _, field := range k.Fields {
			renamed.Vault.Fields = map[string]string{field: "OTHER"}
			if got := cfg.WithDefaults(renamed).Vault.Fields[field]; got != "OTHER" {
				t.Errorf("%s: the name of %s becomes %q", k.Name, field, got)
			}
		}
	}
}
