package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"
)

// command is what the playground does for a person; its arguments are those of the command line.
type command func(ctx context.Context, args []string) (string, error)

// control serves commands on a socket in the playground's directory until the context ends.
func control(ctx context.Context, commands map[string]command) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", controlSocket())
	if err != nil {
		return fmt.Errorf("listening for commands: %w", err)
	}
	server := &http.Server{Handler: handler(commands), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(listener) }()
	<-ctx.Done()
	return server.Shutdown(context.WithoutCancel(ctx))
}

func controlSocket() string { return filepath.Join(home, "control.sock") }

func handler(commands map[string]command) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		do, known := commands[strings.TrimPrefix(r.URL.Path, "/")]
		if !known {
			http.NotFound(w, r)
			return
		}
		text, err := do(r.Context(), r.URL.Query()["arg"])
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			text = err.Error()
		}
		_, _ = io.WriteString(w, text)
	})
}

// errDown says that no playground answers.
var errDown = errors.New("no playground runs: make playground")

// ask lets the running playground carry a command out, and prints what it says.
func ask(ctx context.Context, out io.Writer, args ...string) error {
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", controlSocket())
		},
	}}
	target := "http://playground/" + args[0] + "?" + url.Values{"arg": args[1:]}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, nil)
	if err != nil {
		return fmt.Errorf("asking the playground: %w", err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return errDown
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("reading the playground's answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New(strings.TrimSpace(string(text)))
	}
	_, err = out.Write(text)
	return err
}
