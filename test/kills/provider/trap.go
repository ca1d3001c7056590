package main

import (
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rotad/rotad/test/kills/wire"
)

// trap kills the daemon in the middle of a request, once.
type trap struct {
	mu    sync.Mutex
	armed *wire.Trap
	shut  string // what the last one killed at
}

// lateness is how long a request is held up that lands when its sender is dead: less than a create's deadline.
const lateness = 250 * time.Millisecond

func (t *trap) arm(a wire.Trap) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.armed, t.shut = &a, ""
	if a.Pid == 0 {
		t.armed = nil
	}
}

// closed returns the request at which the trap shut; empty = it is open.
func (t *trap) closed() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.shut
}

// take returns the trap if it is for this request.
func (t *trap) take(r *http.Request) *wire.Trap {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.armed == nil || t.armed.Operation != operation(r) || !strings.Contains(r.URL.Path, t.armed.Kind) {
		return nil
	}
	a := t.armed
	t.armed, t.shut = nil, r.URL.Path
	return a
}

// operation names a request that changes something at a provider.
func operation(r *http.Request) string {
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/addPassword"), strings.HasSuffix(path, "/secret/rotate"),
		r.Method == http.MethodPost && strings.HasSuffix(path, "/client-secret"):
		return wire.OpCreate
	case strings.HasSuffix(path, "/removePassword"):
		return wire.OpRevoke
	default:
		return ""
	}
}

// wrap lets requests through, and the one that the trap waits for only as the trap says.
func (t *trap) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := t.take(r)
		if a == nil {
			next.ServeHTTP(w, r)
			return
		}
		void := &unheard{header: http.Header{}}
		switch a.When {
		case wire.WhenReceived: // never done
		case wire.WhenDone:
			next.ServeHTTP(void, r)
		case wire.WhenLate:
			_ = syscall.Kill(a.Pid, syscall.SIGKILL)
			time.Sleep(lateness)
			next.ServeHTTP(void, r)
		}
		_ = syscall.Kill(a.Pid, syscall.SIGKILL)
		panic(http.ErrAbortHandler)
	})
}

// unheard takes an answer that nobody gets.
type unheard struct{ header http.Header }

// Header implements http.ResponseWriter.
func (u *unheard) Header() http.Header { return u.header }

// Write implements http.ResponseWriter.
func (u *unheard) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader implements http.ResponseWriter.
func (u *unheard) WriteHeader(int) {}
