package notify_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
	"github.com/rotad/rotad/templates"
)

// everySample returns the samples in every language. Those that are not in English have its tag before their name.
func everySample(t testing.TB) (all []notify.Sample) {
	t.Helper()
	for _, language := range templates.Languages() {
		said, err := notify.Samples(nil, language)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range said {
			if language != templates.DefaultLanguage {
				s.Name = language + "/" + s.Name
			}
			all = append(all, s)
		}
	}
	return all
}

// What a subject says has to be seen in a list of mails, which shows about so much.
func TestSubjectsSayAllIn60Characters(t *testing.T) {
	const shown, upwards = 60, 15
	for _, s := range everySample(t) {
		subject, limit := s.Message.Subject, shown
		if s.Notice.Rung > 0 { // says first that nobody has answered, and then the same
			limit += upwards
		}
		if n := utf8.RuneCountInString(subject); n > limit {
			t.Errorf("%s: %d characters: %s", s.Name, n, subject)
		}
	}
}

// A mail says in three places which language it is in, and speaks it: programs read aloud by that.
func TestAMailNamesItsLanguage(t *testing.T) {
	english := map[string]string{}
	for _, s := range everySample(t) {
		language, name, ok := strings.Cut(s.Name, "/")
		if !ok {
			english[s.Name] = s.Message.Text
			language = templates.DefaultLanguage
		} else if s.Message.Text == english[name] {
			t.Errorf("%s is in English", s.Name)
		}
		if !strings.Contains(s.Message.HTML, `<html lang="`+language+`"`) || !strings.Contains(string(s.Mail), "\r\nContent-Language: "+language+"\r\n") ||
			s.Message.Language != language {
			t.Errorf("%s: another language is named", s.Name)
		}
	}
}

// The facts do not depend on the language: the same commands, ids, paths and links, and the same facts for programs.
func TestALanguageChangesWordsAndNoFacts(t *testing.T) {
	all := everySample(t)
	perLanguage := len(all) / len(templates.Languages())
	for i, s := range all[perLanguage:] {
		english := all[i%perLanguage]
		if s.Message.ID != english.Message.ID || string(s.Notice.Kind) != string(english.Notice.Kind) {
			t.Fatalf("%s is compared with %s", s.Name, english.Name)
		}
		if got, want := commandsOf(s.Message.Text), commandsOf(english.Message.Text); !slices.Equal(got, want) {
			t.Errorf("%s has the commands %q, and in English %q", s.Name, got, want)
		}
		got, want := s.Posted.Card.Facts, english.Posted.Card.Facts
		got.Summary, want.Summary = "", ""
		for i := range got.Notices {
			got.Notices[i].Summary, want.Notices[i].Summary = "", ""
		}
		a, errA := json.Marshal(got)
		b, errB := json.Marshal(want)
		if errA != nil || errB != nil || string(a) != string(b) {
			t.Errorf("%s tells programs something else:\n%s\n%s", s.Name, a, b)
		}
	}
}

func commandsOf(text string) (lines []string) {
	for line := range strings.SplitSeq(text, "\n") {
		if command, ok := strings.CutPrefix(line, templates.CommandIndent); ok && !strings.HasPrefix(command, " ") {
			lines = append(lines, command)
		}
	}
	return lines
}

// What other parts of the program say in English to people stands in the phrases of every other language, and nothing else does.
func TestWhatIsSaidInEnglishElsewhereIsTranslated(t *testing.T) {
	r := renderer(t)
	said := elsewhere(t)
	for _, language := range templates.Languages()[1:] {
		for _, text := range said {
			if got := r.Language(language).Phrase(text); got == text {
				t.Errorf("%s has no words for %q", language, text)
			}
		}
		content, err := templates.Source("messages/" + language + "/phrases.json")
		if err != nil {
			t.Fatal(err)
		}
		var phrases map[string]string
		if err := json.Unmarshal(content, &phrases); err != nil {
			t.Fatal(err)
		}
		for text := range phrases {
			if !slices.Contains(said, text) {
				t.Errorf("nobody says %q any more, which %s has words for", text, language)
			}
		}
	}
	german := r.Language("de")
	const nested = "whether Vault's value is valid could not be found out: a probe of a consumer failed: 502 {} Bad Gateway"
	if got, want := german.Phrase(nested), "ob der Wert in Vault gilt, ließ sich nicht feststellen: eine Probe bei einem Consumer ist gescheitert: 502  Bad Gateway"; got != want {
		t.Errorf("a reason in a reason: %q, want %q", got, want)
	}
	if got, want := german.Phrase("somebody has made the secret a; somebody has made the secret b"), "jemand hat das Secret a erzeugt; jemand hat das Secret b erzeugt"; got != want {
		t.Errorf("two reasons: %q, want %q", got, want)
	}
	if got := german.Phrase("Forms that are open in a browser are refused once, and have to be loaded again. Ours."); !strings.HasSuffix(got, " Ours.") || !strings.HasPrefix(got, "Formulare") {
		t.Errorf("of two sentences the known one is translated: %q", got)
	}
}

