package answer_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/answer"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/templates"
)

const key = "0123456789abcdef0123456789abcdef"

var noon = time.Date(2026, 12, 6, 12, 0, 0, 0, time.UTC)

// people is a listener that writes down what it was asked to do.
type people struct {
	*answer.Server
	url      string
	key      string
	now      time.Time
	proxies  []netip.Prefix
	look     error
	language string // of the reader, as the daemon knows it
	act      error
	looked   int
	done     []answer.Link
	feed     fakeFeed
	refused  []answer.Refusal
	log      strings.Builder
}

// fakeFeed has one owner.
type fakeFeed struct {
	generation uint64
	tag        string
	broken     error
	asked      []string
}

func (f *fakeFeed) Generation(_ context.Context, owner string) (uint64, error) {
	f.asked = append(f.asked, owner)
	return f.generation, nil
}

func (f *fakeFeed) Tag(_ context.Context, owner string) (string, error) {
	if owner != "payments" {
		return "", answer.ErrNobody
	}
	return f.tag, nil
}

func (f *fakeFeed) Write(_ context.Context, _ string, w io.Writer) error {
	_, _ = io.WriteString(w, "BEGIN:VCALENDAR\r\n")
	if f.broken != nil {
		return f.broken
	}
	_, err := io.WriteString(w, "END:VCALENDAR\r\n")
	return err
}

func set(t *testing.T) *templates.Set {
	t.Helper()
	set, err := templates.Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func listen(t *testing.T, edit ...func(*people)) *people {
	t.Helper()
	p := &people{key: key, now: noon, url: "http://rotad.example.com", feed: fakeFeed{tag: "t1"}}
	p.Server = &answer.Server{
		Key: func() (string, error) { return p.key, nil }, Root: func() string { return p.url },
		Trusted:  func() []netip.Prefix { return p.proxies },
		Language: set(t).Language,
		Look: func(context.Context, answer.Link) (answer.Matter, error) {
			p.looked++
			return answer.Matter{About: "The secret of <billing> expires.", Quiet: "Sun 13 Dec", Language: p.language}, p.look
		},
		Act: func(_ context.Context, l answer.Link) error {
			if p.act == nil {
				p.done = append(p.done, l)
			}
			return p.act
		},
		Feed: &p.feed, Now: func() time.Time { return p.now }, Log: slog.New(slog.NewTextHandler(&p.log, nil)),
		Refused: func(r answer.Refusal) { p.refused = append(p.refused, r) },
	}
	for _, e := range edit {
		e(p)
	}
	return p
}

func link(verb answer.Verb) answer.Link {
	return answer.Link{
		Client: "billing/api", To: "alice@example.com", Verb: verb, Kind: credential.NoticeWarning,
		Noted: noon.Add(-time.Hour), Ends: noon.AddDate(0, 0, 30), Until: noon.Add(answer.Life),
	}
}

func sign(t *testing.T, l answer.Link, with string) string {
	t.Helper()
	signed, err := l.Sign(credential.NewSensitive(with))
	if err != nil {
		t.Fatal(err)
	}
	return "/answer/" + signed
}

// send asks a real server over a real connection.
func (p *people) send(t *testing.T, method, path, body string, headers ...string) (status int, page string, header http.Header) {
	t.Helper()
	server := httptest.NewServer(p.Handler())
	defer server.Close()
	return ask(t, server.URL, method, path, body, headers...)
}

func ask(t *testing.T, at, method, path, body string, headers ...string) (status int, page string, header http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, at+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reply.Body.Close() }()
	content, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply.StatusCode, string(content), reply.Header
}

func between(text, from, to string) string {
	_, rest, _ := strings.Cut(text, from)
	inside, _, _ := strings.Cut(rest, to)
	return inside
}

func moment(micro int64) time.Time {
	if micro == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micro).UTC()
}
