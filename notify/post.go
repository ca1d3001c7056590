package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// The stages of a post.
const (
	stageSecret = "secret" // what the channel needs cannot be read
	stagePost   = "post"   // nothing was answered
	stageAnswer = "answer" // what was answered is a refusal
)

const (
	// DefaultPost is how long a post may take: Standard Webhooks recommend 15 to 30 seconds.
	DefaultPost = 20 * time.Second
	// maxWord is how much of an answer is read: a word that says why.
	maxWord = 256
	// longestAfter bounds what a server may ask for: it must not silence a channel for weeks.
	longestAfter = 24 * time.Hour
)

// poster hands bodies to HTTP servers. Its errors name neither the URL, which may be a credential, nor anything that the
// server has answered, which may be an echo of one.
type poster struct {
	client  *http.Client
	timeout time.Duration
	now     func() time.Time
}

// httpAnswer is what a server said.
type httpAnswer struct {
	code  int
	after time.Duration // of its Retry-After; 0 = none
	word  string        // the beginning of its body; never passed on as it is
}

// newPoster returns a poster that trusts these authorities; nil = the system's. It follows no redirect: the body would go
// to a place that nobody configured.
func newPoster(roots *tls.Config, timeout time.Duration, now func() time.Time) *poster {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, IdleConnTimeout: DefaultIdle, MaxIdleConnsPerHost: speaking,
		ForceAttemptHTTP2: true, TLSClientConfig: verifying(roots), MaxResponseHeaderBytes: 64 << 10,
	}
	return &poster{timeout: orElse(timeout, DefaultPost), now: now, client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// verifying returns TLS settings that check the server's certificate, whatever else they say.
func verifying(roots *tls.Config) *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if roots != nil {
		config.RootCAs, config.Certificates = roots.RootCAs, roots.Certificates
	}
	return config
}

// post sends a body. sent says whether all of it has left, so that without an answer nobody knows what became of it.
func (p *poster) post(ctx context.Context, to string, header http.Header, body []byte) (a httpAnswer, sent bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	var wrote atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(w httptrace.WroteRequestInfo) {
		wrote.Store(w.Err == nil)
	}})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return a, false, errors.New("the URL cannot be read")
	}
	request.Header = header
	request.Header.Set("User-Agent", "rotad")
	response, err := p.client.Do(request)
	if err != nil {
		return a, wrote.Load(), describe(err)
	}
	defer func() { _ = response.Body.Close() }()
	word, _ := io.ReadAll(io.LimitReader(response.Body, maxWord)) // the status has said what matters
	a = httpAnswer{code: response.StatusCode, word: strings.TrimSpace(string(word))}
	a.after = retryAfter(response.Header.Get("Retry-After"), p.now())
	return a, true, nil
}

// retryAfter reads seconds or a date (RFC 9110 section 10.2.3); 0 = neither, or in the past.
func retryAfter(s string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(s); err == nil {
		if seconds > int(longestAfter/time.Second) {
			return longestAfter
		}
		return max(0, time.Duration(seconds)*time.Second)
	}
	at, err := http.ParseTime(s)
	if err != nil {
		return 0
	}
	return min(max(0, at.Sub(now)), longestAfter)
}

// describe says why nothing was answered, in words that are ours or the operating system's.
func describe(err error) error {
	var (
		name        *net.DNSError
		line        *net.OpError
		certificate *tls.CertificateVerificationError
		noTLS       tls.RecordHeaderError
	)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("there was no answer in time")
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &name):
		return fmt.Errorf("looking up the name of the server: %s", name.Err)
	case errors.As(err, &certificate):
		return errors.New("the certificate of the server is not trusted; see ca_cert_file")
	case errors.As(err, &noTLS):
		return errors.New("the server does not speak TLS")
	case errors.As(err, &line):
		return fmt.Errorf("%s: %w", line.Op, line.Err)
	}
	return errors.New("the connection broke before there was an answer")
}

// refused is what may be concluded from a status that is none of 2xx, where the receiver has no rules of its own.
func (a httpAnswer) refused() *SendError {
	out := &SendError{Class: ClassRetry, Stage: stageAnswer, Code: a.code, After: a.after}
	switch {
	case a.code == http.StatusTooManyRequests, a.code == http.StatusServiceUnavailable:
		out.Class, out.Err = ClassDown, fmt.Errorf("the server wants to be left alone for a while (%d)", a.code)
	case a.code >= 300 && a.code < 400:
		out.Err = fmt.Errorf("the server answered %d, a redirect, which is not followed: write the URL that it leads to", a.code)
	default:
		out.Err = fmt.Errorf("the server answered %d", a.code)
	}
	return out
}

// ok says whether the server has taken responsibility.
func (a httpAnswer) ok() bool { return a.code >= 200 && a.code < 300 }

// unsent is a post that got no answer and did not leave completely: nothing can be sent over this channel now.
func unsent(err error) *SendError { return &SendError{Class: ClassDown, Stage: stagePost, Err: err} }

// reach connects to the server of a URL, or to the proxy before it, and says nothing.
func (p *poster) reach(ctx context.Context, to *url.URL) error {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	transport := p.client.Transport.(*http.Transport) //nolint:forcetypeassert // newPoster made it
	at, secure := to, to.Scheme == "https"
	if proxy, err := transport.Proxy(&http.Request{URL: to}); err == nil && proxy != nil {
		at, secure = proxy, false
	}
	port := at.Port()
	if port == "" {
		port = map[string]string{"https": "443"}[at.Scheme]
		port = orElse(port, "80")
	}
	address := net.JoinHostPort(at.Hostname(), port)
	var conn net.Conn
	var err error
	if secure {
		conn, err = (&tls.Dialer{Config: verifying(transport.TLSClientConfig)}).DialContext(ctx, "tcp", address)
	} else {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", address)
	}
	if err != nil {
		return unsent(describe(err))
	}
	_ = conn.Close()
	return nil
}

// CheckURL refuses what is no place to post to. Only what stays on this machine may go in clear. The error does not repeat
// the URL, which may be a credential.
func CheckURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil, u.Host == "", u.Opaque != "":
		return nil, errors.New("is not a URL")
	case u.User != nil:
		return nil, errors.New("has a login in it")
	case u.Fragment != "":
		return nil, errors.New("has a fragment, which no server sees")
	case u.Scheme == "https", u.Scheme == "http" && onThisMachine(u.Hostname()):
		return u, nil
	}
	return nil, errors.New("does not begin with https://, and leads away from this machine")
}

func onThisMachine(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
