package httpapi_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rotad/rotad/providers/httpapi"
)

// serve starts a server and returns a client for it.
func serve(t *testing.T, c httpapi.Config, handle http.HandlerFunc) *httpapi.Client {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return connect(t, c, server.URL)
}

func connect(t *testing.T, c httpapi.Config, base string) *httpapi.Client {
	t.Helper()
	c.Provider, c.Base = "corp", base
	client, err := httpapi.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// roundTrip is a transport inside the process, without the hooks of a real one.
type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func inProcess(t *testing.T, f roundTrip) *httpapi.Client {
	t.Helper()
	return connect(t, httpapi.Config{Transport: f}, "http://idp.invalid")
}

func reply(status int, contentType, after, body string) *http.Response {
	h := http.Header{"Content-Type": {contentType}, "Retry-After": {after}}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

var (
	read   = httpapi.Request{Operation: "inspect", Method: http.MethodGet, Path: "/x"}
	change = httpapi.Request{Operation: "create", Method: http.MethodPost, Path: "/x", JSON: map[string]string{"a": "b"}, Mutates: true}
)
