package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// Defaults of a Config.
const (
	DefaultLimit    = 1 << 20          // bytes of a reply
	DefaultTimeout  = 20 * time.Second // of a request that changes nothing
	DefaultDeadline = 60 * time.Second // of a request that changes something
)

// Config says how a Client speaks to one server. Zero values take the defaults above.
type Config struct {
	Provider  string            // name of the configured provider, for errors
	Base      string            // URL that every Request.Path is appended to
	Headers   map[string]string // sent with every request, below the ones that a Request sets itself
	Transport http.RoundTripper // nil = one of its own that honours the proxy settings of the environment
	Limit     int64             // bytes of a reply that are read; 0 = DefaultLimit
	Timeout   time.Duration     // of one request that changes nothing; 0 = DefaultTimeout
	Deadline  time.Duration     // of one request that changes something; 0 = DefaultDeadline

	// Tokens logs requests in; nil = they are anonymous.
	Tokens *Tokens
	// Authorize puts the token into a request; nil = "Authorization: Bearer".
	Authorize func(h http.Header, token credential.Sensitive)
	// Expired says that a reply means "this token is no longer good"; nil = status 401. It must be a definite refusal,
	// because the request is then sent a second time with a new token, even one that changes something.
	Expired func(*Response) bool
	// Classify overrides the class of a reply that is no success; ok = false keeps the general rule.
	Classify func(r *Response) (class providers.Class, ok bool)
}

// Client sends requests to one server. It is safe for concurrent use.
type Client struct {
	config Config
	base   *url.URL
	reads  *http.Client
	writes *http.Client // on connections that nothing else has used
}

// New returns a Client. It fails if the base is no absolute http or https URL.
func New(c Config) (*Client, error) {
	base, err := url.Parse(strings.TrimRight(c.Base, "/"))
	if err != nil {
		return nil, errors.New("the URL cannot be parsed") // url.Error repeats the text, which may hold a password
	}
	if (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" {
		return nil, errors.New("the URL must start with http:// or https:// and name a host")
	}
	if c.Transport == nil {
		c.Transport = newTransport()
	}
	reads := &http.Client{Transport: c.Transport, CheckRedirect: keepRedirect}
	writes := &http.Client{Transport: unshared(c.Transport), CheckRedirect: keepRedirect}
	if c.Limit == 0 {
		c.Limit = DefaultLimit
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Deadline == 0 {
		c.Deadline = DefaultDeadline
	}
	if c.Authorize == nil {
		c.Authorize = bearer
	}
	if c.Expired == nil {
		c.Expired = func(r *Response) bool { return r.Status == http.StatusUnauthorized }
	}
	return &Client{config: c, base: base, reads: reads, writes: writes}, nil
}

// keepRedirect hands a redirect to the caller instead of following it: a followed one would carry a credential to a
// host that nobody configured.
func keepRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func bearer(h http.Header, token credential.Sensitive) {
	h.Set("Authorization", "Bearer "+token.Reveal())
}

// unshared gives every request a connection of its own. A kept connection may have been closed by the server a moment
// ago: a request that is lost on it has had no effect, but nobody can prove that, and a create whose outcome is unknown
// for so small a reason stops a rotation. A transport of another sort stays as it is.
func unshared(t http.RoundTripper) http.RoundTripper {
	shared, ok := t.(*http.Transport)
	if !ok {
		return t
	}
	own := shared.Clone()
	own.DisableKeepAlives = true
	return own
}

// maxHeader is how many bytes of a reply's header are read. The standard library's ten megabytes, times the requests
// under way, would be a server's way to fill the memory.
const maxHeader = 256 << 10

// newTransport returns a transport of the client's own, so that no other part of the process shares its connections.
func newTransport() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // the standard library says so
	t.MaxIdleConnsPerHost = 8
	t.TLSHandshakeTimeout = 10 * time.Second
	t.MaxResponseHeaderBytes = maxHeader
	return t
}

// Provider returns the name of the configured provider.
func (c *Client) Provider() string { return c.config.Provider }

// Deadline returns the time limit of a request that changes something.
func (c *Client) Deadline() time.Duration { return c.config.Deadline }

// Do sends a request and returns the reply of a success (2xx or a status in Request.Accept). Any other outcome is an
// error that is a *providers.Error; where there was a reply it is returned beside the error. With ClassNotUnderstood its
// Raw must not be lost.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	if r.Anonymous || c.config.Tokens == nil {
		return c.send(ctx, r, credential.Sensitive{})
	}
	token, fresh, err := c.config.Tokens.get(ctx)
	if err != nil {
		return nil, c.loginError(r, err)
	}
	resp, err := c.send(ctx, r, token.Value)
	if fresh || resp == nil || err == nil || !c.config.Expired(resp) {
		return resp, err
	}
	// The server refused a token from the cache, so it did nothing. One new login, one more try.
	c.config.Tokens.Invalidate(token.Value)
	if token, _, err = c.config.Tokens.get(ctx); err != nil {
		return nil, c.loginError(r, err)
	}
	return c.send(ctx, r, token.Value)
}

// Into sends a request and decodes the reply's JSON into out.
func (c *Client) Into(ctx context.Context, r Request, out any) (*Response, error) {
	resp, err := c.Do(ctx, r)
	if err != nil {
		return resp, err
	}
	return resp, resp.Decode(out)
}

// loginError passes the error of a login on as an error of the operation that needed it. Nothing has been sent for
// that operation, so the error must be a definite one whatever happened to the login.
func (c *Client) loginError(r Request, err error) error {
	e := &providers.Error{Class: providers.ClassUnavailable, Provider: c.config.Provider, Operation: r.Operation}
	if cause, ok := errors.AsType[*providers.Error](err); ok {
		e.Class, e.Status, e.Code, e.RequestID, e.After = cause.Class, cause.Status, cause.Code, cause.RequestID, cause.After
		e.Err = errors.New("logging in")
		if cause.Err != nil {
			e.Err = fmt.Errorf("logging in: %w", cause.Err)
		}
	} else {
		e.Err = fmt.Errorf("logging in: %w", err)
	}
	switch e.Class {
	case providers.ClassIndeterminate, providers.ClassNotUnderstood:
		e.Class = providers.ClassUnavailable
	case providers.ClassNotFound: // there is no login here; that says nothing about the client that is asked for
		e.Class = providers.ClassRejected
	default:
	}
	return e
}
