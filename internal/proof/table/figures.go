package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/proof"
)

// figures are the results that stand beside the page.
type figures struct{ results []named }

// named is one result: what was measured, and where.
type named struct {
	name string
	moment
	proof.Result
}

func resultsBeside(top string) string { return filepath.Join(top, "docs", "proof") }

// beside is a result's file in the tree.
type beside struct {
	Measured moment          `json:"measured"`
	Result   json.RawMessage `json:"result"`
}

// adopt copies a result that a part has left, with the moment at which the part began.
func adopt(dir, to, name string, at moment) error {
	text, err := os.ReadFile(filepath.Join(dir, name+".json")) //nolint:gosec // listed in our own directory
	if err != nil {
		return fmt.Errorf("reading the result of %s: %w", name, err)
	}
	if _, err := proof.Decode(text); err != nil {
		return fmt.Errorf("reading the result of %s: %w", name, err)
	}
	text, err = json.MarshalIndent(beside{at, text}, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the result of %s: %w", name, err)
	}
	if err := os.MkdirAll(to, 0o750); err != nil {
		return fmt.Errorf("making the directory of results: %w", err)
	}
	return os.WriteFile(filepath.Join(to, name+".json"), append(text, '\n'), 0o600)
}

// readFigures reads the results beside the page. A directory that is not there is one in which nothing was measured.
func readFigures(dir string) (figures, error) {
	names, err := resultsIn(dir)
	if err != nil {
		return figures{}, err
	}
	var f figures
	for _, name := range names {
		r, err := readResult(dir, name)
		if err != nil {
			return figures{}, err
		}
		f.results = append(f.results, r)
	}
	return f, nil
}

// resultsIn lists the results of a directory, sorted.
func resultsIn(dir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("listing the results: %w", err)
	}
	var names []string
	for _, path := range paths {
		names = append(names, strings.TrimSuffix(filepath.Base(path), ".json"))
	}
	slices.Sort(names)
	return names, nil
}

func readResult(dir, name string) (named, error) {
	text, err := os.ReadFile(filepath.Join(dir, name+".json")) //nolint:gosec // listed in the directory that was named
	if err != nil {
		return named{}, fmt.Errorf("reading the result of %s: %w", name, err)
	}
	var b beside
	if err := json.Unmarshal(text, &b); err != nil {
		return named{}, fmt.Errorf("reading the result of %s: %w", name, err)
	}
	r, err := proof.Decode(b.Result)
	if err != nil {
		return named{}, fmt.Errorf("reading the result of %s: %w", name, err)
	}
	return named{name, b.Measured, r}, nil
}

// of returns the results of one part.
func (f figures) of(p part) []named {
	var found []named
	for _, r := range f.results {
		if p.owns(r.name) {
			found = append(found, r)
		}
	}
	return found
}

// met says whether a figure does what it had to; one without a goal is only reported.
func met(f proof.Figure) bool { return f.OK || f.Goal == "" }

// verdict prints a line per result and errs where a goal was missed.
func (f figures) verdict(out io.Writer) error {
	var missed []string
	for _, p := range parts() {
		results := f.of(p)
		if len(results) == 0 {
			_, _ = fmt.Fprintf(out, "%s: not run\n", p.name)
		}
		for _, r := range results {
			bad := 0
			for _, figure := range r.Figures {
				if !met(figure) {
					bad++
					missed = append(missed, r.name+": "+figure.Name)
				}
			}
			_, _ = fmt.Fprintf(out, "%s: %d figures, %d miss their goal, %s\n", r.name, len(r.Figures), bad, r.Took.Round(time.Second))
		}
	}
	if len(missed) > 0 {
		return fmt.Errorf("%d figures miss their goal: %s", len(missed), strings.Join(missed, "; "))
	}
	return nil
}
