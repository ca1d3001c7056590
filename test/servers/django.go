package servers

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/freeport"
)

// Django is a running django-oauth-toolkit with client registration (RFC 7591, RFC 7592). It keeps a verifier of each secret,
// so it shows none again; an update keeps the secret and replaces the registration access token.
type Django struct {
	URL     string // http://127.0.0.1:port/o
	process *Process

	dir, python, program string
}

// StartDjango starts a server without clients. module is the directory of the tests' module.
func StartDjango(ctx context.Context, cache Cache, module, dir string) (*Django, error) {
	source := filepath.Join(module, "servers", "django")
	python, err := InstallPython(ctx, cache, source)
	if err != nil {
		return nil, err
	}
	program, err := filepath.Abs(filepath.Join(source, "server.py"))
	if err != nil {
		return nil, err
	}
	port, err := freeport.Loopback()
	if err != nil {
		return nil, err
	}
	process, err := Launch(Spec{
		Name: "django", Path: python, Args: []string{program}, Dir: dir,
		Env: append(BareEnv(), fmt.Sprintf("PORT=%d", port), "PYTHONDONTWRITEBYTECODE=1"), Log: filepath.Join(dir, "django.log"),
	})
	if err != nil {
		return nil, err
	}
	d := &Django{URL: fmt.Sprintf("http://127.0.0.1:%d/o", port), process: process, dir: dir, python: python, program: program}
	err = Until(ctx, time.Minute, 100*time.Millisecond, func(ctx context.Context) error {
		if err := process.ended(); err != nil {
			return err
		}
		return do(ctx, call{method: http.MethodGet, url: d.URL + "/.well-known/oauth-authorization-server"})
	})
	if err != nil {
		tail := process.LogTail(20)
		process.Kill()
		return nil, fmt.Errorf("waiting for django: %w\n%s", err, tail)
	}
	return d, nil
}

// Register registers a client, which anybody may here. It takes one grant per client.
func (d *Django) Register(ctx context.Context) (Registration, error) {
	var r Registration
	about := map[string]any{"client_name": "Billing <&>", "grant_types": []string{"client_credentials"}}
	err := do(ctx, call{method: http.MethodPost, url: d.URL + "/register/", json: about, out: &r})
	return r, err
}

// SetSecret is an administrator who gives a client another secret. The one before it is good for nothing.
func (d *Django) SetSecret(ctx context.Context, clientID, secret string) error {
	cmd := exec.CommandContext(ctx, d.python, d.program, "set", clientID)
	cmd.Dir, cmd.Env, cmd.Stdin = d.dir, BareEnv(), strings.NewReader(secret+"\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("setting a secret in django: %w: %s", err, out)
	}
	return nil
}

// Accepts says whether a client can log in with a secret.
func (d *Django) Accepts(ctx context.Context, clientID, secret string) (bool, error) {
	err := do(ctx, call{
		method: http.MethodPost, url: d.URL + "/token/",
		form: url.Values{"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {secret}},
	})
	if isStatus(err, http.StatusUnauthorized) {
		return false, nil
	}
	return err == nil, err
}

// Stop ends the server.
func (d *Django) Stop() { d.process.Kill() }
