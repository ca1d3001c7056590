// Command mutants breaks rotad on purpose, one small patch at a time, and demands that a named test notices. A break that
// no test notices is a hole in the proof. The tree is copied first; nothing here is ever applied to the tree itself.
//
//	patches/*.patch ──► apply to a scratch copy ──► go test -run its test, built ──► an assertion fails ──► killed
//	                    (two copies, side by side)                                         anything else ──────► survives
//	                    ◄── undo ─────────────────────────────────────────────────────────┘
//
// Each patch begins with a header: what it is called, which invariant it breaks, where that mistake was made for real,
// and which test has to kill it. A test is run once without any break first, because one that is red anyway proves
// nothing. A break that does not compile, that runs into the limit of a minute, or that panics (unless its header says
// "Dies: panic") is not killed either: the test has to say what is wrong.
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
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "error:", err)
		stop()
		os.Exit(1)
	}
}

// settings are what a run was asked for.
type settings struct {
	tree   string // the top of the repository
	every  int
	offset int
	copies int
	wanted *regexp.Regexp
}

var errSurvivors = errors.New("not every mutant was killed")

func run(ctx context.Context, args []string, out, log io.Writer) error {
	s, err := parse(ctx, args, log)
	if err != nil {
		return err
	}
	all, err := load(os.DirFS(s.tree))
	if err != nil {
		return err
	}
	chosen := choose(all, s)
	if len(chosen) == 0 {
		return errors.New("no mutant was chosen")
	}
	began := time.Now()
	results, err := hunt(ctx, s, chosen, out)
	if err != nil {
		return err
	}
	return report(results, time.Since(began), len(chosen) == len(all), out)
}

func parse(ctx context.Context, args []string, log io.Writer) (settings, error) {
	s := settings{tree: "."}
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	flags.SetOutput(log)
	flags.IntVar(&s.every, "every", 1, "only every n-th mutant")
	flags.IntVar(&s.offset, "offset", -1, "with -every: which of them to begin with; by default the commit decides")
	flags.IntVar(&s.copies, "copies", 2, "scratch copies of the tree, side by side")
	wanted := flags.String("run", "", "only mutants whose name matches this regular expression")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 || s.every < 1 || s.copies < 1 {
		return s, errors.New("usage: mutants [-every N [-offset K]] [-copies N] [-run REGEXP]")
	}
	var err error
	if s.wanted, err = regexp.Compile(*wanted); err != nil {
		return s, fmt.Errorf("reading -run: %w", err)
	}
	if s.offset < 0 && s.every > 1 {
		s.offset, err = turn(ctx, s.tree, s.every)
	}
	return s, err
}

// choose picks the mutants of this run.
func choose(all []mutant, s settings) []mutant {
	var chosen []mutant
	for i, m := range all {
		if (i-s.offset%s.every+s.every)%s.every == 0 && s.wanted.MatchString(m.name) {
			chosen = append(chosen, m)
		}
	}
	return chosen
}
