package wire_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/proof"
	"github.com/rotad/rotad/test/world"
)

// selection is what is played: "all", or a part of the names of combinations; empty = a few of every line.
const selection = "ROTAD_WIRE"

// few are played when nothing is selected: each breaks its line in another way.
func few() [][]string {
	return [][]string{
		{"provider reset downstream", "provider drip downstream"},
		{"vault cut-late downstream", "vault black-hole downstream"},
		{"provider dripping-body", "vault reset-late upstream"},
		{"mail black-hole upstream"},
	}
}

// shares deals the selected combinations to the worlds.
func shares(all []combination) [][]combination {
	wanted := os.Getenv(selection)
	list := make([][]combination, beside)
	if wanted == "" {
		for i, names := range few() {
			for _, name := range names {
				j := slices.IndexFunc(all, func(c combination) bool { return c.String() == name })
				list[i] = append(list[i], all[j])
			}
		}
		return list
	}
	n := 0
	for _, c := range all {
		if wanted == "all" || strings.Contains(c.String(), wanted) {
			list[n%beside] = append(list[n%beside], c)
			n++
		}
	}
	return list
}

// report gathers what the worlds have found.
type report struct {
	mu       sync.Mutex
	played   []played
	problems []string
	looks    int
	phases   map[credential.Phase]bool
	events   map[credential.Event]int
}

func TestEverythingComesRightWhenTheWireIsMended(t *testing.T) {
	began := time.Now()
	all := everything(startHostile(t))
	var worlds []string
	for i := range beside {
		worlds = append(worlds, fmt.Sprintf("wire-%d", i+1))
	}
	createRealms(t, worlds)
	r := &report{phases: map[credential.Phase]bool{}, events: map[credential.Event]int{}}
	t.Run("worlds", func(t *testing.T) {
		for i, share := range shares(all) {
			if len(share) == 0 {
				continue
			}
			t.Run(worlds[i], func(t *testing.T) {
				t.Parallel()
				r.run(newFleet(world.New(t, shared, worlds[i])), share)
			})
		}
	})
	if len(r.played) == 0 {
		t.Fatalf("%s=%q selects nothing", selection, os.Getenv(selection))
	}
	r.everyPhase(t)
	if os.Getenv(selection) == "all" {
		if err := proof.Write("wire", r.result(time.Since(began), len(all))); err != nil {
			t.Error(err)
		}
	}
}

// run plays a share of the combinations in one world. Before each, rotations have begun a little longer ago, so that
// over the run every phase is met.
func (r *report) run(f *fleet, share []combination) {
	for i, c := range share {
		lead := time.Duration(i%5) * 900 * time.Millisecond
		p := f.play(c, lead)
		f.T.Logf("%-32s recovered after %6s; goroutines %d, peak %d, after %d; memory %d MiB, peak %d, after %d",
			c, p.recovered.Round(100*time.Millisecond), p.before.goroutines, p.peak.goroutines, p.after.goroutines,
			p.before.memory>>20, p.peak.memory>>20, p.after.memory>>20)
		for _, problem := range p.problems {
			f.T.Errorf("%s: %s", c, problem)
		}
		r.add(p)
	}
	problems := f.end()
	looks, violations := f.watch.result()
	for _, problem := range append(problems, violations...) {
		f.T.Error(problem)
	}
	if looks == 0 {
		f.T.Error("nobody has looked at the clients")
	}
	if err := f.sightProof(); err != nil {
		f.T.Error(err)
	}
	f.T.Logf("%d looks, %d disturbed; %d secrets published, %d failures, %d creates with an unknown outcome",
		looks, f.watch.moved, f.events[credential.EventPromoted], f.events[credential.EventFailed], f.events[credential.EventUnknown])
	r.mu.Lock()
	defer r.mu.Unlock()
	r.looks += looks
	r.problems = append(r.problems, append(problems, violations...)...)
	for phase := range f.phases {
		r.phases[phase] = true
	}
	for event, n := range f.events {
		r.events[event] += n
	}
}

func (r *report) add(p played) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.played = append(r.played, p)
	for _, problem := range p.problems {
		r.problems = append(r.problems, p.String()+": "+problem)
	}
}

// everyPhase: a run that met no rotation in some phase has not shown what it claims.
func (r *report) everyPhase(t *testing.T) {
	t.Helper()
	for _, phase := range []credential.Phase{
		credential.PhaseIntent, credential.PhaseStaged, credential.PhaseVerified, credential.PhaseOverlap, credential.PhaseRevoking,
	} {
		if !r.phases[phase] {
			t.Errorf("no fault met a rotation in phase %s", phase)
		}
	}
}

// result turns the report into the figures of the proof.
func (r *report) result(took time.Duration, all int) proof.Result {
	recovered, slowest, peak := 0, time.Duration(0), size{}
	for _, p := range r.played {
		if p.recovered >= 0 {
			recovered++
		}
		slowest = max(slowest, p.recovered)
		peak = size{max(peak.goroutines, p.peak.goroutines), max(peak.memory, p.peak.memory)}
	}
	return proof.Result{Took: took, Figures: []proof.Figure{
		{Name: "combinations of fault, line and direction", Value: fmt.Sprint(len(r.played)), Goal: fmt.Sprint(all), OK: len(r.played) == all},
		{Name: "recovered without a person", Value: fmt.Sprint(recovered), Goal: "all", OK: recovered == len(r.played)},
		{
			Name: "slowest recovery", Value: slowest.Round(100 * time.Millisecond).String(),
			Goal: "at most " + recovery.String(), OK: recovered == len(r.played) && slowest <= recovery,
		},
		{Name: "peak goroutines", Value: fmt.Sprint(peak.goroutines), Goal: fmt.Sprintf("at most %d", mostGoroutines), OK: peak.goroutines <= mostGoroutines},
		{
			Name: "peak memory", Value: fmt.Sprintf("%d MiB", peak.memory>>20),
			Goal: fmt.Sprintf("at most %d MiB", mostMemory>>20), OK: peak.memory <= mostMemory,
		},
		{Name: "secrets published meanwhile", Value: fmt.Sprint(r.events[credential.EventPromoted]), OK: true},
		{Name: "creates with an unknown outcome, all settled", Value: fmt.Sprint(r.events[credential.EventUnknown]), OK: true},
		{Name: "looks by the oracles", Value: fmt.Sprint(r.looks), OK: true},
		{Name: "violations", Value: fmt.Sprint(len(r.problems)), Goal: "0", OK: len(r.problems) == 0},
	}}
}
