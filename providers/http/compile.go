package http

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// compiler turns settings into a plan and reports every mistake on the way, by the path of the setting.
type compiler struct {
	report func(path, what, hint string)
	vars   map[string]string
	url    string // of the API, complete
	preset string // as the block names it
}

// Names of the placeholders of each request, besides those of vars.
var (
	refNames    = []string{"id", "client_id", "parent"}
	lookNames   = []string{"page"}
	listNames   = []string{"page", "number", "offset", "size"}
	createNames = []string{"label", "reason", "value", "expires", "lifetime", "grace", "grace_end"}
	revokeNames = []string{"secret_id", "handle"}
	proofNames  = []string{"client_secret"}
)

// call compiles one request. A nil result means that there is none.
func (c *compiler) call(at string, s Call, method string, names ...string) *call {
	if s.Path == "" {
		return nil
	}
	about, _, _ := strings.Cut(at, ".")
	if about == "exists" || about == "list" {
		about = "inspect"
	}
	out := &call{about: about, method: s.Method, accept: s.Accept, mutates: method != http.MethodGet}
	if out.method == "" {
		out.method = method
	}
	known := slices.Concat(refNames, names, slices.Collect(maps.Keys(c.vars)))
	open := without(known, secretNames)
	c.checkPath(at+".path", s.Path)
	out.path = c.template(at+".path", s.Path, open)
	out.query = c.templates(at+".query", s.Query, open)
	out.headers = c.headers(at+".headers", s.Headers, known)
	if s.JSON != nil {
		out.json, out.body = c.tree(at+".json", s.JSON, known, 0), true
	}
	if s.Form != nil {
		out.form = c.templates(at+".form", s.Form, known)
	}
	if s.JSON != nil && s.Form != nil {
		c.report(at+".form", "json is given as well", "write one of the two")
	}
	for _, status := range s.Accept {
		if status < 200 || status >= 500 {
			c.report(at+".accept", fmt.Sprintf("%d is no status that can be a success", status), "")
		}
	}
	return out
}

func (c *compiler) checkPath(at, path string) {
	if !strings.HasPrefix(path, "/") {
		c.report(at, "does not begin with /", "it is appended to url")
	}
	if _, err := url.Parse("https://host" + path); err != nil || strings.ContainsAny(path, "?# \t\r\n") {
		c.report(at, "has a character that no path can have", "parameters belong in query; write others as %20")
	}
}

func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(name string) bool { return slices.Contains(some, name) })
}

// template compiles a text, with the vars already put in.
func (c *compiler) template(at, text string, names []string) template {
	t, err := newTemplate(text, names)
	if err != nil {
		hint := "known are " + strings.Join(slices.Sorted(slices.Values(names)), ", ")
		if strings.HasPrefix(err.Error(), "{value}") || strings.HasPrefix(err.Error(), "{client_secret}") {
			hint = "a clear value may stand in a body or a header only, never in an address"
		}
		c.report(at, err.Error(), hint)
		return nil
	}
	for i, p := range t {
		if value, ok := c.vars[p.name]; ok && p.name != "" {
			t[i] = part{text: value}
			if strings.HasSuffix(at, ".path") {
				t[i].text = segment(value)
			}
		}
	}
	return t
}

func (c *compiler) templates(at string, texts map[string]string, names []string) map[string]template {
	out := map[string]template{}
	for name, text := range texts {
		out[name] = c.template(at+"."+name, text, names)
	}
	return out
}

func (c *compiler) headers(at string, texts map[string]string, names []string) map[string]template {
	for name, text := range texts {
		if !headerName.MatchString(name) {
			c.report(at, "a name of a header has a character that none can have", "")
		}
		if hasControl(text) {
			c.report(at+"."+name, "has a control character, which no header can carry", "")
		}
	}
	return c.templates(at, texts, names)
}

const maxDepth = 32

