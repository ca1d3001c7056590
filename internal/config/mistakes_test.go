package config_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/config"
)

// marker is a comment "#! text" in a file with mistakes: a problem that contains the text is expected at that line.
// Several texts are separated by "|". A text that begins with "warning: " expects a warning.
var marker = regexp.MustCompile(`#! (.*)$`)

// Every file in testdata/bad is loaded. Exactly the problems that its markers name are found, at their lines.
func TestEveryMistakeIsFoundAtItsLine(t *testing.T) {
	credentials(t)
	t.Setenv("ROTAD_TEST_EMPTY", "")
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	mistakes := 0
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			expected := expectations(t, file)
			mistakes += len(expected)
			_, problems := config.Load(file, kinds())
			compare(t, expected, problems)
		})
	}
	if mistakes < 25 {
		t.Errorf("the files hold %d mistakes, want at least 25", mistakes)
	}
}

type expectation struct {
	line int
	text string
}

func expectations(t *testing.T, file string) []expectation {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []expectation
	for i, text := range strings.Split(string(data), "\n") {
		m := marker.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		for part := range strings.SplitSeq(m[1], "|") {
			out = append(out, expectation{i + 1, strings.TrimSpace(part)})
		}
	}
	return out
}

func compare(t *testing.T, expected []expectation, problems config.Problems) {
	t.Helper()
	used := make([]bool, len(expected))
next:
	for _, p := range problems {
		for i, want := range expected {
			text, warning := strings.CutPrefix(want.text, "warning: ")
			fits := p.Line == want.line && p.Warning == warning && strings.Contains(p.Path+": "+p.What+", "+p.Hint, text)
			if fits && !used[i] {
				used[i] = true
				continue next
			}
		}
		t.Errorf("not expected: %s", p)
	}
	for i, want := range expected {
		if !used[i] {
			t.Errorf("line %d: not found: %s", want.line, want.text)
		}
	}
}

// One run names every mistake of a file and of what it includes: the promise of "rotad check".
func TestOneRunNamesAllMistakes(t *testing.T) {
	credentials(t)
	_, problems := config.Load("testdata/combined/config.yaml", kinds())
	if n := len(problems.Errors()); n < 15 {
		t.Errorf("%d errors found, want at least 15", n)
	}
	golden(t, "testdata/combined/problems.golden", []byte(problems.String()+"\n"))
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s differs; run the test with -update and look at the difference. Got:\n%s", file, got)
	}
}
