package notify

import (
	"html/template"
	"io/fs"
	"net/http"
	"strings"
)

// The index has no script and loads nothing; a mail has no origin either.
const (
	indexPolicy  = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	samplePolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)

// PreviewPage serves the samples: a list, and each file that Preview would write. It renders anew for every request, so that a
// template that is being written is seen by loading the page again; own are the templates of one's own, nil = none. language is the
// tag of the language of the samples, empty = English; the page around them is in English.
func PreviewPage(own fs.FS, language string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { previewIndex(w, own, language) })
	mux.HandleFunc("GET /{file}", func(w http.ResponseWriter, r *http.Request) { previewOne(w, r, own, language) })
	return mux
}

func previewIndex(w http.ResponseWriter, own fs.FS, language string) {
	page := struct {
		Wrong   string
		Samples []previewEntry
	}{}
	samples, err := Samples(own, language)
	if wrong := CheckTemplates(own); wrong != nil { // it names everything
		err = wrong
	}
	if err != nil {
		page.Wrong = err.Error()
	}
	for _, s := range samples {
		files, err := s.files()
		if err != nil {
			continue // what cannot be written is said where it is asked for
		}
		entry := previewEntry{Name: s.Name, Subject: s.Message.Subject}
		for _, f := range files {
			entry.Files = append(entry.Files, s.Name+f.ending)
		}
		page.Samples = append(page.Samples, entry)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", indexPolicy)
	w.Header().Set("Cache-Control", "no-store")
	_ = previewList.Execute(w, page) // the browser is gone: nobody is left to be told
}

type previewEntry struct {
	Name, Subject string
	Files         []string
}

var previewList = template.Must(template.New("list").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>rotad: what people get</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 0 auto; padding: 1rem }
details { border-top: 1px solid #8886; padding: .5rem 0 }
summary { cursor: pointer } summary span { opacity: .75 }
iframe { width: 100%; height: 40rem; border: 1px solid #8886; background: Canvas }
pre { white-space: pre-wrap; border: 1px solid #c00; padding: .75rem }
</style>
<h1>What people get</h1>
<p>Made-up facts. Load the page again to see a template that has changed.</p>
{{with .Wrong}}<pre role="alert">{{.}}</pre>{{end}}
{{range .Samples}}<details><summary><strong>{{.Name}}</strong> <span>{{.Subject}}</span></summary>
<p>{{range .Files}}<a href="/{{.}}">{{.}}</a> {{end}}</p>
<iframe loading="lazy" sandbox title="{{.Name}}" src="/{{.Name}}.html"></iframe></details>
{{end}}</html>
`))

func previewOne(w http.ResponseWriter, r *http.Request, own fs.FS, language string) {
	samples, err := Samples(own, language)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	for _, s := range samples {
		files, err := s.files()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		for _, f := range files {
			if s.Name+f.ending == r.PathValue("file") {
				w.Header().Set("Content-Type", previewType(f.ending))
				w.Header().Set("Content-Security-Policy", samplePolicy)
				w.Header().Set("X-Content-Type-Options", "nosniff")
				_, _ = w.Write(f.content)
				return
			}
		}
	}
	http.NotFound(w, r)
}

func previewType(ending string) string {
	switch {
	case ending == ".html":
		return "text/html; charset=utf-8"
	case strings.HasSuffix(ending, ".json"):
		return "application/json"
	}
	return "text/plain; charset=utf-8"
}
