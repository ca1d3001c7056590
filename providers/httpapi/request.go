package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/rotad/rotad/internal/credential"
)

// Request is one call. A clear secret may stand in JSON, Form, Body or Header, never in Path or Query, because those are
// written to the logs of every proxy on the way.
type Request struct {
	Operation string // name in errors and metrics: "inspect", "create", ...
	Method    string
	Path      string // appended to the base; its segments are escaped already (see Path)
	Query     url.Values
	Header    http.Header
	JSON      any        // body; at most one of JSON, Form and Body is set
	Form      url.Values // body, application/x-www-form-urlencoded
	Body      []byte     // body as it is, of the type that Header says
	Mutates   bool       // it changes something: it is never repeated, and an unknown outcome is said to be unknown
	Anonymous bool       // sent without the client's own login
	Accept    []int      // statuses that count as success besides 2xx
}

// Path joins escaped segments to a path that begins with a slash.
func Path(segments ...string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteByte('/')
		// A segment that is "." or ".." would climb out of its place, and no escape protects it from a cleaning proxy.
		if strings.Trim(s, ".") == "" {
			s = strings.ReplaceAll(s, ".", "%2E")
			b.WriteString(s)
			continue
		}
		b.WriteString(url.PathEscape(s))
	}
	return b.String()
}

var errBodyNotEncodable = errors.New("the request cannot be encoded")

// build makes the request of net/http.
func (c *Client) build(ctx context.Context, r Request, token credential.Sensitive) (*http.Request, error) {
	body, contentType, err := r.body()
	if err != nil {
		return nil, err
	}
	target := c.base.String() + r.Path
	if len(r.Query) > 0 {
		target += "?" + r.Query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, target, body)
	if err != nil {
		return nil, errBodyNotEncodable
	}
	for name, value := range c.config.Headers {
		req.Header.Set(name, value)
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	req.Header.Set("Accept", "application/json")
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if !token.Empty() {
		c.config.Authorize(req.Header, token)
	}
	for name, values := range r.Header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	if r.Mutates {
		once(req)
	}
	return req, nil
}

// once makes sure that net/http sends a request at most once. Either of these two headers would make the transport
// repeat a POST after a broken connection, although it may have reached the server; without GetBody it cannot repeat
// one that has a body.
func once(req *http.Request) {
	req.Header.Del("Idempotency-Key")
	req.Header.Del("X-Idempotency-Key")
	req.GetBody = nil
}

func (r Request) body() (io.Reader, string, error) {
	switch {
	case r.JSON != nil:
		raw, err := encode(r.JSON)
		if err != nil {
			return nil, "", errBodyNotEncodable
		}
		return bytes.NewReader(raw), "application/json", nil
	case r.Form != nil:
		return strings.NewReader(r.Form.Encode()), "application/x-www-form-urlencoded", nil
	case r.Body != nil:
		return bytes.NewReader(r.Body), "", nil
	}
	return http.NoBody, "", nil
}

// encode writes JSON without escaping <, > and &, so that a secret arrives at a careless server as it was meant.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, errBodyNotEncodable
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