// tree compiles a body.
func (c *compiler) tree(at string, node any, names []string, depth int) any {
	if depth > maxDepth {
		c.report(at, "is nested too deeply", "")
		return nil
	}
	switch v := node.(type) {
	case string:
		return c.template(at, v, names)
	case []any:
		out := make([]any, len(v))
		for i, one := range v {
			out[i] = c.tree(fmt.Sprintf("%s[%d]", at, i), one, names, depth+1)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, one := range v {
			out[name] = c.tree(at+"."+name, one, names, depth+1)
		}
		return out
	case nil, bool, int, int64, uint64, float64:
		return v
	}
	c.report(at, "is of a type that JSON does not have", "put it in quotes")
	return nil
}

// place compiles a JSONPath expression.
func (c *compiler) place(at, text string) place {
	p, err := newPlace(text)
	if err != nil {
		c.report(at, err.Error(), "write for example $.secret, or $.secret or $.client_secret")
	}
	return p
}

var (
	plainVar = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$`)
	varName  = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

	errPlainVar = errors.New("stands in an address, so it may have only letters, digits and . _ - in it")
)

// checkVars reports names that cannot be used, and vars of a preset that wait for a value.
func (c *compiler) checkVars() {
	taken := slices.Concat(refNames, lookNames, createNames, revokeNames, proofNames, []string{"url"})
	for _, name := range slices.Sorted(maps.Keys(c.vars)) {
		at := "vars." + name
		switch {
		case !varName.MatchString(name):
			c.report(at, "is no name for a placeholder", "write small letters, digits and _")
		case slices.Contains(taken, name):
			c.report(at, "is the name of a placeholder that has a meaning already", "choose another one")
		case c.vars[name] == "":
			c.report(at, "is empty", c.unfilled())
		}
	}
}

// unfilled says where a variable that nobody has filled in is explained.
func (c *compiler) unfilled() string {
	if c.preset == "" || c.preset == noPreset {
		return "write its value, or take it out here and where {it} stands"
	}
	return "the preset needs it: rotad kinds --preset " + c.preset + " says what it is"
}

// address puts vars and {url} into an address and splits it.
func (c *compiler) address(at, text string) string {
	if text == "" {
		return ""
	}
	names := append(slices.Collect(maps.Keys(c.vars)), "url")
	t, err := newTemplate(text, names)
	if err != nil {
		c.report(at, err.Error(), "names come from vars")
		return ""
	}
	v := values{"url": c.url}
	for name, value := range c.vars {
		if slices.Contains(t.names(), name) && value != "" && !plainVar.MatchString(value) {
			c.report("vars."+name, errPlainVar.Error(), "")
			return ""
		}
		v[name] = value
	}
	full, _, err := t.expand(v, nil)
	if err != nil {
		return "" // an empty one of vars, which is reported there; or url, which is reported itself
	}
	if err := checkURL(full); err != nil {
		c.report(at, err.Error(), "write https://host/path")
		return ""
	}
	return full
}

// constants puts vars and {url} into texts that no client changes.
func (c *compiler) constants(at string, texts map[string]string) map[string]string {
	v := values{"url": c.url}
	for name, value := range c.vars {
		v[name] = value
	}
	out := map[string]string{}
	for name, text := range texts {
		t, err := newTemplate(text, slices.Collect(maps.Keys(v)))
		if err != nil {
			c.report(at+"."+name, err.Error(), "names come from vars")
			continue
		}
		out[name], _, _ = t.expand(v, nil) // what has no value is reported where it is missing
	}
	return out
}

// fields compiles the places of one secret.
func (c *compiler) fields(at string, s Fields) fields {
	f := fields{
		exists: c.place(at+".exists", s.Exists), id: c.place(at+".id", s.ID), value: c.place(at+".value", s.Value),
		start: c.place(at+".start", s.Start), expires: c.place(at+".expires", s.Expires),
		label: c.place(at+".label", s.Label), hint: c.place(at+".hint", s.Hint), used: c.place(at+".last_use", s.LastUse),
		handle: c.place(at+".handle", s.Handle),
		unit:   s.Unit,
	}
	if f.unit == "" {
		f.unit = unitAuto
	}
	return f
}

// chosen are the settings of Generate with their defaults.
func (c *compiler) chosen(s Chosen) Chosen {
	if s.Length == 0 {
		s.Length = defaultLength
	}
	if s.Alphabet == "" {
		s.Alphabet = defaultAlphabet
	}
	if s.Length < minLength || s.Length > maxLength {
		c.report("value.length", fmt.Sprintf("%d is not between %d and %d", s.Length, minLength, maxLength), "")
	}
	if n := distinct(s.Alphabet); n < minAlphabet || n != len(s.Alphabet) {
		c.report("value.alphabet", "has fewer than 16 characters, one twice, or one that is not ASCII", "")
	} else if bits := float64(s.Length) * math.Log2(float64(n)); bits < minBits && s.Length >= minLength {
		c.report("value.length", fmt.Sprintf("%d of these %d characters are %.0f random bits, fewer than %d", s.Length, n, bits, minBits),
			"write a greater length, or a longer alphabet")
	}
	if hasControl(s.Prefix) || hasControl(s.Alphabet) {
		c.report("value.alphabet", "has a control character", "")
	}
	return s
}
