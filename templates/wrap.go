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
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimRight(line, " \t\r")
		if line == "" && (len(out) == 0 || out[len(out)-1] == "") {
			continue
		}
		out = append(out, wrapLine(line)...)
	}
	return strings.TrimRight(strings.Join(out, "\n"), "\n") + "\n"
}

func wrapLine(line string) []string {
	if strings.HasPrefix(line, CommandIndent) || utf8.RuneCountInString(line) <= Columns {
		return []string{line}
	}
	first, hang := indents(line)
	var out []string
	current, length := first, utf8.RuneCountInString(first)
	empty := true
	for word := range strings.FieldsSeq(line[len(first):]) {
		width := utf8.RuneCountInString(word)
		if !empty && length+1+width > Columns {
			out = append(out, current)
			current, length, empty = hang, utf8.RuneCountInString(hang), true
		}
		if !empty {
			current += " "
			length++
		}
		current += word
		length += width
		empty = false
	}
	return append(out, current)
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
	case cut == 2 && len(line) > factColumn && line[factColumn-1] == ' ' && isFact(line[:factColumn]):
		cut = factColumn
	}
	return line[:cut], strings.Repeat(" ", utf8.RuneCountInString(line[:cut]))
}

// isFact says whether a line begins with a name of the table of facts: ASCII, filled with blanks.
func isFact(name string) bool {
	name = strings.TrimSpace(name)
	return name != "" && len(name) < factColumn-2 && !strings.Contains(name, "  ")
}
