package scheduler

import (
	"math/rand/v2"
	"testing"

	"github.com/rotad/rotad/internal/model"
)

// TestEveryFault tries every single fault at every call of a whole rotation.
func TestEveryFault(t *testing.T) {
	for _, m := range overlapModes() {
		t.Run(m.name, func(t *testing.T) {
			plain := newLife(m)
			plain.untilRotated(t)
			plain.judge(t, m)
			if t.Failed() {
				return
			}
			faults := 0
			for at, call := range plain.world.Trace {
				for _, kind := range model.Kinds(call) {
					l := newLife(m)
					l.world.Faults[at] = kind
					l.untilRotated(t)
					l.judge(t, m)
					faults++
					if t.Failed() {
						t.Fatalf("fault %s at call %d (%s)", kind, at, call)
					}
				}
			}
			t.Logf("%d calls, %d single faults", len(plain.world.Trace), faults)
		})
	}
}

// TestFaultPairs samples two faults: the second one comes after the first, where recovery is under way.
func TestFaultPairs(t *testing.T) {
	const samples = 300
	for _, m := range overlapModes() {
		t.Run(m.name, func(t *testing.T) {
			plain := newLife(m)
			plain.untilRotated(t)
			random := rand.New(rand.NewPCG(1, uint64(len(m.name))))
			for range samples {
				l := newLife(m)
				first := random.IntN(len(plain.world.Trace))
				second := first + 1 + random.IntN(25)
				kinds := model.Kinds(plain.world.Trace[first])
				l.world.Faults[first] = kinds[random.IntN(len(kinds))]
				kinds = model.Kinds("")
				l.world.Faults[second] = kinds[random.IntN(len(kinds))]
				l.untilRotated(t)
				l.judge(t, m)
				if t.Failed() {
					t.Fatalf("faults %v", l.world.Faults)
				}
			}
		})
	}
}
