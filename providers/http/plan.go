package http

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// plan is a description as it is carried out: settings and preset, compiled.
type plan struct {
	url    string
	access Access
	mode   credential.Mode
	reason string
	grace  time.Duration
	slots  int

	repeatable bool
	chosen     Chosen

	inspect, beside, exists, create, first, recover, activate, beforeRevoke, revoke *call // nil = there is none

	listing   listing
	look      look
	answer    answer // of create
	recovered answer // of recover
	rules     []rule
	verify    proof
	loginURL  string
	rights    Rights
	claim     place // of the rights in a token; nil = its scope
}

// compile merges a block with its preset and compiles both. Every mistake is reported; after one the plan is not used.
func compile(block *Settings, report func(path, what, hint string)) *plan {
	s, err := merged(block)
	if err != nil {
		hint := "this is a mistake of the program: please report it"
		if unknown, ok := errors.AsType[noSuchPreset](err); ok {
			hint = unknown.hint()
		}
		report("preset", err.Error(), hint)
		return nil
	}
	c := &compiler{report: report, vars: s.Vars, preset: s.Preset}
	c.checkVars()
	if s.URL == "" {
		report("url", "is required", "write https://host/path")
	}
	c.url = c.address("url", s.URL)
	c.access(&s.Access)
	s.LoginForm = c.constants("login_form", s.LoginForm)
	p := &plan{
		url: c.url, access: s.Access, mode: credential.Mode(s.Mode), reason: s.Reason, grace: s.Grace, slots: s.Slots,
		repeatable: s.Repeatable, chosen: c.chosen(s.Value), loginURL: c.address("login_url", s.LoginURL),
	}
	if s.Mode == "" {
		report("mode", "is required", "how do two secrets live side by side?")
	}
	c.calls(p, &s)
	c.answers(p, &s)
	p.listing = c.listing(s.List)
	p.rules = c.rules(s.Errors)
	p.verify = c.proof(s.Verify)
	p.rights, p.claim = s.Rights, c.rights(s.Rights)
	c.needs(p)
	return p
}

func (c *compiler) calls(p *plan, s *Settings) {
	p.inspect = c.call("inspect", s.Inspect.Call, http.MethodGet, lookNames...)
	p.create = c.call("create", s.Create.Call, http.MethodPost, createNames...)
	if s.Inspect.Beside != nil {
		p.beside = c.call("inspect.beside", *s.Inspect.Beside, http.MethodGet)
	}
	if s.Exists != nil {
		p.exists = c.call("exists", *s.Exists, http.MethodGet)
	}
	if s.Create.First != nil {
		p.first = c.call("create.first", *s.Create.First, http.MethodPost, createNames...)
	}
	if s.Recover != nil {
		p.recover = c.call("recover", s.Recover.Call, http.MethodGet)
	}
	if s.Revoke != nil {
		p.revoke = c.call("revoke", s.Revoke.Call, http.MethodDelete, revokeNames...)
		if s.Revoke.Before != nil {
			p.beforeRevoke = c.call("revoke.before", *s.Revoke.Before, http.MethodPost, revokeNames...)
		}
	}
	if s.Activate != nil {
		p.activate = c.call("activate", *s.Activate, http.MethodPost, revokeNames...)
	}
}

func (c *compiler) answers(p *plan, s *Settings) {
	p.look = look{
		clientID: c.place("inspect.client_id", s.Inspect.ClientID),
		list:     c.place("inspect.list", s.Inspect.List), where: c.place("inspect.where", s.Inspect.Where),
		next: c.place("inspect.next", s.Inspect.Next), secret: c.fields("inspect.secret", s.Inspect.Secret),
		current: c.fields("inspect.current", s.Inspect.Current), previous: c.fields("inspect.previous", s.Inspect.Previous),
		staged:   c.fields("inspect.staged", s.Inspect.Staged),
		required: c.place("inspect.required", s.Inspect.Required), disabled: c.place("inspect.disabled", s.Inspect.Disabled),
		apart: p.beside != nil,
	}
	p.answer = c.answer("create.answer", s.Create.Answer)
	if s.Recover != nil {
		p.recovered = c.answer("recover.answer", s.Recover.Answer)
		if p.recovered.value == nil {
			c.report("recover.answer.value", "is required", "where does the value stand?")
		}
	}
	if p.look.next != nil && (p.inspect == nil || !p.inspect.asks("page")) {
		c.report("inspect.next", "is of no use without {page} in query", "")
	}
}

func (c *compiler) answer(at string, s Answer) answer {
	return answer{
		fields: c.fields(at, s.Fields), clientID: c.place(at+".client_id", s.ClientID), oldDies: c.place(at+".old_dies", s.OldDies),
	}
}

var (
	errURL      = errors.New("is not an http or https address with a host")
	errUserInfo = errors.New("is an address with a user or a password in it")
	errQuery    = errors.New("is an address with a query or a fragment")
)

func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "", strings.ContainsAny(text, " \t\r\n"):
		return errURL
	case u.User != nil:
		return errUserInfo
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(text, "#"):
		return errQuery
	}
	return nil
}

// ability are the optional interfaces that a plan can fill.
func (p *plan) readable() bool { return p.recover != nil || p.look.current.value != nil }

// ownValue says whether a create sends a value that rotad makes.
func (p *plan) ownValue() bool { return p.create.asks("value") }

// sendsGrace says whether the create tells the server how long the previous secret is to live.
func (p *plan) sendsGrace() bool { return p.create.asks("grace", "grace_end") }
