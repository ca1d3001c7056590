package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
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
		if !ok || !strings.Contains(string(text), "\n"+target+":") {
			t.Errorf("%s is repeated with %q, which the Makefile does not know", p.name, p.repeat)
		}
	}
}

// world is a tree of its own with one commit, a page, and a directory of results.
func world(t *testing.T) (top, dir string) {
	t.Helper()
	top, dir = t.TempDir(), filepath.Join(t.TempDir(), "results")
	if err := os.MkdirAll(filepath.Join(top, "docs"), 0o750); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(top, "code.go"), "package code\n")
	put(t, pageOf(top), "# Proof\n"+markBegin+"\nold\n"+markEnd+"\n## After\n")
	inTree(t, top, "init", "-q")
	commit(t, top)
	return top, dir
}

func commit(t *testing.T, top string) {
	t.Helper()
	inTree(t, top, "add", ".")
	inTree(t, top, "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-q", "-m", "x")
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

func save(t *testing.T, dir, part string, figures ...proof.Figure) {
	t.Helper()
	if err := proof.Save(dir, part, proof.Result{Seeds: "1..10", Took: 61 * time.Second, Figures: figures}); err != nil {
		t.Fatal(err)
	}
}

func table(t *testing.T, args ...string) error {
	t.Helper()
	return run(t.Context(), args, io.Discard)
}

func page(t *testing.T, top string) string {
	t.Helper()
	text, err := os.ReadFile(pageOf(top))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheTableHasTheFiguresThatWereMeasured(t *testing.T) {
	top, dir := world(t)
	if err := table(t, "-C", top, "-begin", dir); err != nil {
		t.Fatal(err)
	}
	save(t, dir, "sim", proof.Figure{Name: "violations", Value: "0", Goal: "0", OK: true}, proof.Figure{Name: "runs", Value: "5"})
	save(t, dir, "kills-keycloak", proof.Figure{Name: "kills | <!-- figures: end -->\nall", Value: "500", Goal: ">= 500", OK: true})
	if err := table(t, "-C", top, dir); err != nil {
		t.Fatal(err)
	}
	got := page(t, top)
	for _, want := range []string{
		"| sim | violations | 0 | 0 | ok |\n", "| sim | runs | 5 |  |  |\n", "| 1..10 | 1m1s | `make sim` |\n",
		"| kills-keycloak | kills \\| &lt;!-- figures: end --> all | 500 | >= 500 | ok |\n",
		"| years | years of a fleet, in simulated time | not run |", "## After\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "old\n") || strings.Contains(got, "not committed") {
		t.Errorf("the page says what is not so:\n%s", got)
	}
	if text := differs(t, top); text != "" {
		t.Error(text)
	}
}

func TestAnEditedFigureIsSeen(t *testing.T) {
	top, dir := world(t)
	save(t, dir, "sim", proof.Figure{Name: "violations", Value: "3", Goal: "0"})
	if err := table(t, "-C", top, "-begin", dir); err != nil {
		t.Fatal(err)
	}
	if err := table(t, "-C", top, dir); err == nil || !strings.Contains(err.Error(), "sim: violations") {
		t.Errorf("error %v, want the missed goal", err)
	}
	original := page(t, top)
	if !strings.Contains(original, "| sim | violations | 3 | 0 | **NOT** |") {
		t.Errorf("a missed goal does not stand in the table:\n%s", original)
	}
	for _, edit := range [][2]string{{"violations | 3", "violations | 0"}, {"**NOT**", "ok"}, {"not run", "ok"}} {
		put(t, pageOf(top), strings.Replace(original, edit[0], edit[1], 1))
		if differs(t, top) == "" {
			t.Errorf("%q was changed to %q unseen", edit[0], edit[1])
		}
	}
}

func TestTheBlockCanBeWrittenAgainFromTheSameResults(t *testing.T) {
	top, dir := world(t)
	save(t, dir, "sim", proof.Figure{Name: "violations", Value: "0", Goal: "0", OK: true})
	if err := table(t, "-C", top, "-begin", dir); err != nil {
		t.Fatal(err)
	}
	if err := table(t, "-C", top, dir); err != nil {
		t.Fatal(err)
	}
	want := page(t, top)
	put(t, pageOf(top), strings.Replace(want, "violations | 0", "violations | -1", 1))
	if err := table(t, "-C", top, "-rewrite"); err != nil {
		t.Fatal(err)
	}
	if got := page(t, top); got != want {
		t.Errorf("written again it is another page:\n%s", got)
	}
}

func TestAPartThatHasNotRunAgainLosesItsFigures(t *testing.T) {
	top, dir := world(t)
	if err := table(t, "-C", top, "-begin", dir); err != nil {
		t.Fatal(err)
	}
	save(t, dir, "sim", proof.Figure{Name: "violations", Value: "0", Goal: "0", OK: true})
	if err := table(t, "-C", top, dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "sim.json")); err != nil {
		t.Fatal(err)
	}
	if err := table(t, "-C", top, dir); err != nil {
		t.Fatal(err)
	}
	if got := page(t, top); strings.Contains(got, "violations") {
		t.Errorf("figures of an earlier run are left:\n%s", got)
	}
}

func TestResultsBelongToOneCommit(t *testing.T) {
	top, dir := world(t)
	if err := table(t, "-C", top, dir); err == nil {
		t.Error("a table of a run that nobody began was written")
	}
	if err := table(t, "-C", top, "-begin", dir); err != nil {
		t.Fatal(err)
	}
	if err := table(t, "-C", top, "-begin", dir); err != nil {
		t.Errorf("the run at the same commit does not go on: %v", err)
	}
	put(t, filepath.Join(top, "code.go"), "package other\n")
	commit(t, top)
	for _, args := range [][]string{{"-C", top, dir}, {"-C", top, "-begin", dir}} {
		if err := table(t, args...); err == nil || !strings.Contains(err.Error(), "belong to commit") {
			t.Errorf("%v: error %v, want a refusal", args, err)
		}
	}
}

func TestADirtyTreeIsRefusedOrNamed(t *testing.T) {
	top, dir := world(t)
	put(t, filepath.Join(top, "code.go"), "package other\n")
	if err := table(t, "-C", top, "-begin", dir); err == nil || !strings.Contains(err.Error(), "code.go") {
		t.Errorf("error %v, want a refusal that names the file", err)
	}
	if err := table(t, "-C", top, "-allow-dirty", "-begin", dir); err != nil {
		t.Fatal(err)
	}
	if err := table(t, "-C", top, dir); err == nil {
		t.Error("the table of a dirty tree was written")
	}
	if err := table(t, "-C", top, "-allow-dirty", dir); err != nil {
		t.Fatal(err)
	}
	if got := page(t, top); !strings.Contains(got, "with changes that are not committed") {
		t.Errorf("the page does not say that the tree was dirty:\n%s", got)
	}
}

func TestATreeThatChangedDuringTheRunIsRefused(t *testing.T) {
	top, dir := world(t)
	if err := table(t, "-C", top, "-begin", dir); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(top, "code.go"), "package other\n")
	if err := table(t, "-C", top, "-allow-dirty", dir); err == nil || !strings.Contains(err.Error(), "changed since") {
		t.Errorf("error %v, want a refusal", err)
	}
}

func TestAResultOfNoPartIsRefused(t *testing.T) {
	top, dir := world(t)
	if err := table(t, "-C", top, "-begin", dir); err != nil {
		t.Fatal(err)
	}
	save(t, dir, "simulation")
	if err := table(t, "-C", top, dir); err == nil || !strings.Contains(err.Error(), "simulation") {
		t.Errorf("error %v, want a refusal that names the result", err)
	}
}
