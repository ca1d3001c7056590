// Command scan looks for every secret of a ledger in files and directories: whatever left the processes of a whole run.
//
//	scan -ledger FILE [-proof PART] PATH... ──► one line per hit, then secrets, files, bytes, speed
//
// It exits with 1 if there is a hit, or if there was nothing to look for or nothing to look at. With -proof and $ROTAD_PROOF
// the figures go to the table of the proof.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/rotad/rotad/internal/canary"
	"github.com/rotad/rotad/internal/proof"
)

func main() {
	began := time.Now()
	elapsed := func() time.Duration {
		return time.Since(began)
	}
	if err := run(os.Args[1:], os.Stdout, elapsed); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer, elapsed func() time.Duration) error {
	flags := flag.NewFlagSet("scan", flag.ContinueOnError)
	ledger := flags.String("ledger", "", "the file with the secrets")
	part := flags.String("proof", "", "write the figures as this part of the proof")
	if err := flags.Parse(args); err != nil {
		return err
	}
	l, err := canary.ReadLedger(*ledger)
	if err != nil {
		return err
	}
	s := canary.NewSearch(l, l.Len())
	if err = errors.Join(s.Learn(), s.Files(flags.Args()...)); err != nil {
		return err
	}
	r, err := s.Report()
	if err != nil {
		return err
	}
	for _, hit := range r.Hits {
		_, _ = fmt.Fprintln(out, hit)
	}
	took := elapsed()
	_, _ = fmt.Fprintf(out, "canary: %s in %s: %d hits, %.0f MB/s\n",
		r, took.Round(time.Millisecond), len(r.Hits), float64(r.Bytes)/1e6/took.Seconds())
	if *part != "" {
		err = proof.Write(*part, r.Proof(took))
	}
	if len(r.Hits) > 0 {
		err = errors.Join(err, fmt.Errorf("%d clear secrets left the process", len(r.Hits)))
	}
	return err
}
