package canary_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// A daemon that crashes in the middle of rotations, where whoever started it wants to have all that a crash can leave,
// leaves a trace without a secret, and no core. Every World ends with a search of its log.
func TestACrashLeavesNoSecretBehind(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGABRT} {
		t.Run(signal.String(), func(t *testing.T) {
			w, d := newCrashWorld(t)
			limits := readProc(t, d.Pid(), "limits")
			if line := lineWith(limits, "Max core file size"); strings.Join(strings.Fields(line)[4:6], " ") != "0 0" {
				t.Errorf("%s", line)
			}
			crash(t, d, signal)
			log, err := os.ReadFile(w.Path("rotad.log"))
			w.Must(err)
			for _, want := range []string{signalName(signal), "goroutine ", "main.(*daemon).run"} {
				if !strings.Contains(string(log), want) {
					t.Errorf("the trace has no %q", want)
				}
			}
			if found := cores(t, w.Dir); len(found) > 0 {
				t.Errorf("a core was written: %v", found)
			}
		})
	}
}

// The environment and the command line of a daemon that reads its secrets from files hold none of them. They are put
// beside what left the daemon, which every World searches.
func TestTheProcessTableShowsNoSecret(t *testing.T) {
	w, d := newCrashWorld(t)
	for _, name := range []string{"environ", "cmdline"} {
		w.Left(name, []byte(readProc(t, d.Pid(), name)))
	}
	if !strings.Contains(readProc(t, d.Pid(), "cmdline"), "rotad\x00run") {
		t.Error("this is not the daemon's command line")
	}
}

// That no core was written means something only where a process without our care leaves one, or where the kernel hands
// cores to a program.
func TestThisMachineWritesCores(t *testing.T) {
	pattern, err := os.ReadFile("/proc/sys/kernel/core_pattern")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", "ulimit -c unlimited; kill -ABRT $$")
	cmd.Dir = dir
	if err := cmd.Run(); err == nil {
		t.Fatal("the shell did not die")
	}
	if found := cores(t, dir); len(found) == 0 && !strings.HasPrefix(string(pattern), "|") && !strings.HasPrefix(string(pattern), "/") {
		t.Errorf("no core was written although the pattern is %q", pattern)
	}
}

// newCrashWorld starts the daemon by a shell that permits cores and asks for the longest trace, and lets it begin to
// rotate; answers are so slow that secrets are in its memory for seconds.
func newCrashWorld(t *testing.T) (*world.World, *world.Daemon) {
	t.Helper()
	run, err := world.NewRun()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(run.Close)
	wrapper := filepath.Join(t.TempDir(), "rotad")
	script := "#!/bin/sh\nulimit -c unlimited\nexport GOTRACEBACK=crash\nexec " + run.Binary(t) + " \"$@\"\n"
	if err := os.WriteFile(wrapper, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ROTAD_TEST_BINARY", wrapper)
	w := world.New(t, run, "crash")
	for i := range 4 {
		w.AddAppRole(fmt.Sprintf("role-%d", i), i%2 == 1)
	}
	w.ProxyVault().Set(servers.Fault{Method: "PUT", Path: "/data/rotad/staging", Delay: 3 * time.Second},
		servers.Fault{Method: "POST", Path: "/data/rotad/staging", Delay: 3 * time.Second})
	d := w.Start()
	for i := range 4 {
		id := fmt.Sprintf("role-%d", i)
		d.Await(id, 30*time.Second, "is adopted", func(r credential.Record) bool { return r.Sight == credential.SightAdopted })
		d.Do("rotate", id, "--reason", "crash")
	}
	d.Await("role-0", 30*time.Second, "rotates", func(r credential.Record) bool { return r.Rotation != nil })
	return w, d
}

// crash waits until a create has been answered, so that its secret waits to be staged, and sends the signal.
func crash(t *testing.T, d *world.Daemon, signal syscall.Signal) {
	t.Helper()
	servers.Pause(t.Context(), 4*time.Second)
	d.Signal(signal)
	select {
	case <-d.Done():
	case <-time.After(20 * time.Second):
		t.Error("the daemon outlived the signal")
	}
}

func signalName(s syscall.Signal) string {
	return map[syscall.Signal]string{syscall.SIGQUIT: "SIGQUIT: quit", syscall.SIGABRT: "SIGABRT: abort"}[s]
}

func readProc(t *testing.T, pid int, name string) string {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func lineWith(text, begin string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, begin) {
			return line
		}
	}
	return begin + " missing missing missing"
}

func cores(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "core*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}
