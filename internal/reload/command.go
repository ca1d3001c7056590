package reload

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// systemctl returns where systemd's command lies.
func systemctl() string {
	for _, path := range []string{"/usr/bin/systemctl", "/bin/systemctl"} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return "/usr/bin/systemctl"
}

// environment is all that a command is given: rotad's own may hold its credentials.
func environment() []string { return []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"} }

// lastWord is how long a command that was asked to end may take.
const lastWord = 5 * time.Second

// run runs a program to its end, without a shell. When time is up, it and what it has started are ended.
func run(ctx context.Context, argv []string) error {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // the configuration names it; there is no shell
	cmd.Env, cmd.Dir, cmd.WaitDelay = environment(), "/", lastWord
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && ctx.Err() == nil {
		return fmt.Errorf("it ended with %s; what it printed is not kept, so look where it logs, or run it by hand", exit.ProcessState)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("it did not end within %s, and was ended", timeout)
	}
	return err
}

// executable says whether a program could be started. The caller names it.
func executable(path string) error {
	_, err := exec.LookPath(path)
	if failed, ok := errors.AsType[*exec.Error](err); ok {
		err = failed.Err
	}
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		err = failed.Err
	}
	if err != nil {
		return fmt.Errorf("%w; put it there, and let rotad's user execute it", err)
	}
	return nil
}
