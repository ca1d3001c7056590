package servers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// Cache is the directory outside the clone that holds what was installed and built.
type Cache struct{ dir string }

// OpenCache opens $ROTAD_TEST_CACHE, or rotad-test in the user's cache directory.
func OpenCache() (Cache, error) {
	dir := os.Getenv("ROTAD_TEST_CACHE")
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return Cache{}, fmt.Errorf("finding a cache directory (set ROTAD_TEST_CACHE): %w", err)
		}
		dir = filepath.Join(base, "rotad-test")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Cache{}, fmt.Errorf("making the cache directory: %w", err)
	}
	return Cache{dir: dir}, nil
}

// Dir returns the directory of the cache.
func (c Cache) Dir() string { return c.dir }

// Once returns the cached directory of that name. The first caller fills it, under a lock that other processes wait
// for; a fill that was interrupted is begun again from nothing.
func (c Cache) Once(ctx context.Context, name string, fill func(ctx context.Context, dir string) error) (string, error) {
	dir := filepath.Join(c.dir, name)
	marker := dir + ".complete"
	unlock, err := c.lock(name)
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(marker); err == nil {
		return dir, nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", fmt.Errorf("clearing an unfinished %s: %w", name, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("making the directory of %s: %w", name, err)
	}
	if err := fill(ctx, dir); err != nil {
		return "", fmt.Errorf("installing %s: %w", name, err)
	}
	if err := os.WriteFile(marker, nil, 0o644); err != nil {
		return "", fmt.Errorf("marking %s as complete: %w", name, err)
	}
	return dir, nil
}

func (c Cache) lock(name string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(c.dir, name+".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the lock of %s: %w", name, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("locking %s: %w", name, err)
	}
	return func() { _ = f.Close() }, nil // closing releases the lock
}

// debian installs packages where one of their programs is missing.
func (c Cache) debian(ctx context.Context, programs []string, packages ...string) error {
	unlock, err := c.lock("apt")
	if err != nil {
		return err
	}
	defer unlock()
	missing := missingPrograms(programs)
	if len(missing) == 0 {
		return nil
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("%s missing: run as root, or install %s", strings.Join(missing, ", "), strings.Join(packages, " "))
	}
	if err := run(ctx, "", "apt-get", "update", "-q"); err != nil {
		return err
	}
	return run(ctx, "", "apt-get", append([]string{"install", "-q", "-y", "--no-install-recommends"}, packages...)...)
}

func missingPrograms(programs []string) []string {
	var missing []string
	for _, program := range programs {
		if _, err := os.Stat(program); err != nil {
			missing = append(missing, program)
		}
	}
	return missing
}

// run runs a program of an installation; on failure the error holds the end of what it printed.
func run(ctx context.Context, dir, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return fmt.Errorf("running %s: %w:\n%s", program, err, strings.Join(lines[max(0, len(lines)-20):], "\n"))
	}
	return nil
}
