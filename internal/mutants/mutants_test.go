package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

const story = "Story: somebody somewhere did exactly this, and lost what could not\n  be had again.\n"

func patch(header, diff string) string { return header + story + diff }

const goodHeader = "Name: one\nBreaks: I3, law\nKiller: ./calc ^TestAdd$/^two$\nSource: https://example.com/1 https://example.com/2\n"

const goodDiff = "--- a/calc/calc.go\n+++ b/calc/calc.go\n@@ -1,3 +1,3 @@\n func Add(a, b int) int {\n-\treturn a + b\n+\treturn a - b\n }\n"

func TestAPatchIsReadWhole(t *testing.T) {
	m, err := read("one", patch(goodHeader, goodDiff))
	if err != nil {
		t.Fatal(err)
	}
	want := mutant{
		name: "one", breaks: "I3, law", pkg: "./calc", test: "^TestAdd$/^two$",
		story:  "somebody somewhere did exactly this, and lost what could not be had again.",
		source: []string{"https://example.com/1", "https://example.com/2"},
		edits: []edit{{path: "calc/calc.go", hunks: []hunk{{
			from: "func Add(a, b int) int {\n\treturn a + b\n}\n", to: "func Add(a, b int) int {\n\treturn a - b\n}\n",
		}}}},
	}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("read\n%+v\nwant\n%+v", m, want)
	}
}

func TestAPatchThatSaysTooLittleIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no diff":            patch(goodHeader, ""),
		"another name":       patch(strings.Replace(goodHeader, "one", "two", 1), goodDiff),
		"no such invariant":  patch(strings.Replace(goodHeader, "I3", "I21", 1), goodDiff),
		"no package":         patch(strings.Replace(goodHeader, "./calc ", "", 1), goodDiff),
		"a link that is not": patch(strings.Replace(goodHeader, "https", "gopher", 1), goodDiff),
		"an unknown key":     patch(goodHeader+"Color: red\n", goodDiff),
		"no story":           goodHeader + goodDiff,
		"changes nothing":    patch(goodHeader, strings.Replace(goodDiff, "a - b", "a + b", 1)),
		"no hunk":            patch(goodHeader, "--- a/calc/calc.go\n+++ b/calc/calc.go\n stray\n"),
	} {
		if _, err := read("one", text); err == nil {
			t.Errorf("%s: it was read", name)
		}
	}
}

func TestAHunkFitsAtOnePlaceOrNone(t *testing.T) {
	e := edit{path: "f.go", hunks: []hunk{{from: "b\n", to: "x\n"}}}
	got, err := e.apply("a\nb\nc\n")
	if err != nil || got != "a\nx\nc\n" {
		t.Errorf("applied: %q, %v", got, err)
	}
	for _, text := range []string{"a\nc\n", "b\nb\n"} {
		if _, err := e.apply(text); err == nil || !strings.Contains(err.Error(), "f.go") {
			t.Errorf("applied to %q: %v, want an error that names the file", text, err)
		}
	}
}

func TestOnlyAnAssertionKills(t *testing.T) {
	line := func(action, test, output string) string {
		return `{"Action":"` + action + `","Test":"` + test + `","Output":"` + output + `"}` + "\n"
	}
	for _, c := range []struct {
		stream string
		want   verdict
		test   string
	}{
		{line("pass", "TestA", "") + line("pass", "", ""), passed, ""},
		{line("output", "", `testing: warning: no tests to run\n`) + line("pass", "", ""), empty, ""},
		{line("fail", "TestA/deep", "") + line("fail", "TestA", "") + line("fail", "", ""), failed, "TestA/deep"},
		{line("output", "TestA", `panic: boom\n`) + line("fail", "TestA", "") + line("fail", "", ""), panicked, "TestA"},
		{line("output", "TestA", `fatal error: all goroutines are asleep\n`) + line("fail", "", ""), panicked, ""},
		{line("output", "TestA", `panic: test timed out after 1m0s\n`) + line("fail", "TestA", ""), late, "TestA"},
		{line("build-output", "", `x.go:1: undefined: y\n`) + line("build-fail", "", "") + line("fail", "", ""), broken, ""},
		{line("output", "TestA", `    x_test.go:1: panic: is only mentioned\n`) + line("fail", "TestA", ""), failed, "TestA"},
	} {
		if got := judge([]byte(c.stream)); got.verdict != c.want || got.by != c.test {
			t.Errorf("%s%s by %q, want %s by %q", c.stream, got.verdict, got.by, c.want, c.test)
		}
	}
}

