package canary_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

// inProcess asks a server of this process without a network. A server that cuts the connection gives an error, as the
// network would.
type inProcess struct{ server http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case error:
			if !errors.Is(cause, http.ErrAbortHandler) {
				panic(cause)
			}
			resp, err = nil, io.ErrUnexpectedEOF
		default:
			panic(cause)
		}
	}()
	asked := *r // a server changes none of what it points to
	if asked.Body == nil {
		asked.Body = http.NoBody
	}
	answer := &written{header: http.Header{}, status: http.StatusOK}
	p.server.ServeHTTP(answer, &asked)
	return &http.Response{
		Status: strconv.Itoa(answer.status) + " " + http.StatusText(answer.status), StatusCode: answer.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: answer.header, Body: io.NopCloser(&answer.body), ContentLength: int64(answer.body.Len()), Request: r,
	}, nil
}

// written is an answer as a server writes it. It is asked for millions of times, and copies nothing.
type written struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *written) Header() http.Header           { return w.header }
func (w *written) Write(raw []byte) (int, error) { return w.body.Write(raw) }
func (w *written) WriteHeader(status int)        { w.status = status }

// hostile lets a server fail now and then, and say everything that it knows when it does: it repeats the request, with
// its credentials, and the answer that it would have given, in the body, in the header and in the status line.
type hostile struct {
	next  http.RoundTripper
	every int64 // so many requests; 0 = it never fails
	seen  atomic.Int64
}

func (h *hostile) RoundTrip(r *http.Request) (*http.Response, error) {
	n := h.seen.Add(1)
	if h.every == 0 || n%h.every != 0 {
		return h.next.RoundTrip(r)
	}
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	resp, err := h.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer, _ := io.ReadAll(resp.Body)
	return babble(r, resp, string(body)+" "+string(answer), int(n/h.every)), nil
}

// babble makes an answer that tells all, in one of many ways.
func babble(r *http.Request, resp *http.Response, text string, way int) *http.Response {
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		text += " " + name + ": " + r.Header.Get(name)
	}
	text = strings.Join(strings.Fields(text), " ")
	status := []int{400, 500, 401, 503, 403, 429, 404, 502, 200, 302, 409, 422}[way%12]
	resp.StatusCode, resp.Status = status, fmt.Sprintf("%d %s", status, text)
	body := []string{
		text,
		`{"error":"invalid_request","error_description":` + fmt.Sprintf("%q", text) + `}`,
		`{"error":{"code":"Request_BadRequest","message":` + fmt.Sprintf("%q", text) + `}}`,
		`{"errors":[` + fmt.Sprintf("%q", text) + `]}`,
		"<html><body>" + text + "</body></html>",
		`{"value": [` + text, // no JSON
	}[way/12%6]
	resp.Header = resp.Header.Clone()
	resp.Header.Del("Content-Length")
	for _, name := range []string{"WWW-Authenticate", "Location", "X-Request-Id", "Retry-After", "Warning", "Content-Type"} {
		if way%3 == 0 || name == "Location" {
			resp.Header.Set(name, text)
		}
	}
	resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	return resp
}
