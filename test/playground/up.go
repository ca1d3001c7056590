package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/rotad/rotad/test/servers"
)

// upLimit is how long the servers may take. The first time they are built and installed, which takes longer than to start
// them.
const upLimit = 30 * time.Minute

// up starts the playground and prints what runs where. It is to be run in the directory of the tests' module.
func up(ctx context.Context, out io.Writer) error {
	if err := ask(ctx, out, "summary"); err == nil {
		return nil
	}
	if err := os.Mkdir(home, 0o755); errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is left of a playground that did not end by itself: make playground DOWN=1 removes it", home)
	} else if err != nil {
		return fmt.Errorf("making the playground's directory: %w", err)
	}
	if err := begin(ctx, out); err != nil {
		_ = os.RemoveAll(home)
		return err
	}
	return nil
}

func begin(ctx context.Context, out io.Writer) error {
	if err := os.Mkdir(inHome("bin"), 0o755); err != nil {
		return fmt.Errorf("making the playground's directory: %w", err)
	}
	if err := copySelf(ctx); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(out, "Starting Keycloak, Vault, Postfix, Prometheus, Alertmanager and rotad. The first time takes minutes: they are installed.\n"+
		"So it does where others want the cores as well. What they say meanwhile stands in "+home+", in files that end in log.")
	ended, err := detach()
	if err != nil {
		return err
	}
	return servers.Until(ctx, upLimit, 200*time.Millisecond, func(ctx context.Context) error {
		select {
		case <-ended:
			return &servers.EndedError{Name: "the playground", Code: 1, Log: servers.Tail(inHome("playground.log"), 20)}
		default:
		}
		return ask(ctx, out, "summary")
	})
}

func inHome(name string) string { return filepath.Join(home, name) }

// copySelf puts this program into the playground, because "go run" removes it when it ends.
func copySelf(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	if raw, err := exec.CommandContext(ctx, "cp", self, inHome("bin/playground")).CombinedOutput(); err != nil {
		return fmt.Errorf("copying this program: %w: %s", err, raw)
	}
	return nil
}

// detach starts the part that stays. It outlives this command and its terminal.
func detach() (ended <-chan struct{}, err error) {
	log, err := os.OpenFile(inHome("playground.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the playground's log: %w", err)
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(inHome("bin/playground"), "serve")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the playground: %w", err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait()
	}()
	return done, nil
}

// down ends the playground and removes all of it. What a killed one has left is removed, too: its servers died with it.
func down(ctx context.Context, out io.Writer) error {
	err := ask(ctx, out, "down")
	if err != nil && !errors.Is(err, errDown) {
		return err
	}
	if err == nil {
		if err := servers.Until(ctx, 10*time.Second, 50*time.Millisecond, gone); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(home); err != nil {
		return fmt.Errorf("removing the playground: %w", err)
	}
	_, err = fmt.Fprintln(out, "The playground is gone; nothing is left of it.")
	return err
}

// gone is nil when the part that stays has ended: it holds a lock as long as it lives.
func gone(context.Context) error {
	lock, err := os.OpenFile(inHome("lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return fmt.Errorf("opening the playground's lock: %w", err)
	}
	defer func() { _ = lock.Close() }()
	return syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// hold takes the lock for the life of this process.
func hold() error {
	fd, err := syscall.Open(inHome("lock"), syscall.O_CREAT|syscall.O_RDWR|syscall.O_CLOEXEC, 0o644)
	if err != nil {
		return fmt.Errorf("opening the playground's lock: %w", err)
	}
	if err := syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("another playground runs: %w", err)
	}
	return nil
}
