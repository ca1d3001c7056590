package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/proof"
)

func TestAPartIsSkippedWhereItsSourceIsTheSame(t *testing.T) {
	w := newWorld(t)
	w.leaves["sim"], w.leaves["years"] = []proof.Figure{none}, []proof.Figure{none}
	step := func(rule string, args []string, want ...string) {
		t.Helper()
		if err := w.table(args...); err != nil {
			t.Errorf("%s: %v", rule, err)
		}
		w.ran(want...)
	}
	both := []string{"sim", "years"}
	step("what has no result runs", []string{"years"}, "years")
	step("what has a result does not run again", both, "sim")
	if !strings.Contains(w.said.String(), "== years: skipped, it was measured on this source at "+w.head()[:12]) {
		t.Errorf("nothing was said of what was skipped:\n%s", &w.said)
	}
	step("again is again", append([]string{"-again"}, both...), both...)
	w.commit()
	step("committing the results changes no source", both)
	w.change("docs/other.md")
	w.commit()
	step("everything else does", both, both...)
	w.git("reset", "-q", "--hard", "HEAD~1")
	step("going back is no change", both)
	r, err := read(resultsBeside(w.top), "sim")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(resultsBeside(w.top), "sim.json")
	w.put(path, strings.Replace(w.text(path), r.moment.Commit, strings.Repeat("0", 40), 1))
	step("a commit that is not known here is another", both, "sim")
}

// Skipping hides nothing: what did not stand does not stand.
func TestASkippedPartThatMissesItsGoalIsStillSaid(t *testing.T) {
	w := newWorld(t)
	w.leaves["sim"] = []proof.Figure{{Name: "violations", Value: "3", Goal: "0"}}
	for range 2 {
		if err := w.table("sim"); err == nil || !strings.Contains(err.Error(), "sim does not stand") {
			t.Errorf("error %v, want the missed goal", err)
		}
	}
	w.ran("sim")
}

func TestADirtyTreeIsRefusedOrNamed(t *testing.T) {
	w := newWorld(t)
	w.leaves["sim"] = []proof.Figure{none}
	w.change("code.go")
	if err := w.table(); err == nil || strings.Count(err.Error(), "code.go") != 1 {
		t.Errorf("error %v, want one refusal that names the file", err)
	}
	w.ran()
	for range 2 { // what was measured with changes is never taken for this source
		if err := w.table("-allow-dirty", "sim"); err != nil {
			t.Fatal(err)
		}
		w.ran("sim")
		if !strings.Contains(w.page(), "`"+w.head()[:12]+"`, **with changes that are not committed**") {
			t.Errorf("the page does not say that the tree was dirty:\n%s", w.page())
		}
	}
	w.git("checkout", "-q", "code.go")
	if err := w.table("sim"); err != nil {
		t.Fatal(err)
	}
	w.ran("sim")
	if strings.Contains(w.page(), "not committed") {
		t.Errorf("the page speaks of changes that there are no more:\n%s", w.page())
	}
}

func TestATreeThatChangedWhileAPartRanIsRefused(t *testing.T) {
	for rule, during := range map[string]func(w *world){
		"a file is changed":                 func(w *world) { w.change("code.go") },
		"a changed file is changed further": func(w *world) { w.change("dirty.go") },
		"a changed file is as it was":       func(w *world) { w.git("clean", "-q", "-f", "dirty.go") },
		"a file comes":                      func(w *world) { w.change("new/new.go") },
		"a case comes":                      func(w *world) { w.change("a/testdata/fuzz/FuzzA/1") },
		"a commit comes":                    func(w *world) { w.commit() },
		"a commit of something else comes":  func(w *world) { w.change("new.go"); w.git("add", "new.go"); w.git("commit", "-q", "-m", "x", "new.go") },
	} {
		w := newWorld(t)
		w.leaves["sim"], w.leaves["years"] = []proof.Figure{none}, []proof.Figure{none}
		if err := w.table("sim"); err != nil {
			t.Fatal(err)
		}
		before := w.text(filepath.Join(resultsBeside(w.top), "sim.json"))
		w.change("dirty.go")
		w.during["sim"] = func() { during(w) }
		err := w.table("-allow-dirty", "sim", "years")
		if err == nil || !strings.Contains(err.Error(), "sim: its result") || !strings.Contains(err.Error(), "meanwhile") {
			t.Errorf("%s: error %v, want a refusal", rule, err)
		}
		if w.text(filepath.Join(resultsBeside(w.top), "sim.json")) != before || !w.has("years") {
			t.Errorf("%s: want the earlier result of sim, and the one of years, which is not concerned", rule)
		}
	}
}

