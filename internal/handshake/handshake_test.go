package handshake_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/handshake"
)

const key = "0123456789abcdef0123456789abcdef"

func token(t *testing.T, client, consumer string) string {
	t.Helper()
	made, err := handshake.Token(credential.NewSensitive(key), client, consumer)
	if err != nil {
		t.Fatal(err)
	}
	return made.Reveal()
}

// said is what a server has been told.
type said struct {
	client, consumer string
	version          int
	err              error
}

func (s *said) server() *handshake.Server {
	return &handshake.Server{
		Key: func() (string, error) { return key, nil }, Log: slog.New(slog.DiscardHandler),
		Moved: func(_ context.Context, client, consumer string, version int) error {
			s.client, s.consumer, s.version = client, consumer, version
			return s.err
		},
	}
}

func TestWhatAConsumerIsToldByTheListener(t *testing.T) {
	right := "Bearer " + token(t, "billing/api", "web 1")
	const path = "/v1/clients/billing%2Fapi/consumers/web%201"
	tests := map[string]struct {
		method, path, authorization, body string
		err                               error
		status                            int
		want                              string
	}{
		"its version":                 {"POST", path, right, `{"version": 7}`, nil, 200, `{"version":7}`},
		"in lower case":               {"POST", path, "bearer " + right[7:], `{"version": 7}`, nil, 200, `{"version":7}`},
		"no token":                    {"POST", path, "", `{"version": 7}`, nil, 401, "not that of this consumer"},
		"another consumer's":          {"POST", path, "Bearer " + token(t, "billing/api", "web 2"), `{"version": 7}`, nil, 401, "not that of this consumer"},
		"another client's":            {"POST", path, "Bearer " + token(t, "billing", "web 1"), `{"version": 7}`, nil, 401, "not that of this consumer"},
		"as a password":               {"POST", path, "Basic " + right[7:], `{"version": 7}`, nil, 401, "not that of this consumer"},
		"a part of it":                {"POST", path, right[:len(right)-1], `{"version": 7}`, nil, 401, "not that of this consumer"},
		"reading":                     {"GET", path, right, "", nil, 405, ""},
		"another path":                {"POST", "/v1/do", right, `{"verb":"rotate"}`, nil, 404, ""},
		"no version":                  {"POST", path, right, `{}`, nil, 400, `{\"version\": N}`},
		"another name":                {"POST", path, right, `{"versions": 7}`, nil, 400, `{\"version\": N}`},
		"two bodies":                  {"POST", path, right, `{"version": 7}{"version": 8}`, nil, 400, `{\"version\": N}`},
		"a body without end":          {"POST", path, right, `{"version": 7` + strings.Repeat(" ", 2000) + "}", nil, 400, `{\"version\": N}`},
		"a version of nobody":         {"POST", path, right, `{"version": 8}`, &handshake.Refusal{Why: "version 8 is not published", Hint: "ask again"}, 409, "version 8 is not published"},
		"what cannot be written down": {"POST", path, right, `{"version": 7}`, errors.New("the disk is full at /var"), 500, "say it again"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := said{err: tt.err}
			r := httptest.NewRequestWithContext(t.Context(), tt.method, tt.path, strings.NewReader(tt.body))
			r.Header.Set("Authorization", tt.authorization)
			w := httptest.NewRecorder()
			s.server().Handler().ServeHTTP(w, r)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) || strings.Contains(w.Body.String(), "/var") {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if reached := s.version != 0; reached != (tt.status == 200 || tt.err != nil) {
				t.Errorf("noted: %+v", s)
			}
			if tt.status == 200 && (s.client != "billing/api" || s.consumer != "web 1" || s.version != 7) {
				t.Errorf("noted: %+v", s)
			}
		})
	}
}

func TestAKeyThatIsMissingOrShortTakesNothing(t *testing.T) {
	for name, read := range map[string]func() (string, error){
		"missing": func() (string, error) { return "", errors.New("no such file") },
		"short":   func() (string, error) { return key[:31], nil },
	} {
		s := said{}
		server := s.server()
		server.Key = read
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/clients/a/consumers/b", strings.NewReader(`{"version":1}`))
		r.Header.Set("Authorization", "Bearer "+token(t, "a", "b"))
		w := httptest.NewRecorder()
		server.Handler().ServeHTTP(w, r)
		if w.Code != http.StatusInternalServerError || s.version != 0 {
			t.Errorf("%s: %d, noted %+v", name, w.Code, s)
		}
	}
}

func TestTokensOfTwoPairsAreNeverTheSame(t *testing.T) {
	seen := map[string]string{}
	for _, pair := range [][2]string{{"a", "b"}, {"b", "a"}, {"ab", ""}, {"", "ab"}, {"a\nb", "c"}, {"a", "b\nc"}, {"1:a", "b"}} {
		made := token(t, pair[0], pair[1])
		if other, twice := seen[made]; twice {
			t.Errorf("%q and %q share a token", pair, other)
		}
		seen[made] = strings.Join(pair[:], "|")
	}
}

func TestTheListenerEndsWithItsContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := said{}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.server().Serve(ctx, l) }()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+l.Addr().String()+"/v1/clients/a/consumers/b", strings.NewReader(`{"version":3}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token(t, "a", "b"))
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, reply.Body)
	_ = reply.Body.Close()
	if reply.StatusCode != http.StatusOK || s.version != 3 {
		t.Errorf("%d, noted %+v", reply.StatusCode, s)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func FuzzStatement(f *testing.F) {
	for _, body := range []string{`{"version":7}`, `{"version":-1}`, `{"version":1e3}`, `[]`, `{"version":7}x`, ""} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		s := said{}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/clients/a/consumers/b", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token(t, "a", "b"))
		w := httptest.NewRecorder()
		s.server().Handler().ServeHTTP(w, r)
		if (w.Code == http.StatusOK) != (s.version > 0) || s.version < 0 {
			t.Errorf("%q: %d, version %d", body, w.Code, s.version)
		}
	})
}
