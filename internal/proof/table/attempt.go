package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/rotad/rotad/internal/proof"
)

// perform runs a part at full size, with dir as the directory that it leaves its results in.
type perform func(ctx context.Context, top string, p part, dir string) error

// attempts runs parts, one after the other.
type attempts struct {
	top     string
	dirty   bool // accept changes that are not committed
	again   bool // run also what has a result from this source
	perform perform
	out     io.Writer
}

// errDirty ends all attempts: what one part refuses, the next one would.
var errDirty = errors.New("the tree has changes that are not committed")

// all runs the parts. What has been kept stays, whatever becomes of the next part.
func (a attempts) all(ctx context.Context, chosen []part) error {
	var bad []error
	for _, p := range chosen {
		err := a.one(ctx, p)
		if err != nil {
			bad = append(bad, fmt.Errorf("%s: %w", p.name, err))
		}
		if errors.Is(err, errDirty) || ctx.Err() != nil {
			break
		}
	}
	return errors.Join(bad...)
}

// one runs a part, unless it has a result from this source, and keeps what it measured together with its moment.
func (a attempts) one(ctx context.Context, p part) error {
	before, err := look(ctx, a.top)
	if err != nil {
		return err
	}
	if before.dirty() && !a.dirty {
		return fmt.Errorf("%w: %s", errDirty, before.names())
	}
	commit, err := a.standing(ctx, p, before)
	if err != nil {
		return err
	}
	if commit != "" && !a.again {
		_, _ = fmt.Fprintf(a.out, "== %s: skipped, it was measured on this source at %s\n", p.name, brief(commit))
		return nil
	}
	_, _ = fmt.Fprintf(a.out, "== %s: %s\n", p.name, p.repeat)
	m, began := now(before), time.Now()
	dir, err := freshDirectory(a.top, p)
	if err != nil {
		return err
	}
	end := a.perform(ctx, a.top, p, dir)
	if ctx.Err() != nil {
		return fmt.Errorf("it was interrupted, and nothing of it is kept: %w", ctx.Err())
	}
	after, err := look(ctx, a.top)
	if err != nil {
		return err
	}
	if err := after.since(before, p); err != nil {
		return fmt.Errorf("its result in %s is refused: %w", dir, errors.Join(err, end))
	}
	return errors.Join(a.record(p, m, dir, end, time.Since(began)), os.RemoveAll(dir))
}

// standing names the commit of a part's results where they are those of this source, "" where the part has to run. What
// was measured with changes that nobody can see again is nobody's result, and a run that measured nothing is none.
func (a attempts) standing(ctx context.Context, p part, s source) (string, error) {
	all, err := readFigures(a.top)
	if err != nil {
		return "", err
	}
	results := all.of(p)
	if len(results) == 0 || s.dirty() {
		return "", nil
	}
	other := func(r result) bool {
		return r.moment.Dirty || r.name == p.failed() || !unchanged(ctx, a.top, r.moment.Commit, s.commit)
	}
	if slices.ContainsFunc(results, other) {
		return "", nil
	}
	return results[0].moment.Commit, nil
}

// freshDirectory is one that no earlier run knows: its processes may still be there, and may still write.
func freshDirectory(top string, p part) (string, error) {
	above, err := filepath.Abs(filepath.Join(top, "bin", "proof"))
	if err != nil {
		return "", fmt.Errorf("naming the directory of results: %w", err)
	}
	if err := os.MkdirAll(above, 0o750); err != nil {
		return "", fmt.Errorf("making the directory of results: %w", err)
	}
	return os.MkdirTemp(above, p.name+"-")
}

// record keeps what a run measured, also where it ended badly, and writes the page. A run that measured nothing takes no
// earlier figures away: it stands beside them, until the part has figures again.
func (a attempts) record(p part, m moment, dir string, end error, took time.Duration) error {
	results, err := measured(p, dir)
	if err != nil {
		return err
	}
	failed := ""
	if end != nil {
		failed = end.Error()
	}
	for i := range results {
		results[i].moment, results[i].failed = m, failed
	}
	if len(results) > 0 {
		err = keep(a.top, p, results)
	} else {
		r := result{name: p.failed(), moment: m, failed: failed, Result: proof.Result{Took: took}}
		err = r.write(resultsBeside(a.top))
	}
	if err != nil {
		return err
	}
	_, err = publish(a.top)
	return err
}

// measured reads the results that a run left. One without a single figure has measured nothing.
func measured(p part, dir string) (figures, error) {
	names, err := resultsIn(dir)
	if err != nil {
		return nil, err
	}
	var all figures
	for _, name := range names {
		if !p.owns(name) || name == p.failed() {
			return nil, fmt.Errorf("it left a result %q, which is not its own", name)
		}
		text, err := os.ReadFile(filepath.Join(dir, name+".json")) //nolint:gosec // listed in a directory of ours
		if err != nil {
			return nil, fmt.Errorf("reading the result of %s: %w", name, err)
		}
		r, err := proof.Decode(text)
		if err != nil {
			return nil, fmt.Errorf("reading the result of %s: %w", name, err)
		}
		if len(r.Figures) > 0 {
			all = append(all, result{name: name, Result: r})
		}
	}
	return all, nil
}

// byMake runs the part's target as who repeats it would.
func byMake(ctx context.Context, top string, p part, dir string) error {
	cmd := command(ctx, top, p, dir)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

// sizes are what the Makefile's targets take from the environment too. A part at full size takes nothing from there, and
// nothing from the make that calls this program.
var sizes = []string{"N", "RUN", "SLICE", "REPLAY", "EVERY", "TIME", "MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL"}

func command(ctx context.Context, top string, p part, dir string) *exec.Cmd {
	words := strings.Fields(p.repeat)
	cmd := exec.CommandContext(ctx, words[0], words[1:]...) //nolint:gosec // one of the parts
	cmd.Dir = top
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); !slices.Contains(sizes, name) {
			cmd.Env = append(cmd.Env, pair)
		}
	}
	cmd.Env = append(cmd.Env, proof.Directory+"="+dir)
	// make hands this signal to what it runs, which has servers to stop.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	return cmd
}
