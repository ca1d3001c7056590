package quickstart_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// step is one command of the page with what it shows.
type step struct {
	line    int // in the page
	command string
	shows   []string
	again   bool // it may have to be typed again until it shows that
}

// steps reads the commands of a page: blocks of the language console, each command after "$ ", its output below it. A
// block "console again" holds commands that wait for something.
func steps(page string) ([]step, error) {
	var list []step
	block, again, first := false, false, false
	for i, line := range strings.Split(page, "\n") {
		switch command, typed := strings.CutPrefix(line, "$ "); {
		case strings.HasPrefix(line, "```"):
			block = !block && strings.HasPrefix(line, "```console")
			again, first = strings.HasSuffix(line, " again"), true
		case !block:
		case typed:
			list, first = append(list, step{line: i + 1, command: command, again: again}), false
		case first:
			return nil, fmt.Errorf("line %d: output before a command", i+1)
		default:
			last := &list[len(list)-1]
			last.shows = append(last.shows, line)
		}
	}
	return list, nil
}

// varying is what differs from run to run, in the order in which it is taken out. The page says the same in words.
var varying = []struct {
	form *regexp.Regexp
	mark string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?( UTC|Z)?)?`), "TIME"},
	{regexp.MustCompile(`\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d{1,2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b`), "DAY"},
	{regexp.MustCompile(`\d\.\d+e\+09`), "SECONDS"},
	{regexp.MustCompile(`\bin \d+[smhd]\b`), "AWAY"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:PORT"},
	{regexp.MustCompile(`\bv[0-9a-f]{16}\b`), "ID"},
	{regexp.MustCompile(` +`), " "},
}

// steady takes out of a line what differs from run to run.
func steady(line string) string {
	for _, v := range varying {
		line = v.form.ReplaceAllString(line, v.mark)
	}
	return strings.TrimSpace(line)
}

// anything stands for any number of lines.
const anything = "..."

// matches says whether the lines of an output are those that the page shows.
func matches(shown, got []string) bool {
	if len(shown) == 0 {
		return len(got) == 0
	}
	if shown[0] != anything {
		return len(got) > 0 && steady(shown[0]) == steady(got[0]) && matches(shown[1:], got[1:])
	}
	for skip := range len(got) + 1 {
		if matches(shown[1:], got[skip:]) {
			return true
		}
	}
	return false
}

func lines(text string) []string {
	text = strings.TrimRight(text, "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

func TestStepsAreReadFromAPage(t *testing.T) {
	list, err := steps("```sh\n$ no\n```\n\n```console\n$ one\na\n...\n$ two\n```\nprose\n$ no\n```console again\n$ three\nb\n```\n")
	want := []step{
		{6, "one", []string{"a", "..."}, false}, {9, "two", nil, false}, {14, "three", []string{"b"}, true},
	}
	same := func(a, b step) bool {
		return a.line == b.line && a.command == b.command && a.again == b.again && slices.Equal(a.shows, b.shows)
	}
	if err != nil || !slices.EqualFunc(list, want, same) {
		t.Errorf("got %v, %v", list, err)
	}
	if _, err := steps("```console\nout of nowhere\n```"); err == nil {
		t.Error("output before a command is not noticed")
	}
}

func TestOnlyWhatVariesMayDiffer(t *testing.T) {
	for _, c := range []struct {
		what       string
		shown, got string
		want       bool
	}{
		{"the same", "a\nb", "a\nb\n", true},
		{"another word", "a\nb", "a\nc\n", false},
		{"a line too few", "a\nb", "a\n", false},
		{"a line too many", "a\nb", "a\nb\nc\n", false},
		{"any lines", "a\n...\nd", "a\nb\nc\nd\n", true},
		{"no lines for three dots", "a\n...\nd", "a\nd\n", true},
		{"lines after three dots", "...\nd", "a\nd\ne\n", false},
		{"another time", "at 2026-11-28 15:46 UTC (in 19d)", "at 2027-01-02 03:04 UTC (in 3h)", true},
		{"no time", "at 2026-11-28 15:46 UTC", "at never", false},
		{"another port", "http://127.0.0.1:1/x", "http://127.0.0.1:65535/x", true},
		{"another path", "http://127.0.0.1:1/x", "http://127.0.0.1:1/y", false},
		{"another secret", "id v84a26f5c532f4ac6", "id v0123456789abcdef", true},
		{"another version", "version 2", "version 3", false},
		{"other columns", "a   b", "a b", true},
		{"nothing where something is shown", "a", "", false},
		{"something where nothing is shown", "", "a", false},
	} {
		if got := matches(lines(c.shown), lines(c.got)); got != c.want {
			t.Errorf("%s: %t", c.what, got)
		}
	}
}
