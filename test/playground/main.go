// Command playground keeps the servers of the integration tests running, with a rotad beside them, for people to try
// things on. Everything lies below one directory, and ends with one command.
//
//	up ──starts──► serve ─┬─► Keycloak, Vault, Postfix, Prometheus, Alertmanager
//	                      └─► rotad run, which may only watch
//	down, grant, login, mail ──control.sock──► serve
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// home is where the playground lies. Its path is short, because sockets lie in it, and the same everywhere, because
// docs/quickstart.md names it.
const home = "/tmp/rotad-playground"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		stop()
		os.Exit(1)
	}
}

var errUse = errors.New("usage: playground up | down | grant | login CLIENT [VERSION] | mail")

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return errUse
	}
	switch args[0] {
	case "up":
		return up(ctx, out)
	case "down":
		return down(ctx, out)
	case "serve":
		return serve(ctx)
	case "grant", "login", "mail":
		return ask(ctx, out, args...)
	}
	return errUse
}
