package http

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers/httpapi"
)

// call is a request with placeholders, ready to be filled in.
type call struct {
	about   string // the operation that rules name: inspect, create, recover or revoke
	method  string
	path    template
	query   map[string]template
	headers map[string]template
	form    map[string]template
	json    any // a tree whose texts are templates
	body    bool
	accept  []int
	mutates bool
}

// asks says whether a placeholder stands anywhere in the request.
func (c *call) asks(names ...string) bool {
	if c == nil {
		return false
	}
	found := false
	look := func(t template) {
		for _, name := range t.names() {
			found = found || slices.Contains(names, name)
		}
	}
	look(c.path)
	for _, group := range []map[string]template{c.query, c.headers, c.form} {
		for _, t := range group {
			look(t)
		}
	}
	walk(c.json, look)
	return found
}

// walk visits the templates of a body.
func walk(node any, visit func(template)) {
	switch v := node.(type) {
	case template:
		visit(v)
	case []any:
		for _, one := range v {
			walk(one, visit)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			walk(v[name], visit)
		}
	}
}

// request fills in the placeholders. Its errors name a placeholder and never a value.
func (c *call) request(operation string, v values) (httpapi.Request, error) {
	r := httpapi.Request{Operation: operation, Method: c.method, Mutates: c.mutates, Accept: c.accept}
	path, _, err := c.path.expand(v, segment)
	if err != nil {
		return r, fmt.Errorf("path: %w", err)
	}
	r.Path = path
	query, err := fill(c.query, v)
	if err != nil {
		return r, fmt.Errorf("query: %w", err)
	}
	r.Query = query
	if r.Header, err = c.header(v); err != nil {
		return r, fmt.Errorf("headers: %w", err)
	}
	if c.form != nil {
		if r.Form, err = fill(c.form, v); err != nil {
			return r, fmt.Errorf("form: %w", err)
		}
	}
	if c.body {
		if r.JSON, _, err = tree(c.json, v); err != nil {
			return r, fmt.Errorf("json: %w", err)
		}
	}
	return r, nil
}

// segment escapes a value so that it stays within its place of a path.
func segment(value string) string { return strings.TrimPrefix(httpapi.Path(value), "/") }

func fill(group map[string]template, v values) (url.Values, error) {
	out := url.Values{}
	for name, t := range group {
		text, present, err := t.expand(v, nil)
		if err != nil {
			return nil, err
		}
		if present {
			out.Set(name, text)
		}
	}
	return out, nil
}

var errControl = errors.New("a value has a control character, which no header can carry")

func (c *call) header(v values) (http.Header, error) {
	out := http.Header{}
	for name, t := range c.headers {
		text, present, err := t.expand(v, nil)
		switch {
		case err != nil:
			return nil, err
		case hasControl(text): // net/http would refuse it so late that nobody could tell whether it was sent
			return nil, errControl
		case present:
			out.Set(name, text)
		}
	}
	return out, nil
}

func hasControl(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// tree fills in a JSON body. A member whose placeholder has no value is left out.
func tree(node any, v values) (out any, present bool, err error) {
	switch node := node.(type) {
	case template:
		return node.json(v)
	case []any:
		list := make([]any, 0, len(node))
		for _, one := range node {
			if err = keep(one, v, func(value any) { list = append(list, value) }); err != nil {
				return nil, false, err
			}
		}
		return list, true, nil
	case map[string]any:
		object := make(map[string]any, len(node))
		for name, one := range node {
			if err = keep(one, v, func(value any) { object[name] = value }); err != nil {
				return nil, false, err
			}
		}
		return object, true, nil
	}
	return node, true, nil
}

func keep(node any, v values, yield func(any)) error {
	value, present, err := tree(node, v)
	if err == nil && present {
		yield(value)
	}
	return err
}

// base64 of a pair is httpapi's business: a request that shows a client's secret by itself.
func authenticate(r *httpapi.Request, auth string, b credential.Bundle) {
	if auth != "" {
		httpapi.Authenticate(r, auth, b[credential.FieldClientID].Reveal(), b.Secret())
	}
}

// headerName is a token of RFC 9110 section 5.6.2.
var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
