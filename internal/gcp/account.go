package gcp

import (
	"context"
	"errors"
	"fmt"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// URL is that of the IAM API.
const URL = "https://iam.googleapis.com"

// Account speaks to a Google API as rotad's own account. It is safe for concurrent use.
type Account struct {
	client *httpapi.Client
	tokens *httpapi.Tokens
	own    func() string
}

// Open returns an account at the API with this address; empty = URL. Nothing is sent.
func Open(o providers.Opening, address string, l Login) (*Account, error) {
	login, err := l.login(o)
	if err != nil {
		return nil, err
	}
	if address == "" {
		address = URL
	}
	a := &Account{tokens: httpapi.NewTokens(login, o.Elapsed), own: l.own(o)}
	c := config(o, address)
	c.Tokens, c.Classify = a.tokens, classify
	if a.client, err = httpapi.New(c); err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	return a, nil
}

// Own is the service account whose key rotad logs in with; empty = it logs in without one, or the key cannot be read.
func (a *Account) Own() string { return a.own() }

// Client is what requests are sent with.
func (a *Account) Client() *httpapi.Client { return a.client }

// Login proves that rotad can log in.
func (a *Account) Login(ctx context.Context) error {
	_, err := a.tokens.Get(ctx)
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*providers.Error](err); ok {
		e.Operation = "check"
	}
	return err
}

// Do sends a request; its errors name Google's status, and how long Google wants to be left alone.
func (a *Account) Do(ctx context.Context, r httpapi.Request) (*httpapi.Response, error) {
	resp, err := a.client.Do(ctx, r)
	return resp, named(resp, err)
}

// Into is Do for a reply that is decoded into out.
func (a *Account) Into(ctx context.Context, r httpapi.Request, out any) (*httpapi.Response, error) {
	resp, err := a.client.Into(ctx, r, out)
	return resp, named(resp, err)
}

// Fault is an error that no reply caused.
func (a *Account) Fault(operation string, class providers.Class, cause error) error {
	return &providers.Error{Class: class, Provider: a.client.Provider(), Operation: operation, Err: cause}
}
