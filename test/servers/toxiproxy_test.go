package servers_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/test/servers"
)

// says starts a server with one answer, longer than any header.
func says(t *testing.T, word string) (host, body string) {
	t.Helper()
	body = strings.Repeat(word, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String(), body
}

// heard asks a line on a connection of its own.
func heard(t *testing.T, l *servers.Line) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+l.Addr, nil)
	must(t, err)
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func TestToxiproxyBreaksTheLineAndMendsIt(t *testing.T) {
	t.Parallel()
	cache, dir := cacheAndDir(t)
	ctx := t.Context()
	x, err := servers.StartToxiproxy(ctx, cache, "..", dir)
	must(t, err)
	t.Cleanup(x.Stop)
	here, want := says(t, "here")
	there, other := says(t, "there")
	l, err := x.Line(ctx, "line", here)
	must(t, err)
	whole := func(when, want string) {
		t.Helper()
		if got, err := heard(t, l); err != nil || got != want {
			t.Errorf("%s: %d bytes of %d (%v)", when, len(got), len(want), err)
		}
	}
	whole("before", want)
	for name, toxic := range map[string]servers.Toxic{
		"cut":        {Type: "limit_data", Stream: "downstream", Attributes: map[string]any{"bytes": 500}},
		"reset":      {Type: "reset_peer", Stream: "upstream", Attributes: map[string]any{"timeout": 0}},
		"black hole": {Type: "timeout", Stream: "downstream", Attributes: map[string]any{"timeout": 0}},
	} {
		must(t, l.Poison(ctx, toxic))
		if got, err := heard(t, l); err == nil {
			t.Errorf("%s: the whole answer came, %d bytes", name, len(got))
		}
		must(t, l.Heal(ctx))
		whole("after "+name, want)
	}
	must(t, l.Shut(ctx))
	if _, err := heard(t, l); err == nil {
		t.Error("a line that is shut answers")
	}
	must(t, l.Open(ctx))
	whole("after it was shut", want)
	must(t, l.Lead(ctx, there))
	whole("led elsewhere", other)
	must(t, l.Open(ctx))
	whole("led back", want)
}
