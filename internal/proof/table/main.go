// Command table measures the parts of the proof at full size and writes their figures into docs/proof.md. It is the only
// hand that touches them: the page is checked by a test against the results that stand beside it. A part that has never
// been measured stands as "not run".
//
//	table PART...   each: commit and machine ──► make PART ──► the same commit? ──► docs/proof/<part>.json ──► docs/proof.md
//	table -rewrite  docs/proof/*.json, as they are ──► the marked block, where its form has changed
//
// Every result names the commit and the machine that it was measured at, because all parts together take longer than one
// sitting. A part whose result was measured at the same source is not measured again, unless -again is given. A tree with
// changes that are not committed is refused; with -allow-dirty it is accepted, and the table says so. A part that fails
// keeps what it has measured, marked as missed; one that has measured nothing leaves its former result, with its commit.
//
// It exits with 1 where a part failed or a figure misses its goal, after the table is written.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "error:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("table", flag.ContinueOnError)
	m := measurement{out: out}
	flags.BoolVar(&m.dirty, "allow-dirty", false, "accept a tree with changes that are not committed, and say so in the table")
	flags.BoolVar(&m.again, "again", false, "measure a part again whose result was measured at the same source")
	rewriting := flags.Bool("rewrite", false, "write the block again from the results that stand beside the page")
	flags.StringVar(&m.make, "make", "make", "the program that runs a part")
	flags.StringVar(&m.top, "C", ".", "the top of the tree")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *rewriting {
		return publish(m.top, out)
	}
	chosen, err := choose(flags.Args())
	if err != nil {
		return err
	}
	var failed []error
	for _, p := range chosen {
		if err := m.measure(ctx, p); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", p.name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(append(failed, publish(m.top, out))...)
}

// publish writes the page's block from the results that stand beside it.
func publish(top string, out io.Writer) error {
	f, err := readFigures(resultsBeside(top))
	if err != nil {
		return err
	}
	if err := rewrite(pageOf(top), f.block()); err != nil {
		return err
	}
	return f.verdict(out)
}
