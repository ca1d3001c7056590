package page_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/answer"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/templates"
	"github.com/rotad/rotad/test/world"
)

const answerKey = "a-key-of-more-than-thirty-two-characters"

// answered is the listener for people, with one notice that waits for an answer.
type answered struct {
	url   string
	taken atomic.Int32
}

func listenToPeople(t *testing.T) *answered {
	t.Helper()
	a := &answered{}
	server := httptest.NewServer((&answer.Server{
		Key: func() (string, error) { return answerKey, nil }, Root: func() string { return "http://127.0.0.1" },
		Trusted:  func() []netip.Prefix { return nil },
		Language: func(string) *templates.Language { return nil }, // English
		Look: func(context.Context, answer.Link) (answer.Matter, error) {
			if a.taken.Load() > 0 {
				return answer.Matter{}, answer.ErrAnswered
			}
			return answer.Matter{About: "The secret of billing expires on Sun 20 Dec 2026, 10:00 CET (09:00 UTC).", Quiet: "Sun 13 Dec"}, nil
		},
		Act: func(context.Context, answer.Link) error { a.taken.Add(1); return nil },
		Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}).Handler())
	t.Cleanup(server.Close)
	now := time.Now()
	signed, err := answer.Link{
		Client: strings.Repeat("billing-api-of-a-team-with-a-long-name", 3), To: "alice@example.com", Verb: answer.VerbSnooze,
		Kind: credential.NoticeWarning, Noted: now, Until: now.Add(time.Hour),
	}.Sign(credential.NewSensitive(answerKey))
	if err != nil {
		t.Fatal(err)
	}
	a.url = server.URL + "/answer/" + signed
	return a
}

// TestAnswer opens the link of a mail as people do, and presses its button without a pointer. Its policy forbids nearly everything:
// a browser complains where the page needs more.
func TestAnswer(t *testing.T) {
	run, err := world.NewRun()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(run.Close)
	people := listenToPeople(t)
	v := &visitor{t: t, url: people.url}
	v.browse(run)
	for _, scheme := range []string{"dark", "light"} {
		v.open(320, 640, scheme)
		v.await(`document.querySelector("button")`, "there is a button")
		v.fits()
		v.legible()
		v.shoot("answer-" + scheme)
	}
	v.is(`getComputedStyle(document.querySelector("main")).maxWidth`, "576px", "the page may use its own style")
	v.press("Tab")
	v.is(`document.activeElement.tagName`, "BUTTON", "the button is the first stop")
	v.is(`getComputedStyle(document.activeElement).outlineStyle`, "solid", "what has the focus is seen to have it")
	if people.taken.Load() != 0 {
		t.Error("looking at the page did something")
	}
	v.press("Enter")
	v.await(`document.title.startsWith("No warnings until Sun 13 Dec")`, "the page says that it was done")
	v.legible()
	v.open(320, 640, "light")
	v.await(`document.title.startsWith("This has been answered already")`, "the link works once")
	v.fits()
	v.legible()
	if n := people.taken.Load(); n != 1 {
		t.Errorf("answered %d times", n)
	}
	for _, text := range v.complaints() {
		if !strings.Contains(text, "410") { // the page of the refused link is one that the browser reports
			t.Errorf("the browser complains: %s", text)
		}
	}
}
