package templates_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rotad/rotad/templates"
)

// catalogue reads the messages of a language as a program that knows nothing of their library: by key, each with its forms.
func catalogue(t *testing.T, language string) map[string]map[string]string {
	t.Helper()
	out := map[string]map[string]string{}
	for _, name := range templates.Files() {
		if path.Dir(name) != "messages/"+language || path.Base(name) == "phrases.json" {
			continue
		}
		content, err := templates.Source(name)
		if err != nil {
			t.Fatal(err)
		}
		reader := json.NewDecoder(bytes.NewReader(content))
		if _, err := reader.Token(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		readObject(t, reader, name, "", out)
	}
	return out
}

var forms = []string{"zero", "one", "two", "few", "many", "other"}

// readObject reads an object token by token, because a key that stands in it twice would be lost otherwise.
func readObject(t *testing.T, reader *json.Decoder, file, above string, out map[string]map[string]string) {
	t.Helper()
	for reader.More() {
		name, err := reader.Token()
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		key := strings.TrimPrefix(above+"."+name.(string), ".")
		value, err := reader.Token()
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		text, isText := value.(string)
		form := "other"
		if isText && slices.Contains(forms, name.(string)) {
			key, form = above, name.(string)
		}
		switch {
		case !isText:
			readObject(t, reader, file, key, out)
		case out[key][form] != "":
			t.Errorf("%s: %s stands in the catalogue twice", file, key)
		case out[key] == nil:
			out[key] = map[string]string{form: text}
		default:
			out[key][form] = text
		}
		if isText && strings.TrimSpace(text) == "" {
			t.Errorf("%s: %s is empty", file, key)
		}
	}
	if _, err := reader.Token(); err != nil { // the brace at the end
		t.Fatalf("%s: %v", file, err)
	}
}

var (
	action = regexp.MustCompile("{{[^}]*}}")
	quoted = regexp.MustCompile("`[^`]*`")
	field  = regexp.MustCompile(`\.[A-Za-z.]*`)
)

// fills names what a message fills in, whatever words stand around it.
func fills(message map[string]string) []string {
	var found []string
	for _, text := range message {
		for _, a := range action.FindAllString(text, -1) {
			found = append(found, field.FindAllString(quoted.ReplaceAllString(a, ""), -1)...)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// A language is whole: it says each message, fills in the same facts, and has the plural forms where English has them.
func TestEveryLanguageSaysEveryMessage(t *testing.T) {
	english := catalogue(t, templates.DefaultLanguage)
	if len(english) < 250 || len(templates.Languages()) < 2 {
		t.Fatalf("there are %d messages in %v", len(english), templates.Languages())
	}
	for _, language := range templates.Languages()[1:] {
		said := catalogue(t, language)
		for _, key := range slices.Sorted(maps.Keys(english)) {
			message, ok := said[key]
			switch {
			case !ok:
				t.Errorf("%s lacks the message %s", language, key)
			case !slices.Equal(fills(message), fills(english[key])):
				t.Errorf("%s: %s fills in %v, and in English %v", language, key, fills(message), fills(english[key]))
			case (len(message) > 1) != (len(english[key]) > 1):
				t.Errorf("%s: %s has the forms %v, and in English %v", language, key, message, english[key])
			}
		}
		for key := range said {
			if _, ok := english[key]; !ok {
				t.Errorf("%s has a message %s that English lacks", language, key)
			}
		}
	}
}

// Every message that there is, is said somewhere: by its key, or by the first part of it.
func TestNoMessageIsLeftOver(t *testing.T) {
	var said strings.Builder
	for _, pattern := range []string{"*.go", "mail/*.tmpl", "mail/*/*.tmpl", "calendar/*.tmpl", "../notify/*.go", "../internal/answer/*.go", "../cmd/rotad/actions_answer.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, name := range names {
			content, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(name, "_test.go") {
				said.Write(content)
			}
		}
	}
	sources := said.String()
	for key := range catalogue(t, templates.DefaultLanguage) {
		found := strings.Contains(sources, `"`+key+`"`)
		for part := path.Dir(strings.ReplaceAll(key, ".", "/")); part != "." && !found; part = path.Dir(part) {
			found = strings.Contains(sources, `"`+strings.ReplaceAll(part, "/", ".")+`."`)
		}
		if !found {
			t.Errorf("nothing says the message %s", key)
		}
	}
}

// A language has a form for every number.
func TestEveryNumberHasItsForm(t *testing.T) {
	set := parse(t)
	for _, language := range templates.Languages() {
		for key, message := range catalogue(t, language) {
			if len(message) == 1 || len(fills(message)) != 1 || fills(message)[0] != ".PluralCount" {
				continue
			}
			for n := range 130 {
				if text, err := set.Language(language).Count(key, n, nil); err != nil || text == "" {
					t.Fatalf("%s: %s of %d: %q, %v", language, key, n, text, err)
				}
			}
		}
	}
	if one, _ := set.Language("de").Count("when.in_days", 1, nil); one != "in 1 Tag" {
		t.Errorf("one day is %q", one)
	}
}

// No other language stands behind one, and no key is taken for a text: a mail with half of its words is worse than none.
func TestAMissingMessageIsAnError(t *testing.T) {
	set := parse(t)
	for _, language := range templates.Languages() {
		text, err := set.Language(language).Say("no.such.message", nil)
		if err == nil || text != "" || !strings.Contains(err.Error(), "messages/"+language+": the message no.such.message") {
			t.Errorf("%s: %q, %v", language, text, err)
		}
	}
	set, err := templates.Parse(with(map[string]string{"mail/left/html.tmpl": "{{define \"body\"}}\n{{say \"left.mistak\"}}{{end}}"}))
	if err != nil {
		t.Fatal(err)
	}
	d := full("left")
	err = set.Check(d)
	if err == nil || !strings.HasPrefix(err.Error(), "mail/left/html.tmpl:2:2:") || !strings.Contains(err.Error(), "left.mistak") {
		t.Errorf("the check says: %v", err)
	}
}

// What stands in a directory of the user's own takes the place of one message in one language, or of one template in one.
func TestAMessageOfOnesOwnTakesThePlaceOfTheEmbeddedOne(t *testing.T) {
	set, err := templates.Parse(with(map[string]string{
		"messages/de/mails.json":  `{"left": {"headline": "ACME: {{.Client}} ist weg"}}`,
		"de/mail/left/text.tmpl":  `{{define "text"}}nur Deutsch: {{.Client}} {{.Expires.Full}} {{.Commands.History}} {{range .Answers}}{{.Does}} {{.Link}}{{end}}{{end}}`,
		"messages/en/pages.json~": "an editor's",
	}))
	if err != nil {
		t.Fatal(err)
	}
	for language, want := range map[string][2]string{
		"de": {"ACME: billing ist weg", "nur Deutsch: billing"}, "en": {"rotad no longer looks after billing", "For your information"},
	} {
		d := full("left")
		d.Language, d.Tone = language, templates.ToneInfo
		mail, err := set.Render(d)
		if err != nil || !strings.Contains(mail.HTML, want[0]) || !strings.HasPrefix(mail.Text, want[1]) {
			t.Errorf("%s: %v\n%s", language, err, mail.Text)
		}
		if !strings.Contains(mail.HTML, `<html lang="`+language+`"`) {
			t.Errorf("%s: the mail says another language: %.60s", language, mail.HTML)
		}
	}
}

func TestMistakesInMessagesAreNamed(t *testing.T) {
	for name, tt := range map[string]struct{ file, content, want string }{
		"a key that nothing says":   {"messages/de/mails.json", `{"left": {"headlin": "x"}}`, "messages/de/mails.json: nothing says a message left.headlin"},
		"no JSON":                   {"messages/de/mails.json", `{"left": `, "messages/de/mails.json: is no catalogue of messages: unexpected end of JSON input"},
		"a number without its form": {"messages/de/mails.json", `{"digest": {"calls": "{{.Calls}}"}}`, "messages/de/mails.json: the message digest.calls needs the forms one, other"},
		"a language there is not":   {"messages/fr/mails.json", `{}`, "messages/fr/mails.json: nothing uses a template of this name"},
		"a template of no language": {"fr/mail/left/text.tmpl", ``, "fr/mail/left/text.tmpl: nothing uses a template of this name"},
		"a field that there is not": {"messages/de/mails.json", `{"left": {"headline": "{{.Secret}}"}}`, "can't evaluate field Secret in type *templates.Data (language: de)"},
		"an action that has no end": {"messages/de/mails.json", `{"left": {"headline": "{{.Client"}}`, "the message left.headline: template: :1: unclosed action (language: de)"},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := templates.Parse(with(map[string]string{tt.file: tt.content}))
			if err == nil {
				german := full("left")
				german.Language = "de"
				err = set.Check(full("left"), german)
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestTheBrowserChoosesAmongWhatThereIs(t *testing.T) {
	for accept, want := range map[string]string{
		"": "en", "de": "de", "de-CH, en;q=0.8": "de", "en-GB, de;q=0.9": "en", "fr, de;q=0.2": "de", "ja": "en", ";;;": "en",
		strings.Repeat("x,", 4000): "en",
	} {
		if got := templates.Preferred(accept); got != want {
			t.Errorf("%.40q: %s, want %s", accept, got, want)
		}
	}
}
