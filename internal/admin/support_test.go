package admin_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/credential"
)

// canary is a clear secret that must turn up nowhere but in the actor's hands.
const canary = "canary-Zx81-value"

// actor keeps what it was asked and answers as it is told.
type actor struct {
	mu     sync.Mutex
	asked  []admin.Command
	answer func(context.Context, admin.Command) (admin.Reply, error)
}

func (a *actor) Do(ctx context.Context, c admin.Command) (admin.Reply, error) {
	a.mu.Lock()
	a.asked = append(a.asked, c)
	a.mu.Unlock()
	if a.answer != nil {
		return a.answer(ctx, c)
	}
	return admin.Reply{Record: &credential.Record{Client: credential.Client{ID: c.Client}, Rev: 7}}, nil
}

func (a *actor) last(t *testing.T) admin.Command {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.asked) == 0 {
		t.Fatal("the actor was not asked")
	}
	return a.asked[len(a.asked)-1]
}

// reader is a store with two clients.
type reader struct{ fails error }

func (r reader) Get(_ context.Context, id string) (credential.Record, bool, error) {
	if id != "billing" || r.fails != nil {
		return credential.Record{}, false, r.fails
	}
	return billing(), true, nil
}

func (r reader) List(_ context.Context, after string, n int) ([]credential.Record, error) {
	var list []credential.Record
	for _, rec := range []credential.Record{{Client: credential.Client{ID: "a"}}, billing()} {
		if rec.Client.ID > after && (n == 0 || len(list) < n) {
			list = append(list, rec)
		}
	}
	return list, r.fails
}

func (r reader) History(_ context.Context, id string, n int) ([]credential.Audit, error) {
	if id != "billing" {
		return nil, r.fails
	}
	entries := []credential.Audit{{Seq: 2, Client: id, Event: credential.EventHeld}, {Seq: 1, Client: id, Event: credential.EventRegistered}}
	if n > 0 {
		entries = entries[:n]
	}
	return entries, r.fails
}

func billing() credential.Record {
	return credential.Record{
		Client: credential.Client{ID: "billing", Provider: "kc", Vault: credential.VaultPath{Mount: "secret", Path: "apps/billing"}},
		Rev:    3, Since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Version: 4,
		Hold: &credential.Hold{Code: credential.HoldMismatch},
	}
}

// copier writes what it holds, then fails if it is told to.
type copier struct {
	content string
	fails   error
}

func (c copier) WriteTo(_ context.Context, w io.Writer) (int64, error) {
	n, err := io.WriteString(w, c.content)
	if err == nil {
		err = c.fails
	}
	return int64(n), err
}

// log is a log that tests can read.
type log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// door is a running server with a client of its socket.
type door struct {
	*admin.Client
	actor *actor
	log   *log
	stop  context.CancelFunc
	ended <-chan error
}

const socket = "admin.sock"

// open starts a server on a socket in a directory of its own.
func open(t *testing.T, change func(*admin.Server)) *door {
	t.Helper()
	t.Chdir(t.TempDir()) // the path of a socket is short of space
	d := &door{Client: admin.NewClient("unix:" + socket), actor: &actor{}, log: &log{}}
	s := &admin.Server{
		Reader: reader{}, Actor: d.actor, Copier: copier{content: "the state"},
		World: func() admin.World { return world() },
		Log:   slog.New(slog.NewTextHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(s)
	}
	l, warning, err := admin.Listen("unix:" + socket)
	if err != nil {
		t.Fatal(err)
	}
	if warning != "" {
		t.Log(warning)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	d.stop, d.ended = stop, ended
	go func() {
		ended <- s.Serve(ctx, l)
		close(ended)
	}()
	t.Cleanup(func() { // a server that ends late would remove the next test's socket, which has the same name
		stop()
		for range ended {
		}
	})
	return d
}

func world() admin.World {
	return admin.World{
		Now:      time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC),
		Policies: map[string]credential.Policy{"default": {Name: "default", Overlap: 72 * time.Hour}},
		Boot:     "here/1",
	}
}
