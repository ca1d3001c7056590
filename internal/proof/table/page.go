package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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

// publish writes the page's block from the results that stand beside it.
func publish(top string) (figures, error) {
	f, err := readFigures(top)
	if err != nil {
		return nil, err
	}
	page, err := os.ReadFile(pageOf(top))
	if err != nil {
		return nil, fmt.Errorf("reading the page: %w", err)
	}
	before, _, after, err := split(string(page))
	if err != nil {
		return nil, err
	}
	text := before + markBegin + "\n" + f.block() + markEnd + after
	if err := os.WriteFile(pageOf(top), []byte(text), 0o600); err != nil { //nolint:gosec // the page of the tree that was named
		return nil, fmt.Errorf("writing the page: %w", err)
	}
	return f, nil
}

// block is what stands between the marks. It depends on nothing but the results.
func (f figures) block() string {
	var b strings.Builder
	b.WriteString("\n")
	machines := f.machines()
	writeMachines(&b, machines)
	rows := [][]string{{"part", "what", "result", "seeds", "commit", "date", "machine", "time", "repeat it with"}}
	for _, p := range parts() {
		rows = append(rows, f.rows(p, machines)...)
	}
	for i, cells := range rows {
		if len(machines) < 2 {
			cells = slices.Delete(cells, 6, 7) // it would say the same in each row
		}
		row(&b, cells...)
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(cells)) + "|\n")
		}
	}
	f.writeFigures(&b)
	b.WriteString("\n")
	return b.String()
}

// machines are those on which something was measured, in the order of the table.
func (f figures) machines() []machine {
	var all []machine
	for _, p := range parts() {
		for _, r := range f.of(p) {
			if !slices.Contains(all, r.moment.machine) {
				all = append(all, r.moment.machine)
			}
		}
	}
	return all
}

func writeMachines(b *strings.Builder, machines []machine) {
	switch len(machines) {
	case 0:
		b.WriteString("Nothing has been run at full size yet.\n\n")
		return
	case 1:
		b.WriteString("| machine |\n|---|\n")
		row(b, machines[0].String())
	default:
		b.WriteString("| | machine |\n|---|---|\n")
		for i, m := range machines {
			row(b, strconv.Itoa(i+1), m.String())
		}
	}
	b.WriteString("\n")
}

// rows are the cells of a part's results, or of the word that it has none.
func (f figures) rows(p part, machines []machine) [][]string {
	repeat := "`" + p.repeat + "`"
	var all [][]string
	for _, r := range f.of(p) {
		commit := "`" + brief(r.moment.Commit) + "`"
		if r.moment.Dirty {
			commit += ", **with changes that are not committed**"
		}
		number := strconv.Itoa(slices.Index(machines, r.moment.machine) + 1)
		all = append(all, []string{r.name, p.what, r.word(), r.Seeds, commit, r.moment.Date, number, r.Took.Round(time.Second).String(), repeat})
	}
	if len(all) == 0 {
		all = [][]string{{p.name, p.what, "not run", "", "", "", "", "", repeat}}
	}
	return all
}

func (f figures) writeFigures(b *strings.Builder) {
	if !slices.ContainsFunc(f, func(r result) bool { return len(r.Figures) > 0 }) {
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

// word says shortly whether a result stands. Goals that are missed have rows of their own, the rest is said here.
func (r result) word() string {
	if len(r.faults()) == 0 {
		return "ok"
	}
	return strings.Join(append([]string{"**NOT**"}, r.badEnd()...), ", ")
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
