package config

import (
	"fmt"
	"slices"
	"strings"
)

// suggest returns the hint for a word that is not known: the nearest known one, else all of them where they are few.
func suggest(word string, known []string) string {
	if len(word) <= 64 {
		if best, ok := nearest(word, known); ok {
			return fmt.Sprintf("did you mean %q?", best)
		}
	}
	if len(known) == 0 || len(known) > 16 {
		return ""
	}
	sorted := slices.Sorted(slices.Values(known))
	return "known: " + strings.Join(sorted, ", ")
}

func nearest(word string, known []string) (best string, ok bool) {
	limit := max(1, len(word)/3)
	for _, candidate := range slices.Sorted(slices.Values(known)) {
		d := distance(strings.ToLower(word), strings.ToLower(candidate))
		if d <= limit {
			best, ok, limit = candidate, true, d-1
		}
	}
	return best, ok
}

// distance is the number of insertions, deletions, replacements and swaps of neighbours between two words (the
// "optimal string alignment" distance).
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+differs(a[i-1], b[j-1]))
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

func differs(a, b byte) int {
	if a == b {
		return 0
	}
	return 1
}
