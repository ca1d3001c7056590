package templates_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rotad/rotad/templates"
)

func with(files map[string]string) fstest.MapFS {
	dir := fstest.MapFS{}
	for name, content := range files {
		dir[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return dir
}

// Every template that comes with rotad stands the check that those of a user have to stand.
func TestTheEmbeddedTemplatesStandTheCheck(t *testing.T) {
	set := parse(t)
	for _, kind := range set.Kinds() {
		for name, data := range map[string]templates.Data{"everything": full(kind), "manual": manual(kind)} {
			if err := set.Check(data); err != nil {
				t.Errorf("%s, %s: %v", kind, name, err)
			}
		}
	}
}

func TestATemplateOfOnesOwnTakesThePlaceOfTheEmbeddedOne(t *testing.T) {
	set, err := templates.Parse(with(map[string]string{
		"mail/rotated/words.tmpl": `{{define "subject"}}ours: {{.Name}}{{end}}{{define "headline"}}h{{end}}{{define "lead"}}<b>{{.Reason}}</b>{{end}}`,
		"calendar/event.tmpl":     `{{define "summary"}}our event{{end}}{{define "description"}}d{{end}}`,
		"..data/mail/x.tmpl":      "what Kubernetes keeps beside the files", "mail/rotated/words.tmpl~": "an editor's",
	}))
	if err != nil {
		t.Fatal(err)
	}
	d := full("rotated")
	d.Reason = "<i>1 & 2</i>"
	mail, err := set.Render(d)
	if err != nil || mail.Subject != "ours: billing" {
		t.Errorf("%q, %v", mail.Subject, err)
	}
	if strings.Contains(mail.HTML, "<i>") || !strings.Contains(mail.HTML, "&lt;i&gt;1 &amp; 2") {
		t.Error("what stands in a fact is not escaped")
	}
	if summary, _, err := set.RenderEvent(d); err != nil || summary != "our event" {
		t.Errorf("%q, %v", summary, err)
	}
	if other, err := set.Render(full("retired")); err != nil || strings.HasPrefix(other.Subject, "ours") {
		t.Errorf("another kind: %q, %v", other.Subject, err)
	}
}

// All mistakes of a directory are named at once, each with its file and, where there is one, its line.
func TestEveryMistakeOfADirectoryIsNamed(t *testing.T) {
	_, err := templates.Parse(with(map[string]string{
		"mail/rotatd/words.tmpl":      "a typing error",
		"mail/retired/text.tmpl":      "{{define \"text\"}}\n{{if}}{{end}}{{end}}",
		"mail/held/html.tmpl":         "{{define \"body\"}}\n\n{{nofunction .}}{{end}}",
		"mail/partials.text.tmpl":     "{{define \"head\"}}",
		"calendar/event.tmpl":         "{{",
		"mail/final/" + "big.tmpl":    "unknown",
		"mail/announce/html.tmpl":     strings.Repeat("x", 300<<10),
		"mail/expired/html.tmpl.orig": "unknown",
	}))
	if err == nil {
		t.Fatal("no mistake was found")
	}
	for _, want := range []string{
		"mail/rotatd/words.tmpl: nothing uses a template of this name", "mail/retired/text.tmpl:2: missing value for if",
		"mail/held/html.tmpl:3: function \"nofunction\" not defined", "mail/partials.text.tmpl:1: unexpected EOF",
		"calendar/event.tmpl:1: unclosed action", "mail/final/big.tmpl: nothing uses", "mail/announce/html.tmpl: has 307200 bytes",
		"mail/expired/html.tmpl.orig: nothing uses",
	} {
		if strings.Count(err.Error(), want) != 1 {
			t.Errorf("%q does not stand once in:\n%v", want, err)
		}
	}
}

func TestWhatATemplateMakesIsChecked(t *testing.T) {
	const words = `{{define "subject"}}s{{end}}{{define "headline"}}h{{end}}{{define "lead"}}l{{end}}`
	for name, tt := range map[string]struct{ file, content, want string }{
		"a field that there is not": {"words.tmpl", "{{define \"subject\"}}s{{end}}{{define \"headline\"}}h{{end}}{{define \"lead\"}}\n{{.Secret}}{{end}}", "mail/rotated/words.tmpl:2:2: executing \"text\" at <.Secret>: can't evaluate field Secret"},
		"no subject":                {"words.tmpl", strings.Replace(words, "}}s{{", "}} {{", 1), "mail/rotated/words.tmpl: the subject is empty"},
		"no text":                   {"text.tmpl", `{{define "text"}} {{end}}`, "mail/rotated/text.tmpl: the text part is empty"},
		"a picture from afar":       {"html.tmpl", `{{define "body"}}<img src="https://example.com/x.png">{{end}}`, "mail/rotated/html.tmpl: the mail has \"<img\""},
		"a style from afar":         {"html.tmpl", `{{define "body"}}<p style="background: url(https://example.com/x)">x</p>{{end}}`, "shows nothing that has to be fetched or run"},
		"text that lacks a command": {"text.tmpl", `{{define "text"}}{{.Client}} has a new secret.{{end}}`, "the HTML part says \"vault kv get x\", and the text part does not"},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := templates.Parse(with(map[string]string{"mail/rotated/" + tt.file: tt.content}))
			if err == nil {
				err = set.Check(full("rotated"))
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestEveryTemplateCanBeHad(t *testing.T) {
	names := templates.Files()
	if len(names) < 40 {
		t.Errorf("%d templates", len(names))
	}
	for _, name := range names {
		if content, err := templates.Source(name); err != nil || len(content) == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
