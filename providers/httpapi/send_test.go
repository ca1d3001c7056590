package httpapi_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// What a failed connection lets one conclude, on real connections.
func TestTransportErrors(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	encrypted := httptest.NewUnstartedServer(http.NotFoundHandler())
	encrypted.Config.ErrorLog = nil
	encrypted.Config.ErrorLog = discardLog()
	encrypted.StartTLS()
	defer encrypted.Close()
	hung := listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	reset := listen(t, func(c net.Conn) { readRequest(c); _ = c.(*net.TCPConn).SetLinger(0) })
	garbled := listen(t, func(c net.Conn) { readRequest(c); _, _ = io.WriteString(c, "CANARY\r\n\r\n") })
	for _, test := range []struct {
		name, base string
		change     providers.Class
		words      string
	}{
		{"nothing listens", closed.URL, providers.ClassUnavailable, "the connection to " + closed.Listener.Addr().String() + " was refused"},
		{"the name does not resolve", "http://no.such.host.invalid", providers.ClassUnavailable, `the host name "no.such.host.invalid" cannot be resolved`},
		{"the certificate is not trusted", encrypted.URL, providers.ClassUnavailable, "signed by an unknown authority"},
		{"the server does not speak TLS", strings.Replace(plain.URL, "http:", "https:", 1), providers.ClassUnavailable, "TLS"},
		{"no answer", hung, providers.ClassIndeterminate, "no answer within the deadline"},
		{"reset after the request", reset, providers.ClassIndeterminate, "the connection was"},
		{"an answer that is no HTTP", garbled, providers.ClassIndeterminate, "the connection failed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			limit := 5 * time.Second
			if test.base == hung {
				limit = 100 * time.Millisecond
			}
			client := connect(t, httpapi.Config{Timeout: limit, Deadline: limit, Transport: directly()}, test.base)
			_, err := client.Do(t.Context(), read)
			if got := providers.ClassOf(err); got != providers.ClassUnavailable {
				t.Errorf("a read: %s", got)
			}
			_, err = client.Do(t.Context(), change)
			if got := providers.ClassOf(err); got != test.change {
				t.Errorf("a change: %s, want %s", got, test.change)
			}
			if !strings.Contains(err.Error(), test.words) || strings.Contains(err.Error(), "CANARY") {
				t.Errorf("%q, want %q", err, test.words)
			}
		})
	}
}

// A transport without hooks proves nothing about what was sent, unless its error does.
func TestTransportWithoutHooks(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want providers.Class
	}{
		"refused":         {&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, providers.ClassUnavailable},
		"reset":           {&net.OpError{Op: "read", Err: syscall.ECONNRESET}, providers.ClassIndeterminate},
		"anything else":   {errors.New("CANARY"), providers.ClassIndeterminate},
		"deadline passed": {context.DeadlineExceeded, providers.ClassIndeterminate},
	} {
		client := inProcess(t, func(*http.Request) (*http.Response, error) { return nil, test.err })
		_, err := client.Do(t.Context(), change)
		if got := providers.ClassOf(err); got != test.want || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
		if known := name != "anything else"; errors.Is(err, test.err) != known { // it may quote the reply
			t.Errorf("%s: the cause is reachable: %t", name, !known)
		}
	}
}

