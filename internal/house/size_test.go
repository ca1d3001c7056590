package house_test

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
	"testing"
)

const (
	maxFunction = 60  // lines
	maxFile     = 400 // lines
)

// measured is one function or file with its length.
type measured struct {
	name  string
	lines int
}

func (m measured) String() string { return fmt.Sprintf("%s (%d lines)", m.name, m.lines) }

// A reader holds a function on one screen and a file in mind.
func TestFunctionsAndFilesStaySmall(t *testing.T) {
	tr := sources(t)
	var functions, files []measured
	code, tests := 0, 0
	for _, s := range tr.sources {
		files = append(files, measured{s.path, s.lines})
		if s.test {
			tests += s.lines
			continue
		}
		code += s.lines
		functions = append(functions, functionsOf(tr, s)...)
	}
	report(t, "function", functions, maxFunction)
	report(t, "file", files, maxFile)
	t.Logf("%d lines of source, %d lines of tests: %.2f test lines per source line", code, tests, float64(tests)/float64(code))
}

func functionsOf(tr tree, s source) []measured {
	var found []measured
	for _, decl := range s.file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok {
			lines := tr.fset.Position(f.End()).Line - tr.fset.Position(f.Pos()).Line + 1
			found = append(found, measured{s.path + " " + f.Name.Name, lines})
		}
	}
	return found
}

func report(t *testing.T, what string, all []measured, limit int) {
	t.Helper()
	slices.SortFunc(all, func(a, b measured) int { return a.lines - b.lines })
	t.Logf("%d %ss: median %d lines, p90 %d, largest %s", len(all), what,
		all[len(all)/2].lines, all[len(all)*9/10].lines, all[len(all)-1])
	for _, m := range all {
		if m.lines > limit {
			t.Errorf("%s %s: the limit is %d", what, m, limit)
		}
	}
}

// Whoever opens a package first reads what it is for, and sees a drawing of its part.
func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	comments, main := map[string]string{}, map[string]bool{}
	for _, s := range sources(t).sources {
		if strings.HasSuffix(s.file.Name.Name, "_test") {
			continue
		}
		comments[s.dir] += s.file.Doc.Text()
		main[s.dir] = s.file.Name.Name == "main"
	}
	for dir, comment := range comments {
		if comment == "" {
			t.Errorf("%s: no file has a package comment; write a doc.go", dir)
		} else if !main[dir] && !strings.HasPrefix(comment, "Package ") {
			t.Errorf("%s: the package comment does not begin with \"Package\"", dir)
		}
	}
}
