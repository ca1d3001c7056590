// Command table writes the figures of docs/proof.md from the results that the parts of the proof left in a directory.
// It is the only hand that touches them: it copies the results beside the page, and the page is checked against the
// copies by a test. A part that left no result stands as "not run".
//
//	table -begin DIR ──► DIR/run.json: commit, machine, date
//	make sim, ...    ──► DIR/<part>.json
//	table DIR        ──► docs/proof/run.json, docs/proof/<part>.json ──► the marked block of docs/proof.md
//	table -rewrite       docs/proof/*.json, as they are ──────────────► the marked block, where its form has changed
//
// A run belongs to one commit. "-begin" refuses a tree with changes that are not committed, and goes on with a directory
// that was begun at the same commit; the table is refused when the tree has changed since. With -allow-dirty both
// accept changes, and the table says so. What the table itself writes is no change.
//
// It exits with 1 where a figure misses its goal, after the table is written.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("table", flag.ContinueOnError)
	begin := flags.Bool("begin", false, "note commit, machine and date in DIR, before the parts run")
	dirty := flags.Bool("allow-dirty", false, "accept a tree with changes that are not committed, and say so in the table")
	again := flags.Bool("rewrite", false, "write the block again from the results that stand beside the page")
	top := flags.String("C", ".", "the top of the tree")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *again {
		return publish(*top, out)
	}
	if flags.NArg() != 1 {
		return errors.New("naming the directory of results: want one argument")
	}
	now, err := look(ctx, *top)
	if err != nil {
		return err
	}
	if now.Dirty && !*dirty {
		return fmt.Errorf("the tree has changes that are not committed: %s", strings.Join(now.changes, ", "))
	}
	dir := flags.Arg(0)
	if *begin {
		return beginRun(dir, now)
	}
	return finish(dir, *top, now, out)
}

// beginRun notes what the results of a directory belong to. A run that was begun at the same commit goes on.
func beginRun(dir string, now moment) error {
	before, err := readMoment(dir)
	if errors.Is(err, os.ErrNotExist) {
		return writeMoment(dir, now)
	}
	if err != nil {
		return err
	}
	return before.same(now)
}

// finish copies the results beside the page and writes the page's block.
func finish(dir, top string, now moment, out io.Writer) error {
	before, err := readMoment(dir)
	if err != nil {
		return fmt.Errorf("reading what was begun in %s: %w", dir, err)
	}
	if err := before.same(now); err != nil {
		return err
	}
	if err := collect(dir, top, before); err != nil {
		return err
	}
	return publish(top, out)
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
