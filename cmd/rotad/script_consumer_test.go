package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// scriptLogin is what a consumer of a script logs in with, under the names that its place has for it.
type scriptLogin struct {
	ID      string `json:"client_id"`
	Secret  string `json:"client_secret"`
	Version string `json:"version"`
}

// consumer is the program "consumer NAME HOW" of the scripts: a service that logs in again and again until it is told to end,
// and says which version it runs on after its first login with it, if it has a token for that. What it comes to stands in NAME.log.
//
//	poll     asks Vault before each login
//	signal   reads NAME.json when it starts and after each SIGHUP
//	request  reads NAME.json when it starts and when POST /-/reload of $RELOAD asks for it
//	mount    reads a mounted Secret before each login
//	env      has what its environment had when it started
//	service  starts another "env" with the variables of NAME.env; anew when NAME.restart is there and NAME.job is not
func consumer() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := consume(ctx, os.Args[1], os.Args[2])
	stop()
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func consume(ctx context.Context, name, how string) error {
	c := scriptConsumer{name: name, client: &http.Client{Timeout: 10 * time.Second}}
	switch how {
	case "poll":
		return c.run(ctx, c.fromVault)
	case "signal":
		asked := make(chan os.Signal, 1)
		signal.Notify(asked, syscall.SIGHUP)
		pid := []byte(strconv.Itoa(os.Getpid()) + "\n")
		if err := os.WriteFile(name+".pid", pid, 0o600); err != nil {
			return err
		}
		return c.run(ctx, keeping(asked, c.fromFile))
	case "request":
		asked := make(chan struct{}, 1)
		server := &http.Server{Addr: os.Getenv("RELOAD"), ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			asked <- struct{}{}
		})}
		go func() { _ = server.ListenAndServe() }()
		return errors.Join(c.run(ctx, keeping(asked, c.fromFile)), server.Close())
	case "mount":
		return c.run(ctx, fromMount)
	case "env":
		return c.run(ctx, func() (scriptLogin, error) {
			return scriptLogin{ID: os.Getenv("OIDC_ID"), Secret: os.Getenv("OIDC_SECRET"), Version: os.Getenv("OIDC_VERSION")}, nil
		})
	case "service":
		return serveEnv(ctx, name)
	}
	return fmt.Errorf("there is no consumer %q", how)
}

// keeping reads at the start and whenever it is asked to.
func keeping[T any](asked <-chan T, read func() (scriptLogin, error)) func() (scriptLogin, error) {
	var kept *scriptLogin
	return func() (scriptLogin, error) {
		select {
		case <-asked:
			kept = nil
		default:
		}
		if kept == nil {
			fresh, err := read()
			if err != nil {
				return fresh, err
			}
			kept = &fresh
		}
		return *kept, nil
	}
}

type scriptConsumer struct {
	name    string
	client  *http.Client
	said    string
	logins  int
	refused int
}

// run logs in until the context ends. What it has begun it ends: a service that is told to go answers what it was asked.
func (c *scriptConsumer) run(ctx context.Context, read func() (scriptLogin, error)) error {
	for pulse := time.NewTicker(10 * time.Millisecond); ; {
		select {
		case <-ctx.Done():
			pulse.Stop()
			return c.note("%d logins, %d refused", c.logins, c.refused)
		case <-pulse.C:
		}
		if err := c.once(context.WithoutCancel(ctx), read); err != nil {
			return errors.Join(err, c.note("failed: %v", err))
		}
	}
}

func (c *scriptConsumer) once(ctx context.Context, read func() (scriptLogin, error)) error {
	with, err := read()
	if err != nil {
		return err
	}
	status, err := c.login(ctx, with)
	c.logins++
	switch {
	case err != nil:
		return err
	case status != http.StatusOK:
		c.refused++
		return c.note("refused with version %s: %d", with.Version, status)
	case c.logins%100 == 0:
		return c.note("%d logins so far", c.logins)
	case with.Version == c.said:
		return nil
	}
	c.said = with.Version
	if err := c.say(ctx, with.Version); err != nil {
		return err
	}
	return c.note("runs on version %s", with.Version)
}

