// Command simulate runs the exhaustive schedules: every fault, every action, every pair, and random seeds with two
// daemons on one store. It prints what it ran for each mode, and for every schedule that breaks an invariant the line
// that repeats it, shrunk.
//
//	make sim                    everything
//	make sim SLICE=1            every single fault and action
//	make sim REPLAY="two-slot 12:timeout 31:hold"
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/rotad/rotad/internal/proof"
	"github.com/rotad/rotad/internal/sim"
)

func main() {
	if err := simulate(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// mostMemory is how much is used before garbage is collected.
const mostMemory = 512 << 20

// settings is what the command line says.
type settings struct {
	replay         string
	mode           string
	singles, pairs bool
	seeds          int
	from           uint64
}

var errBroken = errors.New("an invariant was broken")

func simulate(args []string, out io.Writer) error {
	var s settings
	flags := flag.NewFlagSet("simulate", flag.ContinueOnError)
	flags.StringVar(&s.replay, "replay", "", "the line of one schedule, which is run and told")
	flags.StringVar(&s.mode, "mode", "", "this mode only")
	flags.BoolVar(&s.singles, "singles", true, "run every single fault and action")
	flags.BoolVar(&s.pairs, "pairs", true, "run every pair")
	flags.IntVar(&s.seeds, "seeds", 1_000_000, "number of random seeds")
	flags.Uint64Var(&s.from, "from", 1, "the first seed")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if s.replay != "" {
		return replay(s.replay, out)
	}
	debug.SetGCPercent(-1) // what a schedule makes is garbage a millisecond later: what is alive fits the limit many times
	debug.SetMemoryLimit(mostMemory)
	return everything(s, out)
}

func replay(line string, out io.Writer) error {
	schedule, err := sim.Parse(line)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(out, sim.Story(schedule)); err != nil {
		return err
	}
	if len(sim.Run(schedule).Broken) > 0 {
		return errBroken
	}
	return nil
}

func everything(s settings, out io.Writer) error {
	began := time.Now()
	t := newTally(out)
	for _, m := range sim.Modes() {
		if s.mode != "" && s.mode != m.Name {
			continue
		}
		if s.singles {
			t.stage(m.Name+" singles", func(v sim.Visit) { sim.Singles(m.Name, v) })
		}
		if s.pairs {
			t.stage(m.Name+" pairs", func(v sim.Visit) { sim.Pairs(m.Name, v) })
		}
	}
	if s.seeds > 0 && s.mode == "" {
		t.stage("random seeds", func(v sim.Visit) { sim.Seeds(s.from, s.seeds, v) })
	}
	t.end(time.Since(began))
	seeds := fmt.Sprintf("%d..%d", s.from, s.from+uint64(s.seeds)-1) //nolint:gosec // never negative
	if err := proof.Write("sim", proof.Result{Seeds: seeds, Took: time.Since(began), Figures: t.figures}); err != nil {
		return err
	}
	if t.broken > 0 {
		return errBroken
	}
	return nil
}
