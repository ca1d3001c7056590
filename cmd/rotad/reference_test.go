package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rotad/rotad/internal/reference"
)

func TestTheGeneratedReferenceIsCurrent(t *testing.T) {
	var kinds bytes.Buffer
	if err := (&app{out: &kinds, json: true}).listKinds(); err != nil {
		t.Fatal(err)
	}
	want, err := reference.Providers(kinds.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join("../..", reference.ProvidersPage)); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is out of date: make generate (%v)", reference.ProvidersPage, err)
	}
}

// A flag that a page names is one of rotad's, or one of those programs that pages speak of.
func TestPagesNameNoFlagThatNoCommandHas(t *testing.T) {
	known := []string{"--help", "--set", "--env-file", "--max-time", "--init"} // of helm, docker and curl
	var learn func(*cobra.Command)
	learn = func(cmd *cobra.Command) {
		add := func(f *pflag.Flag) { known = append(known, "--"+f.Name) }
		cmd.Flags().VisitAll(add)
		cmd.PersistentFlags().VisitAll(add)
		for _, below := range cmd.Commands() {
			learn(below)
		}
	}
	learn(newRoot(&app{}))
	named := regexp.MustCompile("`(?:rotad [^`]*)?(--[a-z-]+)")
	read := 0
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".md" || strings.Contains(path, "decisions") || entry.Name() == "CHANGELOG.md" {
			return err // a decision and a change speak of their time
		}
		text, err := os.ReadFile(path)
		for _, found := range named.FindAllStringSubmatch(string(text), -1) {
			if read++; !slices.Contains(known, found[1]) {
				t.Errorf("%s: no command has %s", path, found[1])
			}
		}
		return err
	})
	if err != nil || read < 50 {
		t.Errorf("%d flags were found: %v", read, err)
	}
}
