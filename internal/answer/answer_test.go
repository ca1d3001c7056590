package answer_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/answer"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/templates"
)

// A scanner of mail opens every link, often more than once, and some follow what they find by POST.
func TestOnlyTheButtonActs(t *testing.T) {
	for _, verb := range []answer.Verb{answer.VerbAck, answer.VerbSnooze} {
		p := listen(t)
		path := sign(t, link(verb), key)
		for _, method := range []string{"GET", "HEAD", "GET", "OPTIONS", "PUT", "DELETE"} {
			p.send(t, method, path, "")
		}
		if status, page, _ := p.send(t, "POST", path, ""); status != 400 || !strings.Contains(page, "<form") {
			t.Errorf("%s: an empty POST gets %d: %s", verb, status, page)
		}
		p.send(t, "POST", path, "List-Unsubscribe=One-Click")
		p.send(t, "POST", path+"?answer="+string(verb), "")
		p.send(t, "POST", path, "answer=rotate")
		if len(p.done) != 0 || !slices.Equal(p.refused, slices.Repeat([]answer.Refusal{answer.RefusalNoButton}, 4)) {
			t.Fatalf("%s: acted without its button: %+v, or counted as %q", verb, p.done, p.refused)
		}
		status, page, _ := p.send(t, "POST", path, "answer="+string(verb))
		if status != 200 || len(p.done) != 1 || p.done[0] != link(verb) || strings.Contains(page, "<form") {
			t.Errorf("%s: %d, done %+v: %s", verb, status, p.done, page)
		}
	}
}

// Whatever was not signed gets the same answer, to the byte: nobody learns by trying whether a client or an owner exists.
func TestWhatNobodySignedGetsOneAnswer(t *testing.T) {
	good := sign(t, link(answer.VerbAck), key)
	feed, err := answer.FeedURL("", credential.NewSensitive(key), "payments", 0)
	if err != nil {
		t.Fatal(err)
	}
	other := link(answer.VerbAck)
	other.Client = "payroll"
	nobody, _ := answer.FeedURL("", credential.NewSensitive("another key, as long as it has to be"), "nobody", 0)
	stale, _ := answer.FeedURL("", credential.NewSensitive(key), "payments", 1)
	paths := map[string]string{
		"nothing of ours":            "/answer/x",
		"another key":                sign(t, link(answer.VerbAck), "another key, as long as it has to be"),
		"another key and client":     sign(t, other, "another key, as long as it has to be"),
		"cut off":                    good[:len(good)-1],
		"something added":            good + "A",
		"other letters, same bytes":  good + "=",
		"too long":                   "/answer/" + strings.Repeat("A", 8<<10),
		"a feed as a link":           "/answer/" + strings.TrimSuffix(strings.TrimPrefix(feed, "/calendar/"), ".ics"),
		"a link as a feed":           "/calendar/" + strings.TrimPrefix(good, "/answer/") + ".ics",
		"a feed of nobody":           nobody,
		"a feed of another time":     stale,
		"a feed by its owner's name": "/calendar/payments.ics",
		"a feed without its proof":   "/calendar/" + base64.RawURLEncoding.EncodeToString([]byte("payments")) + ".ics",
		"a feed without its ending":  strings.TrimSuffix(feed, ".ics"),
	}
	want := ""
	for name, path := range paths {
		for _, method := range []string{"GET", "POST"} {
			if method == "POST" && strings.HasPrefix(path, "/calendar/") {
				continue
			}
			p := listen(t)
			status, page, header := p.send(t, method, path, map[string]string{"POST": "answer=ack"}[method])
			header.Del("Date")
			got := fmt.Sprint(status, header, page)
			if want == "" {
				want = got
			}
			if status != 404 || got != want {
				t.Errorf("%s by %s gets another answer:\n%s\nthan\n%s", name, method, got, want)
			}
			if p.looked != 0 || len(p.done) != 0 || !slices.Equal(p.refused, []answer.Refusal{answer.RefusalWrong}) {
				t.Errorf("%s by %s was looked at, or counted as %q", name, method, p.refused)
			}
		}
	}
}

// Every bit of a link counts.
func TestALinkCannotBeChanged(t *testing.T) {
	p := listen(t)
	server := httptest.NewServer(p.Handler())
	defer server.Close()
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(sign(t, link(answer.VerbAck), key), "/answer/"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		changed := append([]byte{}, raw...)
		changed[i] ^= 1 << (i % 8)
		status, _, _ := ask(t, server.URL, "POST", "/answer/"+base64.RawURLEncoding.EncodeToString(changed), "answer=ack")
		if status != 404 && status != 429 || len(p.done) != 0 {
			t.Fatalf("byte %d changed: %d, done %+v", i, status, p.done)
		}
	}
}

