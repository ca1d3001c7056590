package main

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// target is one fuzz target of the tree.
type target struct {
	dir    string // from the top, with slashes
	name   string
	corpus int // files that are checked in
}

func (t target) String() string { return t.dir + "." + t.name }

var declared = regexp.MustCompile(`(?m)^func (Fuzz[A-Z]\w*)\(\w+ \*testing\.F\)`)

// find reads every test of the tree. Modules of their own below it are not searched: they hold no targets.
func find(top string, chosen *regexp.Regexp) ([]target, error) {
	var found []target
	err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != top && (entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".") || isModule(path)):
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		targets, err := inFile(top, path)
		found = append(found, targets...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("looking for targets: %w", err)
	}
	found = slices.DeleteFunc(found, func(t target) bool { return !chosen.MatchString(t.String()) })
	slices.SortFunc(found, func(a, b target) int { return cmp.Compare(a.String(), b.String()) })
	return found, nil
}

func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

func inFile(top, path string) ([]target, error) {
	text, err := os.ReadFile(path) //nolint:gosec // a test of the tree
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Rel(top, filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	var found []target
	for _, m := range declared.FindAllSubmatch(text, -1) {
		name := string(m[1])
		corpus, err := filepath.Glob(filepath.Join(filepath.Dir(path), "testdata", "fuzz", name, "*"))
		if err != nil {
			return nil, err
		}
		found = append(found, target{dir: filepath.ToSlash(dir), name: name, corpus: len(corpus)})
	}
	return found, nil
}
