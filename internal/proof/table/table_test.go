package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

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
	f, err := readFigures(top)
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
		words := strings.Fields(p.repeat)
		if words[0] != "make" || words[1] != p.name || !strings.Contains(string(text), "\n"+p.name+":") {
			t.Errorf("%s is repeated with %q, which the Makefile does not know", p.name, p.repeat)
		}
	}
}

func TestTheTableHasTheFiguresThatWereMeasured(t *testing.T) {
	w := newWorld(t)
	w.leaves["sim"] = []proof.Figure{none, {Name: "runs", Value: "5"}}
	w.leaves["kills-keycloak"] = []proof.Figure{{Name: "kills | <!-- figures: end -->\nall", Value: "500", Goal: ">= 500", OK: true}}
	if err := w.table("sim", "kills"); err != nil {
		t.Fatal(err)
	}
	got := w.page()
	for _, want := range []string{
		"| sim | violations | 0 | 0 | ok |\n", "| sim | runs | 5 |  |  |\n",
		"| sim | every schedule of faults, and random ones | ok | 1..10 | `" + w.head()[:12] + "` | " + w.date("sim") + " | 1m1s | `make sim` |\n",
		"| kills-keycloak | kills \\| &lt;!-- figures: end --> all | 500 | >= 500 | ok |\n",
		"| years | years of a fleet, in simulated time | not run |", "## After\n", "| machine |\n|---|\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "old\n") || strings.Contains(got, "not committed") {
		t.Errorf("the page says what is not so:\n%s", got)
	}
	if text := differs(t, w.top); text != "" {
		t.Error(text)
	}
}

func TestAnEditedFigureIsSeen(t *testing.T) {
	w := newWorld(t)
	w.leaves["sim"] = []proof.Figure{{Name: "violations", Value: "3", Goal: "0"}}
	if err := w.table("sim"); err == nil || !strings.Contains(err.Error(), "sim does not stand: violations") {
		t.Errorf("error %v, want the missed goal", err)
	}
	original := w.page()
	for _, want := range []string{"| sim | violations | 3 | 0 | **NOT** |", "random ones | **NOT** |"} {
		if !strings.Contains(original, want) {
			t.Errorf("a missed goal does not stand in the table as %q:\n%s", want, original)
		}
	}
	head := w.head()[:12]
	for _, edit := range [][2]string{
		{"violations | 3", "violations | 0"}, {"**NOT**", "ok"}, {"not run", "ok"}, {head, "123456789abc"}, {w.date("sim"), "1999-01-01"}, {" cores", "0 cores"},
	} {
		w.put(pageOf(w.top), strings.Replace(original, edit[0], edit[1], 1))
		if differs(t, w.top) == "" {
			t.Errorf("%q was changed to %q unseen", edit[0], edit[1])
		}
	}
}

func TestTheBlockCanBeWrittenAgainFromTheSameResults(t *testing.T) {
	w := newWorld(t)
	w.leaves["sim"] = []proof.Figure{none}
	if err := w.table("sim"); err != nil {
		t.Fatal(err)
	}
	want := w.page()
	w.put(pageOf(w.top), strings.Replace(want, "violations | 0", "violations | -1", 1))
	if err := w.table("-rewrite"); err != nil {
		t.Fatal(err)
	}
	if got := w.page(); got != want {
		t.Errorf("written again it is another page:\n%s", got)
	}
	w.ran("sim")
}

func TestResultsOfTwoCommitsAndTwoMachinesStandInOneTable(t *testing.T) {
	w := newWorld(t)
	w.leaves["sim"], w.leaves["years"] = []proof.Figure{none}, []proof.Figure{none}
	if err := w.table("sim"); err != nil {
		t.Fatal(err)
	}
	first := w.head()
	path := filepath.Join(resultsBeside(w.top), "sim.json")
	here := now(source{}).CPU
	w.put(path, strings.Replace(w.text(path), `"`+here+`"`, `"Another CPU"`, 1))
	w.change("code.go")
	w.commit()
	if err := w.table("years"); err != nil {
		t.Fatal(err)
	}
	got := w.page()
	for _, want := range []string{
		"| 1 | Another CPU, ", "| 2 | " + here + ", ",
		"| ok | 1..10 | `" + first[:12] + "` | " + w.date("sim") + " | 1 | 1m1s | `make sim` |\n",
		"| ok | 1..10 | `" + w.head()[:12] + "` | " + w.date("years") + " | 2 | 1m1s | `make years` |\n",
		"| kills | the daemon killed, against real servers | not run |  |  |  |  |  | `make kills` |\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q:\n%s", want, got)
		}
	}
	if first == w.head() || strings.Count(got, here) != 1 {
		t.Errorf("two commits, and each machine once:\n%s", got)
	}
	if text := differs(t, w.top); text != "" {
		t.Error(text)
	}
}

// A result that no row would show, or that says nothing of where it comes from, is no result.
func TestAStrangeFileBesideThePageIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"run.json":        `{}`,
		"simulation.json": `{"commit": "` + strings.Repeat("a", 40) + `", "result": {"took": "1s"}}`,
		"sim.json":        `{"result": {"took": "1s"}}`,
		"years.json":      `{"commit": "--output=x", "result": {"took": "1s"}}`,
		"kills.json":      `{"commit": "` + strings.Repeat("a", 40) + `"}`,
	} {
		w := newWorld(t)
		if err := os.MkdirAll(resultsBeside(w.top), 0o750); err != nil {
			t.Fatal(err)
		}
		w.put(filepath.Join(resultsBeside(w.top), name), text)
		part := strings.TrimSuffix(name, ".json")
		if err := w.table("-rewrite"); err == nil || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "stand") {
			t.Errorf("%s: error %v, want a refusal that names it", name, err)
		}
	}
}
