package templates

import (
	"strings"
	"unicode/utf8"
)

// Columns is the width of the text part. A command line is never broken, so that it can be copied.
const Columns = 72

// CommandIndent marks a command line in a text template: a line that begins with it is left as it is.
const CommandIndent = "        "

// Wrap breaks the lines of a text at blanks so that none is longer than Columns, and hangs what follows under the text
// of a list item. It joins nothing, ends with one newline and leaves at most one empty line between paragraphs.
func Wrap(text string) string {
	var out strings.Builder
	out.Grow(len(text) + len(text)/8)
	empty := true // as if there were an empty line before the first
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimRight(line, " \t\r")
		if line == "" && empty {
			continue
		}
		wrapLine(&out, line)
		out.WriteString("\n")
		empty = line == ""
	}
	wrapped := out.String()
	if end := len(strings.TrimRight(wrapped, "\n")); end < len(wrapped) {
		return wrapped[:end+1]
	}
	return wrapped + "\n"
}

// wrapLine writes one line in as many as it needs.
func wrapLine(out *strings.Builder, line string) {
	if strings.HasPrefix(line, CommandIndent) || utf8.RuneCountInString(line) <= Columns {
		out.WriteString(line)
		return
	}
	first, hang := indents(line)
	out.WriteString(first)
	length, empty := utf8.RuneCountInString(first), true
	for word := range strings.FieldsSeq(line[len(first):]) {
		width := utf8.RuneCountInString(word)
		if !empty && length+1+width > Columns {
			out.WriteString("\n")
			out.WriteString(hang)
			length, empty = utf8.RuneCountInString(hang), true
		}
		if !empty {
			out.WriteString(" ")
			length++
		}
		out.WriteString(word)
		length += width
		empty = false
	}
}

// factColumn is where the values of the table of facts begin, as pad fills their names.
const factColumn = 18

// indents returns what stands before the text of a line ("  1. ", "  Owner           ") and the blanks that the next
// lines begin with.
func indents(line string) (first, hang string) {
	cut := len(line) - len(strings.TrimLeft(line, " "))
	rest := line[cut:]
	switch marker := strings.IndexByte(rest, ' '); {
	case marker > 0 && marker <= 3 && (rest[marker-1] == '.' || rest[:marker] == "-"):
		cut += marker + 1
	case cut == 2:
		if value := runes(line, factColumn); value < len(line) && line[value-1] == ' ' && isFact(line[:value]) {
			cut = value
		}
	}
	return line[:cut], strings.Repeat(" ", utf8.RuneCountInString(line[:cut]))
}

// runes returns how many bytes the first so many runes of a text have.
func runes(s string, n int) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}

// isFact says whether a line begins with a name of the table of facts, filled with blanks.
func isFact(name string) bool {
	name = strings.TrimSpace(name)
	return name != "" && utf8.RuneCountInString(name) < factColumn-2 && !strings.Contains(name, "  ")
}
