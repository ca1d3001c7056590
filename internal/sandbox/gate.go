package sandbox

import (
	"net/http"
	"sync"
)

// Gate stands before servers. While it is shut, requests are cut off without an answer, and so are those that were let
// in before and are not answered yet: whoever asked never learns what became of it. The zero value is open.
type Gate struct {
	mu   sync.Mutex
	shut bool
	next func(*http.Request) bool // whether the next request that is served is the one to spoil
	do   func() (cut bool)
}

// Set opens or shuts the gate.
func (g *Gate) Set(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = shut
}

// Shut says whether the gate is shut.
func (g *Gate) Shut() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.shut
}

// Spoil calls do once: after the next request that matches has been served and before its answer leaves. Where do
// returns true the answer never leaves. This is the worst moment of a request that creates: the world has changed, and
// nobody knows of it. A second call replaces the first.
func (g *Gate) Spoil(match func(*http.Request) bool, do func() (cut bool)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.next, g.do = match, do
}

// Wrap returns a handler that asks the gate before every request, and again before every answer.
func (g *Gate) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.Shut() {
			cut(w)
			return
		}
		done := perform(next, r)
		if g.spoiled(r) || g.Shut() {
			cut(w)
			return
		}
		done.send(w)
	})
}

// spoiled calls what Spoil was given, if this is its request.
func (g *Gate) spoiled(r *http.Request) bool {
	g.mu.Lock()
	do := g.do
	if do == nil || !g.next(r) {
		g.mu.Unlock()
		return false
	}
	g.next, g.do = nil, nil
	g.mu.Unlock()
	return do()
}
