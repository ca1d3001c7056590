package admin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/admin"
)

// FuzzRequests sends bytes to the socket as they are. The daemon goes on answering, does nothing that is not a command
// under the name of the peer, and logs nothing of a value.
func FuzzRequests(f *testing.F) {
	post := func(body string) string {
		return fmt.Sprintf("POST /v1/do HTTP/1.1\r\nHost: rotad\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
	for _, request := range []string{
		"GET /v1/client?id=billing HTTP/1.1\r\nHost: rotad\r\n\r\n", "GET /v1/clients?after=%00&n=9223372036854775808 HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /v1/history?id=billing&n=-1 HTTP/1.0\r\n\r\n", "GET /v1/../v1//world HTTP/1.1\r\nHost: rotad\r\n\r\n",
		post(`{"verb":"submit","client":"a","value":"` + canary + `"}`), post(`{"verb":"rotate","client":"a","actor":"root"}`),
		post(`{"verb":"resume","client":"a","resolve":"discard","secret_id":"k"}`), post(`{"verb":"submit","client":"` + canary + `","value":{}}`),
		"POST /v1/do HTTP/1.1\r\nHost: rotad\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n" + canary,
		"GET /v1/backup HTTP/1.1\r\nHost: rotad\r\n\r\nGET /v1/world HTTP/1.1\r\nHost: rotad\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "",
	} {
		f.Add([]byte(request))
	}
	at := filepath.Join(f.TempDir(), socket)
	l, _, err := admin.Listen("unix:" + at)
	if err != nil {
		f.Fatal(err)
	}
	did, wrote := &actor{}, &log{}
	s := &admin.Server{
		Reader: reader{}, Actor: did, Copier: copier{content: "the state"},
		World: world, Log: slog.New(slog.NewTextHandler(wrote, nil)),
	}
	ctx, stop := context.WithCancel(f.Context())
	f.Cleanup(stop)
	go func() { _ = s.Serve(ctx, l) }()
	client := admin.NewClient("unix:" + at)
	f.Fuzz(func(t *testing.T, request []byte) {
		sendRaw(t, at, request)
		if _, ok, err := client.Get(t.Context(), "billing"); !ok || err != nil {
			t.Fatalf("the daemon does not answer any more: %v", err)
		}
		for _, c := range did.taken() {
			if c.Actor == "" || c.Verb == "" {
				t.Errorf("a command of nobody, or none: %q by %q", c.Verb, c.Actor)
			}
		}
		if text := wrote.taken(); strings.Contains(text, canary+`"`) && strings.Contains(text, "value") {
			t.Errorf("the log repeats the request: %s", text)
		}
	})
}

// taken returns what the actor was asked since the last call.
func (a *actor) taken() []admin.Command {
	a.mu.Lock()
	defer a.mu.Unlock()
	asked := a.asked
	a.asked = nil
	return asked
}

// taken returns what was logged since the last call.
func (l *log) taken() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.buf.Reset()
	return l.buf.String()
}

// sendRaw sends a request, ends its side, and reads until the daemon ends the other one.
func sendRaw(t *testing.T, at string, request []byte) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "unix", at)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = conn.Write(request)
		if half, ok := conn.(*net.UnixConn); ok {
			_ = half.CloseWrite()
		}
	}()
	if _, err := io.Copy(io.Discard, conn); err != nil {
		if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() {
			t.Error("the daemon neither answers nor hangs up")
		}
	}
}

// FuzzAnswers gives the commands a daemon that answers anything: what is no answer is an error that says what to do.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []struct {
		status int
		body   string
	}{
		{200, `{"client":{"id":"billing"},"rev":3}`},
		{200, `[{"client":{"id":"a"}}]`},
		{200, `[`},
		{200, ``},
		{200, `null`},
		{200, `{"rev":-1}`},
		{404, `{"error":"there is no client","hint":"rotad status"}`},
		{409, `{"error":""}`},
		{500, `<html>`},
		{503, `{"error":1}`},
		{302, ``},
		{200, `{"policies":{"default":{"overlap":1e99}}}`},
		{200, `{"now":"2026-13-01T00:00:00Z"}`},
	} {
		f.Add(seed.status, seed.body)
	}
	at := filepath.Join(f.TempDir(), socket)
	l, err := (&net.ListenConfig{}).Listen(f.Context(), "unix", at)
	if err != nil {
		f.Fatal(err)
	}
	var answer atomic.Pointer[func(http.ResponseWriter)]
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { (*answer.Load())(w) })}
	go func() { _ = server.Serve(l) }()
	f.Cleanup(func() { _ = server.Close() })
	client := admin.NewClient("unix:" + at)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 || status == http.StatusNoContent || status == http.StatusNotModified {
			return
		}
		answer.Store(new(func(w http.ResponseWriter) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}))
		_, ok, err := client.Get(t.Context(), "billing")
		if ok && (err != nil || status != http.StatusOK) || status != http.StatusOK && status != http.StatusNotFound && err == nil {
			t.Errorf("%d %q: %t, %v", status, body, ok, err)
		}
		_, listed := client.List(t.Context(), "", 5)
		_, done := client.Do(t.Context(), admin.Command{Verb: admin.VerbAck, Client: "billing"})
		_, world := client.World(t.Context())
		for _, err := range []error{listed, done, world} {
			said, refused := errors.AsType[*admin.Error](err)
			if status != http.StatusOK && (!refused || said.Why == "") || status == http.StatusOK && refused {
				t.Errorf("%d %q: %v", status, body, err)
			}
		}
	})
}