func TestEveryRefusalHasItsPage(t *testing.T) {
	for name, tt := range map[string]struct {
		edit   func(*people)
		status int
		want   string
		counts answer.Refusal
	}{
		"answered":         {func(p *people) { p.look = answer.ErrAnswered }, 410, "This has been answered already", answer.RefusalAnswered},
		"outdated":         {func(p *people) { p.look = fmt.Errorf("asking: %w", answer.ErrOutdated) }, 410, "This is no longer so", answer.RefusalOutdated},
		"another's":        {func(p *people) { p.look = answer.ErrNobody }, 410, "This link leads nowhere any more", answer.RefusalNobody},
		"answered between": {func(p *people) { p.act = answer.ErrAnswered }, 410, "This has been answered already", answer.RefusalAnswered},
		"ended":            {func(p *people) { p.now = noon.Add(answer.Life) }, 410, "This link has ended", answer.RefusalEnded},
		"a full disk":      {func(p *people) { p.act = errors.New("the disk is full at /var") }, 500, "This did not work", answer.RefusalBroken},
		"a short key":      {func(p *people) { p.key = key[:31] }, 500, "This did not work", answer.RefusalBroken},
	} {
		t.Run(name, func(t *testing.T) {
			p := listen(t, tt.edit)
			path := sign(t, link(answer.VerbAck), key)
			status, page, _ := p.send(t, "POST", path, "answer=ack")
			if status != tt.status || !strings.Contains(page, tt.want) || !strings.Contains(page, "Nothing was changed") || strings.Contains(page, "/var") {
				t.Errorf("%d: %s", status, page)
			}
			if !slices.Equal(p.refused, []answer.Refusal{tt.counts}) {
				t.Errorf("counted as %q, want %s once", p.refused, tt.counts)
			}
			if len(p.done) != 0 || strings.Contains(page, "<form") {
				t.Errorf("done %+v: %s", p.done, page)
			}
			if token := strings.TrimPrefix(path, "/answer/"); strings.Contains(p.log.String(), token) {
				t.Error("the link stands in the log")
			}
		})
	}
}

// The page has to work with a keyboard, in the dark, on a small screen, and with everything else forbidden.
func TestThePageNeedsNothingAndMayDoNothing(t *testing.T) {
	p := listen(t)
	status, page, header := p.send(t, "GET", sign(t, link(answer.VerbSnooze), key), "")
	policy := header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %s", policy, want)
		}
	}
	if header.Get("Referrer-Policy") != "no-referrer" || header.Get("Cache-Control") != "no-store" || header.Get("X-Content-Type-Options") != "nosniff" ||
		!strings.Contains(header.Get("X-Robots-Tag"), "noindex") || status != 200 {
		t.Errorf("%d, headers %v", status, header)
	}
	style := between(page, "<style>", "</style>")
	if sum := answer.StyleSum(style); !strings.Contains(policy, "'sha256-"+sum+"'") {
		t.Errorf("the policy %q does not allow the page's own style, sha256-%s", policy, sum)
	}
	for _, want := range []string{
		`<html lang="en"`, `name="viewport"`, "prefers-color-scheme: dark", "focus-visible", `<form method="post"><button name="answer" value="snooze">`,
		"alice@example.com", "billing/api", "&lt;billing&gt;", "Sun 13 Dec",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s:\n%s", want, page)
		}
	}
	for _, bad := range []string{"<script", "src=", "href=", "<billing>", "url(", "@import", "style="} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %s", bad)
		}
	}
}

// A page speaks the language of its reader. What must not tell whether a client exists speaks that of the browser.
func TestThePageSpeaksTheLanguageOfItsReader(t *testing.T) {
	for name, tt := range map[string]struct {
		language, browser string
		look              error
		tag, want         string
	}{
		"the reader's":                    {"de", "en", nil, "de", "Haben Sie das gesehen?"},
		"the reader's in English":         {"en", "de", nil, "en", "Have you seen this?"},
		"the reader's, refused":           {"de", "", answer.ErrAnswered, "de", "Das wurde schon beantwortet"},
		"the browser's for nobody":        {"", "de-AT, en;q=0.5", answer.ErrNobody, "de", "Dieser Link führt nirgendwohin mehr"},
		"English for nobody":              {"", "", answer.ErrNobody, "en", "This link leads nowhere any more"},
		"English where there is no other": {"", "fr, ja", answer.ErrNobody, "en", "This link leads nowhere any more"},
	} {
		t.Run(name, func(t *testing.T) {
			p := listen(t, func(p *people) { p.language, p.look = tt.language, tt.look })
			_, page, header := p.send(t, "GET", sign(t, link(answer.VerbAck), key), "", "Accept-Language", tt.browser)
			if header.Get("Content-Language") != tt.tag || !strings.Contains(page, `<html lang="`+tt.tag+`"`) || !strings.Contains(page, tt.want) {
				t.Errorf("Content-Language %s:\n%s", header.Get("Content-Language"), page)
			}
		})
	}
}

// Every page exists in every language, to its last line.
func TestEveryPageIsSaidInEveryLanguage(t *testing.T) {
	for _, language := range templates.Languages() {
		for _, verb := range []answer.Verb{answer.VerbAck, answer.VerbSnooze} {
			p := listen(t, func(p *people) { p.language = language })
			path := sign(t, link(verb), key)
			_, ask, _ := p.send(t, "GET", path, "")
			_, done, _ := p.send(t, "POST", path, "answer="+string(verb))
			if strings.Count(ask, "<p>") != 2 || strings.Count(done, "<p>") != 2 || ask == done {
				t.Errorf("%s, %s:\n%s\n%s", language, verb, ask, done)
			}
		}
		for _, refusal := range []error{answer.ErrAnswered, answer.ErrOutdated, answer.ErrNobody, errors.New("broken")} {
			p := listen(t, func(p *people) { p.language, p.look = language, refusal })
			_, page, _ := p.send(t, "GET", sign(t, link(answer.VerbAck), key), "")
			if !strings.Contains(page, `<html lang="`+language+`"`) || strings.Count(page, "<p>") != 1 {
				t.Errorf("%s, %v:\n%s", language, refusal, page)
			}
		}
	}
}
