package httpapi

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// send sends a request once and classifies what comes back. The Response is returned beside every error that has one.
func (c *Client) send(ctx context.Context, r Request, token credential.Sensitive) (*Response, error) {
	limit, client := c.config.Timeout, c.reads
	if r.Mutates {
		limit, client = c.config.Deadline, c.writes
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var p progress
	req, err := c.build(httptrace.WithClientTrace(ctx, p.trace()), r, token)
	if err != nil {
		return nil, c.fail(r, providers.ClassRejected, nil, err)
	}
	reply, err := client.Do(req)
	if err != nil {
		return nil, c.fail(r, p.class(r.Mutates, err), nil, describe(err))
	}
	defer func() { _ = reply.Body.Close() }()
	resp := c.read(reply, r)
	if r.reflected(resp.RequestID, req.Header) {
		resp.RequestID = ""
	}
	resp.echoes = r.reflected(resp.Code(), req.Header)
	return resp, c.judge(resp)
}

// read reads the reply's body up to the limit. What broke off or was cut is kept and marked.
func (c *Client) read(reply *http.Response, r Request) *Response {
	raw, err := io.ReadAll(io.LimitReader(reply.Body, c.config.Limit+1))
	resp := &Response{
		Status: reply.StatusCode, Header: reply.Header, Trailer: reply.Trailer, client: c, request: r,
		RequestID: requestID(reply.Header), Time: date(reply.Header),
	}
	switch {
	case int64(len(raw)) > c.config.Limit:
		raw, resp.broken = raw[:c.config.Limit], errTooLarge
	case err != nil:
		resp.broken = describe(err)
	}
	resp.raw = credential.NewSensitive(string(raw))
	return resp
}

// judge returns nil for a success that arrived whole, else the error.
func (c *Client) judge(resp *Response) error {
	r := resp.request
	if resp.Status/100 == 2 || slices.Contains(r.Accept, resp.Status) {
		if resp.broken != nil {
			return resp.unreadable(resp.broken)
		}
		return nil
	}
	class := Classify(resp.Status, r.Mutates)
	if c.config.Classify != nil {
		if own, ok := c.config.Classify(resp); ok {
			class = own
		}
	}
	var cause error
	if resp.Status/100 == 3 {
		cause = redirected(resp.Header)
	}
	return c.fail(r, class, resp, cause)
}

// fail builds the error of an operation. It takes nothing from a body but the error code, and that only if it looks
// like one and holds no piece of what was sent: a secret may be made of letters.
func (c *Client) fail(r Request, class providers.Class, resp *Response, cause error) error {
	e := &providers.Error{Class: class, Provider: c.config.Provider, Operation: r.Operation, Err: cause}
	if resp != nil {
		e.Status, e.RequestID = resp.Status, resp.RequestID
		if !resp.echoes {
			e.Code = resp.Code()
		}
		if class == providers.ClassThrottled || class == providers.ClassBusy || class == providers.ClassUnavailable {
			e.After = retryAfter(resp.Header, resp.Time)
		}
	}
	return e
}

// progress records how far a request came, by the hooks of httptrace. The transport starts anew, with GetConn, only
// when it is certain that the server saw nothing of the try before.
type progress struct {
	mu    sync.Mutex
	asked bool // a connection was asked for: the hooks work
	got   bool // a connection was had: bytes may have left
}

func (p *progress) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { p.set(true, false) },
		GotConn: func(httptrace.GotConnInfo) { p.set(true, true) },
	}
}

func (p *progress) set(asked, got bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked, p.got = asked, got
}

// class says what a transport error lets one conclude. A read that failed has changed nothing. A change was certainly
// not made only if there never was a connection; once there was one, bytes may be on their way even though the hook
// for "written" has not fired, because writing goes on while a deadline ends the call.
func (p *progress) class(mutates bool, err error) providers.Class {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !mutates:
		return providers.ClassUnavailable
	case p.asked && !p.got:
		return providers.ClassUnavailable
	case !p.asked && beforeSending(err): // a transport without hooks, for example one inside this process
		return providers.ClassUnavailable
	default:
		return providers.ClassIndeterminate
	}
}

// date reads the server's clock; zero if it does not say.
func date(h http.Header) time.Time {
	t, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
