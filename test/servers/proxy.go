package servers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/freeport"
)

// Fault is what a Proxy does to the requests that it matches. The zero value of an effect leaves it out.
type Fault struct {
	Method string        // empty = any
	Path   string        // a part of the path; empty = any
	Delay  time.Duration // hold the answer back this long, after the server has done its work
	Cut    bool          // break the connection instead of answering, after the server has done its work
	Refuse bool          // break the connection before the server sees the request
	Status int           // answer with this status, and never ask the server
	Times  int           // matches until the fault is gone; 0 = for ever
}

// Proxy stands before an HTTP server. It keeps the Host header, so that a server which names itself by it (Keycloak's
// issuer) takes the proxy's address for its own.
type Proxy struct {
	URL    string
	server *http.Server

	mu     sync.Mutex
	faults []Fault
	seen   []string // "METHOD path" of every request, in order
}

// StartProxy starts a proxy before the server at target.
func StartProxy(target string) (*Proxy, error) {
	address, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("reading the address behind the proxy: %w", err)
	}
	port, err := freeport.Loopback()
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, fmt.Errorf("opening the proxy: %w", err)
	}
	p := &Proxy{URL: "http://" + listener.Addr().String()}
	p.server = &http.Server{Handler: p.handler(address), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := p.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			slog.Error("the proxy ended", "error", err)
		}
	}()
	return p, nil
}

// Stop closes the proxy and every connection through it.
func (p *Proxy) Stop() { _ = p.server.Close() }

// Set replaces the faults.
func (p *Proxy) Set(faults ...Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = faults
}

// Count says how many requests with this method had this in their path.
func (p *Proxy) Count(method, path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, seen := range p.seen {
		if strings.HasPrefix(seen, method+" ") && strings.Contains(seen, path) {
			n++
		}
	}
	return n
}

func (p *Proxy) handler(target *url.URL) http.Handler {
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
		},
		// The server has begun its work when its answer comes; only then are delay and cut applied.
		ModifyResponse: func(resp *http.Response) error { return p.hurt(resp.Request) },
		ErrorHandler:   func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fault := p.match(r)
		switch {
		case fault.Refuse:
			panic(http.ErrAbortHandler)
		case fault.Status != 0:
			w.WriteHeader(fault.Status)
			return
		}
		// The request to the server outlives a client that hangs up: a server does not undo its work either.
		ctx := context.WithValue(context.WithoutCancel(r.Context()), faultKey{}, fault)
		forward.ServeHTTP(w, r.WithContext(ctx))
	})
}

type faultKey struct{}

var errCut = errors.New("the proxy cut the answer off")

func (p *Proxy) hurt(r *http.Request) error {
	fault, _ := r.Context().Value(faultKey{}).(Fault)
	if fault.Delay > 0 {
		Pause(r.Context(), fault.Delay)
	}
	if fault.Cut {
		return errCut
	}
	return nil
}

func (p *Proxy) match(r *http.Request) Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = append(p.seen, r.Method+" "+r.URL.Path)
	for i := range p.faults {
		f := &p.faults[i]
		if f.Times < 0 || (f.Method != "" && f.Method != r.Method) || !strings.Contains(r.URL.Path, f.Path) {
			continue
		}
		if f.Times--; f.Times == 0 {
			f.Times = -1 // used up
		} else if f.Times < 0 {
			f.Times = 0 // for ever
		}
		return *f
	}
	return Fault{}
}