func TestAFileThatWasRenamedIsTwoChanges(t *testing.T) {
	w := newWorld(t)
	w.git("mv", "code.go", "renamed.go")
	s, err := look(t.Context(), w.top)
	if err != nil || s.names() != "code.go, renamed.go" {
		t.Errorf("changes %q, error %v", s.names(), err)
	}
}

// What fuzzing leaves is the finding itself, and no reason to forget that there was one.
func TestAnInputThatFuzzingFoundIsNoChange(t *testing.T) {
	w := newWorld(t)
	w.change("a/testdata/fuzz/FuzzA/seed")
	w.commit()
	w.leaves["fuzz"] = []proof.Figure{{Name: "targets that crashed", Value: "1", Goal: "0"}}
	w.ends["fuzz"] = errors.New("exit status 2")
	w.during["fuzz"] = func() { w.change("a/testdata/fuzz/FuzzA/found") }
	if err := w.table("fuzz"); err == nil || strings.Contains(err.Error(), "meanwhile") {
		t.Errorf("error %v, want that it crashed", err)
	}
	if !strings.Contains(w.page(), "| **NOT**, exit status 2 | 1..10 |") {
		t.Errorf("the crash does not stand in the page:\n%s", w.page())
	}
	for _, name := range []string{"seed", "found"} { // the one is committed, the other is not
		w.during["fuzz"] = func() { w.change("a/testdata/fuzz/FuzzA/" + name) }
		if err := w.table("-allow-dirty", "fuzz"); err == nil || !strings.Contains(err.Error(), "meanwhile") {
			t.Errorf("error %v, want a refusal: %s was there before", err, name)
		}
	}
}

func TestAPartThatFailsKeepsWhatItMeasuredAndDoesNotStand(t *testing.T) {
	w := newWorld(t)
	w.leaves["sim"], w.leaves["years"] = []proof.Figure{none}, []proof.Figure{none}
	w.ends["sim"] = errors.New("exit status 2")
	if err := w.table("sim", "years"); err == nil || !strings.Contains(err.Error(), "sim does not stand: exit status 2") {
		t.Errorf("error %v, want that sim failed", err)
	}
	w.ran("sim", "years")
	for _, want := range []string{"random ones | **NOT**, exit status 2 | 1..10 |", "| sim | violations | 0 | 0 | ok |", "simulated time | ok |"} {
		if !strings.Contains(w.page(), want) {
			t.Errorf("the page lacks %q:\n%s", want, w.page())
		}
	}
}

func TestAPartThatFailsWithoutFiguresStandsBesideItsEarlierResult(t *testing.T) {
	for rule, fail := range map[string]func(w *world){
		"**NOT**, exit status 2, no figures": func(w *world) { w.ends["sim"] = errors.New("exit status 2"); delete(w.leaves, "sim") },
		"**NOT**, no figures":                func(w *world) { w.leaves["sim"] = nil },
	} {
		w := newWorld(t)
		w.leaves["sim"] = []proof.Figure{none}
		if err := w.table("sim"); err != nil {
			t.Fatal(err)
		}
		first := w.head()
		w.change("code.go")
		w.commit()
		fail(w)
		if err := w.table("sim"); err == nil || !strings.Contains(err.Error(), "sim-failed does not stand") {
			t.Errorf("%s: error %v, want that sim failed", rule, err)
		}
		for _, want := range []string{
			"| ok | 1..10 | `" + first[:12] + "` |", "| sim | violations | 0 | 0 | ok |",
			"| sim-failed | every schedule of faults, and random ones | " + rule + " |  | `" + w.head()[:12] + "` |",
		} {
			if !strings.Contains(w.page(), want) {
				t.Errorf("the page lacks %q:\n%s", want, w.page())
			}
		}
		if text := differs(t, w.top); text != "" {
			t.Error(text)
		}
		w.leaves["sim"], w.ends["sim"] = []proof.Figure{none}, nil
		if err := w.table("sim"); err != nil || strings.Contains(w.page(), "**NOT**") {
			t.Errorf("%s: error %v, and the page still says that sim failed:\n%s", rule, err, w.page())
		}
	}
}

