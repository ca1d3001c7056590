package http

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/theory/jsonpath"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers/httpapi"
)

// document is a decoded answer. It may hold clear values, so it is never printed.
type document struct{ root any }

// Format shows nothing of the answer, whatever the verb.
func (document) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[redacted]")) }

// parse decodes exactly one JSON document. Numbers stay as they are written, so that long ids lose no digit.
func parse(raw credential.Sensitive) (document, error) {
	var text json.RawMessage
	if err := httpapi.Unmarshal(raw, &text); err != nil {
		return document{}, err
	}
	return decode(text)
}

var errNotJSON = errors.New("the answer is not JSON")

func decode(text json.RawMessage) (document, error) {
	var d document
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if decoder.Decode(&d.root) != nil {
		return document{}, errNotJSON
	}
	return d, nil
}

// place is where a value may stand: JSONPath expressions, of which the first counts that leads to something suitable.
type place []*jsonpath.Path

const (
	maxExpression = 256
	alternative   = " or $"
)

var (
	errLong     = fmt.Errorf("is longer than %d characters", maxExpression)
	errSyntax   = errors.New("is not a JSONPath expression (RFC 9535)")
	errDeep     = errors.New("searches at any depth (..), which may take too long")
	errRoot     = errors.New("goes back to the root ($) inside a filter, which may take too long")
	errBranches = errors.New("has several selectors in one pair of brackets, which may take too long")
	errPattern  = errors.New("takes a pattern from the answer, which may take too long")
)

// newPlace parses a place. Only expressions are taken whose time grows with the answer and not faster: each step has
// one selector and goes one level down, a filter looks below its own entry only, and patterns are written out.
func newPlace(text string) (place, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var p place
	for i, one := range strings.Split(text, alternative) {
		if i > 0 {
			one = "$" + one
		}
		one = strings.TrimSpace(one)
		if err := bounded(one); err != nil {
			return nil, err
		}
		path, err := jsonpath.Parse(one)
		if err != nil {
			return nil, errSyntax // the library's words repeat the expression, which "rotad check" shows anyway
		}
		p = append(p, path)
	}
	return p, nil
}

func bounded(expression string) error {
	if len(expression) > maxExpression {
		return errLong
	}
	bare := withoutTexts(expression)
	switch {
	case strings.Contains(bare, ".."):
		return errDeep
	case strings.LastIndexByte(bare, '$') > 0:
		return errRoot
	case severalSelectors(bare):
		return errBranches
	case foreignPattern.MatchString(bare):
		return errPattern
	}
	return nil
}

// foreignPattern finds the second argument of a function (match and search have one) that is not written out.
var foreignPattern = regexp.MustCompile(`,\s*[^\s'"]`)

// withoutTexts empties the quoted texts of an expression.
func withoutTexts(expression string) string {
	var b strings.Builder
	quote := byte(0)
	for i := 0; i < len(expression); i++ {
		switch c := expression[i]; {
		case quote == 0:
			b.WriteByte(c)
			if c == '\'' || c == '"' {
				quote = c
			}
		case c == '\\':
			i++
		case c == quote:
			b.WriteByte(c)
			quote = 0
		}
	}
	return b.String()
}

// severalSelectors says whether a comma stands outside of the parentheses of a function.
func severalSelectors(bare string) bool {
	depth := 0
	for _, c := range bare {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth <= 0:
			return true
		}
	}
	return false
}

// find returns the first node that suits. A library that stumbles over a strange answer finds nothing: its panic could
// carry a piece of the answer into a log.
func (p place) find(d document, suits func(any) bool) (value any, found bool) {
	defer func() {
		if recover() != nil {
			value, found = nil, false
		}
	}()
	for _, path := range p {
		for _, node := range path.Select(d.root) {
			if suits(node) {
				return node, true
			}
		}
	}
	return nil, false
}

func anything(any) bool { return true }

// text returns the first text that is not empty; a number counts as it is written.
func (p place) text(d document) string {
	value, _ := p.find(d, func(v any) bool { return written(v) != "" })
	return written(value)
}

func written(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// entries returns the elements of the first list, or found = false.
func (p place) entries(d document) (list []any, found bool) {
	value, found := p.find(d, func(v any) bool { _, ok := v.([]any); return ok })
	list, _ = value.([]any)
	return list, found
}

// truth says whether there is a node, and the first one says yes.
func (p place) truth(d document) bool {
	value, found := p.find(d, anything)
	return found && !empty(value)
}

// empty says whether a value says nothing: null, false, 0, an empty text, list or object.
func empty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	case json.Number:
		n, err := v.Float64()
		return err == nil && n == 0
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// all returns every node.
func (p place) all(d document) (nodes []any) {
	defer func() {
		if recover() != nil {
			nodes = nil
		}
	}()
	for _, path := range p {
		for _, node := range path.Select(d.root) {
			nodes = append(nodes, node)
		}
	}
	return nodes
}
