package answer_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/answer"
	"github.com/rotad/rotad/internal/credential"
)

const key = "0123456789abcdef0123456789abcdef"

var noon = time.Date(2026, 12, 6, 12, 0, 0, 0, time.UTC)

// people is a listener that writes down what it was asked to do.
type people struct {
	*answer.Server
	url     string
	key     string
	now     time.Time
	proxies []netip.Prefix
	look    error
	act     error
	looked  int
	done    []answer.Link
	feed    fakeFeed
	log     strings.Builder
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

func listen(t *testing.T, edit ...func(*people)) *people {
	t.Helper()
	p := &people{key: key, now: noon, url: "http://rotad.example.com", feed: fakeFeed{tag: "t1"}}
	p.Server = &answer.Server{
		Key: func() (string, error) { return p.key, nil }, Root: func() string { return p.url },
		Trusted: func() []netip.Prefix { return p.proxies },
		Look: func(context.Context, answer.Link) (answer.Matter, error) {
			p.looked++
			return answer.Matter{About: "The secret of <billing> expires.", Quiet: "Sun 13 Dec"}, p.look
		},
		Act: func(_ context.Context, l answer.Link) error {
			if p.act == nil {
				p.done = append(p.done, l)
			}
			return p.act
		},
		Feed: &p.feed, Now: func() time.Time { return p.now }, Log: slog.New(slog.NewTextHandler(&p.log, nil)),
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
		if len(p.done) != 0 {
			t.Fatalf("%s: acted without its button: %+v", verb, p.done)
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
			if p.looked != 0 || len(p.done) != 0 {
				t.Errorf("%s by %s was looked at", name, method)
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
	}{
		"answered":         {func(p *people) { p.look = answer.ErrAnswered }, 410, "This has been answered already"},
		"outdated":         {func(p *people) { p.look = fmt.Errorf("asking: %w", answer.ErrOutdated) }, 410, "This is no longer so"},
		"another's":        {func(p *people) { p.look = answer.ErrNobody }, 410, "This link leads nowhere any more"},
		"answered between": {func(p *people) { p.act = answer.ErrAnswered }, 410, "This has been answered already"},
		"ended":            {func(p *people) { p.now = noon.Add(answer.Life) }, 410, "This link has ended"},
		"a full disk":      {func(p *people) { p.act = errors.New("the disk is full at /var") }, 500, "This did not work"},
		"a short key":      {func(p *people) { p.key = key[:31] }, 500, "This did not work"},
	} {
		t.Run(name, func(t *testing.T) {
			p := listen(t, tt.edit)
			path := sign(t, link(answer.VerbAck), key)
			status, page, _ := p.send(t, "POST", path, "answer=ack")
			if status != tt.status || !strings.Contains(page, tt.want) || !strings.Contains(page, "Nothing was changed") || strings.Contains(page, "/var") {
				t.Errorf("%d: %s", status, page)
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
	for _, want := range []string{`<html lang="en"`, `name="viewport"`, "prefers-color-scheme: dark", "focus-visible", `<form method="post"><button name="answer" value="snooze">`,
		"alice@example.com", "billing/api", "&lt;billing&gt;", "Sun 13 Dec"} {
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

func between(text, from, to string) string {
	_, rest, _ := strings.Cut(text, from)
	inside, _, _ := strings.Cut(rest, to)
	return inside
}

// Wrong links cost who tries them, and nobody else who has the same address.
func TestWrongLinksAreLimitedByAddressAndRightOnesAreNot(t *testing.T) {
	p := listen(t, func(p *people) { p.proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	server := httptest.NewServer(p.Handler())
	defer server.Close()
	try := func(path string, from string) int {
		status, _, _ := ask(t, server.URL, "GET", path, "", "X-Forwarded-For", from)
		return status
	}
	for range 10 {
		if status := try("/answer/x", "192.0.2.1"); status != 404 {
			t.Fatalf("an early one gets %d", status)
		}
	}
	if status := try("/answer/x", "192.0.2.1"); status != 429 {
		t.Errorf("the eleventh gets %d", status)
	}
	if status := try("/calendar/x.ics", "192.0.2.1"); status != 429 {
		t.Errorf("a wrong feed gets %d", status)
	}
	if status := try("/answer/x", "192.0.2.2"); status != 404 {
		t.Errorf("another address gets %d", status)
	}
	if status := try(sign(t, link(answer.VerbAck), key), "192.0.2.1"); status != 200 {
		t.Errorf("a right one gets %d", status)
	}
	if n := strings.Count(p.log.String(), "many wrong links"); n != 1 || !strings.Contains(p.log.String(), "192.0.2.1") {
		t.Errorf("logged %d times: %s", n, p.log.String())
	}
	p.now = p.now.Add(time.Minute)
	if status := try("/answer/x", "192.0.2.1"); status != 404 {
		t.Errorf("a minute later it gets %d", status)
	}
}

// Many addresses must not cost more and more memory.
func TestTheMemoryOfWrongLinksIsBounded(t *testing.T) {
	if kept := answer.Tracked(100_000, noon); kept > 4097 {
		t.Errorf("%d addresses are kept", kept)
	}
}

// Anybody can write X-Forwarded-For: it counts from a proxy that is trusted, and there only what that one has added.
func TestForwardedHeadersCountFromTrustedProxies(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, tt := range map[string]struct {
		peer, forwarded, proto string
		trusted                []netip.Prefix
		from                   string
		clear                  bool
	}{
		"nobody is trusted":           {"192.0.2.1:1", "198.51.100.7", "https", nil, "192.0.2.1", false},
		"another one is trusted":      {"192.0.2.1:1", "198.51.100.7", "https", trusted, "192.0.2.1", true},
		"a proxy":                     {"10.0.0.1:1", "198.51.100.7", "https", trusted, "198.51.100.7", false},
		"a proxy, in clear":           {"10.0.0.1:1", "198.51.100.7", "http", trusted, "198.51.100.7", true},
		"made up before the proxy":    {"10.0.0.1:1", "203.0.113.9, 198.51.100.7", "https", trusted, "198.51.100.7", false},
		"two proxies":                 {"10.0.0.1:1", "198.51.100.7, 10.0.0.2", "https", trusted, "198.51.100.7", false},
		"a proxy of IPv6":             {"[fd00::1]:1", "2001:db8::7", "https", trusted, "2001:db8::7", false},
		"IPv4 within IPv6":            {"[::ffff:10.0.0.1]:1", "198.51.100.7", "https", trusted, "198.51.100.7", false},
		"no word":                     {"10.0.0.1:1", "", "", trusted, "10.0.0.1", false},
		"nonsense":                    {"10.0.0.1:1", "198.51.100.7, what", "https", trusted, "10.0.0.1", false},
		"made up, said twice":         {"10.0.0.1:1", "198.51.100.7", "https, http", trusted, "198.51.100.7", true},
		"no peer":                     {"", "198.51.100.7", "https", trusted, "invalid IP", true},
		"nobody is trusted, in clear": {"192.0.2.1:1", "", "http", nil, "192.0.2.1", false},
	} {
		from, clear := answer.WayOf(tt.peer, tt.forwarded, tt.proto, tt.trusted)
		if from != tt.from || clear != tt.clear {
			t.Errorf("%s: from %s, clear %t", name, from, clear)
		}
	}
}

// Where links have https, one that came in clear is refused: somebody else may have read it.
func TestALinkThatCameInClearIsRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		root, proto string
		status      int
	}{
		"https":           {"https://rotad.example.com", "https", 200},
		"clear":           {"https://rotad.example.com", "http", 403},
		"meant for clear": {"http://rotad.example.com", "http", 200},
	} {
		p := listen(t, func(p *people) {
			p.url, p.proxies = tt.root, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		})
		status, _, _ := p.send(t, "POST", sign(t, link(answer.VerbAck), key), "answer=ack", "X-Forwarded-Proto", tt.proto)
		if status != tt.status || (len(p.done) == 1) != (tt.status == 200) {
			t.Errorf("%s: %d, done %+v", name, status, p.done)
		}
	}
}

func TestTheRootOfLinksMayBeAPath(t *testing.T) {
	p := listen(t, func(p *people) { p.url = "https://example.com/rotad/" })
	path := sign(t, link(answer.VerbAck), key)
	for _, at := range []string{path, "/rotad" + path} {
		if status, _, _ := p.send(t, "GET", at, ""); status != 200 {
			t.Errorf("%s gets %d", at, status)
		}
	}
	if status, _, _ := p.send(t, "GET", "/other"+path, ""); status != 404 {
		t.Errorf("another path gets %d", status)
	}
}

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

// An approval, or a rotation, must never lie behind a link: mails are forwarded.
func TestWhatAMailCanBeAnsweredWith(t *testing.T) {
	for kind, want := range map[credential.NoticeKind]string{
		credential.NoticeWarning: "ack snooze", credential.NoticeFinal: "ack", credential.NoticeExpired: "ack", credential.NoticeHeld: "ack",
		credential.NoticeFailed: "ack", credential.NoticeNoExpiry: "ack", credential.NoticeOldRemind: "ack", credential.NoticeInUse: "ack",
		credential.NoticeApprove: "", credential.NoticeAnnounce: "", credential.NoticeRotated: "", credential.NoticeRetired: "",
		credential.NoticeAdmin: "", credential.NoticeLeft: "", credential.NoticeReleased: "",
	} {
		n := credential.Notice{Kind: kind, Client: "billing", At: noon, Facts: credential.Facts{Expires: noon.AddDate(0, 1, 0)}}
		offers, err := answer.Offers("https://rotad.example.com/", credential.NewSensitive(key), &n, "alice@example.com")
		if err != nil {
			t.Fatal(err)
		}
		var verbs []string
		for _, o := range offers {
			verbs = append(verbs, string(o.Verb))
			if u, err := url.Parse(o.URL); err != nil || !strings.HasPrefix(o.URL, "https://rotad.example.com/answer/") || u.RawQuery != "" || len(o.URL) > 300 {
				t.Errorf("%s: %s", kind, o.URL)
			}
		}
		if got := strings.Join(verbs, " "); got != want {
			t.Errorf("%s can be answered with %q, want %q", kind, got, want)
		}
	}
}

// FuzzLink: what is read was signed, and says what was signed.
func FuzzLink(f *testing.F) {
	f.Add("billing", "alice@example.com", "ack", "warning", int64(1), int64(0), int64(2), "x")
	f.Add("", "", "snooze", "", int64(-1), int64(1<<60), int64(0), "AQ")
	f.Add("a\x00b", "ü@example.com", "rotate", "held", int64(-62135596800000000), int64(1), int64(1), "")
	f.Fuzz(func(t *testing.T, client, to, verb, kind string, noted, ends, until int64, text string) {
		secret := credential.NewSensitive(key)
		l := answer.Link{Client: client, To: to, Verb: answer.Verb(verb), Kind: credential.NoticeKind(kind), Noted: moment(noted), Ends: moment(ends), Until: moment(until)}
		signed, err := l.Sign(secret)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := answer.Read(secret, signed); err == nil && again != l {
			t.Errorf("%+v reads back as %+v", l, again)
		} else if err != nil && (verb == "ack" || verb == "snooze") && client != "" && to != "" && noted != 0 && until != 0 && len(signed) <= 4<<10 {
			t.Errorf("%+v cannot be read: %v", l, err)
		}
		if got, err := answer.Read(secret, text); err == nil {
			t.Errorf("%q was never signed, and is read as %+v", text, got)
		}
		if _, err := answer.Decode([]byte(text)); err == nil && len(text) < 5 {
			t.Errorf("%q is read", text)
		}
	})
}

func moment(micro int64) time.Time {
	if micro == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micro).UTC()
}
