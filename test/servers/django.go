package servers

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Django is a running django-oauth-toolkit with client registration (RFC 7591, RFC 7592). It keeps a verifier of each secret,
// so it shows none again; an update keeps the secret and replaces the registration access token.
type Django struct {
	URL     string // http://127.0.0.1:port/o
	process *Process
}

// StartDjango starts a server without clients. module is the directory of the tests' module.
func StartDjango(ctx context.Context, cache Cache, module, dir string) (*Django, error) {
	source := filepath.Join(module, "servers", "django")
	installed, err := installPython(ctx, cache, source)
	if err != nil {
		return nil, err
	}
	program, err := filepath.Abs(filepath.Join(source, "server.py"))
	if err != nil {
		return nil, err
	}
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	process, err := Launch(Spec{
		Name: "django", Path: filepath.Join(installed, "venv", "bin", "python"), Args: []string{program}, Dir: dir,
		Env: append(BareEnv(), fmt.Sprintf("PORT=%d", port), "PYTHONDONTWRITEBYTECODE=1"), Log: filepath.Join(dir, "django.log"),
	})
	if err != nil {
		return nil, err
	}
	d := &Django{URL: fmt.Sprintf("http://127.0.0.1:%d/o", port), process: process}
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

// Stop ends the server.
func (d *Django) Stop() { d.process.Kill() }

// installPython installs what requirements.txt pins into an environment of its own, once per content of the source.
func installPython(ctx context.Context, cache Cache, source string) (string, error) {
	if _, err := exec.LookPath("python3"); err != nil {
		if err := cache.debian(ctx, []string{"/usr/bin/python3"}, "python3", "python3-venv"); err != nil {
			return "", err
		}
	}
	name, err := sourceName("python", source)
	if err != nil {
		return "", err
	}
	return cache.Once(ctx, name, func(ctx context.Context, dir string) error {
		raw, err := os.ReadFile(filepath.Join(source, "requirements.txt"))
		if err != nil {
			return fmt.Errorf("reading what is to be installed: %w", err)
		}
		if err := os.WriteFile(filepath.Join(dir, "requirements.txt"), raw, 0o644); err != nil {
			return fmt.Errorf("copying what is to be installed: %w", err)
		}
		if err := run(ctx, dir, "python3", "-m", "venv", "--copies", "venv"); err != nil {
			return err
		}
		return run(ctx, dir, filepath.Join("venv", "bin", "python"), "-m", "pip", "install", "--no-deps", "--quiet", "--requirement", "requirements.txt")
	})
}
