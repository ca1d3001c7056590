// Command table runs the parts of the proof at full size and writes the figures of docs/proof.md. It is the only hand
// that touches them: each result stands beside the page with its own moment (commit, date, machine), and the page is
// checked against the results by a test. A part that has no result stands as "not run".
//
//	table [PART...], for each part:
//	  the tree has no changes, and no result from this source ──► its make target, $ROTAD_PROOF=bin/proof/<part>-*
//	  the tree is still the same ──► docs/proof/<part>.json ──► the marked block of docs/proof.md
//	table -rewrite
//	  docs/proof/*.json, as they are ──► the marked block, where its form has changed
//
// The parts take together longer than one sitting, so each stands on its own: it may have another commit and another
// machine than the next, and what is finished is kept whatever becomes of the rest. What a part measured is kept also
// where its command ended badly, and then stands as NOT. A command that leaves no figures takes none away: the earlier
// result stays, with its own commit, and the bad end is a row of its own until the part has figures again.
//
// It exits with 1 where a part was refused, ended badly or misses a goal, also in a result that it did not have to
// measure again.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], byMake, os.Stdout); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to be released
	}
}

func run(ctx context.Context, args []string, do perform, out io.Writer) error {
	flags := flag.NewFlagSet("table", flag.ContinueOnError)
	dirty := flags.Bool("allow-dirty", false, "accept a tree with changes that are not committed, and say so in the table")
	again := flags.Bool("again", false, "run also the parts that have a result from the same source")
	form := flags.Bool("rewrite", false, "run nothing, and write the block again from the results that stand beside the page")
	top := flags.String("C", ".", "the top of the tree")
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := choose(flags.Args())
	if err != nil {
		return err
	}
	var bad error
	if !*form {
		bad = attempts{top: *top, dirty: *dirty, again: *again, perform: do, out: out}.all(ctx, chosen)
	}
	f, err := publish(*top)
	if err != nil {
		return errors.Join(bad, err)
	}
	return errors.Join(bad, f.verdict(chosen, out))
}
