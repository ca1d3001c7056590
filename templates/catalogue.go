package templates

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"text/template/parse"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

// DefaultLanguage is what people are told in who have chosen no language. Every other has the same messages.
const DefaultLanguage = "en"

const (
	messagesDir = "messages"
	phrasesFile = "phrases.json"
)

// Language is one language in which people are told: its messages, its plurals, its days and times. It is safe for concurrent
// use; nil is English.
type Language struct {
	tag       string
	fixed     map[string]string          // messages that say the same about everything
	words     map[string]*parse.ListNode // of messages that can be put in the place of their calls
	forms     map[string]string          // the plural forms of every message
	localizer *i18n.Localizer
	phrases   map[string]string // by what they are in English
	patterns  []pattern         // phrases with gaps, those that know most first
	calendar  calendar
	counted   sync.Map // counted to string
}

// Languages lists the tags of the languages that there are (BCP 47), English first.
func Languages() []string {
	entries, _ := fs.ReadDir(files, messagesDir) // embedded files are always there
	tags := []string{DefaultLanguage}
	for _, e := range entries {
		if e.Name() != DefaultLanguage {
			tags = append(tags, e.Name())
		}
	}
	return tags
}

// Preferred returns the language that somebody wants whose browser says so (RFC 9110 section 12.5.4); English where it says
// nothing that there is.
func Preferred(accept string) string {
	tags := Languages()
	wanted, _, err := language.ParseAcceptLanguage(accept)
	if err != nil {
		return DefaultLanguage
	}
	_, i, sure := matcher().Match(wanted...)
	if sure == language.No {
		return DefaultLanguage
	}
	return tags[i]
}

var matcher = sync.OnceValue(func() language.Matcher {
	var tags []language.Tag
	for _, tag := range Languages() {
		tags = append(tags, language.Make(tag))
	}
	return language.NewMatcher(tags)
})

// english is the embedded English; the tests read it, so it is always right.
var english = sync.OnceValue(func() *Language {
	l, _ := layers{}.language(DefaultLanguage)
	return l
})

func (l *Language) orEnglish() *Language {
	if l == nil {
		return english()
	}
	return l
}

// Tag returns the tag of the language, as "lang" of HTML and Content-Language want it.
func (l *Language) Tag() string { return l.orEnglish().tag }

// Say returns a message about something. There is no other language behind it: a message that is missing is an error.
func (l *Language) Say(key string, about any) (string, error) { return l.orEnglish().say(key, about) }

func (l *Language) say(key string, about any) (string, error) {
	if text, ok := l.fixed[key]; ok {
		return text, nil
	}
	message := &i18n.LocalizeConfig{MessageID: key, TemplateData: about}
	if n, ok := about.(int); ok {
		return l.numbered(counted{key, n, false}, message)
	}
	return l.localize(message)
}

// Count returns the form of a message that a number has in this language. Without anything that it is about, the message knows
// the number as PluralCount.
func (l *Language) Count(key string, n int, about any) (string, error) {
	l = l.orEnglish()
	if about != nil {
		return l.localize(&i18n.LocalizeConfig{MessageID: key, PluralCount: n, TemplateData: about})
	}
	return l.numbered(counted{key, n, true}, &i18n.LocalizeConfig{MessageID: key, PluralCount: n})
}

// numbered returns a message about a number alone, and keeps it where the number is small.
func (l *Language) numbered(one counted, message *i18n.LocalizeConfig) (string, error) {
	if text, ok := l.counted.Load(one); ok {
		return text.(string), nil //nolint:forcetypeassert // nothing else is stored
	}
	text, err := l.localize(message)
	if err == nil && one.n >= 0 && one.n <= mostCounted {
		l.counted.Store(one, text)
	}
	return text, err
}

// counted is a message about a number alone. Those with small numbers are kept: every mail says "in 14 days" several times.
type counted struct {
	key   string
	n     int
	forms bool // it has a form for each kind of number
}

const mostCounted = 400 // more than the days of a year

func (l *Language) localize(c *i18n.LocalizeConfig) (string, error) {
	if c.TemplateData == nil && c.PluralCount == nil {
		c.TemplateData = struct{}{} // of nil a template would fill in "<no value>"
	}
	text, err := l.localizer.Localize(c)
	if err != nil {
		return "", fmt.Errorf("%s/%s: the message %s: %w", messagesDir, l.tag, c.MessageID, err)
	}
	return text, nil
}

func orElse(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// language reads the messages of a language, and then those of the user's own, which take the place of single ones.
func (l layers) language(tag string) (*Language, error) {
	bundle := i18n.NewBundle(language.Make(tag))
	out := &Language{
		tag: tag, fixed: map[string]string{}, words: map[string]*parse.ListNode{}, forms: map[string]string{}, phrases: map[string]string{}, localizer: i18n.NewLocalizer(bundle, tag),
	}
	var wrong []error
	for _, name := range Files() {
		if path.Dir(name) != messagesDir+"/"+tag {
			continue
		}
		content, _ := files.ReadFile(name) // embedded files are always there
		wrong = append(wrong, out.read(bundle, name, content, true))
	}
	for _, name := range slices.Sorted(maps.Keys(l.own)) {
		if path.Dir(name) == messagesDir+"/"+tag {
			wrong = append(wrong, out.read(bundle, name, []byte(l.own[name]), false))
		}
	}
	var err error
	out.calendar, err = out.readCalendar()
	return out, errors.Join(append(wrong, err)...)
}

// read takes the messages of one file. Those of the user's own have to be among the embedded ones: others would never be said.
func (l *Language) read(bundle *i18n.Bundle, name string, content []byte, embedded bool) error {
	messages, err := i18n.ParseMessageBytes(content, json.Unmarshal)
	if err != nil {
		return fmt.Errorf("%s: is no catalogue of messages: %w", name, err)
	}
	if path.Base(name) == phrasesFile {
		for _, m := range messages {
			l.learn(m.ID, m.Other)
		}
		return nil
	}
	var wrong []error
	for _, m := range messages {
		forms := formsOf(m)
		switch known, ok := l.forms[m.ID]; {
		case !embedded && !ok:
			wrong = append(wrong, fmt.Errorf("%s: nothing says a message %s", name, m.ID))
		case !embedded && forms != known:
			wrong = append(wrong, fmt.Errorf("%s: the message %s needs the forms %s", name, m.ID, known))
		}
		l.forms[m.ID] = forms
		l.keep(m, forms, name)
	}
	return errors.Join(append(wrong, bundle.AddMessages(language.Make(l.tag), messages...))...)
}

// keep notes of a message without plurals what it says at once.
func (l *Language) keep(m *i18n.Message, forms, file string) {
	delete(l.fixed, m.ID)
	delete(l.words, m.ID)
	if forms != "other" {
		return
	}
	if !strings.Contains(m.Other, "{{") {
		l.fixed[m.ID] = m.Other
	}
	if words, ok := message(file+": the message "+m.ID, m.Other); ok {
		l.words[m.ID] = words
	}
}

// formsOf names the plural forms of a message; one without plurals has the form other alone.
func formsOf(m *i18n.Message) string {
	var names []string
	for _, form := range []struct{ name, text string }{
		{"zero", m.Zero}, {"one", m.One}, {"two", m.Two}, {"few", m.Few}, {"many", m.Many}, {"other", m.Other},
	} {
		if form.text != "" {
			names = append(names, form.name)
		}
	}
	return strings.Join(names, ", ")
}
