package house_test

import (
	"go/ast"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pagesThatNameTests are the pages whose promises are tests. A name is `TestFunction` or `TestFunction/subtest`.
var pagesThatNameTests = []string{"docs/architecture.md", "docs/proof.md", "docs/seeds.md"}

var testName = regexp.MustCompile("`(Test[A-Za-z0-9_]+(?:/[^`|]+)?)`")

// What a page calls proved has a test of that name. "not yet" is an honest answer; a name that no test has is not.
func TestTestsNamedInDocumentsExist(t *testing.T) {
	tests := testsByName(t)
	for _, page := range pagesThatNameTests {
		names := testName.FindAllStringSubmatch(read(t, page), -1)
		for _, m := range names {
			function, rest, _ := strings.Cut(m[1], "/")
			found, ok := tests[function]
			if !ok {
				t.Errorf("%s: there is no %s", page, function)
				continue
			}
			for part := range strings.SplitSeq(rest, "/") {
				if part != "" && !slices.ContainsFunc(found, func(literal string) bool { return nameOf(literal, part) }) {
					t.Errorf("%s: %s has no subtest %q", page, function, part)
				}
			}
		}
		t.Logf("%s names %d tests", page, len(names))
	}
}

// nameOf says whether a literal in a test is the name of a subtest: the whole of it, or its first word.
func nameOf(literal, part string) bool {
	literal = strings.ReplaceAll(literal, " ", "_")
	return literal == part || strings.HasPrefix(literal, part+"_") || strings.HasPrefix(literal, part+":")
}

// testsByName returns every test function with the string literals of its package, among which the names of its subtests
// are: a table may stand in another file.
func testsByName(t *testing.T) map[string][]string {
	t.Helper()
	literals, functions := map[string][]string{}, map[string][]string{}
	for _, s := range sources(t).sources {
		if !s.test {
			continue
		}
		literals[s.dir] = append(literals[s.dir], stringsIn(s.file)...)
		for _, decl := range s.file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, "Test") {
				functions[f.Name.Name] = append(functions[f.Name.Name], s.dir)
			}
		}
	}
	found := map[string][]string{}
	for name, dirs := range functions {
		for _, dir := range dirs {
			found[name] = append(found[name], literals[dir]...)
		}
	}
	return found
}

var quoted = regexp.MustCompile(`^\| *(\d{3}) *\|(.+)\|([^|]+)\|$`)

// The table of the seed documents grows with the program and is never thinned out: every row names a test or says that
// there is none yet, and each of the five documents is in it.
func TestSeedsTableIsWhole(t *testing.T) {
	rows := map[string]int{}
	for line := range strings.Lines(read(t, "docs/seeds.md")) {
		m := quoted.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		rows[m[1]]++
		if answer := strings.TrimSpace(m[3]); answer != "not yet" && !testName.MatchString(answer) {
			t.Errorf("docs/seeds.md: %q is neither the name of a test nor \"not yet\"", answer)
		}
	}
	for _, seed := range []string{"000", "001", "002", "003", "004"} {
		if rows[seed] < 5 {
			t.Errorf("docs/seeds.md has %d rows for seed %s, want all its sentences that ask for something", rows[seed], seed)
		}
	}
	t.Logf("rows per seed: %v", rows)
}