// With hooks: no connection means that nothing was sent, whatever the error; one connection leaves it open.
func TestHooksDecide(t *testing.T) {
	for name, test := range map[string]struct {
		connected bool
		want      providers.Class
	}{"never connected": {false, providers.ClassUnavailable}, "connected": {true, providers.ClassIndeterminate}} {
		client := inProcess(t, func(r *http.Request) (*http.Response, error) {
			hooks := httptrace.ContextClientTrace(r.Context())
			hooks.GetConn("x")
			if test.connected {
				hooks.GotConn(httptrace.GotConnInfo{})
			}
			return nil, context.DeadlineExceeded
		})
		_, err := client.Do(t.Context(), change)
		if got := providers.ClassOf(err); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// A server that takes a request and hangs up must see it once, on a fresh connection and on a kept one. An
// Idempotency-Key among the configured headers would make net/http repeat it.
func TestChangeIsSentOnce(t *testing.T) {
	var posts atomic.Int32
	kept := &http.Transport{} // behind a function, so that the client cannot take its connections apart
	client := serve(t,
		httpapi.Config{
			Headers: map[string]string{"Idempotency-Key": "k", "X-Idempotency-Key": "k"}, Transport: roundTrip(kept.RoundTrip),
		},
		func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
			posts.Add(1)
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_ = conn.Close()
		})
	bodies := map[string]any{"with a body": map[string]string{"a": "b"}, "without a body": nil}
	for name, body := range bodies {
		if _, err := client.Do(t.Context(), read); err != nil { // leaves a connection behind
			t.Fatal(err)
		}
		posts.Store(0)
		r := change
		r.JSON = body
		_, err := client.Do(t.Context(), r)
		if got := providers.ClassOf(err); got != providers.ClassIndeterminate || posts.Load() != 1 {
			t.Errorf("%s: %s, sent %d times", name, got, posts.Load())
		}
	}
}

// A change goes out on a connection of its own: a kept one that the server closes at that moment would leave its
// outcome open.
func TestChangeSharesNoConnection(t *testing.T) {
	var posts atomic.Int32
	idle := make(chan net.Conn, 64)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posts.Add(1)
		}
	}))
	server.Config.ConnState = func(c net.Conn, s http.ConnState) {
		if s == http.StateIdle {
			idle <- c
		}
	}
	server.Start()
	defer server.Close()
	for name, transport := range map[string]http.RoundTripper{"of its own": nil, "given": &http.Transport{}} {
		client := connect(t, httpapi.Config{Transport: transport}, server.URL)
		posts.Store(0)
		for i := range 20 {
			if _, err := client.Do(t.Context(), read); err != nil {
				t.Fatal(err)
			}
			_ = (<-idle).Close()
			if _, err := client.Do(t.Context(), change); err != nil {
				t.Fatalf("transport %s, try %d: %v", name, i, err)
			}
		}
		if posts.Load() != 20 {
			t.Errorf("transport %s: %d posts, want 20", name, posts.Load())
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	followed := false
	client := serve(t, httpapi.Config{}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			followed = true
		}
		http.Redirect(w, r, "https://elsewhere.example/elsewhere?CANARY", http.StatusTemporaryRedirect)
	})
	for _, r := range []httpapi.Request{read, change} {
		_, err := client.Do(t.Context(), r)
		if !errors.Is(err, httpapi.ErrRedirect) || followed || providers.ClassOf(err) != providers.ClassRejected {
			t.Errorf("%v, followed %t", err, followed)
		}
		if !strings.Contains(err.Error(), "https://elsewhere.example") || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("the error says where to, and nothing more: %v", err)
		}
	}
}

func TestHeaders(t *testing.T) {
	var got http.Header
	var host string
	client := serve(t, httpapi.Config{Headers: map[string]string{"X-Forwarded-Proto": "https", "accept": "x", "Host": "inside"}},
		func(_ http.ResponseWriter, r *http.Request) { got, host = r.Header, r.Host })
	r := change
	r.Header = http.Header{"x-own": {"1"}}
	if _, err := client.Do(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"X-Forwarded-Proto": "https", "X-Own": "1", "Accept": "application/json", "Content-Type": "application/json",
	}
	for name, value := range want {
		if got.Get(name) != value {
			t.Errorf("%s: %q, want %q", name, got.Get(name), value)
		}
	}
	if host != "inside" {
		t.Errorf("host %q", host)
	}
}

func TestPathEscapesItsSegments(t *testing.T) {
	for want, segments := range map[string][]string{
		"/a/b%2Fc%3Fd%23e%25/%20": {"a", "b/c?d#e%", " "},
		"/%2E%2E/%2E":             {"..", "."},
		"/a.b/":                   {"a.b", ""},
	} {
		if got := httpapi.Path(segments...); got != want {
			t.Errorf("%q: %s, want %s", segments, got, want)
		}
	}
	var path string
	client := serve(t, httpapi.Config{}, func(_ http.ResponseWriter, r *http.Request) { path = r.URL.EscapedPath() })
	r := read
	r.Path = httpapi.Path("x", "../../admin", "..")
	if _, err := client.Do(t.Context(), r); err != nil || path != "/x/..%2F..%2Fadmin/%2E%2E" {
		t.Errorf("%q arrived, %v", path, err)
	}
}

func TestBaseMustBeAnAbsoluteURL(t *testing.T) {
	for _, base := range []string{"", "idp.example.com", "ftp://x", "http://", "http://user:CANARY@x y/", "://"} {
		if _, err := httpapi.New(httpapi.Config{Base: base}); err == nil || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%q: %v", base, err)
		}
	}
}

// listen serves raw connections.
func listen(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				handle(c)
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

func readRequest(c net.Conn) {
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err == nil {
		_, _ = io.Copy(io.Discard, r.Body)
	}
}
