package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
	"github.com/rotad/rotad/state/bolt"
)

// defaultSocket is where the daemon listens where no configuration can be read that says otherwise.
const defaultSocket = "unix:/run/rotad/admin.sock"

// plainConfig reads the configuration for a command beside the daemon. Files with secrets are not looked at: whoever
// runs a command need not be able to read them.
func (a *app) plainConfig() (*config.Config, error) {
	cfg, problems := config.Load(a.config(), configKinds(), config.SyntaxOnly(), config.At(realClocks().now))
	if err := a.usable(problems); err != nil {
		return nil, err
	}
	return cfg, nil
}

// usable returns an error where a configuration has some, with what to do.
func (a *app) usable(problems config.Problems) error {
	errs := problems.Errors()
	switch {
	case len(errs) == 0:
		return nil
	case a.missing() != "":
		return wrong(fmt.Errorf("there is no configuration %s", a.config()), a.missing())
	}
	return wrong(fmt.Errorf("the configuration %s has errors, the first: %s", a.config(), errs[0]), a.namesAll())
}

// missing says what to do where the configuration does not exist; where it does, nothing.
func (a *app) missing() string {
	if _, err := os.Stat(a.config()); !errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return "name it with --config FILE or in $ROTAD_CONFIG; rotad init --config FILE writes one to begin with"
}

// namesAll is the command that shows every error of the configuration at hand.
func (a *app) namesAll() string {
	file := ""
	if a.configFile != "" {
		file = " --config " + quote(a.configFile)
	}
	return "rotad check" + file + " names them all"
}

// client returns the way to the daemon. Nothing is asked yet.
func (a *app) client() (*admin.Client, error) {
	if a.socket != "" || a.env["ROTAD_SOCKET"] != "" {
		return admin.NewClient(a.adminSocket(&config.Config{})), nil
	}
	cfg, err := a.plainConfig()
	switch {
	case err == nil:
		return admin.NewClient(a.adminSocket(cfg)), nil
	case a.configFile == "" && a.env["ROTAD_CONFIG"] == "" && !readable(defaultConfig):
		return admin.NewClient(defaultSocket), nil
	}
	return nil, a.unreadable(err)
}

// unreadable adds how a daemon is asked that runs on, with the configuration it has read before: only where its socket
// is had to be looked up.
func (a *app) unreadable(err error) error {
	f, ok := errors.AsType[*failure](err)
	if !ok {
		return err
	}
	return &failure{f.code, f.err, f.hint + "; a daemon that runs is asked with --socket " + a.likelySocket() + " all the same"}
}

// likelySocket is a socket where daemons mostly have theirs: in the place that nothing needs to name, or beside the
// configuration. Where there is none, it is left to the person.
func (a *app) likelySocket() string {
	standard := strings.TrimPrefix(defaultSocket, "unix:")
	for _, file := range []string{filepath.Join(filepath.Dir(a.config()), filepath.Base(standard)), standard} {
		if info, err := os.Stat(file); err == nil && info.Mode().Type() == os.ModeSocket {
			return quote(file)
		}
	}
	return "SOCKET"
}

// do asks the daemon for something.
func (a *app) do(ctx context.Context, c admin.Command) (admin.Reply, error) {
	client, err := a.client()
	if err != nil {
		return admin.Reply{}, err
	}
	reply, err := client.Do(ctx, c)
	return reply, told(err)
}

// told turns an error of the admin API into one with an exit code and a hint.
func told(err error) error {
	var said *admin.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &said):
		return &failure{exitOf(said.Class), err, said.Hint}
	case errors.Is(err, admin.ErrNoDaemon):
		return failed(err, "start it (systemctl start rotad), or name its socket with --socket")
	case errors.Is(err, admin.ErrNoRight):
		return failed(err, "become a member of the group rotad")
	}
	return failed(err, "")
}

func exitOf(c admin.Class) int {
	switch c {
	case admin.ClassRefused:
		return exitRefused
	case admin.ClassWrong:
		return exitWrong
	case admin.ClassNotFound, admin.ClassFailed:
	}
	return exitFailed
}

// source is where a reading command reads from: the running daemon, else the state file.
type source struct {
	admin.Reader
	world admin.World
	close func()
}

// open finds the source. Reading from the state file is said on stderr, because it is as old as the daemon's end.
func (a *app) open(ctx context.Context) (*source, error) {
	client, err := a.client()
	if err != nil {
		return nil, err
	}
	world, err := client.World(ctx)
	switch {
	case err == nil:
		return &source{Reader: client, world: world, close: func() {}}, nil
	case !errors.Is(err, admin.ErrNoDaemon):
		return nil, told(err)
	}
	return a.openFile(ctx)
}

func (a *app) openFile(ctx context.Context) (*source, error) {
	cfg, err := a.plainConfig()
	if err != nil {
		return nil, err
	}
	store, err := bolt.Open(cfg.State.Path, bolt.Options{ReadOnly: true, AllowFilesystem: true, Warn: a.note})
	switch {
	case errors.Is(err, state.ErrLocked):
		return nil, failed(err, "a daemon runs, but not on this admin socket: name it with --socket")
	case err != nil:
		return nil, openFailure(err)
	}
	a.note("rotad does not run; this is the state file " + cfg.State.Path)
	world := admin.World{Now: time.Now().UTC(), Policies: cfg.Policies, Providers: providersOf(ctx, cfg, store, time.Now().UTC())}
	return &source{Reader: store, world: world, close: func() { _ = store.Close() }}, nil
}

// note says something on stderr that is no error.
func (a *app) note(text string) { _, _ = fmt.Fprintf(a.err, "note: %s\n", text) }

// record reads one client.
func (s *source) record(ctx context.Context, id string) (credential.Record, error) {
	rec, ok, err := s.Get(ctx, id)
	if err == nil && !ok {
		err = admin.NotFound(id)
	}
	return rec, told(err)
}

// each visits every record, page by page, in the order of their ids.
func (s *source) each(ctx context.Context, visit func(credential.Record) error) error {
	const page = 1000
	for after := ""; ; {
		list, err := s.List(ctx, after, page)
		if err != nil {
			return told(err)
		}
		for _, rec := range list {
			if err := visit(rec); err != nil {
				return err
			}
			after = rec.Client.ID
		}
		if len(list) < page {
			return nil
		}
	}
}

// policy returns the policy that rules a record: the pinned one while a rotation is under way.
func (s *source) policy(rec credential.Record) credential.Policy {
	if rec.Rotation != nil {
		return rec.Rotation.Policy
	}
	return s.world.Policies[rec.Client.Policy]
}

// completeTimeout bounds the wait of somebody who pressed the tab key.
const completeTimeout = 2 * time.Second

// ids returns the ids that begin with a prefix, a page of them at most.
func (a *app) ids(ctx context.Context, prefix string) []string {
	ctx, cancel := context.WithTimeout(ctx, completeTimeout)
	defer cancel()
	client, err := a.client()
	if err != nil {
		return nil
	}
	var found []string
	if _, ok, _ := client.Get(ctx, prefix); ok {
		found = append(found, prefix)
	}
	list, _ := client.List(ctx, prefix, 0) // without a daemon nothing is completed
	for _, rec := range list {
		if !strings.HasPrefix(rec.Client.ID, prefix) {
			break
		}
		found = append(found, rec.Client.ID)
	}
	return found
}

// readable says whether a file can be read by this user.
func readable(path string) bool {
	f, err := os.Open(path) //nolint:gosec // the default configuration
	if err != nil {
		return false
	}
	_ = f.Close()
	return true
}
