package templates_test

import (
	"strings"
	"testing"

	"github.com/rotad/rotad/templates"
)

// What a message of the user's own says is text, in a page as in plain words, and what it is about is still escaped there.
func TestMessagesAreTextInAPage(t *testing.T) {
	set, err := templates.Parse(with(map[string]string{
		"messages/en/mails.json": `{"left": {"headline": "Gone: \"<b>{{.Client}}</b>\" & {{if .Owner}}<{{.Owner}}>{{else}}<nobody>{{end}}"}}`,
		"messages/en/words.json": `{"head": {"facts": "<Facts> & \"more\""}}`,
	}))
	if err != nil {
		t.Fatal(err)
	}
	d := full("left")
	d.Client, d.Owner = "a<i>b", "x&y"
	mail, err := set.Render(d)
	if err != nil {
		t.Fatal(err)
	}
	if want := `Gone: "<b>a<i>b</b>" & <x&y>`; !strings.Contains(mail.Text, want) {
		t.Errorf("the text lacks %s:\n%s", want, mail.Text)
	}
	for _, want := range []string{`Gone: &#34;&lt;b&gt;a&lt;i&gt;b&lt;/b&gt;&#34; &amp; &lt;x&amp;y&gt;`, `&lt;Facts&gt; &amp; &#34;more&#34;</h2>`} {
		if !strings.Contains(mail.HTML, want) {
			t.Errorf("the page lacks %s:\n%s", want, mail.HTML)
		}
	}
}

// A message stands for itself only where its dot is that of the template: one that is about nothing, or about something else, or
// that speaks of the whole, is called.
func TestMessagesKeepWhatTheyAreAbout(t *testing.T) {
	for name, tt := range map[string]struct{ words, want, wrong string }{
		"about nothing":        {`{{define "headline"}}{{say "left.headline"}}{{end}}`, "", "can't evaluate field Client in type struct {}"},
		"about something else": {`{{define "headline"}}{{say "left.headline" .Hold}}{{end}}`, "", "can't evaluate field Client in type templates.Hold"},
		"within another":       {`{{define "headline"}}{{with .Client}}{{say "left.headline" $}}{{end}}{{end}}`, "rotad no longer looks after billing", ""},
		"about the dot":        {`{{define "headline"}}{{with .Hold}}{{with $}}{{say "left.headline" .}}{{end}}{{end}}{{end}}`, "rotad no longer looks after billing", ""},
		"with a blank cut off": {`{{define "headline"}}  {{- say "left.headline" . -}}  !{{end}}`, "rotad no longer looks after billing!", ""},
		"in a pipeline":        {`{{define "headline"}}{{say "left.headline" . | printf "%.5s"}}{{end}}`, "rotad", ""},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := templates.Parse(with(map[string]string{"mail/left/words.tmpl": tt.words +
				`{{define "subject"}}x{{end}}{{define "lead"}}x{{end}}{{define "why"}}x{{end}}`}))
			if err != nil {
				t.Fatal(err)
			}
			words, err := set.RenderWords(full("left"))
			if tt.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wrong) {
					t.Errorf("got %q, %v", words.Headline, err)
				}
				return
			}
			if err != nil || words.Headline != tt.want {
				t.Errorf("got %q, %v", words.Headline, err)
			}
		})
	}
}

// A message that speaks of the data of its template by the name $ has its own.
func TestTheWholeOfAMessageIsItsOwn(t *testing.T) {
	set, err := templates.Parse(with(map[string]string{
		"messages/en/mails.json": `{"left": {"headline": "{{with .Owner}}{{$.Client}} of {{.}}{{end}}"}}`,
	}))
	if err != nil {
		t.Fatal(err)
	}
	words, err := set.RenderWords(full("left"))
	if err != nil || words.Headline != "billing of payments" {
		t.Errorf("got %q, %v", words.Headline, err)
	}
}
