package httpapi

import (
	"context"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Token is what a login yields.
type Token struct {
	Value credential.Sensitive
	Lives time.Duration // from now on; 0 = not known: it is used until the server refuses it
	Scope string        // what was granted, as the login's answer says it; empty = it does not say
}

// Login gets a token. It is called at most once at a time.
type Login func(ctx context.Context) (Token, error)

// Tokens keeps the token of rotad's own account between requests. It is safe for concurrent use.
type Tokens struct {
	login   Login
	elapsed func() time.Duration
	turn    chan struct{} // held while logging in; a channel, so that waiting honours a context

	mu      sync.Mutex
	current Token
	ends    time.Duration // on elapsed; 0 = when it is refused
}

// NewTokens returns a store of tokens. Elapsed is a monotonic clock; nil = the real one.
func NewTokens(login Login, elapsed func() time.Duration) *Tokens {
	if elapsed == nil {
		elapsed = Monotonic()
	}
	return &Tokens{login: login, elapsed: elapsed, turn: make(chan struct{}, 1)}
}

// Monotonic returns a clock that began with this call, for adapters that were given none. It is the one place of this
// package that reads a clock: it measures spans, and never tells the time of day.
func Monotonic() func() time.Duration {
	start := time.Now()                                      //nolint:forbidigo // the start of a span, for callers that bring no clock of their own
	return func() time.Duration { return time.Since(start) } //nolint:forbidigo // the end of that span
}

// Get returns a token that has some life left, from the cache or by a new login.
func (t *Tokens) Get(ctx context.Context) (credential.Sensitive, error) {
	token, err := t.Held(ctx)
	return token.Value, err
}

// Held is Get with what is known of the token.
func (t *Tokens) Held(ctx context.Context) (Token, error) {
	token, _, err := t.get(ctx)
	return token, err
}

// get also says whether the token is fresh: it was not in the cache before this call.
func (t *Tokens) get(ctx context.Context) (token Token, fresh bool, err error) {
	if token, ok := t.cached(); ok {
		return token, false, nil
	}
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return Token{}, false, describe(ctx.Err())
	}
	if token, ok := t.cached(); ok { // another caller has logged in meanwhile
		return token, false, nil
	}
	got, err := t.login(ctx)
	if err != nil {
		return Token{}, false, err
	}
	t.keep(got)
	return got, true, nil
}

// Invalidate forgets a token that the server refused. It leaves a newer one alone.
func (t *Tokens) Invalidate(token credential.Sensitive) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current.Value.Equal(token) {
		t.current = Token{}
	}
}

func (t *Tokens) cached() (Token, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current.Value.Empty() || (t.ends > 0 && t.elapsed() >= t.ends) {
		return Token{}, false
	}
	return t.current, true
}

func (t *Tokens) keep(token Token) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.current, t.ends = token, 0
	if token.Lives > 0 {
		t.ends = max(t.elapsed()+token.Lives-skew(token.Lives), 1)
	}
}

// skew is how long before its end a token is no longer used: long enough for the request that carries it.
func skew(lives time.Duration) time.Duration { return min(30*time.Second, lives/4) }
