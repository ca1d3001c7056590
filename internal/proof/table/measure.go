package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rotad/rotad/internal/proof"
)

// measurement is a sitting: one part after the other, each kept as soon as it is measured.
type measurement struct {
	top          string
	make         string
	dirty, again bool
	out          io.Writer
}

// measure runs one part and keeps its results beside the page, with the moment at which it began.
func (m *measurement) measure(ctx context.Context, p part) error {
	before, err := look(ctx, m.top)
	if err != nil {
		return err
	}
	if before.Dirty && !m.dirty {
		return fmt.Errorf("the tree has changes that are not committed: %s", strings.Join(before.changes, ", "))
	}
	if commit := m.measured(ctx, p); commit != "" && !before.Dirty && !m.again {
		_, _ = fmt.Fprintf(m.out, "== %s: measured at the same source already, commit %s\n", p.name, short(commit))
		return nil
	}
	dir, err := os.MkdirTemp("", "rotad-proof-")
	if err != nil {
		return fmt.Errorf("making a directory for the results: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	failed := m.runPart(ctx, p, dir)
	after, err := look(context.WithoutCancel(ctx), m.top)
	if err != nil {
		return err
	}
	if err := before.same(after); err != nil {
		return err
	}
	kept, err := m.keep(p, dir, before)
	if err != nil {
		return err
	}
	if err := publish(m.top, io.Discard); err != nil && failed == nil {
		_, _ = fmt.Fprintf(m.out, "== %s: %v\n", p.name, err)
	}
	if failed != nil {
		return fmt.Errorf("%w; %d results of it were kept", failed, kept)
	}
	if kept == 0 {
		return fmt.Errorf("%q measured nothing", p.repeat)
	}
	return nil
}

// runPart is the part's own command, as a person would give it.
func (m *measurement) runPart(ctx context.Context, p part, dir string) error {
	_, _ = fmt.Fprintf(m.out, "== %s: %s\n", p.name, p.repeat)
	args := append([]string{"--no-print-directory"}, strings.Fields(strings.TrimPrefix(p.repeat, "make "))...)
	cmd := exec.CommandContext(ctx, m.make, args...) //nolint:gosec // the parts are ours
	cmd.Dir, cmd.Stdout, cmd.Stderr = m.top, m.out, m.out
	cmd.Env = append(os.Environ(), proof.Directory+"="+dir)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("running %q: %w", p.repeat, err)
	}
	return nil
}

// measured returns the commit at which all results of a part were measured, where the source has not changed since.
func (m *measurement) measured(ctx context.Context, p part) string {
	f, err := readFigures(resultsBeside(m.top))
	if err != nil {
		return ""
	}
	commit := ""
	for _, r := range f.of(p) {
		if r.Dirty || commit != "" && r.Commit != commit || sum(r.Figures) != sumOK {
			return ""
		}
		commit = r.Commit
	}
	if commit == "" {
		return ""
	}
	args := append([]string{"diff", "--quiet", commit, "HEAD", "--"}, source...)
	if _, err := git(ctx, m.top, args...); err != nil { // it differs, or nobody knows that commit any more
		return ""
	}
	return commit
}

// keep replaces the part's results beside the page by the ones that it has just written; where it wrote none, the former
// ones stay.
func (m *measurement) keep(p part, dir string, at moment) (int, error) {
	names, err := resultsIn(dir)
	if err != nil || len(names) == 0 {
		return 0, err
	}
	for _, name := range names {
		if !p.owns(name) {
			return 0, fmt.Errorf("%q wrote a result named %q, which is not its own", p.repeat, name)
		}
	}
	beside := resultsBeside(m.top)
	former, err := readFigures(beside)
	if err != nil {
		return 0, err
	}
	for _, r := range former.of(p) {
		if err := os.Remove(filepath.Join(beside, r.name+".json")); err != nil {
			return 0, fmt.Errorf("removing the former result of %s: %w", r.name, err)
		}
	}
	for _, name := range names {
		if err := adopt(dir, beside, name, at); err != nil {
			return 0, err
		}
	}
	return len(names), nil
}
