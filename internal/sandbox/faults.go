package sandbox

import (
	"bytes"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Faults makes a server misbehave: each rule applies to so many requests that match it. The zero value is not usable;
// see NewFaults.
type Faults struct {
	after func(time.Duration) <-chan time.Time

	mu    sync.Mutex
	rules []*rule
}

// When says which requests a fault applies to.
type When struct {
	Method string // empty = any
	Path   string // a part of the path; empty = any
	Skip   int    // so many matching requests pass first
	Count  int    // then so many are hit; 0 = one, negative = all
}

type rule struct {
	When
	seen, hit int
	act       func(w http.ResponseWriter, r *http.Request, next http.Handler)
}

// NewFaults returns a set without rules. after is used by Delay only.
func NewFaults(after func(time.Duration) <-chan time.Time) *Faults { return &Faults{after: after} }

// Wrap returns a handler that misbehaves by the rules, and else is next.
func (f *Faults) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rule := f.take(r); rule != nil {
			rule.act(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// take returns the first rule that applies, and counts it.
func (f *Faults) take(r *http.Request) *rule {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, rule := range f.rules {
		if rule.Method != "" && rule.Method != r.Method || !strings.Contains(r.URL.Path, rule.Path) {
			continue
		}
		rule.seen++
		if rule.seen <= rule.Skip || (rule.Count >= 0 && rule.hit >= max(1, rule.Count)) {
			continue
		}
		rule.hit++
		return rule
	}
	return nil
}

func (f *Faults) add(when When, act func(http.ResponseWriter, *http.Request, http.Handler)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = append(f.rules, &rule{When: when, act: act})
}

// Hits returns how many requests all rules have hit so far.
func (f *Faults) Hits() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, rule := range f.rules {
		n += rule.hit
	}
	return n
}

// Clear removes all rules.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = nil
}

// DropReply does what is asked and cuts the connection instead of answering.
func (f *Faults) DropReply(when When) {
	f.add(when, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		perform(next, r)
		cut(w)
	})
}

// Reset cuts the connection without doing anything.
func (f *Faults) Reset(when When) {
	f.add(when, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { cut(w) })
}

// Before lets somebody else act, and then does what is asked.
func (f *Faults) Before(when When, somebody func()) {
	f.add(when, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		somebody()
		next.ServeHTTP(w, r)
	})
}

// Delay waits before it does what is asked. When the caller gives up meanwhile, nothing is done.
func (f *Faults) Delay(when When, d time.Duration) {
	f.add(when, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		// The server notices that a caller has gone only once the body has been read.
		body, _ := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
		r.Body = io.NopCloser(bytes.NewReader(body))
		select {
		case <-f.after(d):
			next.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	})
}

// DelayReply does what is asked and answers late.
func (f *Faults) DelayReply(when When, d time.Duration) {
	f.replace(when, func(done *reply, r *http.Request) {
		select {
		case <-f.after(d):
		case <-r.Context().Done():
		}
	})
}

// Status answers with a status and a Retry-After (0 = without one), and does nothing.
func (f *Faults) Status(when When, status int, retryAfter time.Duration) {
	f.add(when, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		if retryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
		}
		http.Error(w, http.StatusText(status), status)
	})
}

// Reply answers with a status and a JSON body, and does nothing.
func (f *Faults) Reply(when When, status int, body any) {
	f.add(when, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { answer(w, status, body) })
}

// Text answers with a status and a plain text, and does nothing.
func (f *Faults) Text(when When, status int, text string) {
	f.add(when, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	})
}

// StatusAfter does what is asked and then answers with a status that says it failed.
func (f *Faults) StatusAfter(when When, status int) {
	f.replace(when, func(done *reply, _ *http.Request) {
		done.status, done.body = status, nil
	})
}

// Malformed does what is asked and answers with a body that is not what it should be.
func (f *Faults) Malformed(when When, body string) {
	f.replace(when, func(done *reply, _ *http.Request) {
		done.body = []byte(body)
	})
}

// Rewrite does what is asked and lets a function change the body of the answer.
func (f *Faults) Rewrite(when When, change func([]byte) []byte) {
	f.replace(when, func(done *reply, _ *http.Request) {
		done.body = change(done.body)
	})
}

// Truncate does what is asked, promises the whole answer and cuts the connection in its middle.
func (f *Faults) Truncate(when When) {
	f.add(when, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		done := perform(next, r)
		half := done.body[:len(done.body)/2]
		done.header.Set("Content-Length", strconv.Itoa(len(done.body)))
		done.body = half
		done.send(w)
		_ = http.NewResponseController(w).Flush() // what cannot be sent now is cut off anyway
		panic(http.ErrAbortHandler)               // the documented way to cut an answer short
	})
}

// replace does what is asked, lets change see and alter the answer, and then sends it.
func (f *Faults) replace(when When, change func(*reply, *http.Request)) {
	f.add(when, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		done := perform(next, r)
		change(done, r)
		done.header.Del("Content-Length")
		done.send(w)
	})
}

// reply is an answer that has been given and not been sent.
type reply struct {
	header http.Header
	status int
	body   []byte
}

// perform does what is asked and keeps the answer.
func perform(next http.Handler, r *http.Request) *reply {
	done := &reply{header: http.Header{}, status: http.StatusOK}
	next.ServeHTTP(done, r)
	return done
}

// Header implements http.ResponseWriter.
func (d *reply) Header() http.Header { return d.header }

// WriteHeader implements http.ResponseWriter.
func (d *reply) WriteHeader(status int) { d.status = status }

// Write implements http.ResponseWriter.
func (d *reply) Write(b []byte) (int, error) {
	d.body = append(d.body, b...)
	return len(b), nil
}

func (d *reply) send(w http.ResponseWriter) {
	maps.Copy(w.Header(), d.header)
	w.WriteHeader(d.status)
	_, _ = w.Write(d.body)
}

// cut ends the connection with a reset, so that the caller cannot take it for an empty answer.
func cut(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
		return
	}
	panic(http.ErrAbortHandler)
}
