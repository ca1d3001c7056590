package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/proof"
)

// Between the marks stands what the program wrote, and nothing else.
const (
	markBegin = "<!-- figures: written by internal/proof/table, never by hand -->"
	markEnd   = "<!-- figures: end -->"
)

func pageOf(top string) string { return filepath.Join(top, "docs", "proof.md") }

// split cuts a page at its marks, which stand in it once each.
func split(page string) (before, block, after string, err error) {
	before, rest, ok := strings.Cut(page, markBegin+"\n")
	if !ok {
		return "", "", "", errors.New("the page has no mark where the figures begin")
	}
	block, after, ok = strings.Cut(rest, markEnd)
	if !ok || strings.Contains(after, markBegin) || strings.Contains(after, markEnd) {
		return "", "", "", errors.New("the page does not have one mark where the figures end")
	}
	return before, block, after, nil
}

func rewrite(path, block string) error {
	page, err := os.ReadFile(path) //nolint:gosec // the page of the tree that was named
	if err != nil {
		return fmt.Errorf("reading the page: %w", err)
	}
	before, _, after, err := split(string(page))
	if err != nil {
		return err
	}
	text := before + markBegin + "\n" + block + markEnd + after
	return os.WriteFile(path, []byte(text), 0o600) //nolint:gosec // as above
}

// block is what stands between the marks.
func (f figures) block() string {
	var b strings.Builder
	b.WriteString("\n")
	machines := f.writeMachines(&b)
	b.WriteString("| part | what | result | commit | date | machine | seeds | time | repeat it with |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, p := range parts() {
		f.writePart(&b, p, machines)
	}
	f.writeFigures(&b)
	b.WriteString("\n")
	return b.String()
}

func (f figures) writeFigures(b *strings.Builder) {
	if len(f.results) == 0 {
		return
	}
	b.WriteString("\n| part | figure | value | goal | met |\n|---|---|---|---|---|\n")
	for _, p := range parts() {
		for _, r := range f.of(p) {
			for _, figure := range r.Figures {
				row(b, r.name, figure.Name, figure.Value, figure.Goal, mark(figure))
			}
		}
	}
}

// writeMachines lists the machines that results come from, and returns the number of each.
func (f figures) writeMachines(b *strings.Builder) map[string]int {
	numbers := map[string]int{}
	if len(f.results) == 0 {
		b.WriteString("Nothing has been run at full size yet.\n\n")
		return numbers
	}
	b.WriteString("Every part names the commit that it was measured at. What has changed since was tried by the small parts that run with every\n" +
		"change; `git diff` of the two commits shows it.\n\n| machine | |\n|---|---|\n")
	for _, p := range parts() {
		for _, r := range f.of(p) {
			if m := r.machine(); numbers[m] == 0 {
				numbers[m] = len(numbers) + 1
				row(b, strconv.Itoa(numbers[m]), m)
			}
		}
	}
	b.WriteString("\n")
	return numbers
}

func (f figures) writePart(b *strings.Builder, p part, machines map[string]int) {
	results := f.of(p)
	if len(results) == 0 {
		row(b, p.name, p.what, "not run", "", "", "", "", "", "`"+p.repeat+"`")
	}
	for _, r := range results {
		commit := "`" + short(r.Commit) + "`"
		if r.Dirty {
			commit += " **with changes that are not committed**"
		}
		row(b, r.name, p.what, sum(r.Figures), commit, r.Date, strconv.Itoa(machines[r.machine()]), r.Seeds, r.Took.Round(time.Second).String(), "`"+p.repeat+"`")
	}
}

// sum says in a word whether a result stands.
func sum(all []proof.Figure) string {
	for _, f := range all {
		if !met(f) {
			return "**NOT**"
		}
	}
	return sumOK
}

// sumOK is the word for a result of which every figure is met.
const sumOK = "ok"

func mark(f proof.Figure) string {
	switch {
	case f.Goal == "":
		return ""
	case f.OK:
		return "ok"
	}
	return "**NOT**"
}

// row writes cells so that nothing in them can end a cell, a row or the block.
func row(b *strings.Builder, cells ...string) {
	safe := strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ", "<", "&lt;")
	for _, cell := range cells {
		b.WriteString("| " + safe.Replace(cell) + " ")
	}
	b.WriteString("|\n")
}
