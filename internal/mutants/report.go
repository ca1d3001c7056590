package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// String is the line of a mutant.
func (r *result) String() string {
	state, by := "killed", r.by
	if !r.killed {
		state, by = "SURVIVED", r.why
	}
	return fmt.Sprintf("%-8s  %-36s %-8s %-64s %5.1f s", state, r.name, r.breaks, by, r.took.Seconds())
}

// report names the survivors and sums up.
func report(results []result, took time.Duration, whole bool, out io.Writer) error {
	killed := 0
	for _, r := range results {
		if r.killed {
			killed++
			continue
		}
		_, _ = fmt.Fprintf(out, "\n%s survives (%s): %s\n  %s\n%s", r.name, r.breaks, r.why, r.story, indent(r.output))
	}
	slowest := slices.MaxFunc(results, func(a, b result) int { return int(a.took - b.took) })
	_, _ = fmt.Fprintf(out, "\nslowest: %s, %.1f s; all: %.0f s\n", slowest.name, slowest.took.Seconds(), took.Seconds())
	if err := keep(results, killed, took, whole); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "mutants killed %d/%d\n", killed, len(results))
	if killed != len(results) {
		return errSurvivors
	}
	return nil
}

func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("    | " + line)
	}
	return b.String()
}
