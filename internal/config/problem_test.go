package config_test

import (
	"testing"

	"github.com/rotad/rotad/internal/config"
)

func TestProblemsAreWrittenForPeople(t *testing.T) {
	tests := []struct {
		rule    string
		problem config.Problem
		want    string
	}{
		{
			"all that is known",
			config.Problem{File: "a.yaml", Line: 3, Path: "vault.mount", What: "is empty", Hint: "write it"},
			"a.yaml:3: vault.mount: is empty, write it",
		},
		{"a warning", config.Problem{File: "a.yaml", Line: 3, Path: "smtp", What: "odd", Warning: true}, "a.yaml:3: smtp: warning: odd"},
		{"a whole file", config.Problem{File: "a.yaml", What: "does not exist"}, "a.yaml: does not exist"},
		{"no file", config.Problem{Path: "owner", What: "is required"}, "owner: is required"},
		{
			"a key that would steer the terminal",
			config.Problem{Line: 7, Path: "a\x1b[2Jb\u202e", What: "is \"é\"\nfine"},
			`line 7: a\x1b[2Jb\u202e: is "é"\nfine`,
		},
		{"a line of no file", config.Problem{Line: 7, What: "is not JSON"}, "line 7: is not JSON"},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			if got := test.problem.String(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestOnlyErrorsMakeAnError(t *testing.T) {
	warning := config.Problems{{What: "odd", Warning: true}}
	if err := warning.Err(); err != nil {
		t.Errorf("a warning: %v", err)
	}
	both := append(warning, config.Problem{What: "wrong"}, config.Problem{What: "worse"})
	if err := both.Err(); err == nil || err.Error() != "wrong\nworse" {
		t.Errorf("two errors: %v", err)
	}
}
