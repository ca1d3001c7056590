package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/vault"

	vaulthttp "github.com/hashicorp/vault/http"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	addr   string
	data   string
	memory bool
	keys   string
	unseal bool
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("vaultlite", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.addr, "addr", "127.0.0.1:8200", "listen here (plain HTTP; port 0 = a free one)")
	flags.StringVar(&o.data, "data", "", "directory of the storage (or -memory)")
	flags.BoolVar(&o.memory, "memory", false, "keep everything in memory: it ends with the process")
	flags.StringVar(&o.keys, "keys", "", "file with the root token and the unseal key (required)")
	flags.BoolVar(&o.unseal, "unseal", false, "unseal an already initialised server with the key from -keys")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if (o.data == "") != o.memory || o.keys == "" {
		return o, errors.New("-keys and either -data or -memory are required")
	}
	return o, nil
}

func run(args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	core, err := openCore(o, stderr)
	if err != nil {
		return err
	}
	if err := prepare(ctx, core, o); err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.addr)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	if err := announce(stdout, core, listener.Addr()); err != nil {
		return err
	}
	return serve(ctx, core, listener)
}

// announce prints one line of JSON when the port is open, for whoever started the process.
func announce(w io.Writer, core *vault.Core, addr net.Addr) error {
	line := struct {
		Address string `json:"address"`
		Sealed  bool   `json:"sealed"`
	}{"http://" + addr.String(), core.Sealed()}
	return json.NewEncoder(w).Encode(line)
}

func serve(ctx context.Context, core *vault.Core, listener net.Listener) error {
	server := &http.Server{
		Handler: vaulthttp.Handler.Handler(&vault.HandlerProperties{
			Core:           core,
			ListenerConfig: &configutil.Listener{Type: "tcp", Address: listener.Addr().String()},
		}),
		ReadHeaderTimeout: 10 * time.Second,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	return stopServing(ctx, core, server)
}

// stopServing ends requests first and seals then, so that an answer that was given is on the disk.
func stopServing(ctx context.Context, core *vault.Core, server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(server.Shutdown(ctx), core.Shutdown())
}
