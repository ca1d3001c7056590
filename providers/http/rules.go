package http

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// sign is what an answer is recognised by.
type sign struct {
	status []int
	path   place
	is     []string
}

// rule says what an answer means.
type rule struct {
	sign

	on    []string
	class providers.Class
}

// operations are those that a rule can be about.
var operations = []string{"inspect", "create", "recover", "activate", "revoke"}

// matches says whether an answer has the sign. One that cannot be read has no place in it.
func (s sign) matches(resp *httpapi.Response) bool {
	if len(s.status) > 0 && !slices.Contains(s.status, resp.Status) {
		return false
	}
	if s.path == nil {
		return true
	}
	d, err := parse(resp.Raw())
	if err != nil {
		return false
	}
	_, found := s.path.find(d, func(node any) bool {
		if len(s.is) == 0 {
			return node != nil && node != false
		}
		return slices.Contains(s.is, word(node))
	})
	return found
}

// word is how a value is compared with what is configured.
func word(node any) string {
	switch v := node.(type) {
	case bool:
		return fmt.Sprint(v)
	case nil:
		return "null"
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// class returns what the first rule that matches says.
func (p *plan) class(operation string, resp *httpapi.Response) (providers.Class, bool) {
	for _, r := range p.rules {
		if (len(r.on) == 0 || slices.Contains(r.on, operation)) && r.matches(resp) {
			return r.class, true
		}
	}
	return "", false
}

// rules compiles what answers mean. A status that a proxy may send after the change was made never says by itself that
// nothing was made; nor does a success.
func (c *compiler) rules(all []Rule) []rule {
	var out []rule
	for i, s := range all {
		at := fmt.Sprintf("errors[%d]", i)
		for _, operation := range s.On {
			if !slices.Contains(operations, operation) {
				c.report(at+".on", fmt.Sprintf("%q is no operation", operation), "write inspect, create, recover or revoke")
			}
		}
		about := len(s.On) == 0 || slices.Contains(s.On, "create") || slices.Contains(s.On, "revoke")
		if s.Path == "" && about && slices.ContainsFunc(s.Status, openStatus) {
			c.report(at+".status", "has a status that a proxy may send although the change was made",
				"name a place in the API's own answer with path and is, or write on: [inspect]")
		}
		r := rule{sign: c.sign(at, s.Status, s.Path, s.Is), on: s.On, class: providers.Class(s.Means)}
		if r.class == "" {
			c.report(at+".means", "is required", "")
		}
		out = append(out, r)
	}
	return out
}

// openStatus says whether a status leaves open what became of a change.
func openStatus(status int) bool {
	return status < 400 || httpapi.Classify(status, true) == providers.ClassIndeterminate
}

func (c *compiler) sign(at string, status []int, path string, is []string) sign {
	if len(status) == 0 && path == "" {
		c.report(at, "matches every answer", "write status, or path")
	}
	if path == "" && len(is) > 0 {
		c.report(at+".is", "says what stands at a path, and there is no path", "")
	}
	for _, one := range status {
		if one < http.StatusOK || one > 599 {
			c.report(at+".status", fmt.Sprintf("%d is no status of an answer", one), "")
		}
	}
	return sign{status: status, path: c.place(at+".path", path), is: is}
}