func (c *scriptConsumer) login(ctx context.Context, with scriptLogin) (int, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {with.ID + "/.default"}, "client_id": {with.ID}, "client_secret": {with.Secret}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, os.Getenv("LOGIN"), strings.NewReader(form.Encode()))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.ask(r, nil)
}

func (c *scriptConsumer) say(ctx context.Context, version string) error {
	token, err := os.ReadFile(c.name + "-token")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // it knows nothing of rotad
	case err != nil:
		return err
	}
	at := "http://" + os.Getenv("HANDSHAKE") + "/v1/clients/five/consumers/" + c.name
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, at, strings.NewReader(`{"version": `+version+`}`))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	status, err := c.ask(r, nil)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("the handshake says %d", status)
	}
	return err
}

func (c *scriptConsumer) ask(r *http.Request, into any) (status int, err error) {
	reply, err := c.client.Do(r)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, reply.Body.Close()) }()
	var body bytes.Buffer
	if _, err := body.ReadFrom(reply.Body); err != nil || into == nil {
		return reply.StatusCode, err
	}
	return reply.StatusCode, json.Unmarshal(body.Bytes(), into)
}

func (c *scriptConsumer) note(format string, args ...any) error {
	f, err := os.OpenFile(c.name+".log", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, format+"\n", args...)
	return errors.Join(err, f.Close())
}

func (c *scriptConsumer) fromVault() (scriptLogin, error) {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, os.Getenv("BUNDLE"), nil)
	if err != nil {
		return scriptLogin{}, err
	}
	r.Header.Set("X-Vault-Token", os.Getenv("READER"))
	var reply struct {
		Data struct {
			Data     scriptLogin `json:"data"`
			Metadata struct {
				Version int `json:"version"`
			} `json:"metadata"`
		} `json:"data"`
	}
	_, err = c.ask(r, &reply)
	with := reply.Data.Data
	with.Version = strconv.Itoa(reply.Data.Metadata.Version)
	return with, err
}

func (c *scriptConsumer) fromFile() (with scriptLogin, err error) {
	content, err := os.ReadFile(c.name + ".json")
	if err != nil {
		return with, err
	}
	return with, json.Unmarshal(content, &with)
}

// fromMount follows the link once, so that all parts are of one state.
func fromMount() (with scriptLogin, err error) {
	state, err := os.Readlink("pod/..data")
	for key, into := range map[string]*string{"client_id": &with.ID, "client_secret": &with.Secret, "version": &with.Version} {
		content, failed := os.ReadFile(filepath.Join("pod", state, key))
		*into, err = string(content), errors.Join(err, failed)
	}
	return with, err
}

// serveEnv is a service manager: a process gets the variables of a file when it starts, and keeps them.
func serveEnv(ctx context.Context, name string) error {
	for ctx.Err() == nil {
		variables, err := os.ReadFile(name + ".env")
		if err != nil {
			return err
		}
		child := exec.CommandContext(ctx, "consumer", name, "env")
		child.Env = append(os.Environ(), strings.Fields(string(variables))...)
		child.Cancel = func() error { return child.Process.Signal(syscall.SIGTERM) }
		if err := child.Start(); err != nil {
			return err
		}
		var ended atomic.Bool
		waited := make(chan error, 1)
		go func() { waited <- child.Wait(); ended.Store(true) }()
		for pulse := time.NewTicker(10 * time.Millisecond); !ended.Load(); <-pulse.C {
			if restart(name) {
				_ = child.Process.Signal(syscall.SIGTERM)
			}
		}
		if err := <-waited; err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// restart says whether a restart was asked for, once no job is running.
func restart(name string) bool {
	if _, err := os.Stat(name + ".job"); err == nil {
		return false
	}
	return os.Remove(name+".restart") == nil
}
