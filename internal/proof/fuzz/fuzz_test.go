package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Every target of this tree has a corpus that is checked in: what it starts from, and what was found.
func TestEveryTargetHasACorpus(t *testing.T) {
	targets, err := find("../../..", regexp.MustCompile(``))
	if err != nil || len(targets) < 20 {
		t.Fatalf("%d targets, error %v: is this the whole tree?", len(targets), err)
	}
	for _, target := range targets {
		if target.corpus == 0 {
			t.Errorf("%s has no file below testdata/fuzz", target)
		}
	}
	t.Logf("%d targets", len(targets))
}

// The functions of these files are declared by a word that is put in later, so that no search takes them for ours.
const healthy = `package a
import "testing"
DECLARED FuzzWell(f *testing.F) { f.Add("x"); f.Fuzz(func(t *testing.T, s string) {}) }
`

const broken = `package a
import "testing"
DECLARED FuzzBroken(f *testing.F) {
	f.Add("x")
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 3 { t.Fatal("too long") }
	})
}
`

// world is a module of its own whose targets are the files given.
func world(t *testing.T, files map[string]string) string {
	t.Helper()
	top := t.TempDir()
	files["go.mod"] = "module example.com/a\n\ngo 1.26\n"
	for name, text := range files {
		path := filepath.Join(top, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.Replace(text, "DECLARED", "func", 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return top
}

const entry = "go test fuzz v1\nstring(\"seed\")\n"

func TestATargetThatCrashesIsCounted(t *testing.T) {
	top := world(t, map[string]string{
		"well_test.go": healthy, "broken_test.go": broken, "testdata/fuzz/FuzzWell/seed": entry,
	})
	targets, err := find(top, regexp.MustCompile(``))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(targets); got != "[..FuzzBroken ..FuzzWell]" {
		t.Fatalf("targets %s", got)
	}
	s := fuzzAll(t.Context(), top, targets, time.Second, 1, io.Discard)
	if s.targets != 2 || s.executions == 0 || fmt.Sprint(s.crashed) != "[..FuzzBroken]" || fmt.Sprint(s.bare) != "[..FuzzBroken]" {
		t.Errorf("%+v", s)
	}
	err = s.problem()
	if err == nil || !strings.Contains(err.Error(), "FuzzBroken") || strings.Contains(err.Error(), "FuzzWell") {
		t.Errorf("error %v", err)
	}
	if kept, err := filepath.Glob(filepath.Join(top, "testdata/fuzz/FuzzBroken/*")); err != nil || len(kept) != 1 {
		t.Errorf("%d inputs were kept, error %v", len(kept), err)
	}
}

func TestTheLastWordCounts(t *testing.T) {
	text := "fuzz: elapsed: 0s, gathering baseline coverage: 0/4 completed\n" +
		"fuzz: elapsed: 3s, execs: 1000 (333/sec), new interesting: 2 (total: 6)\n" +
		"fuzz: elapsed: 6s, execs: 2500 (500/sec), new interesting: 3 (total: 7)\nPASS\n"
	if o := counted([]byte(text)); o.executions != 2500 || o.paths != 3 {
		t.Errorf("%+v", o)
	}
	if o := counted([]byte("FAIL: build")); o.executions != 0 {
		t.Errorf("%+v", o)
	}
}

// On a slow machine the toolchain calls a target failed whose time was over in the middle of an input.
func TestBeingLateIsNoCrash(t *testing.T) {
	late := "fuzz: elapsed: 4s, execs: 467 (0/sec), new interesting: 2 (total: 208)\n--- FAIL: FuzzValues (3.78s)\n    context deadline exceeded\nFAIL\n"
	for text, want := range map[string]bool{
		late: true,
		late + "    Failing input written to testdata/fuzz/FuzzValues/1\n":                                 false,
		late + "    --- FAIL: FuzzValues/seed#1 (0.00s)\n        a_test.go:1: context deadline exceeded\n": false,
		"--- FAIL: FuzzValues (3.78s)\n": false,
	} {
		if onlyLate([]byte(text)) != want {
			t.Errorf("%q is only late: %t, want %t", text, !want, want)
		}
	}
}

func TestATargetThatDoesNotCompileIsNotCounted(t *testing.T) {
	top := world(t, map[string]string{"well_test.go": healthy + "var x int = nothing\n"})
	s := fuzzAll(t.Context(), top, []target{{dir: ".", name: "FuzzWell", corpus: 1}}, time.Second, 1, io.Discard)
	if len(s.unrun) != 1 || len(s.crashed) != 0 || s.problem() == nil {
		t.Errorf("%+v", s)
	}
}

func TestMissedGoalsStandInTheResult(t *testing.T) {
	bad := sums{targets: 1, crashed: []string{"a.FuzzA"}, unrun: []string{"a.FuzzB"}, bare: []string{"a.FuzzA"}}
	missed := 0
	for _, f := range bad.result(time.Second, time.Minute).Figures {
		if f.Goal != "" && !f.OK {
			missed++
		}
	}
	if missed != 5 {
		t.Errorf("%d goals are missed, want 5: time, corpus, executions, crashes, not run", missed)
	}
}
