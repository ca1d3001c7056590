package reload

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"github.com/rotad/rotad/internal/credential"
)

// signals are those that programs take as a wish, by their names.
var signals = map[string]syscall.Signal{
	"HUP": syscall.SIGHUP, "USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2, "INT": syscall.SIGINT, "TERM": syscall.SIGTERM,
}

// send signals the process of a pid file. Numbers that mean more than one process are refused.
func send(s *credential.SignalReload) error {
	signal, ok := signals[s.SignalName()]
	if !ok {
		return fmt.Errorf("there is no signal %s", s.SignalName())
	}
	text, err := os.ReadFile(s.PIDFile)
	if err != nil {
		return fmt.Errorf("reading the pid file: %w", err)
	}
	first, _, _ := bytes.Cut(bytes.TrimSpace(text), []byte("\n"))
	pid, err := strconv.ParseUint(string(bytes.TrimSpace(first)), 10, 31)
	if err != nil || pid < 2 {
		return errors.New("the pid file does not begin with the number of a process")
	}
	switch err := syscall.Kill(int(pid), signal); {
	case errors.Is(err, syscall.ESRCH):
		return fmt.Errorf("no process has the number %d: the pid file is old", pid)
	case errors.Is(err, syscall.EPERM):
		return fmt.Errorf("the process %d belongs to somebody else: rotad may signal its own user's only, unless it runs as root", pid)
	case err != nil:
		return fmt.Errorf("signalling %d: %w", pid, err)
	}
	return nil
}
