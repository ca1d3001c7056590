package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// counting is a login that hands out token-1, token-2, ...
type counting struct {
	n     atomic.Int32
	lives time.Duration
}

func (c *counting) login(context.Context) (httpapi.Token, error) {
	return httpapi.Token{
		Value: credential.NewSensitive(fmt.Sprintf("token-%d", c.n.Add(1))), Lives: c.lives,
	}, nil
}

func TestTokenIsKeptUntilShortlyBeforeItsEnd(t *testing.T) {
	var now time.Duration
	c := &counting{lives: 10 * time.Minute}
	tokens := httpapi.NewTokens(c.login, func() time.Duration { return now })
	for _, step := range []struct {
		at   time.Duration
		want string
	}{
		{0, "token-1"},
		{9 * time.Minute, "token-1"},
		{9*time.Minute + 30*time.Second, "token-2"},
		{15 * time.Minute, "token-2"},
		{19 * time.Minute, "token-3"},
	} {
		now = step.at
		if got, err := tokens.Get(t.Context()); err != nil || got.Reveal() != step.want {
			t.Errorf("at %v: %s, want %s (%v)", step.at, got.Reveal(), step.want, err)
		}
	}
}

func TestManyCallersLogInOnce(t *testing.T) {
	c := &counting{}
	tokens := httpapi.NewTokens(c.login, nil)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if _, err := tokens.Get(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if c.n.Load() != 1 {
		t.Errorf("%d logins", c.n.Load())
	}
}

func TestWaitingForALoginHonoursTheContext(t *testing.T) {
	started, release := make(chan struct{}), make(chan struct{})
	tokens := httpapi.NewTokens(func(context.Context) (httpapi.Token, error) {
		close(started)
		<-release
		return httpapi.Token{Value: credential.NewSensitive("t")}, nil
	}, nil)
	go func() { _, _ = tokens.Get(t.Context()) }()
	<-started
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tokens.Get(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	close(release)
}

// A refused token from the cache is replaced once, and the request is repeated, even one that changes something: the
// refusal was definite. A fresh token that is refused is a missing right, and nothing is repeated.
func TestRefusedTokenIsReplacedOnce(t *testing.T) {
	for _, test := range []struct {
		name           string
		good           string // the only token that is admitted
		cached         bool
		requests, logs int32
		want           providers.Class
	}{
		{"the cached one is refused", "token-2", true, 2, 2, ""},
		{"cached and fresh ones are refused", "none", true, 2, 2, providers.ClassAuth},
		{"the fresh one is refused", "none", false, 1, 1, providers.ClassAuth},
	} {
		for _, r := range []httpapi.Request{read, change} {
			t.Run(test.name+" at "+r.Operation, func(t *testing.T) {
				var requests atomic.Int32
				c := &counting{}
				tokens := httpapi.NewTokens(c.login, nil)
				client := serve(t, httpapi.Config{Tokens: tokens}, func(w http.ResponseWriter, r *http.Request) {
					requests.Add(1)
					if r.Header.Get("Authorization") != "Bearer "+test.good {
						w.WriteHeader(http.StatusUnauthorized)
					}
				})
				if test.cached {
					if _, err := tokens.Get(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				_, err := client.Do(t.Context(), r)
				if got := providers.ClassOf(err); got != test.want {
					t.Errorf("%v, want %s", err, test.want)
				}
				if requests.Load() != test.requests || c.n.Load() != test.logs {
					t.Errorf("%d requests and %d logins, want %d and %d", requests.Load(), c.n.Load(), test.requests, test.logs)
				}
			})
		}
	}
}

// Whatever happens to a login, nothing was sent for the operation that needed it.
func TestFailedLoginIsDefinite(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want providers.Class
	}{
		"unknown error":   {errors.New("boom"), providers.ClassUnavailable},
		"refused":         {&providers.Error{Class: providers.ClassAuth, Status: 401, RequestID: "r"}, providers.ClassAuth},
		"no login there":  {&providers.Error{Class: providers.ClassNotFound, Status: 404}, providers.ClassRejected},
		"broken off":      {&providers.Error{Class: providers.ClassNotUnderstood}, providers.ClassUnavailable},
		"unknown outcome": {&providers.Error{Class: providers.ClassIndeterminate}, providers.ClassUnavailable},
		"throttled":       {&providers.Error{Class: providers.ClassThrottled, After: time.Minute}, providers.ClassThrottled},
	} {
		tokens := httpapi.NewTokens(func(context.Context) (httpapi.Token, error) { return httpapi.Token{}, test.err }, nil)
		client := connect(t, httpapi.Config{Tokens: tokens, Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			t.Errorf("%s: a request was sent", name)
			return nil, errors.New("sent")
		})}, "http://idp.invalid")
		_, err := client.Do(t.Context(), change)
		if got := providers.ClassOf(err); got != test.want || !strings.Contains(err.Error(), "corp: create: ") {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
		if providers.RetryAfter(err) != providers.RetryAfter(test.err) {
			t.Errorf("%s: the wait is lost", name)
		}
	}
}

func TestClientCredentialsLogin(t *testing.T) {
	secret := "s+e c/r=e&t%\"ü"
	for _, auth := range []string{"", "basic", "post"} {
		client := serve(t, httpapi.Config{}, func(w http.ResponseWriter, r *http.Request) {
			if err := r.ParseForm(); err != nil {
				t.Error(err)
			}
			id, got := credentialsOf(t, r)
			w.Header().Set("Content-Type", "application/json")
			if id != "rotad:1" || got != secret || r.Form.Get("scope") != "all" || r.Form.Get("audience") != "api" ||
				r.Form.Get("grant_type") != "client_credentials" {
				w.WriteHeader(http.StatusBadRequest)
				_, _ = w.Write([]byte(`{"error":"invalid_client"}`))
				return
			}
			_, _ = w.Write([]byte(`{"access_token":"tok","expires_in":300.5}`))
		})
		login := httpapi.ClientCredentials{
			Client: client, Path: "/token", ClientID: "rotad:1", Scope: "all", Auth: auth,
			Secret: func() (string, error) { return secret, nil }, Extra: map[string][]string{"audience": {"api"}},
		}
		got, err := login.Login(t.Context())
		if err != nil || got.Value.Reveal() != "tok" || got.Lives != 300500*time.Millisecond {
			t.Errorf("auth %q: %v, %v", auth, got, err)
		}
		secret = "changed" // it is read at every login
		if _, err = login.Login(t.Context()); err != nil {
			t.Errorf("auth %q, another secret: %v", auth, err)
		}
		secret = "s+e c/r=e&t%\"ü"
	}
}

func TestClientCredentialsLoginFails(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		want   providers.Class
	}{
		"wrong secret":      {401, `{"error":"invalid_client"}`, providers.ClassAuth},
		"wrong client":      {400, `{"error":"invalid_client"}`, providers.ClassAuth},
		"no token":          {200, `{"token_type":"Bearer"}`, providers.ClassUnavailable},
		"a web page":        {200, `<html>`, providers.ClassUnavailable},
		"down":              {503, ``, providers.ClassUnavailable},
		"no such page":      {404, ``, providers.ClassNotFound},
		"slow down, please": {429, ``, providers.ClassThrottled},
	} {
		client := inProcess(t, func(*http.Request) (*http.Response, error) {
			return reply(test.status, "application/json", "", test.body), nil
		})
		login := httpapi.ClientCredentials{Client: client, Secret: func() (string, error) { return "CANARY", nil }}
		_, err := login.Login(t.Context())
		if got := providers.ClassOf(err); got != test.want || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
	login := httpapi.ClientCredentials{Client: inProcess(t, nil), Secret: func() (string, error) { return "", errors.New("no file") }}
	if _, err := login.Login(t.Context()); providers.ClassOf(err) != providers.ClassAuth {
		t.Errorf("an unreadable secret: %v", err)
	}
}