// Whoever repeats a part and sees it fail without figures has not measured it: the older result of the same source is
// no reason to skip it.
func TestAPartThatFailedSinceItWasMeasuredIsNotSkipped(t *testing.T) {
	w := newWorld(t)
	w.leaves["sim"] = []proof.Figure{none}
	if err := w.table("sim"); err != nil {
		t.Fatal(err)
	}
	w.leaves["sim"] = nil
	for _, args := range [][]string{{"-again", "sim"}, {"sim"}} {
		if err := w.table(args...); err == nil || !w.has("sim") || !w.has("sim-failed") {
			t.Errorf("%v: error %v, want the result and the failure", args, err)
		}
	}
	w.ran("sim", "sim", "sim")
}

func TestOnlyTheResultsOfThePartThatRanAreReplaced(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"kills-keycloak", "kills-entra", "sim"} {
		w.leaves[name] = []proof.Figure{none}
	}
	if err := w.table("sim", "kills"); err != nil {
		t.Fatal(err)
	}
	delete(w.leaves, "kills-entra")
	delete(w.leaves, "sim")
	if err := w.table("-again", "kills"); err != nil {
		t.Fatal(err)
	}
	if w.has("kills-entra") || !w.has("kills-keycloak") || !w.has("sim") {
		t.Error("want the results of the last run of each part, and no other")
	}
}

func TestAnInterruptedRunKeepsWhatIsFinished(t *testing.T) {
	w := newWorld(t)
	for _, p := range parts() {
		w.leaves[p.name] = []proof.Figure{none}
	}
	ctx, interrupt := context.WithCancel(t.Context())
	w.during["kills"] = interrupt
	if err := w.tableIn(ctx); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "kills: it was interrupted") || strings.Contains(err.Error(), "power") {
		t.Errorf("error %v, want that kills was interrupted", err)
	}
	w.ran("sim", "years", "kills")
	if !w.has("sim") || !w.has("years") || w.has("kills") || w.has("kills-failed") || differs(t, w.top) != "" {
		t.Errorf("want sim and years and nothing of kills:\n%s", w.page())
	}
	w.during["kills"] = nil
	if err := w.table(); err != nil {
		t.Fatal(err)
	}
	w.ran("kills", "mails", "power", "wire", "mutants", "canary", "fuzz")
}

func TestAResultOfAnotherPartIsRefused(t *testing.T) {
	for _, name := range []string{"kills", "simulation", "sim-failed"} {
		w := newWorld(t)
		_, err := measured(parts()[0], w.top)
		if err != nil {
			t.Fatal(err)
		}
		w.save(w.top, name, []proof.Figure{none})
		if _, err := measured(parts()[0], w.top); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want a refusal that names %s", err, name)
		}
	}
}

func TestAPartThatThereIsNotIsRefusedBeforeAnythingRuns(t *testing.T) {
	w := newWorld(t)
	if err := w.table("sim", "simulation"); err == nil || !strings.Contains(err.Error(), "simulation") {
		t.Errorf("error %v, want a refusal that names it", err)
	}
	w.ran()
}

// Two runs never share a directory, and a part that is repeated by hand takes its size from there: a part of the proof
// takes it from nowhere but its own command.
func TestAPartRunsItsTargetAtFullSize(t *testing.T) {
	for _, name := range []string{"N", "SLICE", "TIME", "MAKEFLAGS"} {
		t.Setenv(name, "1")
	}
	t.Setenv(proof.Directory, "elsewhere")
	t.Setenv("ROTAD_KILLS_SEED", "7")
	fuzz := parts()[len(parts())-1]
	top := t.TempDir()
	first, err := freshDirectory(top, fuzz)
	if err != nil {
		t.Fatal(err)
	}
	second, err := freshDirectory(top, fuzz)
	if err != nil || first == second || !filepath.IsAbs(first) || filepath.Dir(first) != filepath.Join(top, "bin", "proof") {
		t.Errorf("directories %q and %q, error %v", first, second, err)
	}
	cmd := command(t.Context(), top, fuzz, first)
	if got := strings.Join(cmd.Args, " "); got != "make fuzz TIME=30s" || cmd.Dir != top {
		t.Errorf("%q in %q", got, cmd.Dir)
	}
	got := cmd.Environ()
	for _, want := range []string{proof.Directory + "=" + first, "ROTAD_KILLS_SEED=7", "PATH=" + os.Getenv("PATH")} {
		if !slices.Contains(got, want) {
			t.Errorf("the environment lacks %s", want)
		}
	}
	for _, pair := range got {
		if name, _, _ := strings.Cut(pair, "="); slices.Contains(sizes, name) {
			t.Errorf("the environment has %s", pair)
		}
	}
}
