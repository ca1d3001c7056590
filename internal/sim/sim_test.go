package sim_test

import (
	"bufio"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rotad/rotad/internal/sim"
)

// breaks collects what a run of schedules has broken.
type breaks struct {
	mu   sync.Mutex
	runs int
	list []sim.Schedule
}

func (b *breaks) visit(s sim.Schedule, r sim.Result) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.runs++
	if len(r.Broken) > 0 {
		b.list = append(b.list, s)
	}
}

func (b *breaks) judge(t *testing.T) {
	t.Helper()
	for i, s := range b.list {
		if i == 3 {
			t.Fatalf("and %d more", len(b.list)-i)
		}
		small := sim.Shrink(s)
		t.Errorf("%s\nagain with: make sim REPLAY=%q", sim.Run(small).Broken[0], small)
	}
	t.Logf("%d schedules", b.runs)
}

// TestEverySingleFault runs every outcome of every call of a whole life, in every mode.
func TestEverySingleFault(t *testing.T) {
	for _, m := range sim.Modes() {
		t.Run(m.Name, func(t *testing.T) {
			var b breaks
			sim.Faults(m.Name, b.visit)
			b.judge(t)
		})
	}
}

// TestRandomSeeds runs a few of the random schedules, those with two daemons among them. Nothing is disturbed in them
// that no protocol can give back: the seeds with such acts are run by "make sim".
func TestRandomSeeds(t *testing.T) {
	var b breaks
	sim.Seeds(1, 300, b.visit)
	b.judge(t)
}

// TestWhatWasFoundStaysMended runs every schedule that has ever broken an invariant.
func TestWhatWasFoundStaysMended(t *testing.T) {
	file, err := os.Open("testdata/found.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	var b breaks
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if strings.TrimSpace(line) == "" {
			continue
		}
		s, err := sim.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		b.visit(s, sim.Run(s))
	}
	if b.runs == 0 {
		t.Fatal("no schedule is kept")
	}
	b.judge(t)
}

func TestTheSameScheduleGivesTheSameLife(t *testing.T) {
	for seed := range uint64(20) {
		s := sim.Random(seed)
		if a, b := sim.Story(s), sim.Story(s); a != b {
			t.Fatalf("two runs of %s differ", s)
		}
	}
}

func TestALineNamesItsSchedule(t *testing.T) {
	for seed := range uint64(50) {
		want := sim.Random(seed)
		got, err := sim.Parse(want.String())
		if err != nil || got.String() != want.String() {
			t.Fatalf("%s was read as %s, %v", want, got, err)
		}
	}
	for _, line := range []string{"", "no-such-mode", "two-slot 12", "two-slot x:timeout", "two-slot 12:nothing", "two-slot seed=x"} {
		if _, err := sim.Parse(line); err == nil {
			t.Errorf("%q was taken for a schedule", line)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("two-slot 12:timeout 31:hold")
	f.Add("manual seed=7 0:crash-before")
	f.Fuzz(func(t *testing.T, line string) {
		s, err := sim.Parse(line)
		if err != nil {
			return
		}
		if again, err := sim.Parse(s.String()); err != nil || again.String() != s.String() {
			t.Errorf("%q is not read back: %v", s, err)
		}
	})
}

// TestAForkedLifeIsTheSameLife: what is run from a copy is what a life from the start would be.
func TestAForkedLifeIsTheSameLife(t *testing.T) {
	for _, mode := range []string{"two-slot-slow", "grace-window-may-cut"} {
		var seen atomic.Int64
		sim.Faults(mode, func(s sim.Schedule, forked sim.Result) {
			if seen.Add(1)%7 != 0 {
				return
			}
			whole := sim.Run(s)
			if strings.Join(whole.Trace, " ") != strings.Join(forked.Trace, " ") || len(whole.Broken) != len(forked.Broken) || whole.Hit != forked.Hit {
				t.Errorf("%s: a copy of the life made %d calls, a whole life %d", s, len(forked.Trace), len(whole.Trace))
			}
		})
	}
}
