package servers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

// Until asks every so often until ask returns nil. It gives up when the limit has passed, when the context ends, or
// when ask says that a process has ended; the error then wraps the last answer.
func Until(ctx context.Context, limit, every time.Duration, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	last := errors.New("it was never asked")
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		if isEnded(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting %s: %w", limit, last)
		case <-ticker.C:
		}
	}
}

// awaitAnswer waits until a server answers a look at an address with a success.
func awaitAnswer(ctx context.Context, p *Process, address string) error {
	err := Until(ctx, time.Minute, 50*time.Millisecond, func(ctx context.Context) error {
		if err := p.ended(); err != nil {
			return err
		}
		return do(ctx, call{method: http.MethodGet, url: address})
	})
	if err != nil {
		return fmt.Errorf("waiting for %s: %w", p.name, err)
	}
	return nil
}

// Pause waits a while, or until the context ends.
func Pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// Tail returns the last lines of a file, or why it cannot be read.
func Tail(file string, lines int) string {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(raw), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// TempDir makes a directory with a short path (a Unix socket has room for 107 bytes) that other users may enter,
// because mail servers give up their rights before they open files.
func TempDir() (string, error) {
	dir, err := os.MkdirTemp("", "rotad-")
	if err != nil {
		return "", fmt.Errorf("making a directory for a server: %w", err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", fmt.Errorf("opening a directory to servers: %w", err)
	}
	return dir, nil
}
