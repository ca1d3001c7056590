package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A pod that tests an installation knows where rotad listens, and has neither its configuration nor its secrets.
func TestHealthAsksWhereItIsTold(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = fmt.Fprint(w, "no token in vault")
		}
	}))
	at := strings.TrimPrefix(server.URL, "http://")
	ask := func(args ...string) (code int, said string) {
		var out strings.Builder
		code = run(append([]string{"health", "--config", "/nowhere.yaml"}, args...), strings.NewReader(""), &out, &out, nil)
		return code, out.String()
	}
	for _, c := range []struct {
		rule string
		args []string
		code int
		says string
	}{
		{"alive", []string{"--at", at}, exitDone, "ok\n"},
		{"alive but not ready", []string{"--at", at, "--ready"}, exitFailed, "/readyz: no token in vault"},
		{"no address", []string{"--at", "a b"}, exitWrong, "write host:port"},
		{"told nothing, it needs the configuration", nil, exitWrong, "/nowhere.yaml has errors"},
	} {
		if code, said := ask(c.args...); code != c.code || !strings.Contains(said, c.says) {
			t.Errorf("%s: exit code %d, want %d; it says %q, want %q", c.rule, code, c.code, said, c.says)
		}
	}
	server.Close()
	if code, said := ask("--at", at); code != exitFailed || !strings.Contains(said, "asking "+at) {
		t.Errorf("nobody listens: exit code %d, it says %q", code, said)
	}
}
