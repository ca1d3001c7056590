package config_test

import (
	"testing"

	"github.com/rotad/rotad/internal/config"
)

// Listings call a client without a name by its client id, and so do the patterns of a rule.
func TestAClientWithoutANameIsMatchedByItsClientID(t *testing.T) {
	rules := []config.AdoptRule{{Match: config.AdoptMatch{Name: "app-*"}}}
	for candidate, want := range map[*config.Candidate]bool{
		{ClientID: "app-1"}:                  true,
		{ClientID: "web-1"}:                  false,
		{ClientID: "app-1", Name: "Billing"}: false,
		{ClientID: "web-1", Name: "app-1"}:   true,
	} {
		if _, got := config.Decide(rules, *candidate); got != want {
			t.Errorf("%+v: %t", *candidate, got)
		}
	}
}
