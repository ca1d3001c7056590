package providertest

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// bodyCanary stands in every injected body. An error that repeats it repeats a body.
const bodyCanary = "CANARYfromabody"

// requestID stands in the headers of every injected reply.
const requestID = "req-0815"

// faults is a transport that misbehaves for the requests that it is told to.
type faults struct {
	next http.RoundTripper

	mu    sync.Mutex
	match func(*http.Request) bool
	fault fault
	after func(*http.Request) bool // from the first such request on, every later one fails
	past  bool
	hits  int
	last  []byte // body of the last matching reply that passed
}

// fault answers a request in place of the server, or spoils the server's answer.
type fault func(req *http.Request, next http.RoundTripper) (*http.Response, error)

// set lets a fault hit every request that matches; a nil fault only watches.
func (f *faults) set(match func(*http.Request) bool, hit fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.match, f.fault, f.hits, f.last = match, hit, 0, nil
}

// failAfter lets every request after the first that matches fail.
func (f *faults) failAfter(match func(*http.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.after, f.past = match, false
}

func (f *faults) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.hits
}

func (f *faults) body() []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

// RoundTrip implements http.RoundTripper.
func (f *faults) RoundTrip(req *http.Request) (*http.Response, error) {
	f.mu.Lock()
	hit, past := f.match != nil && f.match(req), f.past
	if hit {
		f.hits++
	}
	if f.after != nil && f.after(req) {
		f.past = true
	}
	act := f.fault
	f.mu.Unlock()
	switch {
	case past:
		return answer(http.StatusInternalServerError, "application/json", `{"note":"`+bodyCanary+`"}`)(req, f.next)
	case hit && act != nil:
		return act(req, f.next)
	case hit:
		return f.watch(req)
	}
	return f.next.RoundTrip(req)
}

// watch passes a request on and keeps the reply's body.
func (f *faults) watch(req *http.Request) (*http.Response, error) {
	resp, err := f.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	f.mu.Lock()
	f.last = raw
	f.mu.Unlock()
	resp.Body = io.NopCloser(strings.NewReader(string(raw)))
	return resp, err
}

// answer replies in place of the server.
func answer(status int, contentType, body string, headers ...string) fault {
	return func(req *http.Request, _ http.RoundTripper) (*http.Response, error) {
		drain(req)
		h := http.Header{"X-Request-Id": {requestID}, "Content-Type": {contentType}}
		for i := 0; i+1 < len(headers); i += 2 {
			h.Set(headers[i], headers[i+1])
		}
		return &http.Response{
			StatusCode: status, Status: strconv.Itoa(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: h,
			Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: req,
		}, nil
	}
}

func drain(req *http.Request) {
	if req.Body != nil {
		_, _ = io.Copy(io.Discard, req.Body)
		_ = req.Body.Close()
	}
}

// breakOff passes a request on and cuts the server's answer in its middle.
func breakOff(req *http.Request, next http.RoundTripper) (*http.Response, error) {
	resp, err := next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	half := io.MultiReader(strings.NewReader(string(raw[:len(raw)/2])), failing{io.ErrUnexpectedEOF})
	resp.Body = io.NopCloser(half)
	return resp, err
}

// loseReply passes a request on and loses the answer.
func loseReply(req *http.Request, next http.RoundTripper) (*http.Response, error) {
	resp, err := next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	return nil, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
}

// refuse fails as if nothing listened.
func refuse(req *http.Request, _ http.RoundTripper) (*http.Response, error) {
	drain(req)
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
}

// hang never answers. It gives up in the caller's name as soon as it is reached, so that no test waits in real time.
func hang(giveUp func()) fault {
	return func(req *http.Request, _ http.RoundTripper) (*http.Response, error) {
		drain(req)
		giveUp()
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
}

// garble fails in a way that net/http reports with pieces of the reply.
func garble(req *http.Request, _ http.RoundTripper) (*http.Response, error) {
	drain(req)
	return nil, errors.New("malformed HTTP response \"" + bodyCanary + "\"")
}

// failing is a body that breaks.
type failing struct{ err error }

// Read implements io.Reader.
func (f failing) Read([]byte) (int, error) { return 0, f.err }
