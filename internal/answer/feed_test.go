package answer_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/answer"
	"github.com/rotad/rotad/internal/credential"
)

func TestAFeedIsSentWholeOrNotAtAll(t *testing.T) {
	p := listen(t, func(p *people) { p.feed.generation = 3 })
	at, err := answer.FeedURL("", credential.NewSensitive(key), "payments", 3)
	if err != nil {
		t.Fatal(err)
	}
	status, body, header := p.send(t, "GET", at, "")
	if status != 200 || body != "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n" || header.Get("Content-Type") != "text/calendar; charset=utf-8" ||
		header.Get("Cache-Control") != "private, no-cache" || header.Get("ETag") != `"t1"` {
		t.Errorf("%d %v %q", status, header, body)
	}
	for given, want := range map[string]int{`"t1"`: 304, `W/"t1"`: 304, `"t0", "t1"`: 304, `*`: 304, `"t0"`: 200, `t1`: 200} {
		if status, body, _ := p.send(t, "GET", at, "", "If-None-Match", given); status != want || status == 304 && body != "" {
			t.Errorf("If-None-Match %s gets %d %q", given, status, body)
		}
	}
	if status, body, _ := p.send(t, "HEAD", at, ""); status != 200 || body != "" {
		t.Errorf("HEAD gets %d %q", status, body)
	}
	p.feed.broken = errors.New("a page cannot be read")
	server := httptest.NewServer(p.Handler())
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+at, nil)
	if err != nil {
		t.Fatal(err)
	}
	if reply, err := http.DefaultClient.Do(r); err == nil {
		content, err := io.ReadAll(reply.Body)
		_ = reply.Body.Close()
		if err == nil {
			t.Errorf("half a calendar passes for a whole one: %q", content)
		}
	}
	server.Close() // its log is whole
	if name := strings.TrimPrefix(at, "/calendar/"); strings.Contains(p.log.String(), name) {
		t.Error("the address stands in the log")
	}
	p.feed.generation = 4
	if status, _, _ := p.send(t, "GET", at, ""); status != 404 {
		t.Errorf("an address of another generation gets %d", status)
	}
}

func TestTheFeedOfAnOwnerThatHasGoneLeadsNowhere(t *testing.T) {
	p := listen(t)
	at, err := answer.FeedURL("", credential.NewSensitive(key), "gone", 0)
	if err != nil {
		t.Fatal(err)
	}
	if status, _, _ := p.send(t, "GET", at, ""); status != 410 {
		t.Errorf("it gets %d", status)
	}
}

func TestFeedsOfTwoOwnersAreNeverTheSame(t *testing.T) {
	seen := map[string]string{}
	for _, owner := range []string{"a", "b", "a\n1", "1:a", "a:1", ""} {
		for generation := range uint64(12) {
			at, err := answer.FeedURL("https://rotad.example.com/", credential.NewSensitive(key), owner, generation)
			if err != nil || !strings.HasPrefix(at, "https://rotad.example.com/calendar/") || !strings.HasSuffix(at, ".ics") {
				t.Fatal(at, err)
			}
			_, proof, _ := strings.Cut(strings.TrimPrefix(at, "https://rotad.example.com/calendar/"), ".")
			if other, twice := seen[proof]; twice {
				t.Errorf("%q %d and %s share an address", owner, generation, other)
			}
			seen[proof] = fmt.Sprintf("%q %d", owner, generation)
		}
	}
}
