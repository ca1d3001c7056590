package house_test

import (
	"go/ast"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Adding a kind of provider touches four places: its directory, its README, one line in cmd/rotad/kinds.go and one
// block in config.example.yaml.
func TestEveryKindStandsInItsFourPlaces(t *testing.T) {
	kinds := kindDirectories(t)
	if len(kinds) == 0 {
		t.Fatal("no kind was found below providers/")
	}
	list, example := read(t, "cmd/rotad/kinds.go"), read(t, "config.example.yaml")
	for dir, names := range kinds {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			if len(names) != 1 {
				t.Fatalf("%s describes %d kinds with providers.Kind{Name: ...}, want one", dir, len(names))
			}
			if _, err := os.Stat(filepath.Join(top, dir, "README.md")); err != nil {
				t.Errorf("no README: %v", err)
			}
			if !strings.Contains(list, `/`+dir+`"`) {
				t.Error("cmd/rotad/kinds.go does not import it")
			}
			if !slices.ContainsFunc(strings.Split(example, "\n"), func(line string) bool { return saysKind(line, names[0]) }) {
				t.Errorf("config.example.yaml has no block with kind: %s", names[0])
			}
		})
	}
}

func saysKind(line, name string) bool {
	_, value, ok := strings.Cut(line, "kind:")
	return ok && len(strings.Fields(value)) > 0 && strings.Fields(value)[0] == name
}

// kindDirectories finds the directories below providers/ that are adapters, with the names of the kinds they describe.
func kindDirectories(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, s := range sources(t).sources {
		parent, base := filepath.Split(s.dir)
		if parent != "providers/" || base == "httpapi" || base == "providertest" || s.test {
			continue
		}
		found[s.dir] = append(found[s.dir], kindNames(s.file, constants(t, s.dir))...)
	}
	return found
}

// kindNames returns the Name of every providers.Kind{...} in a file.
func kindNames(file *ast.File, constants map[string]string) []string {
	var names []string
	ast.Inspect(file, func(n ast.Node) bool {
		lit, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		if typ, ok := lit.Type.(*ast.SelectorExpr); !ok || typ.Sel.Name != "Kind" {
			return true
		}
		for _, element := range lit.Elts {
			pair, ok := element.(*ast.KeyValueExpr)
			if !ok {
				continue
			}
			if key, ok := pair.Key.(*ast.Ident); ok && key.Name == "Name" {
				names = append(names, valueOf(pair.Value, constants))
			}
		}
		return true
	})
	return names
}

func valueOf(expr ast.Expr, constants map[string]string) string {
	if name, ok := expr.(*ast.Ident); ok {
		return constants[name.Name]
	}
	if values := stringsIn(expr); len(values) == 1 {
		return values[0]
	}
	return ""
}

// constants returns the string constants of one directory.
func constants(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, s := range sources(t).sources {
		if s.dir != dir {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Names) == len(spec.Values) {
				for i, name := range spec.Names {
					if values := stringsIn(spec.Values[i]); len(values) == 1 {
						found[name.Name] = values[0]
					}
				}
			}
			return true
		})
	}
	return found
}
