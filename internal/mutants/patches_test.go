package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const top = "../.."

func mutants(t *testing.T) []mutant {
	t.Helper()
	all, err := load(os.DirFS(top))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Code moves under the patches. Whoever moves it learns at once which break has to be made anew.
func TestEveryPatchStillApplies(t *testing.T) {
	for _, m := range mutants(t) {
		for _, e := range m.edits {
			text, err := os.ReadFile(filepath.Join(top, e.path))
			if err != nil {
				t.Errorf("%s: %v", m.name, err)
				continue
			}
			if _, err := e.apply(string(text)); err != nil {
				t.Errorf("%s: %v", m.name, err)
			}
			if strings.HasSuffix(e.path, "_test.go") {
				t.Errorf("%s breaks the test %s, which proves nothing", m.name, e.path)
			}
		}
	}
}

// Every invariant has somebody who breaks it.
func TestEveryInvariantIsBroken(t *testing.T) {
	all := mutants(t)
	if len(all) < 36 {
		t.Errorf("there are %d mutants, want at least 36", len(all))
	}
	want := []string{"law"}
	for i := range 18 {
		want = append(want, "I"+strconv.Itoa(i+1))
	}
	for _, name := range want {
		if !slices.ContainsFunc(all, func(m mutant) bool { return slices.Contains(strings.Split(m.breaks, ", "), name) }) {
			t.Errorf("no mutant breaks %s", name)
		}
	}
}

// A pattern that matches no test would be found by a run; this finds it at once.
func TestEveryKillerExists(t *testing.T) {
	functions := map[string][]string{}
	for _, m := range mutants(t) {
		if _, seen := functions[m.pkg]; !seen {
			functions[m.pkg] = testsOf(t, m.pkg)
		}
		name, _, _ := strings.Cut(m.test, "/")
		if name = strings.Trim(name, "^$"); !slices.Contains(functions[m.pkg], name) {
			t.Errorf("%s: %s has no %s", m.name, m.pkg, name)
		}
	}
}

func testsOf(t *testing.T, pkg string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(top, pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil {
				names = append(names, f.Name.Name)
			}
		}
	}
	return names
}
