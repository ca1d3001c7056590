package main

import (
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/proof"
	"github.com/rotad/rotad/internal/sim"
)

// mostShown is how many broken schedules of one stage are shrunk and shown.
const mostShown = 12

// tally counts what was run.
type tally struct {
	out     io.Writer
	mu      sync.Mutex
	figures []proof.Figure

	runs, faults, helped, broken int // in all
}

func newTally(out io.Writer) *tally { return &tally{out: out} }

// stage runs a part and prints one line about it.
func (t *tally) stage(name string, do func(sim.Visit)) {
	began := time.Now()
	runs, held := 0, 0
	var bad []sim.Schedule
	do(func(s sim.Schedule, r sim.Result) {
		t.mu.Lock()
		defer t.mu.Unlock()
		runs++
		t.faults += r.Hit
		if len(r.Holds) > 0 {
			held++
		}
		if len(r.Broken) > 0 {
			bad = append(bad, s)
		}
	})
	t.runs, t.helped, t.broken = t.runs+runs, t.helped+held, t.broken+len(bad)
	t.printf("%-38s %9d schedules %8d needed a person %5d broken %7.1f s\n", name, runs, held, len(bad), time.Since(began).Seconds())
	t.figures = append(t.figures, proof.Figure{Name: name, Value: strconv.Itoa(runs) + " schedules, " + strconv.Itoa(len(bad)) + " broken", Goal: "0 broken", OK: len(bad) == 0})
	t.show(bad)
}

func (t *tally) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(t.out, format, args...) // a closed pipe ends the process by itself
}

func (t *tally) show(bad []sim.Schedule) {
	for i, s := range bad {
		if i == mostShown {
			t.printf("  and %d more\n", len(bad)-mostShown)
			return
		}
		small := sim.Shrink(s)
		for _, b := range sim.Run(small).Broken {
			t.printf("  %s\n", b)
			break
		}
		t.printf("  REPLAY=%q\n", small.String())
	}
}

// end prints the sums.
func (t *tally) end(took time.Duration) {
	t.figures = append(
		t.figures,
		proof.Figure{Name: "schedules in all", Value: strconv.Itoa(t.runs)},
		proof.Figure{Name: "faults that happened", Value: strconv.Itoa(t.faults)},
		proof.Figure{Name: "schedules that needed a person", Value: strconv.Itoa(t.helped)},
		proof.Figure{Name: "violations", Value: strconv.Itoa(t.broken), Goal: "0", OK: t.broken == 0},
	)
	t.printf("%d schedules, %d faults, violations %d, %s\n", t.runs, t.faults, t.broken, took.Round(time.Second))
}
