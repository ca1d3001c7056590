package world

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rotad/rotad/test/servers"
)

// Run is what the scenarios of one go test share. Servers are started by the first scenario that wants them.
type Run struct {
	Cache  servers.Cache
	Module string // directory of the tests' module
	Root   string // directory of rotad's own module
	dir    string

	daemon   lazy[string]
	keycloak lazy[*servers.Keycloak]
	postfix  lazy[*servers.Postfix]
}

// lazy is a value that is made once, by whoever asks first.
type lazy[T any] struct {
	once  sync.Once
	value T
	err   error
	made  bool
}

func (l *lazy[T]) get(make func() (T, error)) (T, error) {
	l.once.Do(func() {
		l.value, l.err = make()
		l.made = l.err == nil
	})
	return l.value, l.err
}

// NewRun prepares a run. Close ends what it has started.
func NewRun() (*Run, error) {
	cache, err := servers.OpenCache()
	if err != nil {
		return nil, err
	}
	module, err := moduleDir()
	if err != nil {
		return nil, err
	}
	dir, err := servers.TempDir()
	if err != nil {
		return nil, err
	}
	return &Run{Cache: cache, Module: module, Root: filepath.Dir(module), dir: dir}, nil
}

// moduleDir walks up to the go.mod of the tests' module.
func moduleDir() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the tests' module: %w", err)
	}
	for dir != filepath.Dir(dir) {
		raw, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(raw), "module github.com/rotad/rotad/test\n") {
			return dir, nil
		}
		dir = filepath.Dir(dir)
	}
	return "", errors.New("finding the tests' module: the working directory is not inside it")
}

// Close stops every shared server and removes its files.
func (r *Run) Close() {
	if r.keycloak.made {
		r.keycloak.value.Stop()
	}
	if r.postfix.made {
		r.postfix.value.Stop()
	}
	_ = os.RemoveAll(r.dir)
}

// Keycloak returns the shared Keycloak.
func (r *Run) Keycloak(t testing.TB) *servers.Keycloak {
	t.Helper()
	k, err := r.keycloak.get(func() (*servers.Keycloak, error) {
		return servers.StartKeycloak(context.WithoutCancel(t.Context()), r.Cache, r.dir)
	})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Postfix returns the shared Postfix. Scenarios tell their mails apart by address.
func (r *Run) Postfix(t testing.TB) *servers.Postfix {
	t.Helper()
	p, err := r.postfix.get(func() (*servers.Postfix, error) {
		dir := filepath.Join(r.dir, "postfix-shared")
		if err := os.Mkdir(dir, 0o755); err != nil {
			return nil, err
		}
		return servers.StartPostfix(context.WithoutCancel(t.Context()), r.Cache, dir)
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Binary builds rotad once and returns the program; $ROTAD_TEST_BINARY names one that is built already.
func (r *Run) Binary(t testing.TB) string {
	t.Helper()
	if built := os.Getenv("ROTAD_TEST_BINARY"); built != "" {
		return built
	}
	binary, err := r.daemon.get(func() (string, error) {
		target := filepath.Join(r.dir, "rotad")
		cmd := exec.CommandContext(t.Context(), "go", "build", "-o", target, "./cmd/rotad")
		cmd.Dir = r.Root
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("building rotad: %w\n%s", err, out)
		}
		return target, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return binary
}
