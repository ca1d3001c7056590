package main

import (
	"fmt"
	"os"
	"regexp"
	"testing"

	"github.com/rotad/rotad/internal/oracle"
)

var claim = regexp.MustCompile("(?m)^\\| (I\\d+) \\| (?:`([a-z-]+)` )?\\|")

// The page claims what the oracles ask, and nothing else: a row per invariant, with the name of its oracle. Two have none,
// because they can be seen in the state file and around a provider alone.
func TestThePageClaimsWhatTheOraclesAsk(t *testing.T) {
	page, err := os.ReadFile(pageOf(tree))
	if err != nil {
		t.Fatal(err)
	}
	claimed := map[string]string{}
	for _, m := range claim.FindAllStringSubmatch(string(page), -1) {
		claimed[m[1]] = m[2]
	}
	want := map[string]string{"I11": "", "I15": ""}
	for _, o := range oracle.All() {
		want[o.Invariant] = o.Name
	}
	if len(want) != 20 {
		t.Errorf("%d invariants, want 20", len(want))
	}
	if fmt.Sprint(claimed) != fmt.Sprint(want) {
		t.Errorf("the page claims\n%v\nthe oracles ask\n%v", claimed, want)
	}
}
