// Command bench runs internal/bench with the servers that it needs and cannot bring along: Postfix's smtp-sink, and a long line
// to it. Its arguments are those of internal/bench.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/rotad/rotad/test/servers"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	cache, err := servers.OpenCache()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "rotad-bench-mail-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o755); err != nil { // the sink runs as "nobody"
		return err
	}
	sink, err := servers.StartVoid(ctx, cache, dir)
	if err != nil {
		return err
	}
	defer sink.Stop()
	at := fmt.Sprintf("127.0.0.1:%d", sink.Port)
	far, stop, err := lead(ctx, cache, dir, at)
	if err != nil {
		return err
	}
	defer stop()
	words := append([]string{"run", "./internal/bench", "-sink", at, "-far", far, "-source", servers.SourceProgram}, args...)
	cmd := exec.CommandContext(ctx, "go", words...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = "..", os.Stdout, os.Stderr
	return cmd.Run()
}

// farAway is how long an answer of the far server is on its way: 20 ms there and back, all of them back.
const farAway = 20

// lead makes a long line to a server, and returns its near end.
func lead(ctx context.Context, cache servers.Cache, dir, to string) (from string, stop func(), err error) {
	module, err := os.Getwd()
	if err != nil {
		return "", nil, err
	}
	proxy, err := servers.StartToxiproxy(ctx, cache, module, dir)
	if err != nil {
		return "", nil, err
	}
	line, err := proxy.Line(ctx, "far", to)
	if err == nil {
		err = line.Poison(ctx, servers.Toxic{Type: "latency", Stream: "downstream", Attributes: map[string]any{"latency": farAway}})
	}
	if err != nil {
		proxy.Stop()
		return "", nil, fmt.Errorf("making a long line to the mail server: %w", err)
	}
	return line.Addr, proxy.Stop, nil
}
