package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Problem is one mistake in a configuration, or one thing worth a second look.
type Problem struct {
	File    string // as it was named; empty = not from a file
	Line    int    // counts from 1; 0 = the file as a whole
	Path    string // of the setting, for example "vault.auth.method" or "clients[3].owner"; empty = the file as a whole
	What    string // what is wrong; never empty, and never a secret
	Hint    string // what to do about it; may be empty
	Warning bool   // it does not keep the daemon from starting
}

// String returns "file:line: path: what, hint", leaving out what is not known.
func (p Problem) String() string {
	var b strings.Builder
	switch {
	case p.File != "" && p.Line > 0:
		fmt.Fprintf(&b, "%s:%d: ", p.File, p.Line)
	case p.File != "":
		b.WriteString(p.File + ": ")
	case p.Line > 0:
		fmt.Fprintf(&b, "line %d: ", p.Line)
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	if p.Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(p.What)
	if p.Hint != "" {
		b.WriteString(", " + p.Hint)
	}
	return printable(b.String())
}

// printable keeps what is written in a configuration from steering the terminal, or from ending the line, of whoever
// reads a problem about it: a key may hold any character.
func printable(s string) string {
	if !strings.ContainsFunc(s, unprintable) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unprintable(r) {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// Problems are the problems of one run, sorted by file and line.
type Problems []Problem

// Errors returns those that keep the daemon from starting.
func (p Problems) Errors() Problems { return p.filter(false) }

// Warnings returns those that do not.
func (p Problems) Warnings() Problems { return p.filter(true) }

func (p Problems) filter(warning bool) Problems {
	var out Problems
	for _, problem := range p {
		if problem.Warning == warning {
			out = append(out, problem)
		}
	}
	return out
}

// Strict returns the same problems with every warning made an error ("rotad check --strict").
func (p Problems) Strict() Problems {
	out := slices.Clone(p)
	for i := range out {
		out[i].Warning = false
	}
	return out
}

// Err returns all errors as one error, a line each; nil if there is none. Warnings do not count.
func (p Problems) Err() error {
	errs := p.Errors()
	if len(errs) == 0 {
		return nil
	}
	return errors.New(errs.String())
}

// String returns one line per problem.
func (p Problems) String() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// sorted returns the problems by file and line, each once. Problems of one line keep the order they were found in.
func (p Problems) sorted() Problems {
	out := slices.Clone(p)
	slices.SortStableFunc(out, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	seen := make(map[Problem]bool, len(out))
	return slices.DeleteFunc(out, func(problem Problem) bool {
		again := seen[problem]
		seen[problem] = true
		return again
	})
}
