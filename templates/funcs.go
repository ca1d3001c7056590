package templates

import (
	html "html/template"
	"strings"
	"unicode/utf8"
)

// funcs let templates say messages: {{say "left.headline" .}}, {{count "digest.calls" .Calls .}}.
func (l *Language) funcs() map[string]any {
	about := func(data []any) any {
		if len(data) == 0 {
			return nil
		}
		return data[0]
	}
	return map[string]any{
		"say":   func(key string, data ...any) (string, error) { return l.Say(key, about(data)) },
		"count": func(key string, n int, data ...any) (string, error) { return l.Count(key, n, about(data)) },
	}
}

// pad fills a name of the table of facts up to the column of the values.
func pad(name string) string {
	return name + strings.Repeat(" ", 1+max(0, factColumn-3-utf8.RuneCountInString(name)))
}

// unbroken shows a command line so that it is broken between two words and not after the hyphens of an option.
func unbroken(line string) html.HTML {
	const begin, end = `<span style="display:inline-block;">`, "</span>"
	var out strings.Builder
	out.Grow(2*len(line) + (strings.Count(line, " ")+1)*len(begin+end)) // a quotation mark takes five bytes
	for i, word := range strings.Split(line, " ") {
		if i > 0 {
			out.WriteByte(' ')
		}
		out.WriteString(begin)
		out.WriteString(html.HTMLEscapeString(word))
		out.WriteString(end)
	}
	return html.HTML(out.String()) //nolint:gosec // each word is escaped
}

// rows shows a table of facts. What stands before a name, between it and its value, and behind that is markup. A loop in the
// template says the same, and takes several times as long: most mails have ten facts, and a page escapes each by a call.
func rows(facts []Row, before, between, behind string) html.HTML {
	const fact = 64 // bytes that most need
	var out strings.Builder
	out.Grow(len(facts) * (len(before) + len(between) + len(behind) + fact))
	for _, f := range facts {
		out.WriteString(before)
		out.WriteString(html.HTMLEscapeString(f.Name))
		out.WriteString(between)
		out.WriteString(html.HTMLEscapeString(f.Value))
		out.WriteString(behind)
	}
	return html.HTML(out.String()) //nolint:gosec // each fact is escaped
}

// cmd indents a command line so that Wrap leaves it alone.
func cmd(line string) string { return CommandIndent + line }
