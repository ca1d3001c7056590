package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/proof"
)

const tree = "../../.."

// Nobody edits a figure: what stands in the page is what this program writes from the results beside it.
func TestFiguresInThePageComeFromTheResultsBesideIt(t *testing.T) {
	if text := differs(t, tree); text != "" {
		t.Error(text)
	}
}

// differs says how the page of a tree is not what its results give, "" where it is.
func differs(t *testing.T, top string) string {
	t.Helper()
	f, err := readFigures(resultsBeside(top))
	if err != nil {
		return err.Error()
	}
	page, err := os.ReadFile(pageOf(top))
	if err != nil {
		return err.Error()
	}
	_, got, _, err := split(string(page))
	if err != nil {
		return err.Error()
	}
	if want := f.block(); got != want {
		return "docs/proof.md holds figures that docs/proof/ does not give:\n--- page\n" + got + "--- results\n" + want
	}
	return ""
}

// Every command that the table names is a target of the Makefile.
func TestEveryPartCanBeRepeated(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(tree, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parts() {
		target, ok := strings.CutPrefix(p.repeat, "make ")
		target, _, _ = strings.Cut(target, " ")
		if !ok || !strings.Contains(string(text), "\n"+target+":") {
			t.Errorf("%s is repeated with %q, which the Makefile does not know", p.name, p.repeat)
		}
	}
}

// world is a tree of its own with one commit, a page, and a program in place of make.
type world struct {
	t        *testing.T
	top      string
	prepared string // what the parts write: <part>.json, or <part>.fail to fail with
	ran      string // one line for every part that ran
}

// newWorld: the program that stands for make copies what was prepared for a part, and does what its script says.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, top: t.TempDir(), prepared: t.TempDir()}
	w.ran = filepath.Join(w.prepared, "ran")
	if err := os.MkdirAll(filepath.Join(w.top, "docs"), 0o750); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(w.top, "code.go"), "package code\n")
	put(t, pageOf(w.top), "# Proof\n"+markBegin+"\nold\n"+markEnd+"\n## After\n")
	put(t, w.make(), `#!/bin/sh
part=$2
echo "$part" >> `+w.ran+`
cp `+w.prepared+`/$part*.json "$ROTAD_PROOF"/ 2>/dev/null
if [ -f `+w.prepared+`/$part.sh ]; then . `+w.prepared+`/$part.sh; fi
`)
	if err := os.Chmod(w.make(), 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	inTree(t, w.top, "init", "-q")
	w.commit()
	return w
}

func (w *world) make() string { return filepath.Join(w.prepared, "make") }

func (w *world) commit() {
	w.t.Helper()
	inTree(w.t, w.top, "add", ".")
	inTree(w.t, w.top, "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-q", "-m", "x")
}

// writes prepares what a part measures.
func (w *world) writes(result string, figures ...proof.Figure) {
	w.t.Helper()
	if err := proof.Save(w.prepared, result, proof.Result{Seeds: "1..10", Took: 61 * time.Second, Figures: figures}); err != nil {
		w.t.Fatal(err)
	}
}

// does prepares what else a part does.
func (w *world) does(part, script string) {
	w.t.Helper()
	put(w.t, filepath.Join(w.prepared, part+".sh"), script)
}

func (w *world) table(args ...string) error {
	w.t.Helper()
	return run(w.t.Context(), append([]string{"-C", w.top, "-make", w.make()}, args...), io.Discard)
}

// times says how often a part was run.
func (w *world) times(part string) int {
	text, err := os.ReadFile(w.ran)
	if err != nil {
		return 0
	}
	return strings.Count(string(text), part+"\n")
}

