// Command bench runs internal/bench with the one server that it needs and cannot bring along: Postfix's smtp-sink. Its
// arguments are those of internal/bench.
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
	words := append([]string{
		"run", "./internal/bench", "-sink", fmt.Sprintf("127.0.0.1:%d", sink.Port), "-source", servers.SourceProgram,
	}, args...)
	cmd := exec.CommandContext(ctx, "go", words...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = "..", os.Stdout, os.Stderr
	return cmd.Run()
}
