package http

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// ways are the logins that a block describes.
func (a *Access) ways() (token, basic, oauth bool) {
	return a.TokenFile != "" || a.TokenEnv != "",
		a.Username != "" || a.PasswordFile != "" || a.PasswordEnv != "",
		a.ClientID != "" || a.ClientSecretFile != "" || a.ClientSecretEnv != ""
}

// access reports logins that are missing, doubled or incomplete.
func (c *compiler) access(a *Access) {
	token, basic, oauth := a.ways()
	n := 0
	for _, way := range []bool{token, basic, oauth, a.Anonymous} {
		if way {
			n++
		}
	}
	switch {
	case n == 0:
		c.report("token_file", "rotad has no way to log in",
			"write token_file, username with password_file, client_id with client_secret_file, or anonymous: true")
	case n > 1:
		c.report("token_file", "there are several ways to log in", "keep one of token, username, client_id and anonymous")
	case basic:
		c.pair(a.Username, a.PasswordFile+a.PasswordEnv, "password_file", "username and a password are needed together")
	case oauth:
		c.pair(a.ClientID, a.ClientSecretFile+a.ClientSecretEnv, "client_secret_file", "client_id and a secret are needed together")
		c.pair("x", a.LoginURL, "login_url", "is required beside client_id")
	}
	if a.LoginHeader != "" && !headerName.MatchString(a.LoginHeader) {
		c.report("login_header", "is no name of a header", "")
	}
	if hasControl(a.LoginScheme) || hasControl(a.Username) {
		c.report("login_scheme", "has a control character", "")
	}
	_ = c.headers("login_headers", a.LoginHeaders, nil)
}

// pair reports a setting that needs another one.
func (c *compiler) pair(one, other, at, what string) {
	if one == "" || other == "" {
		c.report(at, what, "")
	}
}

// tokens returns how requests are logged in; nil = anonymously.
func (p *plan) tokens(o providers.Opening) (*httpapi.Tokens, error) {
	token, basic, oauth := p.access.ways()
	switch {
	case token:
		return httpapi.NewTokens(stored(o, "token", func(s string) string { return s }), o.Elapsed), nil
	case basic:
		return httpapi.NewTokens(stored(o, "password", func(s string) string {
			return base64.StdEncoding.EncodeToString([]byte(p.access.Username + ":" + s))
		}), o.Elapsed), nil
	case oauth:
		return p.oauth(o)
	}
	return nil, nil //nolint:nilnil // no login is what was asked for
}

var errControlSecret = errors.New("it has a control character, which no header can carry")

// stored is a login by a secret that something else renews.
func stored(o providers.Opening, name string, form func(string) string) httpapi.Login {
	return func(context.Context) (httpapi.Token, error) {
		value, err := o.Secret(name)
		value = strings.TrimSpace(value)
		if err == nil && hasControl(value) {
			err = fmt.Errorf("reading the %s: %w", name, errControlSecret)
		}
		if err != nil {
			return httpapi.Token{}, &providers.Error{
				Class: providers.ClassAuth, Provider: o.Name, Operation: "login", Err: err,
			}
		}
		return httpapi.Token{Value: credential.NewSensitive(form(value))}, nil
	}
}

func (p *plan) oauth(o providers.Opening) (*httpapi.Tokens, error) {
	origin, path, err := httpapi.Split(p.loginURL)
	if err != nil {
		return nil, fmt.Errorf("login_url: %w", err)
	}
	client, err := httpapi.New(config(o, origin))
	if err != nil {
		return nil, fmt.Errorf("login_url: %w", err)
	}
	a := p.access
	extra := url.Values{}
	for name, value := range a.LoginForm {
		extra.Set(name, value)
	}
	return httpapi.NewTokens(httpapi.ClientCredentials{
		Client: client, Path: path, ClientID: a.ClientID, Scope: a.LoginScope, Auth: a.LoginAuth, Extra: extra,
		Header: headersOf(a.LoginHeaders), Secret: func() (string, error) { return o.Secret("client_secret") },
	}.Login, o.Elapsed), nil
}

func headersOf(m map[string]string) http.Header {
	h := http.Header{}
	for name, value := range m {
		h.Set(name, value)
	}
	return h
}

// authorize puts the login into a request.
func (p *plan) authorize(h http.Header, token credential.Sensitive) {
	name, scheme := "Authorization", p.access.LoginScheme
	_, basic, _ := p.access.ways()
	switch {
	case p.access.LoginHeader != "":
		name = p.access.LoginHeader
	case basic:
		scheme = "Basic"
	case scheme == "":
		scheme = "Bearer"
	}
	if scheme != "" {
		scheme += " "
	}
	h.Set(name, scheme+token.Reveal())
}

// config is the part of a client's configuration that all of them share.
func config(o providers.Opening, base string) httpapi.Config {
	return httpapi.Config{
		Provider: o.Name, Base: base, Headers: o.Headers, Transport: o.Transport, Deadline: o.Deadline,
	}
}