func (w *world) page() string {
	w.t.Helper()
	text, err := os.ReadFile(pageOf(w.top))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

func (w *world) head() string {
	w.t.Helper()
	at, err := look(w.t.Context(), w.top)
	if err != nil {
		w.t.Fatal(err)
	}
	return short(at.Commit)
}

// shows fails for each text that the page lacks.
func (w *world) shows(texts ...string) {
	w.t.Helper()
	got := w.page()
	for _, want := range texts {
		if !strings.Contains(got, want) {
			w.t.Errorf("the page lacks %q:\n%s", want, got)
		}
	}
	if text := differs(w.t, w.top); text != "" {
		w.t.Error(text)
	}
}

func inTree(t *testing.T, top string, args ...string) {
	t.Helper()
	if text, err := exec.CommandContext(t.Context(), "git", append([]string{"-C", top}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// violations is a figure that is met where there are none.
func violations(n string) proof.Figure {
	return proof.Figure{Name: "violations", Value: n, Goal: "0", OK: n == "0"}
}

func TestTheTableHasTheFiguresThatWereMeasured(t *testing.T) {
	w := newWorld(t)
	w.writes("sim", violations("0"), proof.Figure{Name: "runs", Value: "5"})
	w.writes("kills-keycloak", proof.Figure{Name: "kills | <!-- figures: end -->\nall", Value: "500", Goal: ">= 500", OK: true})
	if err := w.table("kills", "sim"); err != nil {
		t.Fatal(err)
	}
	w.shows("| sim | violations | 0 | 0 | ok |\n", "| sim | runs | 5 |  |  |\n", "| 1 | 1..10 | 1m1s | `make sim` |\n",
		"| kills-keycloak | kills \\| &lt;!-- figures: end --> all | 500 | >= 500 | ok |\n",
		"| years | years of a fleet, in simulated time | not run |", "## After\n", "`"+w.head()+"`")
	if got := w.page(); strings.Contains(got, "old\n") || strings.Contains(got, "not committed") {
		t.Errorf("the page says what is not so:\n%s", got)
	}
}

func TestAnEditedFigureIsSeen(t *testing.T) {
	w := newWorld(t)
	w.writes("sim", violations("3"))
	if err := w.table("sim"); err == nil || !strings.Contains(err.Error(), "sim: violations") {
		t.Errorf("error %v, want the missed goal", err)
	}
	w.shows("| sim | violations | 3 | 0 | **NOT** |")
	original := w.page()
	for _, edit := range [][2]string{{"violations | 3", "violations | 0"}, {"**NOT**", "ok"}, {"not run", "ok"}, {w.head(), "0123456789ab"}} {
		put(t, pageOf(w.top), strings.Replace(original, edit[0], edit[1], 1))
		if differs(t, w.top) == "" {
			t.Errorf("%q was changed to %q unseen", edit[0], edit[1])
		}
	}
}

func TestTheBlockCanBeWrittenAgainFromTheSameResults(t *testing.T) {
	w := newWorld(t)
	w.writes("sim", violations("0"))
	if err := w.table("sim"); err != nil {
		t.Fatal(err)
	}
	want := w.page()
	put(t, pageOf(w.top), strings.Replace(want, "violations | 0", "violations | -1", 1))
	if err := w.table("-rewrite"); err != nil {
		t.Fatal(err)
	}
	if got := w.page(); got != want {
		t.Errorf("written again it is another page:\n%s", got)
	}
}

// All parts together take longer than one sitting, and what one of them finds is mended before the next one runs.
func TestEveryPartNamesItsOwnCommit(t *testing.T) {
	w := newWorld(t)
	w.writes("sim", violations("0"))
	if err := w.table("sim"); err != nil {
		t.Fatal(err)
	}
	first := w.head()
	put(t, filepath.Join(w.top, "code.go"), "package other\n")
	w.commit()
	w.writes("years", violations("0"))
	if err := w.table("years"); err != nil {
		t.Fatal(err)
	}
	w.shows("| ok | `"+first+"` |", "| ok | `"+w.head()+"` |")
	if first == w.head() {
		t.Error("the two parts were measured at the same commit")
	}
}

// A part that another machine measured stands with that machine.
func TestEveryPartNamesItsOwnMachine(t *testing.T) {
	w := newWorld(t)
	w.writes("sim", violations("0"))
	w.writes("wire", violations("0"))
	if err := w.table("sim", "wire"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(resultsBeside(w.top), "wire.json")
	text, err := os.ReadFile(path) //nolint:gosec // a file of this test
	if err != nil {
		t.Fatal(err)
	}
	put(t, path, regexp.MustCompile(`"cpu": "[^"]*"`).ReplaceAllString(string(text), `"cpu": "an abacus"`))
	if err := w.table("-rewrite"); err != nil {
		t.Fatal(err)
	}
	w.shows("| 2 | an abacus, ", "| 1 | 1..10 |", "| 2 | 1..10 |")
}

func TestAPartIsNotMeasuredTwiceAtTheSameSource(t *testing.T) {
	w := newWorld(t)
	w.writes("sim", violations("0"))
	step := func(want int, args ...string) {
		t.Helper()
		if err := w.table(args...); err != nil {
			t.Fatal(err)
		}
		if n := w.times("sim"); n != want {
			t.Fatalf("%v: measured %d times, want %d", args, n, want)
		}
	}
	step(1, "sim")
	step(1, "sim")
	w.commit() // the results, and the page
	step(1, "sim")
	step(2, "-again", "sim")
	put(t, filepath.Join(w.top, "code.go"), "package other\n")
	w.commit()
	step(3, "sim")
}

// A missed goal may have been bad luck: it is measured again.
func TestAPartThatMissedItsGoalIsMeasuredAgain(t *testing.T) {
	w := newWorld(t)
	w.writes("sim", violations("3"))
	if err := w.table("sim"); err == nil {
		t.Error("a missed goal is no error")
	}
	w.writes("sim", violations("0"))
	if err := w.table("sim"); err != nil || w.times("sim") != 2 {
		t.Errorf("%v after %d runs", err, w.times("sim"))
	}
}

func TestAPartThatFailsKeepsWhatItMeasured(t *testing.T) {
	w := newWorld(t)
	w.writes("sim", violations("3"))
	w.does("sim", "exit 1")
	w.writes("years", violations("0"))
	if err := w.table("sim", "years"); err == nil || !strings.Contains(err.Error(), "sim: running") {
		t.Errorf("error %v, want the part that failed", err)
	}
	w.shows("| sim | violations | 3 | 0 | **NOT** |", "| years | violations | 0 | 0 | ok |")
}

func TestAPartThatMeasuresNothingLeavesItsFormerResult(t *testing.T) {
	w := newWorld(t)
	w.writes("sim", violations("0"))
	if err := w.table("sim"); err != nil {
		t.Fatal(err)
	}
	first := w.head()
	if err := os.Remove(filepath.Join(w.prepared, "sim.json")); err != nil {
		t.Fatal(err)
	}
	if err := w.table("-again", "sim"); err == nil || !strings.Contains(err.Error(), "measured nothing") {
		t.Errorf("error %v, want that nothing was measured", err)
	}
	w.shows("| ok | `" + first + "` |")
}

// Of a part with several results, one that is no longer measured goes.
func TestAFormerResultOfAPartGoesWithItsNextRun(t *testing.T) {
	w := newWorld(t)
	w.writes("kills-a", violations("0"))
	w.writes("kills-b", violations("0"))
	if err := w.table("kills"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(w.prepared, "kills-b.json")); err != nil {
		t.Fatal(err)
	}
	if err := w.table("-again", "kills"); err != nil {
		t.Fatal(err)
	}
	if got := w.page(); !strings.Contains(got, "kills-a") || strings.Contains(got, "kills-b") {
		t.Errorf("figures of an earlier run are left:\n%s", got)
	}
}

func TestADirtyTreeIsRefusedOrNamed(t *testing.T) {
	w := newWorld(t)
	w.writes("sim", violations("0"))
	put(t, filepath.Join(w.top, "code.go"), "package other\n")
	if err := w.table("sim"); err == nil || !strings.Contains(err.Error(), "code.go") || w.times("sim") != 0 {
		t.Errorf("error %v after %d runs, want a refusal that names the file", err, w.times("sim"))
	}
	if err := w.table("-allow-dirty", "sim"); err != nil {
		t.Fatal(err)
	}
	w.shows("with changes that are not committed")
}

func TestATreeThatChangesDuringThePartIsRefused(t *testing.T) {
	w := newWorld(t)
	w.writes("sim", violations("0"))
	for name, script := range map[string]string{
		"changed since": "echo 'package other' > code.go",
		"is of neither": "git -c user.name=x -c user.email=x@example.com commit -qam x",
	} {
		w.does("sim", script)
		if err := w.table("-again", "-allow-dirty", "sim"); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want that the tree has %s", err, name)
		}
	}
	if got := w.page(); !strings.Contains(got, "not run") || strings.Contains(got, "violations") {
		t.Errorf("a result that belongs to no commit was kept:\n%s", got)
	}
}

func TestAResultOfAnotherPartIsRefused(t *testing.T) {
	w := newWorld(t)
	w.writes("simulation")
	if err := w.table("sim"); err == nil || !strings.Contains(err.Error(), "simulation") {
		t.Errorf("error %v, want a refusal that names the result", err)
	}
	if err := w.table("simulation"); err == nil || !strings.Contains(err.Error(), "no part") {
		t.Errorf("error %v, want a refusal that names the part", err)
	}
}