func TestTheCommitDecidesWhoseTurnItIs(t *testing.T) {
	all := []mutant{{name: "a"}, {name: "b"}, {name: "c"}, {name: "d"}, {name: "e"}}
	seen := map[string]int{}
	for _, commit := range []string{"00000000\n", "00000001\n", "00000002\n"} {
		offset, err := turnOf(commit, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range choose(all, settings{every: 3, offset: offset, wanted: regexp.MustCompile("")}) {
			seen[m.name]++
		}
	}
	if want := map[string]int{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1}; !reflect.DeepEqual(seen, want) {
		t.Errorf("three commits in a row chose %v, want each once", seen)
	}
	if got := choose(all, settings{every: 1, wanted: regexp.MustCompile("^[bd]$")}); len(got) != 2 {
		t.Errorf("chose %v by name", got)
	}
	if _, err := turnOf("not a commit", 3); err == nil {
		t.Error("a commit that is none was read")
	}
}

// world is a repository with one function, its test, and mutants of it.
func world(t *testing.T, patches map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	all := map[string]string{
		"go.mod":       "module example.com/world\n\ngo 1.26\n",
		"calc/calc.go": "package calc\n\n// Add adds.\nfunc Add(a, b int) int {\n\treturn a + b\n}\n",
		"calc/calc_test.go": "package calc\n\nimport \"testing\"\n\nfunc TestAdd(t *testing.T) {\n" +
			"\tt.Run(\"two\", func(t *testing.T) {\n\t\tif Add(2, 2) != 4 {\n\t\t\tt.Error(\"no\")\n\t\t}\n\t})\n}\n\n" +
			"func TestRed(t *testing.T) { t.Error(Add(1, 1)) }\n",
	}
	for name, text := range patches {
		all["internal/mutants/patches/"+name+".patch"] = text
	}
	for path, text := range all {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := git(t.Context(), dir, "init", "-q"); err != nil {
		t.Fatal(err)
	}
	return dir
}

// variant is a patch of the world that returns something else than the sum.
func variant(name, killer, returns string) string {
	head := strings.Replace(goodHeader, "one", name, 1)
	head = strings.Replace(head, "./calc ^TestAdd$/^two$", killer, 1)
	return patch(head, strings.Replace(goodDiff, "a - b", returns, 1))
}

func hunted(t *testing.T, patches map[string]string) (lines string, err error) {
	t.Helper()
	t.Chdir(world(t, patches))
	var out strings.Builder
	err = run(t.Context(), nil, &out, &out)
	return out.String(), err
}

func TestAMutantIsKilledByItsTestOnly(t *testing.T) {
	add := "./calc ^TestAdd$"
	lines, err := hunted(t, map[string]string{
		"killed":   variant("killed", add, "a - b"),
		"survivor": variant("survivor", add, "b + a"),
		"broken":   variant("broken", add, "a + undefined"),
		"panics":   variant("panics", add, "[]int{}[a]"),
		"expected": strings.Replace(variant("expected", add, "[]int{}[a]"), "Killer:", "Dies: panic\nKiller:", 1),
		"unproved": variant("unproved", "./calc ^TestRed$", "a - b"),
		"untested": variant("untested", "./calc ^TestNone$", "a - b"),
		"gone":     strings.Replace(variant("gone", add, "a - b"), "-\treturn a + b", "-\treturn a * b", 1),
	})
	if err == nil {
		t.Error("survivors were no error")
	}
	for _, want := range []string{
		`killed +killed +I3, law +TestAdd/two `, `SURVIVED +survivor .*its test passed`, `SURVIVED +broken .*did not compile`,
		`SURVIVED +panics .*panicked`, `killed +expected +I3, law +TestAdd/two`, `SURVIVED +unproved .*without the break its test failed`,
		`SURVIVED +untested .*without the break its test .*ran no test`, `SURVIVED +gone .*gone does not apply: .*fits nowhere any more`,
	} {
		if !regexp.MustCompile(`(?m)^` + want).MatchString(lines) {
			t.Errorf("no line %q in\n%s", want, lines)
		}
	}
	if !strings.HasSuffix(lines, "\nmutants killed 2/8\n") {
		t.Errorf("the last line is not the sum:\n%s", lines)
	}
}

func TestFiguresAreWrittenForAWholeRun(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("ROTAD_PROOF", dir)
	lines, err := hunted(t, map[string]string{"killed": variant("killed", "./calc ^TestAdd$", "a - b")})
	if err != nil || !strings.HasSuffix(lines, "\nmutants killed 1/1\n") {
		t.Errorf("%v\n%s", err, lines)
	}
	text, err := os.ReadFile(filepath.Join(dir, "mutants.json"))
	if err != nil || !strings.Contains(string(text), "1/1") || !strings.Contains(string(text), "I3 law") {
		t.Errorf("figures: %v\n%s", err, text)
	}
}

func TestTheTreeIsLeftAlone(t *testing.T) {
	dir := world(t, map[string]string{"killed": variant("killed", "./calc ^TestAdd$", "a - b")})
	before, err := os.ReadFile(filepath.Join(dir, "calc/calc.go"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	if err := run(t.Context(), []string{"-copies", "1"}, &strings.Builder{}, &strings.Builder{}); err != nil {
		t.Error(err)
	}
	after, err := os.ReadFile("calc/calc.go")
	if err != nil || string(after) != string(before) {
		t.Errorf("the tree was changed: %v", err)
	}
	status, err := git(t.Context(), dir, "status", "--porcelain", "-uall")
	if err != nil || strings.Count(status, "\n") != 4 {
		t.Errorf("the tree holds more or less than before: %v\n%s", err, status)
	}
}
