package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// limit is how long a test may run.
const limit = time.Minute

// patience is how long building and running may take together.
const patience = 10 * time.Minute

// verdict is what a test said.
type verdict string

// The verdicts. Only failed kills a mutant.
const (
	passed   verdict = "passed"
	failed   verdict = "failed an assertion"
	panicked verdict = "panicked"
	late     verdict = "ran into the limit"
	broken   verdict = "did not compile"
	empty    verdict = "ran no test"
	silent   verdict = "ended without naming a test that failed"
)

// said is a verdict with what led to it.
type said struct {
	verdict verdict
	by      string // the first test that failed
	output  string // the last lines
}

// event is a line of "go test -json".
type event struct {
	Action string
	Test   string
	Output string
}

var collapse = regexp.MustCompile(`^(panic|fatal error): `)

// judge reads the events of one "go test -json".
func judge(stream []byte) said {
	var s said
	var tail []string
	verdicts := map[verdict]bool{}
	lines := bufio.NewScanner(bytes.NewReader(stream))
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			continue
		}
		switch e.Action {
		case "build-fail":
			verdicts[broken] = true
		case "pass":
			verdicts[passed] = verdicts[passed] || e.Test != ""
		case "fail":
			if s.by == "" && e.Test != "" {
				s.by = e.Test
			}
		case "output", "build-output":
			tail = append(tail, e.Output)
			verdicts[late] = verdicts[late] || strings.HasPrefix(e.Output, "panic: test timed out")
			verdicts[panicked] = verdicts[panicked] || collapse.MatchString(e.Output)
		}
	}
	s.output = strings.Join(tail[max(0, len(tail)-40):], "")
	s.verdict = weigh(verdicts, s.by)
	return s
}

// weigh lets the strongest sign decide: a panic fails a test too, and must not pass for an assertion.
func weigh(verdicts map[verdict]bool, failing string) verdict {
	for _, v := range []verdict{broken, late, panicked} {
		if verdicts[v] {
			return v
		}
	}
	switch {
	case failing != "":
		return failed
	case verdicts[passed]:
		return passed
	}
	return empty
}

// ask runs a mutant's test in a copy of the tree.
func ask(ctx context.Context, tree string, m mutant) (said, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// Whether a break would please vet is of no interest, and the first assertion that fails is enough.
	stream, err := command(ctx, tree, "test", "-json", "-vet=off", "-count=1", "-failfast", "-timeout", limit.String(), "-run", m.test, m.pkg)
	s := judge(stream)
	switch {
	case err != nil && (s.verdict == passed || s.verdict == empty):
		s.verdict = silent
	case err == nil && s.verdict == failed:
		return s, errors.New("go test contradicts itself")
	}
	return s, interrupted(ctx, err)
}

// interrupted passes on only what says nothing about the mutant: go could not be run to its end.
func interrupted(ctx context.Context, err error) error {
	var exit *exec.ExitError
	if ctx.Err() == nil && errors.As(err, &exit) {
		return nil
	}
	return err
}

// command runs go. Paths are trimmed, so that all copies and all runs share what has been compiled.
func command(ctx context.Context, tree string, args ...string) ([]byte, error) {
	args = append(args[:1:1], append([]string{"-trimpath"}, args[1:]...)...)
	c := exec.CommandContext(ctx, "go", args...) //nolint:gosec // with arguments of this program
	c.Dir = tree
	c.WaitDelay = 5 * time.Second
	for _, pair := range os.Environ() {
		// Tests run at their small size, and write no figures.
		if !strings.HasPrefix(pair, "ROTAD_") {
			c.Env = append(c.Env, pair)
		}
	}
	var output bytes.Buffer
	c.Stdout, c.Stderr = &output, &output
	err := c.Run()
	return output.Bytes(), err
}
