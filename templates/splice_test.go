package templates_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rotad/rotad/templates"
)

// A template that is put in the place of its calls says what it said when it was called.
func TestTemplatesSayInPlaceWhatTheySayWhenCalled(t *testing.T) {
	for name, tt := range map[string]struct{ lead, other, want string }{
		"about the same":          {`{{template "other" .}}`, `<{{.Client}}>`, `<billing>`},
		"about what a loop is at": {`{{range .Steps}}{{template "other" .}}{{end}}`, `<{{.}}>`, `<Open the portal.>`},
		"about a field":           {`{{template "other" .Client}}`, `<{{.}}, {{len .}}>`, `<billing, 7>`},
		"about a field of it":     {`{{template "other" .Hold}}`, `<{{.Code}}>`, `<cutover>`},
		"about words":             {`{{template "other" "a < b"}}`, `<{{.}}, {{printf "%q" .}}>`, `<a < b, "a < b">`},
		"about a result":          {`{{template "other" (len .Client)}}`, `<{{.}}>`, `<7>`},
		"about nothing":           {`{{template "other"}}`, `<x>`, `<x>`},
		"about nothing, asked":    {`{{template "other"}}`, `<{{if .}}x{{else}}y{{end}}>`, `<y>`},
		"with a condition":        {`{{template "other" .Client}}`, `{{if .}}<{{.}}>{{end}}`, `<billing>`},
		"with its own whole":      {`{{with .Hold}}{{template "other" .}}{{end}}`, `{{with .By}}<{{.}}, {{$.Code}}>{{end}}`, `<anna, cutover>`},
		"with its own variables":  {`{{$x := "a"}}{{template "other" .}}{{$x}}`, `{{$x := "b"}}{{$x}}`, `ba`},
		"calls another":           {`{{template "other" .}}`, `<{{template "third" .Client}}>`, `<(billing)>`},
		"calls itself":            {`{{template "other" .}}`, `{{if .Chat}}{{template "other" .}}{{else}}x{{end}}`, `x`},
		"calls what calls it":     {`{{template "other" .}}`, `{{if .Chat}}{{template "lead" .}}{{else}}x{{end}}`, `x`},
		"with blanks cut off":     {`a  {{- template "other" . -}}  b`, ` {{.Client}} `, `a billing b`},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := templates.Parse(with(map[string]string{"mail/left/words.tmpl": `{{define "subject"}}x{{end}}{{define "headline"}}x{{end}}` +
				`{{define "lead"}}` + tt.lead + `{{end}}{{define "other"}}` + tt.other + `{{end}}{{define "third"}}({{.}}){{end}}`}))
			if err != nil {
				t.Fatal(err)
			}
			d := full("left")
			d.Chat, d.Steps, d.Hold = false, []string{"Open the portal."}, templates.Hold{Code: "cutover", By: "anna"}
			mail, err := set.Render(d)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(mail.Text, tt.want) {
				t.Errorf("the text lacks %s:\n%s", tt.want, mail.Text)
			}
		})
	}
}

// Words that a template is about are text in a page, like everything that it shows.
func TestWordsOfACallAreTextInAPage(t *testing.T) {
	set, err := templates.Parse(with(map[string]string{"mail/left/html.tmpl": `{{define "body"}}{{template "one" "a < b"}}` +
		`{{template "one" .Client}}{{template "one" (print "<i>" .Owner)}}{{end}}{{define "one"}}[<b title="{{.}}">{{.}}</b>]{{end}}`}))
	if err != nil {
		t.Fatal(err)
	}
	d := full("left")
	d.Client = `"><script>`
	mail, err := set.Render(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`[<b title="a &lt; b">a &lt; b</b>]`, `[<b title="&#34;&gt;&lt;script&gt;">&#34;&gt;&lt;script&gt;</b>]`,
		`[<b title="&lt;i&gt;payments">&lt;i&gt;payments</b>]`,
	} {
		if !strings.Contains(mail.HTML, want) {
			t.Errorf("the page lacks %s:\n%s", want, mail.HTML)
		}
	}
}

// Templates that call each other again and again grow no further than their calls are worth.
func TestTemplatesDoNotGrowWithoutEnd(t *testing.T) {
	words := `{{define "subject"}}x{{end}}{{define "headline"}}x{{end}}{{define "lead"}}{{template "l40" .Chat}}{{end}}{{define "l0"}}word {{end}}`
	for i := range 40 {
		words += fmt.Sprintf(`{{define "l%d"}}{{if .}}{{template "l%d" .}}{{template "l%[2]d" .}}{{end}}{{end}}`, i+1, i)
	}
	set, err := templates.Parse(with(map[string]string{"mail/left/words.tmpl": words}))
	if err != nil {
		t.Fatal(err)
	}
	d := full("left")
	d.Chat = false
	if _, err := set.Render(d); err != nil {
		t.Error(err)
	}
}
