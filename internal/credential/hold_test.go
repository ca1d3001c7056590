package credential_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
)

var updateHolds = flag.Bool("update-holds", false, "write the table of docs/reference/holds.md")

const (
	holdsPage  = "../../docs/reference/holds.md"
	tableBegin = "<!-- table: written by go test ./internal/credential -update-holds -->\n"
	tableEnd   = "<!-- end of table -->\n"
)

// The page that a held client's owner is sent to says exactly what the program allows.
func TestHoldsPageIsTheTableOfHolds(t *testing.T) {
	page, err := os.ReadFile(holdsPage)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(page), tableBegin)
	table, tail, ok2 := strings.Cut(rest, tableEnd)
	if !ok || !ok2 {
		t.Fatalf("%s has no table between its two marks", holdsPage)
	}
	want := holdsTable()
	if *updateHolds {
		if err := os.WriteFile(holdsPage, []byte(head+tableBegin+want+tableEnd+tail), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if table != want {
		t.Errorf("the table of %s is old: go test ./internal/credential -update-holds", holdsPage)
	}
}

func TestEveryHoldHasAWayOut(t *testing.T) {
	seen := map[credential.HoldCode]bool{}
	for _, rule := range credential.HoldRules() {
		if seen[rule.Code] {
			t.Errorf("%s stands in the table twice", rule.Code)
		}
		seen[rule.Code] = true
		if len(rule.Resolve) == 0 && !rule.Submit {
			t.Errorf("%s: a hold that nobody can end", rule.Code)
		}
		if !strings.HasSuffix(rule.Cause, ".") || rule.AtEnd == "" {
			t.Errorf("%s: want a cause in a full sentence and what happens at the deadline", rule.Code)
		}
		if found, ok := credential.RuleFor(rule.Code); !ok || found.Cause != rule.Cause {
			t.Errorf("RuleFor(%s) does not find its row", rule.Code)
		}
	}
	if _, ok := credential.RuleFor("no-such-code"); ok {
		t.Error("RuleFor finds a row for a code that does not exist")
	}
}

func TestOnlyARotationCanBeGivenUp(t *testing.T) {
	rule, _ := credential.RuleFor(credential.HoldClientMissing)
	if slices.Contains(rule.Choices(false), credential.ResolveAbort) || len(rule.Choices(false)) == 0 {
		t.Errorf("with nothing under way it offers %v", rule.Choices(false))
	}
	if !slices.Equal(rule.Choices(true), rule.Resolve) || !slices.Contains(rule.Resolve, credential.ResolveAbort) {
		t.Errorf("with a rotation under way it offers %v, want all of %v", rule.Choices(true), rule.Resolve)
	}
}

func holdsTable() string {
	var b strings.Builder
	b.WriteString("\n| code | what it means | what a person can do | if nobody does |\n|---|---|---|---|\n")
	for _, rule := range credential.HoldRules() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", rule.Code, rule.Cause, holdCommands(rule), rule.AtEnd)
	}
	return b.String() + "\n"
}

func holdCommands(rule credential.HoldRule) string {
	var commands []string
	for _, choice := range rule.Resolve {
		argument := ""
		if choice == credential.ResolveAdopt || choice == credential.ResolveDiscard {
			argument = " SECRET-ID"
		}
		commands = append(commands, fmt.Sprintf("`rotad resume ID --%s%s`", choice, argument))
	}
	if rule.Submit {
		commands = append(commands, "`rotad submit ID`")
	}
	if rule.Remove() {
		commands = append(commands, "`rotad remove ID`")
	}
	return strings.Join(commands, "<br>")
}
