package answer

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"strconv"
	"sync"

	"github.com/rotad/rotad/templates"
)

//go:embed page.css
var style string

//go:embed page.html.tmpl
var source string

var layout = template.Must(template.New("page").Option("missingkey=error").Parse(source))

// page is what a person sees. Every text is escaped by its template.
type page struct {
	Language string
	Title    string
	Lead     string
	Lines    []string
	Verb     Verb   // of the button
	Button   string // empty = there is nothing to press
	Style    template.CSS
}

// tongue says the texts of one page in the language of its reader.
type tongue struct {
	*templates.Language

	wrong error // what could not be said
}

func (t *tongue) say(key string, about any) string {
	text, err := t.Say("page."+key, about)
	t.wrong = errors.Join(t.wrong, err)
	return text
}

// policy lets a page have its own style and send its own form, and nothing else.
var policy = sync.OnceValue(func() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
})

func (s *Server) show(w http.ResponseWriter, status int, t *tongue, p page) {
	p.Language, p.Style = t.Tag(), template.CSS(style) //nolint:gosec // our own file
	var out bytes.Buffer
	if err := errors.Join(t.wrong, layout.Execute(&out, p)); err != nil { // a defect of the templates
		s.Log.Error("a page cannot be shown; see templates in the configuration", "error", err)
		http.Error(w, http.StatusText(status), status)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", p.Language)
	w.Header().Set("Content-Length", strconv.Itoa(out.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes())
}

// about is what the messages of pages may say of a link.
type about struct{ Client, To, Quiet string }

func aboutLink(l Link, m Matter) about { return about{l.Client, l.To, m.Quiet} }

func pageAsk(t *tongue, l Link, m Matter) page {
	of, verb := aboutLink(l, m), string(l.Verb)
	return page{
		Title: t.say(verb+".ask", of), Lead: m.About, Verb: l.Verb, Button: t.say(verb+".button", of),
		Lines: []string{t.say(verb+".means", of), t.say("once", of)},
	}
}

func pageDone(t *tongue, l Link, m Matter) page {
	of, then := aboutLink(l, m), "ack.noted"
	if l.Verb == VerbSnooze {
		then = "snooze.change"
	}
	return page{Title: t.say(string(l.Verb)+".done", of), Lead: m.About, Lines: []string{t.say(then, of), t.say("close", nil)}}
}
