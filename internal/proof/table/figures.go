package main

import (
	"errors"
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
type figures struct {
	moment  moment
	begun   bool // false before anything was ever run
	results []named
}

type named struct {
	name string
	proof.Result
}

func resultsBeside(top string) string { return filepath.Join(top, "docs", "proof") }

// collect replaces the results beside the page by those of one run: what has not run in it leaves no figure.
func collect(dir, top string, m moment) error {
	names, err := resultsIn(dir)
	if err != nil {
		return err
	}
	texts := map[string][]byte{}
	for _, name := range names {
		if !known(name) {
			return fmt.Errorf("there is no part of the proof for the result %q", name)
		}
		r, err := readResult(dir, name)
		if err != nil {
			return err
		}
		if texts[name], err = proof.Encode(r.Result); err != nil {
			return fmt.Errorf("encoding the result of %s: %w", name, err)
		}
	}
	beside := resultsBeside(top)
	if err := os.RemoveAll(beside); err != nil {
		return fmt.Errorf("removing the results of the run before: %w", err)
	}
	if err := writeMoment(beside, m); err != nil {
		return fmt.Errorf("copying the run: %w", err)
	}
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(beside, name+".json"), text, 0o600); err != nil {
			return fmt.Errorf("copying the result of %s: %w", name, err)
		}
	}
	return nil
}

// readFigures reads a directory of results. A directory that is not there is one in which nothing was begun.
func readFigures(dir string) (figures, error) {
	m, err := readMoment(dir)
	if errors.Is(err, os.ErrNotExist) {
		return figures{}, nil
	}
	if err != nil {
		return figures{}, err
	}
	names, err := resultsIn(dir)
	if err != nil {
		return figures{}, err
	}
	f := figures{moment: m, begun: true}
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
		if base := filepath.Base(path); base != momentFile {
			names = append(names, strings.TrimSuffix(base, ".json"))
		}
	}
	slices.Sort(names)
	return names, nil
}

func readResult(dir, name string) (named, error) {
	text, err := os.ReadFile(filepath.Join(dir, name+".json")) //nolint:gosec // listed in the directory that was named
	if err != nil {
		return named{}, fmt.Errorf("reading the result of %s: %w", name, err)
	}
	r, err := proof.Decode(text)
	if err != nil {
		return named{}, fmt.Errorf("reading the result of %s: %w", name, err)
	}
	return named{name, r}, nil
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
