package templates_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rotad/rotad/templates"
)

func TestWrap(t *testing.T) {
	long := strings.TrimSpace(strings.Repeat("word ", 30))
	tests := map[string]struct{ in, want string }{
		"short lines stay": {"a\nb\n", "a\nb\n"},
		"a paragraph is broken at blanks": {
			long,
			strings.TrimSpace(strings.Repeat("word ", 14)) + "\n" + strings.TrimSpace(strings.Repeat("word ", 14)) + "\nword word\n",
		},
		"a list item hangs under its text": {
			"  1. " + long,
			"  1. " + strings.TrimSpace(strings.Repeat("word ", 13)) + "\n     " + strings.TrimSpace(strings.Repeat("word ", 13)) + "\n     word word word word\n",
		},
		"a fact hangs under its value": {
			"  Owner           " + strings.TrimSpace(strings.Repeat("word ", 12)),
			"  Owner           word word word word word word word word word word word\n                  word\n",
		},
		"a command is never broken": {
			templates.CommandIndent + strings.Repeat("x ", 60), templates.CommandIndent + strings.TrimRight(strings.Repeat("x ", 60), " ") + "\n",
		},
		"at most one empty line": {"a\n\n\n\nb\n\n", "a\n\nb\n"},
		"a word without blanks stays whole": {
			"see " + strings.Repeat("x", 90), "see\n" + strings.Repeat("x", 90) + "\n",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := templates.Wrap(tt.in); got != tt.want {
				t.Errorf("got\n%q\nwant\n%q", got, tt.want)
			}
		})
	}
}

func FuzzWrap(f *testing.F) {
	f.Add("  1. one two three")
	f.Add("  Owner           " + strings.Repeat("word ", 40))
	f.Add(strings.Repeat("0", 70) + " 0  0")
	f.Add("  Vault path at 0 " + strings.Repeat("0", 60))
	f.Add(strings.Repeat("é ", 100) + "\r\n\n\n x")
	f.Fuzz(func(t *testing.T, in string) {
		out := templates.Wrap(in)
		if !sameWords(in, out) {
			t.Fatalf("words were lost or added: %q became %q", in, out)
		}
		for line := range strings.SplitSeq(out, "\n") {
			if strings.HasPrefix(line, templates.CommandIndent) || utf8.RuneCountInString(line) <= templates.Columns {
				continue
			}
			if len(strings.Fields(line)) > 2 && !oneFact(line) {
				t.Fatalf("a line of %d columns could have been broken: %q", utf8.RuneCountInString(line), line)
			}
		}
	})
}

// oneFact says whether a line of the table of facts holds one word as its value. The name before it may be several.
func oneFact(line string) bool {
	const column = 18
	return len(line) > column && strings.HasPrefix(line, "  ") && line[column-1] == ' ' && len(strings.Fields(line[column:])) == 1
}

func sameWords(a, b string) bool {
	return strings.Join(strings.Fields(a), " ") == strings.Join(strings.Fields(b), " ")
}
