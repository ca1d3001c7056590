// Command bench measures rotad against bare loops that do the least that the same work could take. It prints one line
// per figure, with both sides of a ratio measured in the same run on the same machine:
//
//	bench ──► parts, one process each ──► medians of both sides ──► ratio NAME VALUE goal GOAL ok|miss
//	          sweep      1,000 due clients       | bbolt.Batch of the same pairs
//	          rotations  loop, adapter, vault    | the same calls, one bbolt.Batch per commit
//	          import     the built "rotad import"| encoding/json and bbolt.Put of the same pairs
//	          mails      the loop of notices     | smtp-source; both to one smtp-sink
//	          mails-20ms the same over a long line | connections that do nothing but wait
//	          handshakes 5 consumers of 10,000  | bbolt.Batch of the same pairs
//	          tick, open, memory: on the file that the import has made
//	          scrape     /metrics over that file | gauges of client_golang; and over a file of 1,000 clients
//
// Goals are not asserted: it exits with 0 whatever the figures are, because a figure is as good as the machine is idle.
// How each side is defined stands at its part. The files are built in a temporary directory and removed.
//
// What the profiles say, for whoever meets a miss. A rotation is some 36 calls and 11 commits, nearly all of whose time is
// HTTP on both sides; the loop, its decisions and the encoding of its commits are the sixth to a quarter that is missing
// to 1. A sweep is faster than its bare side because our writer commits what waits, where Batch waits 10 ms for more. The
// import spends about four tenths of its processor time in the transaction, a quarter on decoding and checking lines, a
// third on making and encoding records; it does the first beside the others, so that it needs a second core: while others
// use that one, it comes to twice the raw side. Opening reads the whole file: a cold page cache adds what the disk needs
// for it.
// A mail costs 0.7 ms of a core: a third of it rendering text, page and event, a sixth writing it as MIME, a
// fifth SMTP, a sixth two commits, a tenth collecting garbage; on two cores, which the sink needs as well, that ends far
// below what a program comes to that has its bytes ready. A scrape reads its clients from the file while it is being
// written, so that it needs a second core, too.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"time"
)

func main() { os.Exit(exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))) }

func exit(err error) int {
	if err == nil {
		return 0
	}
	_, _ = fmt.Fprintln(os.Stderr, "error:", err)
	return 1
}

// settings are what a run was asked for; a part gets them as well.
type settings struct {
	dir     string
	clients int // of the large file
	rounds  int // of the parts that repeat
	part    string
	only    string
	profile string
	sink    string // HOST:PORT of a mail server that swallows everything; empty = no mails are measured
	source  string // the program smtp-source
	far     string // the same mail server, with 20 ms between a question and its answer
}

const (
	manyClients  = 1_000_000
	quickClients = 100_000
)

func run(ctx context.Context, args []string, out, log io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(log)
	var s settings
	quick := flags.Bool("quick", false, "100,000 clients instead of 1,000,000; the goals stay what they are")
	flags.IntVar(&s.rounds, "rounds", 5, "how often each side of the small figures is measured")
	flags.StringVar(&s.only, "only", "", "measure these alone: sweep, rotations, mails, digests, handshakes, or import with all that needs its file")
	flags.StringVar(&s.part, "part", "", "run one part in this process, and print what it measured as JSON")
	flags.StringVar(&s.dir, "dir", "", "of a part: where its files are")
	flags.StringVar(&s.profile, "profile", "", "of a part: write a CPU profile to this file")
	flags.StringVar(&s.sink, "sink", "", "HOST:PORT of smtp-sink, for the mails; make bench starts one")
	flags.StringVar(&s.far, "far", "", "HOST:PORT of the same sink behind a line that takes 20 ms there and back; make bench makes one")
	flags.StringVar(&s.source, "source", "smtp-source", "Postfix's smtp-source, for the mails")
	flags.IntVar(&s.clients, "clients", manyClients, "of the large file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *quick {
		s.clients = quickClients
	}
	if s.part != "" {
		return runPart(ctx, s, out)
	}
	dir, err := os.MkdirTemp("", "rotad-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	s.dir = dir
	return measure(ctx, s, &report{out: out, log: log})
}

// result is what one part has measured, by name.
type result map[string]float64

type part func(ctx context.Context, s settings) (result, error)

func parts() map[string]part {
	return map[string]part{
		"sweep": sweepPart, "rotations": rotationsPart, "raw-import": rawImportPart, "small": smallPart, "tick": tickPart,
		"open": openPart, "memory": memoryPart, "scrape": scrapePart,
		"mails": mailsPart, "mails-far": farPart, "digests": digestsPart, "handshakes": handshakesPart,
	}
}

func runPart(ctx context.Context, s settings, out io.Writer) error {
	p, ok := parts()[s.part]
	if !ok {
		return fmt.Errorf("there is no part %q", s.part)
	}
	if s.profile != "" {
		f, err := os.Create(s.profile)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	r, err := p(ctx, s)
	if err != nil {
		return fmt.Errorf("%s: %w", s.part, err)
	}
	return json.NewEncoder(out).Encode(r)
}

// spawn runs one part in a process of its own: its memory is its own, and no part warms the heap of another.
func spawn(ctx context.Context, s settings, name string, log io.Writer) (result, error) {
	began := time.Now()
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-part", name, "-dir", s.dir, //nolint:gosec // this program again
		"-clients", strconv.Itoa(s.clients), "-rounds", strconv.Itoa(s.rounds), "-sink", s.sink, "-far", s.far, "-source", s.source)
	cmd.Stderr = log
	answer, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("running part %s: %w", name, err)
	}
	var r result
	if err := json.Unmarshal(answer, &r); err != nil {
		return nil, fmt.Errorf("reading part %s: %w", name, err)
	}
	_, _ = fmt.Fprintf(log, "# %s: %.0f s, %s\n", name, time.Since(began).Seconds(), r)
	return r, nil
}

// Files in the directory of a run.
func (s settings) lines() string  { return filepath.Join(s.dir, "clients.ndjson") }
func (s settings) config() string { return filepath.Join(s.dir, "config.yaml") }
func (s settings) state() string  { return filepath.Join(s.dir, "state", "rotad.db") }
func (s settings) small() string  { return filepath.Join(s.dir, "state", "small.db") }
