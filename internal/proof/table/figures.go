package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/proof"
)

// figures are the results that stand beside the page.
type figures []result

// result is what one run of a part measured, with all that is needed to judge it without the others.
type result struct {
	name   string
	moment moment
	failed string // how the part's command ended, where that was not well
	proof.Result
}

// file is how a result stands beside the page.
type file struct {
	moment
	Failed string          `json:"failed,omitempty"`
	Result json.RawMessage `json:"result"`
}

func resultsBeside(top string) string { return filepath.Join(top, "docs", "proof") }

// keep writes the results of one run of a part beside the page, in place of all earlier ones of the part.
func keep(top string, p part, results figures) error {
	for _, r := range results {
		if err := r.write(resultsBeside(top)); err != nil {
			return err
		}
	}
	names, err := resultsIn(resultsBeside(top))
	if err != nil {
		return err
	}
	for _, name := range names {
		if !p.owns(name) || slices.ContainsFunc(results, func(r result) bool { return r.name == name }) {
			continue
		}
		if err := os.Remove(filepath.Join(resultsBeside(top), name+".json")); err != nil {
			return fmt.Errorf("removing an earlier result: %w", err)
		}
	}
	return nil
}

func (r result) write(dir string) error {
	inner, err := proof.Encode(r.Result)
	if err != nil {
		return fmt.Errorf("encoding the result of %s: %w", r.name, err)
	}
	text, err := json.MarshalIndent(file{moment: r.moment, Failed: r.failed, Result: inner}, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the result of %s: %w", r.name, err)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("making the directory of results: %w", err)
	}
	if err := proof.Replace(filepath.Join(dir, r.name+".json"), append(text, '\n')); err != nil {
		return fmt.Errorf("writing the result of %s: %w", r.name, err)
	}
	return nil
}

// readFigures reads what stands beside the page; where there is no directory, nothing has been run. A file that no row
// of the table would show is refused.
func readFigures(top string) (figures, error) {
	dir := resultsBeside(top)
	names, err := resultsIn(dir)
	if err != nil {
		return nil, err
	}
	var all figures
	for _, name := range names {
		if !known(name) {
			return nil, fmt.Errorf("there is no part of the proof for the result %q", name)
		}
		r, err := read(dir, name)
		if err != nil {
			return nil, fmt.Errorf("reading the result of %s: %w", name, err)
		}
		all = append(all, r)
	}
	return all, nil
}

var commitName = regexp.MustCompile(`^[0-9a-f]{40,64}$`)

func read(dir, name string) (result, error) {
	text, err := os.ReadFile(filepath.Join(dir, name+".json")) //nolint:gosec // listed in the directory that was named
	if err != nil {
		return result{}, err
	}
	var f file
	if err = json.Unmarshal(text, &f); err != nil {
		return result{}, err
	}
	if !commitName.MatchString(f.Commit) {
		return result{}, fmt.Errorf("it belongs to no commit but %q", f.Commit)
	}
	inner, err := proof.Decode(f.Result)
	if err != nil {
		return result{}, err
	}
	return result{name: name, moment: f.moment, failed: f.Failed, Result: inner}, nil
}

// resultsIn lists the results of a directory, sorted.
func resultsIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("listing the results: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if name, ok := strings.CutSuffix(entry.Name(), ".json"); ok && !strings.HasPrefix(name, ".") {
			names = append(names, name)
		}
	}
	return names, nil
}

// of returns the results of one part.
func (f figures) of(p part) figures {
	var found figures
	for _, r := range f {
		if p.owns(r.name) {
			found = append(found, r)
		}
	}
	return found
}

// met says whether a figure does what it had to; one without a goal is only reported.
func met(f proof.Figure) bool { return f.OK || f.Goal == "" }

// badEnd says what is wrong with a run as a whole, whatever its figures are.
func (r result) badEnd() []string {
	var all []string
	if r.failed != "" {
		all = append(all, r.failed)
	}
	if len(r.Figures) == 0 {
		all = append(all, "no figures")
	}
	return all
}

// faults are the reasons for which a result does not stand, none where it does.
func (r result) faults() []string {
	all := r.badEnd()
	for _, figure := range r.Figures {
		if !met(figure) {
			all = append(all, figure.Name+" misses its goal")
		}
	}
	return all
}

// verdict prints a line per result of some parts and errs where one does not stand.
func (f figures) verdict(chosen []part, out io.Writer) error {
	var missed []error
	for _, p := range chosen {
		results := f.of(p)
		if len(results) == 0 {
			_, _ = fmt.Fprintf(out, "%s: not run\n", p.name)
		}
		for _, r := range results {
			_, _ = fmt.Fprintf(out, "%s: %s, %d figures, %s at %s\n", r.name, r.word(), len(r.Figures), r.Took.Round(time.Second), brief(r.moment.Commit))
			if faults := r.faults(); len(faults) > 0 {
				missed = append(missed, fmt.Errorf("%s does not stand: %s", r.name, strings.Join(faults, "; ")))
			}
		}
	}
	return errors.Join(missed...)
}
