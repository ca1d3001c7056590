package answer

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strconv"
	"sync"
)

//go:embed page.css
var style string

//go:embed page.html.tmpl
var source string

var layout = template.Must(template.New("page").Option("missingkey=error").Parse(source))

// page is what a person sees. Every text is escaped by its template.
type page struct {
	Title  string
	Lead   string
	Lines  []string
	Verb   Verb   // of the button
	Button string // empty = there is nothing to press
	Style  template.CSS
}

// policy lets a page have its own style and send its own form, and nothing else.
var policy = sync.OnceValue(func() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
})

func show(w http.ResponseWriter, status int, p page) {
	p.Style = template.CSS(style) //nolint:gosec // our own file
	var out bytes.Buffer
	if err := layout.Execute(&out, p); err != nil { // a defect of the template
		http.Error(w, p.Title, status)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", "en")
	w.Header().Set("Content-Length", strconv.Itoa(out.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes())
}

// once stands under every question.
func once(l Link) string { return "You answer as " + l.To + ". The link works once, for you." }

func pageAsk(l Link, m Matter) page {
	if l.Verb == VerbSnooze {
		return page{
			Title: "No warnings for a week?", Lead: m.About, Verb: l.Verb, Button: "No warnings until " + m.Quiet,
			Lines: []string{"Warnings about " + l.Client + " stay away until then, for the whole team. The last one, a day before the end, comes all the same.", once(l)},
		}
	}
	return page{
		Title: "Have you seen this?", Lead: m.About, Verb: l.Verb, Button: "I have seen it",
		Lines: []string{"The history of " + l.Client + " then says so, and warnings that still wait to be sent are dropped. Nothing else changes: later warnings come.", once(l)},
	}
}

func pageDone(l Link, m Matter) page {
	if l.Verb == VerbSnooze {
		return page{
			Title: "No warnings until " + m.Quiet, Lead: m.About,
			Lines: []string{"To change that: rotad snooze " + l.Client + " --until T, on the machine of the daemon.", "You can close this page."},
		}
	}
	return page{Title: "Noted: you have seen it", Lead: m.About, Lines: []string{"The history of " + l.Client + " says so.", "You can close this page."}}
}

// unchanged ends every page that refuses.
const unchanged = "Nothing was changed. The commands in the mail work all the same."

func pageWrong() page {
	return page{Title: "This link is not valid", Lead: "Some mail programs cut long links off: copy the whole of it into the address line.", Lines: []string{unchanged}}
}

func pageEnded() page {
	return page{Title: "This link has ended", Lead: "Links in mails can be used for two weeks. A later mail brings new ones.", Lines: []string{unchanged}}
}

func pageAnswered() page {
	return page{Title: "This has been answered already", Lead: "Somebody has answered this mail, or a later one about the same client.", Lines: []string{unchanged}}
}

func pageOutdated() page {
	return page{Title: "This is no longer so", Lead: "The mail was about a secret that has been replaced since, or has another end now.", Lines: []string{unchanged}}
}

func pageNobody() page {
	return page{Title: "This link leads nowhere any more", Lead: "What it was about has gone, or the address that it was sent to does not answer for it now.", Lines: []string{unchanged}}
}

func pageClear() page {
	return page{Title: "This came over a connection that others can read", Lead: "Open the link with https, as the mail has it.", Lines: []string{unchanged}}
}

func pageTooMany() page {
	return page{Title: "Too many wrong links", Lead: "Try again in a minute.", Lines: []string{unchanged}}
}

func pageBusy() page {
	return page{Title: "Too many people at once", Lead: "Try again in a moment.", Lines: []string{unchanged}}
}

func pageBroken() page {
	return page{Title: "This did not work", Lead: "The daemon could not do it; its log says why. Try again in a minute.", Lines: []string{unchanged}}
}
