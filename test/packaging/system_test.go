package packaging_test

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// system is this machine's own Debian below a layer that is thrown away: packages are really installed, and none of it
// reaches the machine. No service manager runs in it; a stand-in writes down what it was told.
type system struct {
	t    *testing.T
	pid  string // of the process that keeps the mounts
	root string
}

const mountSystem = `
mount -t tmpfs tmpfs "$BASE"
mkdir "$BASE/upper" "$BASE/work" "$BASE/root"
mount -t overlay -o "lowerdir=/,upperdir=$BASE/upper,workdir=$BASE/work" overlay "$BASE/root"
cd "$BASE/root"
mount -t proc proc proc
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mkdir -p packages run/systemd/system
mount --bind "$PACKAGES" packages
rm -f usr/bin/systemctl
printf '#!/bin/sh\necho "$*" >>/run/systemctl.log\n' >usr/bin/systemctl
chmod 0755 usr/bin/systemctl
echo mounted
exec cat`

// startSystem mounts a system; the directory packages is seen in it as /packages.
func startSystem(t *testing.T, packages string) *system {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this test mounts and changes the user: run it as root")
	}
	base := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "unshare", "--mount", "sh", "-euc", mountSystem)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH") + ":/usr/sbin:/sbin", "BASE=" + base, "PACKAGES=" + packages}
	var errs strings.Builder
	cmd.Stderr = &errs
	in, err := cmd.StdinPipe() // its end ends the process, and with it the mounts
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = in.Close(), cmd.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "mounted\n" {
		t.Fatalf("mounting: %v\n%s", err, errs.String())
	}
	return &system{t: t, pid: strconv.Itoa(cmd.Process.Pid), root: filepath.Join(base, "root")}
}

// command is a program in the system, as a user and group of it, or as root.
func (s *system) command(user string, args ...string) *exec.Cmd {
	change := []string{"--mount", "--target", s.pid, "--", "chroot"}
	if user != "" {
		change = append(change, "--userspec="+user+":"+user)
	}
	cmd := exec.CommandContext(s.t.Context(), "nsenter", append(append(change, s.root), args...)...)
	cmd.Dir = "/"
	cmd.Env = []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/run", "LC_ALL=C.UTF-8",
		"DEBIAN_FRONTEND=noninteractive", "ROTAD_CONFIG=/etc/rotad/config.yaml",
	}
	return cmd
}

// result is how a program ended.
type result struct {
	code      int
	out, errs string
}

// try runs a program as root.
func (s *system) try(args ...string) result {
	s.t.Helper()
	var out, errs strings.Builder
	cmd := s.command("", args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

// do runs a program as root that must succeed, and returns what it printed.
func (s *system) do(args ...string) string {
	s.t.Helper()
	r := s.try(args...)
	if r.code != 0 {
		s.t.Fatalf("%s: exit status %d\n%s%s", strings.Join(args, " "), r.code, r.out, r.errs)
	}
	return r.out
}

// write writes a file for root, which the group rotad may read.
func (s *system) write(path, text string) {
	s.t.Helper()
	cmd := s.command("", "install", "-m", "0640", "-g", "rotad", "/dev/stdin", path)
	cmd.Stdin = strings.NewReader(text)
	run(s.t, cmd)
}

// told returns what the service manager was told since the last time.
func (s *system) told() string {
	s.t.Helper()
	text := s.try("cat", "/run/systemctl.log").out
	s.do("rm", "-f", "/run/systemctl.log")
	return strings.TrimSpace(text)
}

// life runs the daemon as its user until it says that it runs, and stops it as the service manager would. It returns
// what it wrote to its log, and its exit status.
func (s *system) life() result {
	s.t.Helper()
	s.do("install", "-d", "-m", "0750", "-o", "rotad", "-g", "rotad", "/run/rotad") // the unit's RuntimeDirectory
	cmd := s.command("rotad", "/usr/bin/rotad", "run")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	var log strings.Builder
	lines := bufio.NewScanner(io.TeeReader(stderr, &log))
	for lines.Scan() {
		if strings.Contains(lines.Text(), `msg="rotad runs"`) {
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // its exit status is the answer
	return result{code: cmd.ProcessState.ExitCode(), errs: log.String()}
}
