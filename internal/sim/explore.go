package sim

import (
	"runtime"
	"sync"

	"github.com/rotad/rotad/internal/model"
)

// Visit is told of every schedule that was run. It may be called from several goroutines.
type Visit func(Schedule, Result)

// Singles runs the plain life of a mode, and one life for every single point: every outcome of every call, and every
// action before every call.
func Singles(mode string, visit Visit) {
	lives, plain := record(Schedule{Mode: mode}, -1)
	visit(Schedule{Mode: mode}, plain)
	side(append(faults(plain.Trace, 0), acts(plain.Trace, 0)...), func(p Point) {
		visit(Schedule{Mode: mode, Points: []Point{p}}, lives.before(p.At).resume(p))
	})
}

// Faults runs one life for every single fault of a mode: every outcome of every call.
func Faults(mode string, visit Visit) {
	lives, plain := record(Schedule{Mode: mode}, -1)
	visit(Schedule{Mode: mode}, plain)
	side(faults(plain.Trace, 0), func(p Point) {
		visit(Schedule{Mode: mode, Points: []Point{p}}, lives.before(p.At).resume(p))
	})
}

// Pairs runs every ordered pair of faults of a mode: the second one at every call that is made after the first, the
// calls of the recovery included. An action is tried with every fault that comes after it, wherever something is decided:
// before every call that follows a commit.
func Pairs(mode string, visit Visit) {
	plain := Run(Schedule{Mode: mode})
	firsts := append(faults(plain.Trace, 0), decided(acts(plain.Trace, 0), plain.Trace)...)
	side(firsts, func(first Point) {
		from := first.At + 1
		if first.Action != "" {
			from = first.At
		}
		lives, alone := record(Schedule{Mode: mode, Points: []Point{first}}, from)
		for _, second := range faults(alone.Trace, from) {
			visit(Schedule{Mode: mode, Points: []Point{first, second}}, lives.before(second.At).resume(second))
		}
	})
}

func run(s Schedule, visit Visit) Result {
	r := Run(s)
	visit(s, r)
	return r
}

// faults returns everything that can go wrong from a call on.
func faults(trace []string, from int) []Point {
	var list []Point
	for at := from; at < len(trace); at++ {
		for _, kind := range model.Outcomes(trace[at]) {
			list = append(list, Point{At: at, Fault: kind})
		}
	}
	return list
}

// acts returns everything that somebody can do from a call on.
func acts(trace []string, from int) []Point {
	var list []Point
	for at := from; at < len(trace); at++ {
		for _, a := range actions {
			list = append(list, Point{At: at, Action: a.Name})
		}
	}
	return list
}

// decided keeps the points right after a commit.
func decided(list []Point, trace []string) []Point {
	var kept []Point
	for _, p := range list {
		if p.At == 0 || trace[p.At-1] == "commit" {
			kept = append(kept, p)
		}
	}
	return kept
}

// side does something with every point, on all cores.
func side(list []Point, do func(Point)) {
	next := make(chan Point)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for p := range next {
				do(p)
			}
		})
	}
	for _, p := range list {
		next <- p
	}
	close(next)
	workers.Wait()
}
