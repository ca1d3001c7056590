package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
	f.writeRun(&b)
	b.WriteString("| part | what | result | seeds | time | repeat it with |\n|---|---|---|---|---|---|\n")
	for _, p := range parts() {
		f.writePart(&b, p)
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

func (f figures) writeRun(b *strings.Builder) {
	if !f.begun {
		b.WriteString("Nothing has been run at full size yet.\n\n")
		return
	}
	m := f.moment
	commit := "`" + m.Commit + "`"
	if m.Dirty {
		commit += ", **with changes that are not committed**"
	}
	b.WriteString("| commit | date | machine | Go |\n|---|---|---|---|\n")
	row(b, commit, m.Date, fmt.Sprintf("%s, %d cores, %s, %s", m.CPU, m.Cores, m.Memory, m.Kernel), m.Go)
	b.WriteString("\n")
}

func (f figures) writePart(b *strings.Builder, p part) {
	results := f.of(p)
	if len(results) == 0 {
		row(b, p.name, p.what, "not run", "", "", "`"+p.repeat+"`")
	}
	for _, r := range results {
		row(b, r.name, p.what, sum(r.Figures), r.Seeds, r.Took.Round(time.Second).String(), "`"+p.repeat+"`")
	}
}

// sum says in a word whether a result stands.
func sum(all []proof.Figure) string {
	for _, f := range all {
		if !met(f) {
			return "**NOT**"
		}
	}
	return "ok"
}

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
