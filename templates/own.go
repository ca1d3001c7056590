package templates

import (
	"errors"
	"fmt"
	stdhtml "html"
	"io/fs"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// layers are the embedded templates, and above them those of the user's own.
type layers struct{ own map[string]string }

// maxOwn is how many bytes a template of the user's own may have.
const maxOwn = 256 << 10

// layersOf reads the templates of a directory. One that would never be used is a mistake: its name has a typing error, or it
// belongs to a rotad of another age.
func layersOf(own fs.FS) (layers, error) {
	l := layers{own: map[string]string{}}
	if own == nil {
		return l, nil
	}
	var wrong []error
	err := fs.WalkDir(own, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			wrong = append(wrong, fmt.Errorf("%s: cannot be read: %w", name, err))
		case hidden(entry.Name()) && entry.IsDir():
			return fs.SkipDir
		case !entry.IsDir() && !hidden(entry.Name()):
			wrong = append(wrong, l.add(own, name))
		}
		return nil
	})
	return l, errors.Join(append(wrong, err)...)
}

// hidden are what editors and Kubernetes put beside files.
func hidden(name string) bool {
	return len(name) > 1 && strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~")
}

func (l layers) add(own fs.FS, name string) error {
	if !usable(name) {
		return fmt.Errorf("%s: nothing uses a template of this name; rotad preview --sources DIR writes those that there are", name)
	}
	content, err := fs.ReadFile(own, name)
	switch {
	case err != nil:
		return fmt.Errorf("%s: cannot be read: %w", name, err)
	case len(content) > maxOwn:
		return fmt.Errorf("%s: has %d bytes, and %d are allowed", name, len(content), maxOwn)
	}
	l.own[name] = string(content)
	return nil
}

// usable says whether a file of the user's own takes the place of something: of a file of the same path, or below a directory
// that is called after a language, of a template in that language.
func usable(name string) bool {
	if slices.Contains(Files(), name) {
		return true
	}
	tag, rest, _ := strings.Cut(name, "/")
	return slices.Contains(Languages(), tag) && slices.Contains(Files(), rest) && !strings.HasPrefix(rest, messagesDir+"/")
}

// each parses the files that a language has under some names. A mistake in one does not keep the others from being looked at.
func (l layers) each(tag string, names []string, parse func(name, content string) error) error {
	var wrong []error
	for _, name := range names {
		content, own := l.own[tag+"/"+name]
		if own {
			name = tag + "/" + name
		} else {
			content, own = l.own[name]
		}
		if !own {
			embedded, err := files.ReadFile(name)
			if err != nil {
				return fmt.Errorf("reading an embedded template: %w", err)
			}
			content = string(embedded)
		}
		if err := parse(name, content); err != nil {
			wrong = append(wrong, placed(err))
		}
	}
	return errors.Join(wrong...)
}

// placed lets a message begin with file and line.
func placed(err error) error {
	text := strings.TrimPrefix(err.Error(), "html/template:")
	return errors.New(strings.TrimPrefix(text, "template: "))
}

// distinct joins errors, each once: shared templates are parsed with every kind.
func distinct(all []error) error {
	var lines []string
	for _, err := range all {
		if err == nil {
			continue
		}
		for line := range strings.SplitSeq(err.Error(), "\n") {
			if !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return errors.New(strings.Join(lines, "\n"))
}

// Files lists the paths of all templates, sorted.
func Files() []string {
	var names []string
	_ = fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, name)
		}
		return err
	})
	return names
}

// Source returns an embedded template, to begin with.
func Source(name string) ([]byte, error) { return files.ReadFile(path.Clean(name)) }

// remote finds what a reader's program would fetch, which tells others that a mail was read, and what it would run.
var remote = regexp.MustCompile(`(?i)<(img|script|link|iframe|object|embed|form|video|audio)\b|\burl\(|\b(src|background|srcset)\s*=|@import`)

// boxes are what the words of a command stand in, which is still one command.
var boxes = regexp.MustCompile(`</?span\b[^>]*>`)

// Check renders mails and says what is wrong with what comes out, which templates of the user's own may have caused: an empty
// part, something remote, a text part that lacks what the HTML part says. What is wrong in several of them is said once, with
// its language where it is not wrong in those before.
func (s *Set) Check(mails ...Data) error {
	var wrong []error
	said := map[string]bool{}
	for _, d := range mails {
		err := s.check(d)
		if err == nil {
			continue
		}
		for line := range strings.SplitSeq(err.Error(), "\n") {
			if said[line] {
				continue
			}
			said[line] = true
			if d.Language != "" && d.Language != DefaultLanguage {
				line += " (language: " + d.Language + ")"
			}
			wrong = append(wrong, errors.New(line))
		}
	}
	return errors.Join(wrong...)
}

func (s *Set) check(d Data) error {
	mail, err := s.Render(d)
	if err != nil {
		return placed(unwrapped(err))
	}
	_, _, err = s.RenderEvent(d)
	if err != nil {
		return placed(unwrapped(err))
	}
	dir := "mail/" + d.Kind
	wrong := []error{}
	complain := func(file, what string) { wrong = append(wrong, fmt.Errorf("%s/%s: %s", dir, file, what)) }
	if mail.Subject == "" {
		complain("words.tmpl", "the subject is empty")
	}
	if strings.TrimSpace(mail.Text) == "" {
		complain("text.tmpl", "the text part is empty, and has to be complete on its own")
	}
	if found := remote.FindString(mail.HTML); found != "" {
		complain("html.tmpl", fmt.Sprintf("the mail has %q: a mail shows nothing that has to be fetched or run", found))
	}
	shown := boxes.ReplaceAllString(mail.HTML, "")
	for _, fact := range facts(d) {
		if strings.Contains(shown, stdhtml.EscapeString(fact)) && !contains(mail.Text, fact) {
			complain("text.tmpl", fmt.Sprintf("the HTML part says %q, and the text part does not: it has to be complete on its own", fact))
		}
	}
	return errors.Join(wrong...)
}

// unwrapped is the library's own error, which begins with file and line.
func unwrapped(err error) error {
	for errors.Unwrap(err) != nil && !strings.HasPrefix(err.Error(), "template: ") && !strings.HasPrefix(err.Error(), "html/template:") {
		err = errors.Unwrap(err)
	}
	return err
}

// contains looks for a text in another one whose lines may be broken elsewhere.
func contains(text, part string) bool {
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	return strings.Contains(squeeze(text), squeeze(part))
}

// facts are what nobody may miss who reads one part alone: where the secret is, until when, and what to type.
func facts(d Data) []string {
	list := []string{d.Client, d.Path, d.Error, d.Reason, d.OldDies.Full(), d.Expires.Full(), d.Hold.Cause, d.Hold.Detail}
	for _, a := range d.Answers {
		list = append(list, a.Does, a.Link)
	}
	for _, c := range d.Hold.Commands {
		list = append(list, c.Line)
	}
	for _, line := range reflect.ValueOf(d.Commands).Fields() {
		list = append(list, line.String())
	}
	return slices.DeleteFunc(append(list, d.Steps...), func(s string) bool { return s == "" })
}
