package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// edit is what a patch does to one file.
type edit struct {
	path  string
	hunks []hunk
}

// hunk is one place of an edit: the lines that have to stand there, and those that take their place.
type hunk struct {
	from, to string
}

// parseDiff reads a unified diff as "diff -u" and "git diff" write it. The numbers of lines are not used: code moves, and
// what identifies a place is what stands there.
func parseDiff(diff string) ([]edit, error) {
	var edits []edit
	for line := range strings.Lines(diff) {
		switch {
		case strings.HasPrefix(line, "--- "):
		case strings.HasPrefix(line, "+++ "):
			path, ok := strings.CutPrefix(strings.TrimSpace(line), "+++ b/")
			if !ok {
				return nil, fmt.Errorf("a file is named %q, which does not begin with b/", strings.TrimSpace(line))
			}
			edits = append(edits, edit{path: path})
		case len(edits) == 0:
			return nil, errors.New("a hunk before the name of its file")
		case strings.HasPrefix(line, "@@"):
			last := &edits[len(edits)-1]
			last.hunks = append(last.hunks, hunk{})
		default:
			if err := edits[len(edits)-1].add(line); err != nil {
				return nil, err
			}
		}
	}
	for _, e := range edits {
		for _, h := range e.hunks {
			if h.from == h.to || strings.TrimSpace(h.from) == "" {
				return nil, fmt.Errorf("a hunk of %s changes nothing, or stands nowhere", e.path)
			}
		}
	}
	return edits, nil
}

// add takes one line of a hunk in.
func (e *edit) add(line string) error {
	if len(e.hunks) == 0 {
		return fmt.Errorf("a line outside of a hunk: %q", line)
	}
	h := &e.hunks[len(e.hunks)-1]
	switch text := line[1:]; line[0] {
	case ' ':
		h.from += text
		h.to += text
	case '-':
		h.from += text
	case '+':
		h.to += text
	case '\n': // an editor has taken away the blank of an empty line
		h.from += line
		h.to += line
	default:
		return fmt.Errorf("a line of a hunk begins with %q", line[:1])
	}
	return nil
}

// apply returns a file's text with the hunks applied. Each must fit at exactly one place.
func (e edit) apply(text string) (string, error) {
	for i, h := range e.hunks {
		switch strings.Count(text, h.from) {
		case 1:
			text = strings.Replace(text, h.from, h.to, 1)
		case 0:
			return "", fmt.Errorf("hunk %d of %s fits nowhere any more", i+1, e.path)
		default:
			return "", fmt.Errorf("hunk %d of %s fits at several places; it needs more context", i+1, e.path)
		}
	}
	return text, nil
}

// apply breaks a tree, and returns what brings it back. An error leaves the tree as it was.
func (m mutant) apply(tree string) (undo func() error, err error) {
	before, after := map[string]string{}, map[string]string{}
	for _, e := range m.edits {
		text, err := os.ReadFile(filepath.Join(tree, e.path)) //nolint:gosec // a path of a patch of this repository
		if err != nil {
			return nil, fmt.Errorf("%s does not apply: %w", m.name, err)
		}
		before[e.path] = string(text)
		if after[e.path], err = e.apply(string(text)); err != nil {
			return nil, fmt.Errorf("%s does not apply: %w", m.name, err)
		}
	}
	undo = func() error { return write(tree, before) }
	if err := write(tree, after); err != nil {
		return nil, errors.Join(err, undo())
	}
	return undo, nil
}

func write(tree string, files map[string]string) error {
	for path, text := range files {
		if err := os.WriteFile(filepath.Join(tree, path), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}
