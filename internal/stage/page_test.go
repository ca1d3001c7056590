package stage_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/stage"
)

// playing is a play that does nothing and remembers what it was asked for.
type playing struct{ asked []string }

func (p *playing) Scene(context.Context) (stage.Scene, error) { return stage.Scene{Zone: "UTC"}, nil }

func (p *playing) Mail(n int) (stage.Mail, bool) {
	switch n {
	case 1:
		return stage.Mail{HTML: "<p>one</p>"}, true
	case 2:
		return stage.Mail{Text: "two"}, true
	}
	return stage.Mail{}, false
}

func (p *playing) Do(_ context.Context, act stage.Act, client string) (string, error) {
	p.asked = append(p.asked, string(act)+" "+client)
	switch act {
	case stage.ActHand:
		return "", &stage.Refusal{Why: "not now"}
	case stage.ActKill:
		return "", errors.New("a defect")
	default:
	}
	return "done", nil
}

const here = "127.0.0.1:9848"

// ask asks the page, as a browser that is on it does unless the test changes the request.
func ask(t *testing.T, play stage.Play, method, path, body string, change func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Host = here
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Origin", "http://"+here)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	stage.Handler(play, here).ServeHTTP(w, r)
	return w
}

func TestPageServesItsOwnFilesUnderAPolicyWithoutExceptions(t *testing.T) {
	for path, kind := range map[string]string{
		"/": "text/html", "/stage.css": "text/css", "/stage.js": "text/javascript", "/draw.js": "text/javascript",
		"/board.js": "text/javascript", "/panels.js": "text/javascript", "/icon.svg": "image/svg", "/scene": "application/json",
	} {
		w := ask(t, &playing{}, http.MethodGet, path, "", nil)
		policy := w.Header().Get("Content-Security-Policy")
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), kind) || w.Body.Len() == 0 {
			t.Errorf("%s: %d %s", path, w.Code, w.Header().Get("Content-Type"))
		}
		if !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: policy %q", path, policy)
		}
	}
}

// What the policy forbids would not work; it must not stand there either.
func TestPageHasNothingInline(t *testing.T) {
	page := ask(t, &playing{}, http.MethodGet, "/", "", nil).Body.String()
	for _, no := range []string{" style=", "<style", "onclick", "javascript:", "http://", "https://"} {
		if strings.Contains(page, no) {
			t.Errorf("the page has %q", no)
		}
	}
	if strings.Count(page, "<script") != strings.Count(page, "<script type=\"module\" src=\"/") {
		t.Error("a script stands in the page itself")
	}
}

func TestMailIsShutIn(t *testing.T) {
	for n, want := range map[string]string{"1": "<p>one</p>", "2": "two"} {
		w := ask(t, &playing{}, http.MethodGet, "/mail/"+n, "", nil)
		policy := w.Header().Get("Content-Security-Policy")
		if w.Body.String() != want || !strings.HasPrefix(policy, "sandbox; default-src 'none'") || strings.Contains(policy, "script") {
			t.Errorf("mail %s: %q under %q", n, w.Body, policy)
		}
	}
	for _, n := range []string{"0", "3", "x"} {
		if w := ask(t, &playing{}, http.MethodGet, "/mail/"+n, "", nil); w.Code != http.StatusNotFound {
			t.Errorf("mail %s: %d", n, w.Code)
		}
	}
}

func TestPageAnswersOnlyWhoMeansIt(t *testing.T) {
	for name, c := range map[string]struct {
		method, path string
		change       func(*http.Request)
		want         int
	}{
		"its address":                  {"GET", "/scene", nil, http.StatusOK},
		"localhost":                    {"GET", "/scene", func(r *http.Request) { r.Host = "localhost:9848" }, http.StatusOK},
		"a name rebound to it":         {"GET", "/scene", func(r *http.Request) { r.Host = "evil.example.com:9848" }, http.StatusMisdirectedRequest},
		"another port":                 {"GET", "/scene", func(r *http.Request) { r.Host = "127.0.0.1:80" }, http.StatusMisdirectedRequest},
		"a button":                     {"POST", "/do", nil, http.StatusOK},
		"a button through localhost":   {"POST", "/do", func(r *http.Request) { r.Host = "localhost:9848"; r.Header.Set("Origin", "http://localhost:9848") }, http.StatusOK},
		"another origin":               {"POST", "/do", func(r *http.Request) { r.Header.Set("Origin", "https://evil.example.com") }, http.StatusForbidden},
		"a mail, which has no origin":  {"POST", "/do", func(r *http.Request) { r.Header.Set("Origin", "null") }, http.StatusForbidden},
		"no origin":                    {"POST", "/do", func(r *http.Request) { r.Header.Del("Origin") }, http.StatusForbidden},
		"another site":                 {"POST", "/do", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, http.StatusForbidden},
		"a rebound name with a button": {"POST", "/do", func(r *http.Request) { r.Host = "evil.example.com"; r.Header.Set("Origin", "http://evil.example.com") }, http.StatusMisdirectedRequest},
		"a form":                       {"POST", "/do", func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, http.StatusUnsupportedMediaType},
		"a link":                       {"GET", "/do", nil, http.StatusMethodNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			play := &playing{}
			w := ask(t, play, c.method, c.path, `{"act":"rotate","client":"a"}`, c.change)
			if w.Code != c.want || (len(play.asked) > 0) != (c.path == "/do" && c.want == http.StatusOK) {
				t.Errorf("%d %s, asked %v", w.Code, w.Body, play.asked)
			}
		})
	}
}

func TestButtonsSayWhatCameOfThem(t *testing.T) {
	for body, want := range map[string]struct {
		code int
		said string
	}{
		`{"act":"rotate","client":"a"}`: {http.StatusOK, "done"},
		`{"act":"hand","client":"a"}`:   {http.StatusConflict, "not now"},
		`{"act":"kill","client":"a"}`:   {http.StatusInternalServerError, "a defect"},
		`{"acts":"rotate"}`:             {http.StatusBadRequest, "no wish"},
		`{`:                             {http.StatusBadRequest, "no wish"},
	} {
		w := ask(t, &playing{}, http.MethodPost, "/do", body, nil)
		if w.Code != want.code || !strings.Contains(w.Body.String(), want.said) {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
}

func TestPageListensOnLoopbackOnly(t *testing.T) {
	for address, ok := range map[string]bool{
		"127.0.0.1:0": true, "0.0.0.0:0": false, "192.0.2.1:0": false, ":0": false, "localhost:0": false, "nonsense": false,
	} {
		l, err := stage.Listen(t.Context(), address)
		if (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
		if l != nil {
			_ = l.Close()
		}
	}
}

func TestPageIsServedUntilItsContextEnds(t *testing.T) {
	l, err := stage.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- stage.Serve(ctx, l, &playing{}) }()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+"/scene", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatal(answer, err)
	}
	_ = answer.Body.Close()
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := new(net.Dialer).DialContext(t.Context(), "tcp", l.Addr().String()); err == nil {
		t.Error("it still listens")
	}
}
