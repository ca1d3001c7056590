package quickstart_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// shell is one bash, in which all commands of the page are typed: what one exports, the next one has.
type shell struct {
	in   io.Writer
	out  *bufio.Reader
	mark string // ends the output of a command
	said strings.Builder
}

func newShell(t *testing.T, dir string) *shell {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "bash", "--norc", "--noprofile") // it cleans up, too
	cmd.Dir = dir
	// The shell of somebody who reads the page was not started by make, which says more of itself within another.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "MAKE") || strings.HasPrefix(v, "MFLAGS=") })
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	return &shell{in: in, out: bufio.NewReader(out), mark: rand.Text()}
}

// run types a command and returns what it prints, on stdout and stderr, and its exit code.
func (s *shell) run(t *testing.T, command string) (out string, code int) {
	t.Helper()
	if _, err := fmt.Fprintf(s.in, "%s\nprintf '\\n%%s %%d\\n' %s $?\n", command, s.mark); err != nil {
		t.Fatalf("typing %s: %v", command, err)
	}
	var all strings.Builder
	for {
		line, err := s.out.ReadString('\n')
		if err != nil {
			t.Fatalf("%s: the shell ended: %v\n%s", command, err, &all)
		}
		if rest, ends := strings.CutPrefix(line, s.mark+" "); ends {
			if _, err := fmt.Sscan(rest, &code); err != nil {
				t.Fatalf("%s: reading its exit code: %v", command, err)
			}
			s.said.WriteString(all.String())
			return strings.TrimSuffix(all.String(), "\n"), code
		}
		all.WriteString(line)
	}
}
