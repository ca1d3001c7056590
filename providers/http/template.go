package http

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// template is a text with placeholders in braces: {name} or {name:format}. A brace that is meant is written twice.
type template []part

type part struct {
	text         string // literal; else a placeholder
	name, format string
}

var (
	errBrace   = errors.New("has a brace without a partner; write {{ or }} for one that is meant")
	errNoValue = errors.New("a placeholder has no value")
)

// optional are the placeholders without which the parameter is left out. Every other one must have a value.
var optional = []string{"expires", "lifetime", "label", "reason", "page"}

// secretNames are the placeholders that stand for clear values: never in an address.
var secretNames = []string{"value", "client_secret"}

var formats = map[string][]string{
	"expires": {"rfc3339", "epoch_s", "epoch_ms"}, "grace_end": {"rfc3339", "epoch_s", "epoch_ms"},
	"lifetime": {"seconds", "minutes", "hours"}, "grace": {"seconds", "minutes", "hours"},
}

// newTemplate parses a text. Only the given names may stand in it.
func newTemplate(text string, names []string) (template, error) {
	var t template
	for text != "" {
		at := strings.IndexAny(text, "{}")
		switch {
		case at < 0:
			return append(t, part{text: text}), nil
		case at > 0:
			t, text = append(t, part{text: text[:at]}), text[at:]
			continue
		case strings.HasPrefix(text, "{{"), strings.HasPrefix(text, "}}"):
			t, text = append(t, part{text: text[:1]}), text[2:]
			continue
		}
		inside, rest, closed := strings.Cut(text[1:], "}")
		if text[0] != '{' || !closed {
			return nil, errBrace
		}
		name, format, _ := strings.Cut(inside, ":")
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("{%s} is not known here", name)
		}
		if format != "" && !slices.Contains(formats[name], format) {
			return nil, fmt.Errorf("{%s} has no format %q", name, format)
		}
		t, text = append(t, part{name: name, format: format}), rest
	}
	return t, nil
}

// names lists the placeholders.
func (t template) names() []string {
	var out []string
	for _, p := range t {
		if p.name != "" {
			out = append(out, p.name)
		}
	}
	return out
}

// values are what placeholders stand for: string, time.Time, time.Duration or credential.Sensitive.
type values map[string]any

// expand replaces the placeholders. Present = false: an optional one has no value, and the parameter is left out.
func (t template) expand(v values, escape func(string) string) (text string, present bool, err error) {
	var b strings.Builder
	for _, p := range t {
		if p.name == "" {
			b.WriteString(p.text)
			continue
		}
		value := written(p.value(v))
		switch {
		case value == "" && slices.Contains(optional, p.name):
			return "", false, nil
		case value == "":
			return "", false, fmt.Errorf("%w: {%s}", errNoValue, p.name)
		case escape != nil:
			value = escape(value)
		}
		b.WriteString(value)
	}
	return b.String(), true, nil
}

// json is expand for a JSON body: a text that is one placeholder keeps the type of its value.
func (t template) json(v values) (value any, present bool, err error) {
	if len(t) == 1 && t[0].name != "" {
		if n, number := t[0].value(v).(json.Number); number {
			return n, true, nil
		}
	}
	return t.expand(v, nil)
}

// value is a placeholder's value in its format: a string, or a json.Number. An empty string = there is none.
func (p part) value(v values) any {
	switch value := v[p.name].(type) {
	case string:
		return value
	case credential.Sensitive:
		return value.Reveal()
	case time.Time:
		return formatTime(value, p.format)
	case time.Duration:
		return formatSpan(value, p.format, p.name == "grace")
	}
	return ""
}

func formatTime(t time.Time, format string) any {
	t = t.UTC().Truncate(time.Second)
	switch {
	case t.IsZero():
		return ""
	case format == "epoch_s":
		return json.Number(strconv.FormatInt(t.Unix(), 10))
	case format == "epoch_ms":
		return json.Number(strconv.FormatInt(t.UnixMilli(), 10))
	}
	return t.Format(time.RFC3339)
}

// formatSpan writes a duration in whole units: a grace is never shortened by it, and a lifetime never lengthened.
func formatSpan(d time.Duration, format string, up bool) any {
	unit := time.Second
	switch format {
	case "minutes":
		unit = time.Minute
	case "hours":
		unit = time.Hour
	}
	if up {
		d += unit - 1
	}
	if d < unit {
		return ""
	}
	return json.Number(strconv.FormatInt(int64(d/unit), 10))
}
