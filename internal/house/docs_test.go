package house_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var link = regexp.MustCompile(`\]\(([^)#: ]+)(#[^)]*)?\)`)

func TestLinksInDocumentsLeadSomewhere(t *testing.T) {
	for _, page := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			target := filepath.Join(top, filepath.Dir(page), m[1])
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: the link to %s leads nowhere", page, m[1])
			}
		}
	}
}

// use is how cobra is told the name of a command.
var use = regexp.MustCompile(`^[a-z][a-z-]*( |$)`)

// A document never tells anybody to type a command that does not exist.
func TestCommandsInDocumentsExist(t *testing.T) {
	commands := commandNames(t)
	if len(commands) < 5 {
		t.Fatalf("found only the commands %v in cmd/rotad", commands)
	}
	typed := regexp.MustCompile("(?m)(?:`|^ *(?:\\$ )?(?:sudo )?(?:go run \\./cmd/|bin/|/)?)rotad ([a-z][a-z-]*)")
	for _, page := range pages(t) {
		for _, m := range typed.FindAllStringSubmatch(codeOf(read(t, page)), -1) {
			if !slices.Contains(commands, m[1]) {
				t.Errorf("%s: there is no command \"rotad %s\"", page, m[1])
			}
		}
	}
}

func commandNames(t *testing.T) []string {
	t.Helper()
	names := []string{"help", "completion"}
	for _, s := range sources(t).sources {
		if s.dir != "cmd/rotad" || s.test {
			continue
		}
		for _, pair := range append(fieldStrings(s.file, "Use"), argumentStrings(s.file, "aboutOne", "wish")...) {
			if use.MatchString(pair) {
				names = append(names, strings.Fields(pair)[0])
			}
		}
	}
	return names
}

var code = regexp.MustCompile("(?s)```.*?```|`[^`\n]+`")

// codeOf keeps what a page shows as code, one piece per line: prose may say "rotad is".
func codeOf(page string) string {
	return strings.Join(code.FindAllString(page, -1), "\n")
}

var alertBlock = regexp.MustCompile(`(?s)- alert: (\S+)(.*?)runbook_url: \S+/(docs/runbooks/[a-z-]+\.md)`)

// Every alert leads to a page that says what is broken for whom, and what to type.
func TestEveryAlertHasARunbook(t *testing.T) {
	rules := read(t, "deploy/prometheus/rules.yaml")
	alerts := alertBlock.FindAllStringSubmatch(rules, -1)
	if want := strings.Count(rules, "- alert:"); len(alerts) == 0 || len(alerts) != want {
		t.Fatalf("%d alerts, %d with a runbook_url", want, len(alerts))
	}
	commands := commandNames(t)
	for _, alert := range alerts {
		name, text, path := alert[1], alert[2], alert[3]
		if _, err := os.Stat(filepath.Join(top, path)); err != nil {
			t.Errorf("%s: its page %s does not exist", name, path)
			continue
		}
		page := read(t, path)
		for _, want := range []string{"`" + name + "`", "## What is broken", "## What to type"} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: its page %s does not say %q", name, path, want)
			}
		}
		for _, m := range regexp.MustCompile(`(?:Run:|then) rotad ([a-z-]+)`).FindAllStringSubmatch(text, -1) {
			if !slices.Contains(commands, m[1]) {
				t.Errorf("%s: there is no command \"rotad %s\"", name, m[1])
			}
		}
	}
}

// A page per direct dependency says why it is here and what would have been the alternative.
func TestEveryDependencyHasItsReason(t *testing.T) {
	reasons, err := filepath.Glob(filepath.Join(top, "docs/decisions/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, path := range reasons {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(data)
	}
	for line := range strings.Lines(read(t, "go.mod")) {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(fields) != 2 || !strings.HasPrefix(fields[1], "v") {
			continue // not a requirement, or marked "// indirect"
		}
		if !strings.Contains(all.String(), "`"+fields[0]+"`") {
			t.Errorf("no page of docs/decisions names `%s`", fields[0])
		}
	}
}
