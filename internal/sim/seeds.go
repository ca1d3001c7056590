package sim

import (
	"math/rand/v2"
	"slices"

	"github.com/rotad/rotad/internal/model"
)

// Bounds of a random life.
const (
	fewestPoints = 10
	mostPoints   = 16
	reach        = 260 // calls over which the points are spread
)

// Seeds runs random schedules from a seed on: ten faults and more, actions among them, and in every other one two
// daemons that share the store.
func Seeds(from uint64, n int, visit Visit) {
	list := make([]Point, n)
	for i := range list {
		list[i].At = i
	}
	side(list, func(p Point) { run(Random(from+uint64(p.At)), visit) }) //nolint:gosec // small
}

// Random returns the schedule of a seed. The same seed gives the same schedule.
func Random(seed uint64) Schedule {
	random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a seed is to be repeated
	modes := Modes()
	m := modes[random.IntN(len(modes))]
	s := Schedule{Mode: m.Name}
	if random.IntN(2) == 0 && !m.byHand() {
		s.Seed = seed
	}
	disturbing := random.IntN(3) == 0
	used := map[int]bool{}
	for range fewestPoints + random.IntN(mostPoints-fewestPoints) {
		p := point(random, disturbing, s.Seed != 0)
		if !used[p.At] {
			used[p.At] = true
			s.Points = append(s.Points, p)
		}
	}
	slices.SortFunc(s.Points, func(a, b Point) int { return a.At - b.At })
	return s
}

func point(random *rand.Rand, disturbing, shared bool) Point {
	p := Point{At: random.IntN(reach)}
	if random.IntN(6) == 0 {
		a := actions[random.IntN(len(actions))]
		if (disturbing || !a.Disturbs) && (!shared || !a.Alone) {
			p.Action = a.Name
			return p
		}
	}
	kinds := append(model.Outcomes("create"), model.Stale)
	p.Fault = kinds[random.IntN(len(kinds))]
	return p
}
