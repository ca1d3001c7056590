package metrics_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotad/rotad/internal/metrics"
)

func ask(t *testing.T, h http.Handler, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), method, path, nil))
	return answer
}

func silent(d time.Duration) func() time.Duration { return func() time.Duration { return d } }

func check(name, problem string) metrics.Check {
	return metrics.Check{Name: name, Ask: func(context.Context) error {
		if problem == "" {
			return nil
		}
		return errors.New(problem)
	}}
}

func TestHealthSaysWhatIsWrong(t *testing.T) {
	for name, tc := range map[string]struct {
		health metrics.Health
		path   string
		code   int
		body   string
	}{
		"alive": {metrics.Health{Silence: silent(time.Minute)}, "/healthz", 200, `{"status":"ok"}`},
		"the loop stands still": {
			metrics.Health{Silence: silent(61 * time.Second)},
			"/healthz", 503,
			`{"status":"not alive","problems":[{"check":"loop","problem":"the loop last turned 1m1s ago"}]}`,
		},
		"the limit is a setting": {
			metrics.Health{Silence: silent(11 * time.Second), Limit: 10 * time.Second},
			"/healthz", 503,
			`{"status":"not alive","problems":[{"check":"loop","problem":"the loop last turned 11s ago"}]}`,
		},
		"alive although nothing is ready": {
			metrics.Health{Silence: silent(0), Ready: []metrics.Check{check("vault", "sealed")}}, "/healthz", 200, `{"status":"ok"}`,
		},
		"ready": {
			metrics.Health{Silence: silent(0), Ready: []metrics.Check{check("state", ""), check("vault", "")}},
			"/readyz", 200,
			`{"status":"ok"}`,
		},
		"every problem is named, in order": {
			metrics.Health{Silence: silent(0), Ready: []metrics.Check{
				check("state", "not open yet"), check("config", ""), check("vault", "the token has expired"),
			}},
			"/readyz", 503,
			`{"status":"not ready","problems":[{"check":"state","problem":"not open yet"},{"check":"vault","problem":"the token has expired"}]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			answer := ask(t, metrics.Handler(newBench(&source{}).registry, tc.health), http.MethodGet, tc.path)
			if body := strings.TrimSpace(answer.Body.String()); answer.Code != tc.code || body != tc.body {
				t.Errorf("%d %s\nwant %d %s", answer.Code, body, tc.code, tc.body)
			}
			if !json.Valid(answer.Body.Bytes()) || answer.Header().Get("Content-Type") != "application/json" {
				t.Errorf("the answer is no JSON: %s", answer.Header().Get("Content-Type"))
			}
		})
	}
}

func TestOnlyReadingIsServed(t *testing.T) {
	h := metrics.Handler(newBench(&source{}).registry, metrics.Health{Silence: silent(0)})
	for path, code := range map[string]int{"/metrics": 405, "/healthz": 405, "/readyz": 405, "/": 404, "/debug/pprof/": 404} {
		if got := ask(t, h, http.MethodPost, path).Code; got != code {
			t.Errorf("POST %s answers %d, want %d", path, got, code)
		}
	}
	for _, path := range []string{"/metrics", "/healthz", "/readyz"} {
		if got := ask(t, h, http.MethodHead, path).Code; got != http.StatusOK {
			t.Errorf("HEAD %s answers %d", path, got)
		}
	}
}

func TestWhatCannotBeReadDoesNotHideTheRest(t *testing.T) {
	var logged bytes.Buffer
	s := &source{broken: true, totals: metrics.Totals{Clients: map[metrics.Group]int{{Provider: "corp"}: 3}}}
	h := metrics.Handler(newBench(s).registry, metrics.Health{
		Silence: silent(0), Log: slog.New(slog.NewTextHandler(&logged, nil)),
	})
	answer := ask(t, h, http.MethodGet, "/metrics")
	if answer.Code != http.StatusOK {
		t.Fatalf("the scrape answers %d", answer.Code)
	}
	names := []string{"clients", "client_series_dropped", "clients_expiring", "due_lag_seconds", "secret_expiry_timestamp_seconds"}
	want := "client_series_dropped 3\n" + `clients{mode="unknown",provider="corp"} 3`
	if got := samples(answer.Body.String(), names); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if n := strings.Count(logged.String(), "the disk is gone"); n != 3 {
		t.Errorf("the log names %d of the 3 answers that failed:\n%s", n, &logged)
	}
}

func TestServeAnswersUntilTheContextEnds(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	h := metrics.Handler(everything().registry, metrics.Health{Silence: silent(0)})
	served := make(chan error, 1)
	go func() { served <- metrics.Serve(ctx, listener, h) }()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listener.Addr().String()+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("it answers %s", answer.Status)
	}
	stop()
	if err := <-served; err != nil {
		t.Errorf("it ended with %v", err)
	}
	if answer, err := http.DefaultClient.Do(request); err == nil {
		answer.Body.Close()
		t.Error("it still answers after the context has ended")
	}
}

func TestServeSaysThatTheListenerBroke(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	if err := metrics.Serve(t.Context(), listener, http.NotFoundHandler()); err == nil {
		t.Error("a closed listener is no error")
	}
}

// pipes is a listener in memory, so that the timeouts of a connection pass in the bubble of a test.
type pipes struct {
	dialled chan net.Conn
	closed  chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.dialled:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error   { close(p.closed); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

func TestASlowCallerDoesNotHoldAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := pipes{make(chan net.Conn), make(chan struct{})}
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- metrics.Serve(ctx, listener, http.NotFoundHandler()) }()
		mine, theirs := net.Pipe()
		listener.dialled <- theirs
		began := time.Now()
		if _, err := mine.Write([]byte("GET /metrics HTTP/1.1\r\n")); err != nil { // and never the rest
			t.Fatal(err)
		}
		for buffer := make([]byte, 512); ; {
			if _, err := mine.Read(buffer); err != nil {
				break // hung up
			}
		}
		if held := time.Since(began); held > 5*time.Second {
			t.Errorf("the connection was held for %s, want at most 5s", held)
		}
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}
