package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/proof"
)

// keep writes the figures of a whole run for the table of the proof.
func keep(results []result, killed int, took time.Duration, whole bool) error {
	if !whole {
		return nil
	}
	total := fmt.Sprintf("%d/%d", len(results), len(results))
	names := broke(results)
	figures := []proof.Figure{
		{Name: "mutants killed", Value: fmt.Sprintf("%d/%d", killed, len(results)), Goal: total, OK: killed == len(results)},
		{Name: "broken by killed mutants", Value: strings.Join(names, " "), Goal: "the law and each of I1 to I20", OK: all(names)},
	}
	slowest := slices.MaxFunc(results, func(a, b result) int { return int(a.took - b.took) })
	figures = append(figures, proof.Figure{
		Name: "slowest", Value: fmt.Sprintf("%s, %.1f s with building", slowest.name, slowest.took.Seconds()),
		Goal: "its test within a minute", OK: slowest.killed,
	})
	for _, r := range results {
		by := r.by
		if !r.killed {
			by = "survives: " + r.why
		}
		figures = append(figures, proof.Figure{Name: r.name + " (" + r.breaks + ")", Value: by, Goal: "killed", OK: r.killed})
	}
	return proof.Write("mutants", proof.Result{Took: took, Figures: figures})
}

// broke returns the invariants that killed mutants break, in their order.
func broke(results []result) []string {
	var names []string
	for _, r := range results {
		if r.killed {
			names = append(names, strings.Split(r.breaks, ", ")...)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		if d := len(a) - len(b); d != 0 && a[0] == b[0] {
			return d // I2 before I10
		}
		return strings.Compare(a, b)
	})
	return slices.Compact(names)
}

// all says whether the law and the twenty invariants are among the names.
func all(names []string) bool {
	for i := range 20 {
		if !slices.Contains(names, "I"+strconv.Itoa(i+1)) {
			return false
		}
	}
	return slices.Contains(names, "law")
}
