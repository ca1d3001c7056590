package house_test

import (
	"path"
	"regexp"
	"strings"
	"testing"
)

var guarded = regexp.MustCompile(`- "\*\*/([^"]+)/\*\.go"`)

// The star of imports has a row for every package: a new one without a row could import anything.
func TestEveryPackageHasItsPlaceInTheStar(t *testing.T) {
	var rows []string
	for _, m := range guarded.FindAllStringSubmatch(read(t, ".golangci.yml"), -1) {
		rows = append(rows, m[1])
	}
	if len(rows) < 10 {
		t.Fatalf("found only %d rows in .golangci.yml", len(rows))
	}
	seen := map[string]bool{}
	for _, s := range sources(t).sources {
		free := s.test || strings.HasPrefix(s.dir, "cmd/") || s.dir == "internal/house"
		if free || seen[s.dir] {
			continue
		}
		seen[s.dir] = true
		found := false
		for _, row := range rows {
			match, err := path.Match(row, s.dir)
			if err != nil {
				t.Fatal(err)
			}
			found = found || match
		}
		if !found {
			t.Errorf("%s stands in no row of depguard in .golangci.yml", s.dir)
		}
	}
}
