package templates

import (
	"embed"
	"fmt"
	html "html/template"
	"io/fs"
	"path"
	"slices"
	"strings"
	text "text/template"
	"unicode/utf8"
)

//go:embed mail calendar
var files embed.FS

// MaxSubject is the length in runes at which a subject is cut.
const MaxSubject = 150

// Mail is a rendered notice.
type Mail struct {
	Subject string // one line
	Text    string // at most Columns wide, apart from command lines
	HTML    string
}

// Set is the parsed templates of every kind. It is safe for concurrent use.
type Set struct {
	kinds map[string]pair
	event *text.Template
}

type pair struct {
	text *text.Template
	html *html.Template
}

// Parse parses the embedded templates of every kind. An error is a defect of the templates.
func Parse() (*Set, error) {
	kinds, err := fs.ReadDir(files, "mail")
	if err != nil {
		return nil, fmt.Errorf("listing the templates: %w", err)
	}
	set := &Set{kinds: map[string]pair{}}
	for _, kind := range kinds {
		if !kind.IsDir() {
			continue
		}
		if set.kinds[kind.Name()], err = parseKind(path.Join("mail", kind.Name())); err != nil {
			return nil, err
		}
	}
	set.event, err = text.New("event").Option("missingkey=error").ParseFS(files, "calendar/event.tmpl")
	if err != nil {
		return nil, fmt.Errorf("parsing the calendar template: %w", err)
	}
	return set, nil
}

func parseKind(dir string) (pair, error) {
	words, texts, htmls := path.Join(dir, "words.tmpl"), path.Join(dir, "text.tmpl"), path.Join(dir, "html.tmpl")
	t, err := text.New("text").Option("missingkey=error").Funcs(text.FuncMap{"pad": pad, "cmd": cmd}).
		ParseFS(files, "mail/partials.text.tmpl", words, texts)
	if err != nil {
		return pair{}, fmt.Errorf("parsing the text templates of %s: %w", dir, err)
	}
	h, err := html.New("html").Option("missingkey=error").
		ParseFS(files, "mail/layout.html.tmpl", "mail/partials.html.tmpl", words, htmls)
	if err != nil {
		return pair{}, fmt.Errorf("parsing the HTML templates of %s: %w", dir, err)
	}
	return pair{text: t, html: h}, nil
}

// pad fills a name of the table of facts up to the column of the values.
func pad(name string) string { return fmt.Sprintf("%-*s ", factColumn-3, name) }

// cmd indents a command line so that Wrap leaves it alone.
func cmd(line string) string { return CommandIndent + line }

// Kinds lists the kinds that have templates, sorted.
func (s *Set) Kinds() []string {
	kinds := make([]string, 0, len(s.kinds))
	for kind := range s.kinds {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return kinds
}

// Room for the parts of nearly every mail, in bytes: a template writes a few bytes at a time, and growing with them would
// copy what is written again and again.
const plainSize, richSize = 2 << 10, 8 << 10

// Render writes the mail of d.Kind. It fails for a kind without templates.
func (s *Set) Render(d Data) (Mail, error) {
	kind, ok := s.kinds[d.Kind]
	if !ok {
		return Mail{}, fmt.Errorf("there is no template for notices of the kind %q", d.Kind)
	}
	var subject, plain, rich strings.Builder
	plain.Grow(plainSize)
	rich.Grow(richSize)
	if err := kind.text.ExecuteTemplate(&subject, "subject", d); err != nil {
		return Mail{}, fmt.Errorf("rendering the subject of %s: %w", d.Kind, err)
	}
	d.Subject = OneLine(subject.String())
	if err := kind.text.ExecuteTemplate(&plain, "text", d); err != nil {
		return Mail{}, fmt.Errorf("rendering the text of %s: %w", d.Kind, err)
	}
	if err := kind.html.ExecuteTemplate(&rich, "mail", d); err != nil {
		return Mail{}, fmt.Errorf("rendering the HTML of %s: %w", d.Kind, err)
	}
	return Mail{Subject: d.Subject, Text: Wrap(plain.String()), HTML: rich.String()}, nil
}

// RenderEvent writes summary and description of the calendar event.
func (s *Set) RenderEvent(d Data) (summary, description string, err error) {
	var short, long strings.Builder
	if err := s.event.ExecuteTemplate(&short, "summary", d); err != nil {
		return "", "", fmt.Errorf("rendering the summary of the event: %w", err)
	}
	if err := s.event.ExecuteTemplate(&long, "description", d); err != nil {
		return "", "", fmt.Errorf("rendering the description of the event: %w", err)
	}
	return OneLine(short.String()), strings.TrimSpace(long.String()), nil
}

// OneLine joins the lines of a text, squeezes blanks and cuts it at MaxSubject runes.
func OneLine(s string) string {
	return cut(strings.Join(strings.Fields(s), " "), MaxSubject)
}

// cut shortens a text to at most so many runes.
func cut(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit-1]) + "…"
}
