// Command fuzz gives every fuzz target of the tree the same time, one after the other, and counts. A target is found by
// reading the tree, so that a new one is run without being listed anywhere.
//
//	*_test.go ──► targets ──► go test -fuzz=^Name$ -fuzztime=T, one at a time ──► executions, new paths, crashers
//	testdata/fuzz/<Name>/ is where a target's corpus is checked in, and where the input of a crasher is left
//
// It exits with 1 where an input was found that a target refuses, or a target has no corpus that is checked in. The
// result of the part "fuzz" is written for the table of figures where somebody collects them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"time"

	"github.com/rotad/rotad/internal/proof"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to be released
	}
}

// full is the time per target from which on the run counts as one at full size.
const full = 30 * time.Second

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("fuzz", flag.ContinueOnError)
	each := flags.Duration("time", 10*time.Second, "how long each target runs")
	only := flags.String("run", "", "run the targets whose name, as in internal/config.FuzzLoad, this expression finds")
	workers := flags.Int("parallel", 1, "how many processes a target runs in")
	top := flags.String("C", ".", "the top of the tree")
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("reading -run: %w", err)
	}
	targets, err := find(*top, chosen)
	if err != nil {
		return err
	}
	if len(targets) == 0 {
		return errors.New("there is no such target")
	}
	began := time.Now()
	s := fuzzAll(ctx, *top, targets, *each, *workers, out)
	_, _ = fmt.Fprintln(out, s)
	if *only == "" && *each >= full && ctx.Err() == nil {
		if err := proof.Write("fuzz", s.result(*each, time.Since(began))); err != nil {
			return err
		}
	}
	return errors.Join(ctx.Err(), s.problem())
}
