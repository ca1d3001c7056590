package templates

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	html "html/template"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	text "text/template"
	"text/template/parse"
	"unicode/utf8"
)

//go:embed mail calendar messages
var files embed.FS

// MaxSubject is the length in runes at which a subject is cut.
const MaxSubject = 150

// Mail is a rendered notice.
type Mail struct {
	Subject string // one line
	Text    string // at most Columns wide, apart from command lines
	HTML    string
}

// Set is the parsed templates of every kind, in every language. It is safe for concurrent use.
type Set struct{ languages map[string]spoken }

// spoken are the templates of one language. They are parsed for each, because a directory of the user's own may have some for
// one language alone.
type spoken struct {
	language *Language
	kinds    map[string]pair
	event    *text.Template
}

type pair struct {
	text *text.Template
	html *html.Template
}

// Parse parses the templates of every kind: those of a directory of the user's own where it has them, the embedded ones
// elsewhere; nil = the embedded ones alone. The error names every file that cannot be parsed, with its line.
func Parse(own fs.FS) (*Set, error) {
	l, err := layersOf(own)
	wrong := []error{err}
	set := &Set{languages: map[string]spoken{}}
	for _, tag := range Languages() {
		set.languages[tag], err = l.parse(tag)
		wrong = append(wrong, err)
	}
	return set, distinct(wrong)
}

func (l layers) parse(tag string) (spoken, error) {
	lang, err := l.language(tag)
	wrong := []error{err}
	out := spoken{language: lang, kinds: map[string]pair{}}
	for _, kind := range kinds() {
		out.kinds[kind], err = l.parseKind(lang, "mail/"+kind)
		wrong = append(wrong, err)
	}
	out.event = text.New("event").Option("missingkey=error").Funcs(lang.funcs())
	wrong = append(wrong, l.each(tag, []string{eventFile}, func(name, content string) error {
		_, err := out.event.New(name).Parse(content)
		return err
	}))
	trees := map[string]*parse.Tree{}
	for _, t := range out.event.Templates() {
		trees[t.Name()] = t.Tree
	}
	lang.inline(trees, false)
	return out, distinct(wrong)
}

const eventFile = "calendar/event.tmpl"

// kinds are the directories of the embedded mails. Embedded files are always there.
func kinds() []string {
	entries, _ := fs.ReadDir(files, "mail")
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

func (l layers) parseKind(lang *Language, dir string) (pair, error) {
	words, texts, htmls := dir+"/words.tmpl", dir+"/text.tmpl", dir+"/html.tmpl"
	p := pair{
		text: text.New("text").Option("missingkey=error").Funcs(text.FuncMap{"pad": pad, "cmd": cmd, "upper": strings.ToUpper}).Funcs(lang.funcs()),
		html: html.New("html").Option("missingkey=error").Funcs(html.FuncMap{"unbroken": unbroken, "rows": rows}).Funcs(lang.funcs()),
	}
	plain := l.each(lang.tag, []string{"mail/partials.text.tmpl", words, texts}, func(name, content string) error {
		_, err := p.text.New(name).Parse(content)
		return err
	})
	rich := l.each(lang.tag, []string{"mail/layout.html.tmpl", "mail/partials.html.tmpl", words, htmls}, func(name, content string) error {
		_, err := p.html.New(name).Parse(content)
		return err
	})
	plainTrees, pageTrees := map[string]*parse.Tree{}, map[string]*parse.Tree{}
	for _, t := range p.text.Templates() {
		plainTrees[t.Name()] = t.Tree
	}
	for _, t := range p.html.Templates() {
		pageTrees[t.Name()] = t.Tree
	}
	lang.inline(plainTrees, false)
	lang.inline(pageTrees, true)
	return p, errors.Join(plain, rich)
}

// Kinds lists the kinds that have templates, sorted.
func (s *Set) Kinds() []string {
	all := s.languages[DefaultLanguage].kinds
	kinds := make([]string, 0, len(all))
	for kind := range all {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return kinds
}

// Language returns a language by its tag; English for one that there is not, which the configuration refuses.
func (s *Set) Language(tag string) *Language { return s.in(tag).language }

func (s *Set) in(tag string) spoken {
	if known, ok := s.languages[tag]; ok {
		return known
	}
	return s.languages[DefaultLanguage]
}

// kind returns the templates of the kind and language of some data, and completes the data.
func (s *Set) kind(d *Data) (pair, error) {
	in := s.in(d.Language)
	d.Language, d.Tone = in.language.tag, Tone(orElse(string(d.Tone), string(ToneInfo)))
	d.derive()
	found, ok := in.kinds[d.Kind]
	if !ok {
		return pair{}, fmt.Errorf("there is no template for notices of the kind %q", d.Kind)
	}
	return found, nil
}

// buffers are what templates write into: they write a few bytes at a time, and what grows with them would be copied again and again.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// executor is a set of templates, of text or of HTML.
type executor interface {
	ExecuteTemplate(to io.Writer, name string, data any) error
}

// execute returns what a template writes.
func execute(t executor, name string, d *Data) (string, error) {
	b, _ := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	err := t.ExecuteTemplate(b, name, d)
	return b.String(), err
}

// Render writes the mail of d.Kind. It fails for a kind without templates.
func (s *Set) Render(d Data) (Mail, error) {
	kind, err := s.kind(&d)
	if err != nil {
		return Mail{}, err
	}
	subject, err := execute(kind.text, "subject", &d)
	if err != nil {
		return Mail{}, fmt.Errorf("rendering the subject of %s: %w", d.Kind, err)
	}
	d.Subject = OneLine(subject)
	plain, err := execute(kind.text, "text", &d)
	if err != nil {
		return Mail{}, fmt.Errorf("rendering the text of %s: %w", d.Kind, err)
	}
	rich, err := execute(kind.html, "mail", &d)
	if err != nil {
		return Mail{}, fmt.Errorf("rendering the HTML of %s: %w", d.Kind, err)
	}
	return Mail{Subject: d.Subject, Text: Wrap(plain), HTML: rich}, nil
}

// Words are what a chat shows of a notice, as plain text.
type Words struct {
	Headline string // one line
	Lead     string // what it means, in a few sentences
	Why      string // why the reader gets it, as a sentence
}

// RenderWords writes the words of d.Kind for a place that takes no mail. It fails for a kind without templates.
func (s *Set) RenderWords(d Data) (Words, error) {
	kind, err := s.kind(&d)
	if err != nil {
		return Words{}, err
	}
	var said [3]string
	for i, part := range []string{"headline", "lead", "why"} {
		words, err := execute(kind.text, part, &d)
		if err != nil {
			return Words{}, fmt.Errorf("rendering the %s of %s: %w", part, d.Kind, err)
		}
		said[i] = strings.Join(strings.Fields(words), " ")
	}
	return Words{Headline: said[0], Lead: said[1], Why: said[2]}, nil
}

// RenderEvent writes summary and description of the calendar event.
func (s *Set) RenderEvent(d Data) (summary, description string, err error) {
	d.derive()
	event := s.in(d.Language).event
	if summary, err = execute(event, "summary", &d); err != nil {
		return "", "", fmt.Errorf("rendering the summary of the event: %w", err)
	}
	if description, err = execute(event, "description", &d); err != nil {
		return "", "", fmt.Errorf("rendering the description of the event: %w", err)
	}
	return OneLine(summary), strings.TrimSpace(description), nil
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
