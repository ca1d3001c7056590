package servers

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// call is one request to a server's API.
type call struct {
	method  string
	url     string
	headers map[string]string
	json    any           // body, encoded; nil = none
	form    url.Values    // body, instead of json
	out     any           // the decoded answer; nil = not wanted
	limit   time.Duration // 0 = 15 seconds
	client  *http.Client  // nil = http.DefaultClient
}

// StatusError is an answer with a status that was not 2xx.
type StatusError struct {
	Method string
	Path   string
	Status int
	Body   string // these servers hold test data only, so their words may be shown
}

// Error shows the request and the answer.
func (e *StatusError) Error() string {
	return fmt.Sprintf("%s %s: %d: %s", e.Method, e.Path, e.Status, e.Body)
}

// do sends a request and decodes the answer.
func do(ctx context.Context, c call) error {
	if c.limit == 0 {
		c.limit = 15 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	req, err := c.request(ctx)
	if err != nil {
		return err
	}
	client := c.client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("asking a test server: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("reading the answer of a test server: %w", err)
	}
	if resp.StatusCode/100 != 2 {
		return &StatusError{Method: c.method, Path: req.URL.Path, Status: resp.StatusCode, Body: string(body)}
	}
	if c.out == nil || len(body) == 0 {
		return nil
	}
	if err := json.Unmarshal(body, c.out); err != nil {
		return fmt.Errorf("decoding the answer to %s %s: %w", c.method, req.URL.Path, err)
	}
	return nil
}

func (c call) request(ctx context.Context) (*http.Request, error) {
	var body io.Reader
	content := ""
	switch {
	case c.form != nil:
		body, content = strings.NewReader(c.form.Encode()), "application/x-www-form-urlencoded"
	case c.json != nil:
		raw, err := json.Marshal(c.json)
		if err != nil {
			return nil, fmt.Errorf("encoding a request: %w", err)
		}
		body, content = bytes.NewReader(raw), "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, c.method, c.url, body)
	if err != nil {
		return nil, fmt.Errorf("building a request: %w", err)
	}
	if content != "" {
		req.Header.Set("Content-Type", content)
	}
	for name, value := range c.headers {
		req.Header.Set(name, value)
	}
	return req, nil
}
