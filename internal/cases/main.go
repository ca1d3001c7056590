// Command cases counts what the conformance suite asks of the kinds of providers. Nothing is typed: it runs the suites, or reads a
// run, and counts the cases that were reported.
//
//	go test -json ./providers/... ──► names of tests ──► suites (by their first case) ──► cases ──► one line per kind, and the sum
//
//	go run ./internal/cases              # runs them
//	go test -json ... | go run ./internal/cases -
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"text/tabwriter"
)

// firstCase is the case by which a run of providertest.Run is known: every suite has it.
const firstCase = "/InspectChangesNothing"

// event is a line of "go test -json".
type event struct {
	Action  string `json:"Action"`
	Package string `json:"Package"`
	Test    string `json:"Test"`
}

// figures are what was counted of one kind, or of all.
type figures struct{ suites, cases, failed int }

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if len(args) == 1 && args[0] == "-" {
		return report(in, out)
	}
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-json", "-run", "Conformance", "./providers/..."}, args...)...) //nolint:gosec // whoever runs this says it
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("running the suites: %w", err)
	}
	return errors.Join(report(pipe, out), cmd.Wait())
}

// report reads a run and writes the table.
func report(in io.Reader, out io.Writer) error {
	kinds, err := count(in)
	if err != nil {
		return err
	}
	if len(kinds) == 0 {
		return errors.New("no suite was run: -run has to match the tests that call providertest.Run")
	}
	var sum figures
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "KIND\tSUITES\tCASES\tFAILED")
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		f := kinds[kind]
		_, _ = fmt.Fprintf(w, "%s\t%d\t%d\t%d\n", kind, f.suites, f.cases, f.failed)
		sum.suites, sum.cases, sum.failed = sum.suites+f.suites, sum.cases+f.cases, sum.failed+f.failed
	}
	if err = w.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\n%d kinds, %d suites x %d rules = %d cases, %d failed\n", len(kinds), sum.suites, sum.cases/sum.suites, sum.cases, sum.failed)
	if err == nil && sum.failed > 0 {
		err = fmt.Errorf("%d cases failed", sum.failed)
	}
	return err
}

// count sorts the outcomes of a run by kind.
func count(in io.Reader) (map[string]figures, error) {
	ended := map[event]bool{} // without its action: whether it passed
	suites := map[event]bool{}
	for decoder := json.NewDecoder(in); ; {
		var e event
		if err := decoder.Decode(&e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("reading the run of the tests: %w", err)
		}
		if e.Test == "" || e.Action != "pass" && e.Action != "fail" {
			continue
		}
		ended[event{Package: e.Package, Test: e.Test}] = e.Action == "pass"
		if suite, ok := strings.CutSuffix(e.Test, firstCase); ok {
			suites[event{Package: e.Package, Test: suite}] = true
		}
	}
	kinds := map[string]figures{}
	for s := range suites {
		f := kinds[path.Base(s.Package)]
		f.suites++
		kinds[path.Base(s.Package)] = f
	}
	for e, passed := range ended {
		above, _ := path.Split(e.Test)
		if !suites[event{Package: e.Package, Test: strings.TrimSuffix(above, "/")}] {
			continue
		}
		f := kinds[path.Base(e.Package)]
		f.cases++
		if !passed {
			f.failed++
		}
		kinds[path.Base(e.Package)] = f
	}
	return kinds, nil
}
