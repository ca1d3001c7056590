package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/proof"
)

// outcome is what one target did in its time.
type outcome struct {
	executions, paths int
	crashed           bool   // an input was refused
	text              string // what the toolchain said of a failure
}

// sums are the outcomes of all targets.
type sums struct {
	targets, executions, paths, corpus int
	crashed, unrun, bare               []string // by the target's name; bare has no corpus that is checked in
	most                               string   // executions of the least and the most exercised target
}

func fuzzAll(ctx context.Context, top string, targets []target, each time.Duration, workers int, out io.Writer) sums {
	var s sums
	least, most := -1, 0
	for _, t := range targets {
		if ctx.Err() != nil {
			break
		}
		o := fuzzOne(ctx, top, t, each, workers)
		s.add(t, o)
		if least < 0 || o.executions < least {
			least = o.executions
		}
		most = max(most, o.executions)
		_, _ = fmt.Fprintf(out, "%-50s %4d in the corpus %10d executions %6d new paths%s\n", t, t.corpus, o.executions, o.paths, o.text)
	}
	s.most = fmt.Sprintf("%d to %d", max(least, 0), most)
	return s
}

func (s *sums) add(t target, o outcome) {
	s.targets++
	s.executions += o.executions
	s.paths += o.paths
	s.corpus += t.corpus
	switch {
	case o.crashed:
		s.crashed = append(s.crashed, t.String())
	case o.text != "", o.executions == 0:
		s.unrun = append(s.unrun, t.String())
	}
	if t.corpus == 0 {
		s.bare = append(s.bare, t.String())
	}
}

// shrink bounds the time that goes into making one input smaller: without a bound that is most of the time there is.
const shrink = 200 * time.Millisecond

func fuzzOne(ctx context.Context, top string, t target, each time.Duration, workers int) outcome {
	cmd := exec.CommandContext(ctx, "go", "test", "-run=^$", "-fuzz=^"+t.name+"$", //nolint:gosec // a target of the tree
		"-fuzztime="+each.String(), "-fuzzminimizetime="+shrink.String(), "-parallel="+strconv.Itoa(workers), "./"+t.dir)
	cmd.Dir = top
	cmd.WaitDelay = 10 * time.Second
	text, err := cmd.CombinedOutput()
	o := counted(text)
	if err != nil && ctx.Err() == nil && !onlyLate(text) {
		o.crashed, o.text = crashed(text), "\n"+string(bytes.TrimSpace(text))
	}
	return o
}

// kept is what the toolchain says of an input that a target refuses, which it leaves in the corpus.
const kept = "Failing input written to"

var seedFailed = regexp.MustCompile(`(?m)^\s*--- FAIL: \w+/`)

// crashed says whether an input was refused: one that was found, or one of the corpus.
func crashed(text []byte) bool { return bytes.Contains(text, []byte(kept)) || seedFailed.Match(text) }

// onlyLate says whether all that went wrong is that the time was over while an input was under way: the toolchain reports
// that as a failure of the target when the machine is slow (golang/go issue 75804), and there is no input to be found.
func onlyLate(text []byte) bool {
	return bytes.Contains(text, []byte("context deadline exceeded")) && !crashed(text)
}

var progress = regexp.MustCompile(`execs: (\d+) \([^)]*\), new interesting: (\d+)`)

// counted reads the toolchain's last word about a run.
func counted(text []byte) outcome {
	all := progress.FindAllSubmatch(text, -1)
	if len(all) == 0 {
		return outcome{}
	}
	last := all[len(all)-1]
	executions, _ := strconv.Atoi(string(last[1])) // digits, by the expression
	paths, _ := strconv.Atoi(string(last[2]))
	return outcome{executions: executions, paths: paths}
}

func (s sums) String() string {
	return fmt.Sprintf("fuzz: %d targets, %d executions, %d crashers, %d not run", s.targets, s.executions, len(s.crashed), len(s.unrun))
}

// problem is nil where every target ran, none crashed, and each has a corpus.
func (s sums) problem() error {
	var all []error
	if len(s.crashed) > 0 {
		all = append(all, fmt.Errorf("an input is refused by %s", strings.Join(s.crashed, ", ")))
	}
	if len(s.unrun) > 0 {
		all = append(all, fmt.Errorf("nothing was run by %s", strings.Join(s.unrun, ", ")))
	}
	if len(s.bare) > 0 {
		all = append(all, fmt.Errorf("no corpus is checked in for %s", strings.Join(s.bare, ", ")))
	}
	return errors.Join(all...)
}

func (s sums) result(each, took time.Duration) proof.Result {
	number := func(name string, n int, goal string, ok bool) proof.Figure {
		return proof.Figure{Name: name, Value: strconv.Itoa(n), Goal: goal, OK: ok}
	}
	return proof.Result{
		Seeds: "the corpus that is checked in, then coverage",
		Took:  took,
		Figures: []proof.Figure{
			number("targets", s.targets, "", true),
			{Name: "time per target", Value: each.String(), Goal: ">= " + full.String(), OK: each >= full},
			number("inputs checked in", s.corpus, "", true),
			number("targets without a corpus", len(s.bare), "0", len(s.bare) == 0),
			number("targets that ran nothing", len(s.unrun), "0", len(s.unrun) == 0),
			number("executions", s.executions, "> 0", s.executions > 0),
			{Name: "executions per target", Value: s.most},
			number("new paths", s.paths, "", true),
			number("targets that crashed", len(s.crashed), "0", len(s.crashed) == 0),
		},
	}
}
