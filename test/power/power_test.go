package power_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rotad/rotad/test/power"
	"github.com/rotad/rotad/test/world"
)

// shared is what all worlds use, figures is where their figures go; TestMain alone writes them.
var (
	shared  *world.Run
	figures *report
)

// TestMain lets the tests start this binary once more, as the process whose disk it is.
func TestMain(m *testing.M) {
	path := os.Getenv(writerFile)
	if path == "" {
		os.Exit(runAll(m))
	}
	var commits int
	var seed uint64
	_, err := fmt.Sscan(os.Getenv(writerCommits), &commits, &seed)
	if err == nil {
		err = writes(context.Background(), path, commits, seed)
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func runAll(m *testing.M) int {
	run, err := world.NewRun()
	if err = errors.Join(err, power.Sweep()); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer run.Close()
	shared, figures = run, &report{began: time.Now()}
	code := m.Run()
	if err := figures.write(code == 0); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// number reads a number from the environment.
func number(t testing.TB, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// seed is where all chance of a run comes from.
func seed(t testing.TB) uint64 { return uint64(number(t, "ROTAD_POWER_SEED", 1)) }

// scratch makes a directory for images, in memory where that is to be had: none of them has to last.
func scratch(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "rotad-power-") //nolint:usetesting // not every disk is in memory
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// mount lets a disk be worked on below a directory until the test ends.
func mount(t testing.TB, d *power.Disk) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	server, err := power.Mount(d, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Unmount(); err != nil {
			t.Error(err)
		}
	})
	return dir
}
