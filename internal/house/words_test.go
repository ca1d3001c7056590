package house_test

import (
	"go/ast"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Names that say nothing about what a type is.
var emptyNames = regexp.MustCompile(`(Manager|Helper|Util|Utils|Impl|Service)$`)

func TestTypesAreNamedAfterWhatTheyAre(t *testing.T) {
	for _, s := range sources(t).sources {
		ast.Inspect(s.file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok && emptyNames.MatchString(spec.Name.Name) {
				t.Errorf("%s: type %s: name it after what it is", s.path, spec.Name.Name)
			}
			return true
		})
	}
}

// A chain of errors reads "reading the lease: dialing: refused": a gerund each, and no word that says it failed.
func TestErrorsAreWrappedWithAGerund(t *testing.T) {
	empty := regexp.MustCompile(`^(failed|unable|could not|couldn't|cannot|error|can't) (to )?[a-z]+.*%w`)
	for _, s := range sources(t).sources {
		ast.Inspect(s.file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && callee(call) == "fmt.Errorf" {
				for _, text := range stringsIn(call.Args[0]) {
					if empty.MatchString(text) {
						t.Errorf("%s: %q: say what was being done", s.path, text)
					}
				}
			}
			return true
		})
	}
}

// A test that skips proves nothing, and one that sleeps outside of a bubble of testing/synctest is slow or flaky. Tests
// against real servers wait in real time: they are in another module.
func TestTestsNeitherSkipNorSleep(t *testing.T) {
	for _, s := range sources(t).sources {
		if !s.test {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name := callee(call)
			if slices.Contains([]string{"t.Skip", "t.Skipf", "t.SkipNow", "b.Skip", "b.Skipf"}, name) {
				t.Errorf("%s: %s", s.path, name)
			}
			if name == "time.Sleep" && !s.imports("testing/synctest") && !strings.HasPrefix(s.path, "test/") {
				t.Errorf("%s: time.Sleep outside of testing/synctest", s.path)
			}
			return true
		})
	}
}

// Nothing registers itself: the composition root shows what there is.
func TestNothingRegistersItself(t *testing.T) {
	for _, s := range sources(t).sources {
		for _, decl := range s.file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: func init", s.path)
			}
		}
	}
}

// What is written here is true for everybody: no path of somebody's home, nothing that waits to be done.
func TestNothingIsLeftOverInTheTree(t *testing.T) {
	left := regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b|/(?:ho` + `me|Us` + `ers)/[a-z]|/ro` + `ot/`)
	for _, suffix := range []string{".go", ".md", ".yaml", ".yml", ".hcl", ".service", ".tmpl", "Makefile", "Dockerfile", "run"} {
		err := walk(suffix, func(path string) error {
			n := 0
			for line := range strings.Lines(read(t, path)) {
				n++
				if m := left.FindString(line); m != "" {
					t.Errorf("%s:%d: %q", path, n, m)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// callee writes what is called as "name" or "left.name", "" where it is anything else.
func callee(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if left, ok := f.X.(*ast.Ident); ok {
			return left.Name + "." + f.Sel.Name
		}
	}
	return ""
}