// elsewhere collects those texts: the table of holds, what calendar events are about, and what a generated value invalidates.
func elsewhere(t *testing.T) (said []string) {
	t.Helper()
	for _, rule := range credential.HoldRules() {
		said = append(said, rule.Cause, rule.AtEnd)
	}
	said = append(said, literals(t, "../internal/rotation", func(n ast.Node) []ast.Expr {
		switch n := n.(type) {
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.SelectorExpr); ok && (f.Sel.Name == "invite" || f.Sel.Name == "warnOf") {
				return n.Args[len(n.Args)-1:]
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && key.Name == "What" {
				return []ast.Expr{n.Value}
			}
		}
		return nil
	})...)
	said = append(said, reasons(t)...)
	effects := literals(t, "../providers/generated", func(n ast.Node) []ast.Expr {
		f, ok := n.(*ast.FuncDecl)
		if !ok || f.Name.Name != "effects" {
			return nil
		}
		var all []ast.Expr
		ast.Inspect(f, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && strings.HasSuffix(l.Value, `."`) {
				all = append(all, l)
			}
			return true
		})
		return all
	})
	if len(effects) < 5 {
		t.Fatalf("the effects of generated values are %q", effects)
	}
	return append(said, effects...)
}

// reasons are what a rotation says of a hold or of a failure. What is put together from a server's words has gaps.
func reasons(t *testing.T) (said []string) {
	t.Helper()
	for _, file := range sources(t, "../internal/rotation") {
		ast.Inspect(file, func(n ast.Node) bool {
			var texts []ast.Expr
			switch n := n.(type) {
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.SelectorExpr); ok && (f.Sel.Name == "hold" || f.Sel.Name == "tellAdmins") && len(n.Args) == 3 {
					texts = n.Args[1:2]
				}
				if f, ok := n.Fun.(*ast.Ident); ok && f.Name == "foreign" {
					texts = n.Args[:1]
				}
				if f, ok := n.Fun.(*ast.Ident); ok && f.Name == "append" && shape(t, n.Args[0]) == "{changes}" {
					texts = n.Args[1:]
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Text" {
					texts = []ast.Expr{n.Value}
				}
			case *ast.AssignStmt:
				if f, ok := n.Lhs[0].(*ast.SelectorExpr); ok && (f.Sel.Name == "Text" || f.Sel.Name == "Error") {
					texts = n.Rhs
				}
				if v, ok := n.Lhs[0].(*ast.Ident); ok && v.Name == "why" && shape(t, n.Rhs[0]) != "{}" {
					texts = n.Rhs
				}
			}
			for _, e := range texts {
				text := gaps.ReplaceAllString(shape(t, e), "{}")
				if words.MatchString(text) {
					said = append(said, text)
				}
			}
			return true
		})
	}
	if len(said) < 50 {
		t.Errorf("a rotation gives %d reasons: %q", len(said), said)
	}
	return said
}

var (
	gaps  = regexp.MustCompile(`%[a-z]|\{\w*\}`)
	words = regexp.MustCompile(`[a-z]{2,}`)
)

// shape is a text as it is put together: what stands in the source, and gaps.
func shape(t *testing.T, e ast.Expr) string {
	t.Helper()
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		return text
	case *ast.Ident:
		return "{" + e.Name + "}"
	case *ast.BinaryExpr:
		return shape(t, e.X) + shape(t, e.Y)
	case *ast.CallExpr:
		if f, ok := e.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Sprintf" {
			return shape(t, e.Args[0])
		}
	}
	return "{}"
}

// sources parses the sources of a package, without its tests.
func sources(t *testing.T, dir string) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %v", dir, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// literals returns the texts that a choice of nodes holds, in the sources of a package.
func literals(t *testing.T, dir string, choose func(ast.Node) []ast.Expr) (texts []string) {
	t.Helper()
	for _, file := range sources(t, dir) {
		ast.Inspect(file, func(n ast.Node) bool {
			for _, e := range choose(n) {
				if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
					texts = append(texts, strings.TrimSpace(shape(t, l)))
				}
			}
			return true
		})
	}
	return texts
}

// Each reader is told in its own language: the team, and whoever stands above it.
func TestEveryReaderIsToldInItsOwnLanguage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := reminds(1, time.Now())
		w := ladder(t, n)
		speak := func(team, lead string) {
			dir := w.settings.World.Directory.(directory)
			for name, language := range map[string]string{"payments": team, "lead": lead} {
				contact := dir.owners[name]
				contact.Language = language
				dir.owners[name] = contact
			}
		}
		speak("de", "en")
		w.run(t)
		pass(3 * day)
		first := w.channel.sends()[0].message
		if first.Language != "de" || !strings.Contains(first.Text, "Wenn das innerhalb von 2 Tagen niemand bestätigt, geht es an lead:") {
			t.Errorf("the team reads %s:\n%s", first.Language, first.Text)
		}
		lead := w.channel.sends()[1].message
		if lead.Language != "en" || !strings.HasPrefix(lead.Subject, "No answer: ") {
			t.Errorf("the lead reads %s: %s", lead.Language, lead.Subject)
		}
	})
}

// A defect of the messages is found by the check, for each language that it is in.
func TestTheCheckRendersEveryLanguage(t *testing.T) {
	own := fstest.MapFS{
		"messages/de/words.json": {Data: []byte(`{"fact": {"owner": "{{.Nope}}"}}`)},
		"messages/en/mails.json": {Data: []byte(`{"left": {"lead": "{{.Nope}}"}}`)},
	}
	err := notify.CheckTemplates(own)
	if err == nil || !strings.Contains(err.Error(), "messages/de: the message fact.owner") || !strings.Contains(err.Error(), "messages/en/mails.json: the message left.lead:1:2") {
		t.Errorf("the check says: %v", err)
	}
	if _, err := notify.Samples(own, "de"); err == nil || !strings.Contains(err.Error(), "fact.owner") {
		t.Errorf("a mail goes out without some of its words: %v", err)
	}
	if err := notify.CheckTemplates(fstest.MapFS{}); err != nil {
		t.Error(err)
	}
}
