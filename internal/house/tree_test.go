package house_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const top = "../.."

// source is one parsed Go file.
type source struct {
	path  string // from the top of the tree
	dir   string
	file  *ast.File
	lines int
	test  bool // a _test.go file, or anything in the module of tests against real servers
}

// tree is every Go file of the repository, parsed once.
type tree struct {
	fset    *token.FileSet
	sources []source
}

var loadTree = sync.OnceValues(func() (tree, error) {
	tr := tree{fset: token.NewFileSet()}
	err := walk(".go", func(path string) error {
		file, err := parser.ParseFile(tr.fset, filepath.Join(top, path), nil, parser.ParseComments)
		if err != nil {
			return err
		}
		tr.sources = append(tr.sources, source{
			path: path, dir: filepath.ToSlash(filepath.Dir(path)), file: file,
			lines: tr.fset.File(file.FileStart).LineCount(),
			test:  strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "test/"),
		})
		return nil
	})
	return tr, err
})

func sources(t *testing.T) tree {
	t.Helper()
	tr, err := loadTree()
	if err != nil {
		t.Fatal(err)
	}
	if len(tr.sources) < 20 {
		t.Fatalf("found only %d Go files: is this the whole tree?", len(tr.sources))
	}
	return tr
}

// walk calls f with every file of the tree that has the suffix, as a path from the top.
func walk(suffix string, f func(path string) error) error {
	return filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && (name == ".git" || name == "bin" || name == "testdata" || name == "node_modules") {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(name, suffix) {
			return nil
		}
		rel, err := filepath.Rel(top, path)
		if err != nil {
			return err
		}
		return f(filepath.ToSlash(rel))
	})
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(top, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// pages are the documents: every Markdown file of the tree.
func pages(t *testing.T) []string {
	t.Helper()
	var paths []string
	if err := walk(".md", func(path string) error { paths = append(paths, path); return nil }); err != nil {
		t.Fatal(err)
	}
	return paths
}

// imports says whether a file imports a path.
func (s source) imports(path string) bool {
	return slices.ContainsFunc(s.file.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == strconv.Quote(path) })
}

// stringsIn returns every string literal below a node, unquoted.
func stringsIn(node ast.Node) []string {
	var found []string
	ast.Inspect(node, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if value, err := strconv.Unquote(lit.Value); err == nil {
				found = append(found, value)
			}
		}
		return true
	})
	return found
}

// fieldStrings returns the string literals that a file gives to a field of this name in composite literals.
func fieldStrings(file *ast.File, field string) []string {
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		if pair, ok := n.(*ast.KeyValueExpr); ok {
			if key, ok := pair.Key.(*ast.Ident); ok && key.Name == field {
				found = append(found, stringsIn(pair.Value)...)
			}
		}
		return true
	})
	return found
}

// argumentStrings returns the strings in the first arguments of calls of a method.
func argumentStrings(file *ast.File, methods ...string) []string {
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		if method, ok := call.Fun.(*ast.SelectorExpr); ok && slices.Contains(methods, method.Sel.Name) {
			found = append(found, stringsIn(call.Args[0])...)
		}
		return true
	})
	return found
}
