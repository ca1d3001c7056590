package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// moment is what all figures of one run have in common.
type moment struct {
	Commit  string `json:"commit"`
	Dirty   bool   `json:"dirty"` // the tree had changes that are not committed
	Date    string `json:"date"`  // UTC
	CPU     string `json:"cpu"`
	Cores   int    `json:"cores"`
	Memory  string `json:"memory"`
	Kernel  string `json:"kernel"`
	Go      string `json:"go"`
	changes []string
}

// momentFile stands among the results and is none.
const momentFile = "run.json"

// look notes where and on what the program stands.
func look(ctx context.Context, top string) (moment, error) {
	commit, err := git(ctx, top, "rev-parse", "HEAD")
	if err != nil {
		return moment{}, err
	}
	changes, err := git(ctx, top, "status", "--porcelain", "--", ":/", ":(top,exclude)docs/proof", ":(top,exclude)docs/proof.md")
	if err != nil {
		return moment{}, err
	}
	m := moment{
		Commit: strings.TrimSpace(commit), Dirty: changes != "", Date: time.Now().UTC().Format(time.DateOnly),
		CPU: fieldOf("/proc/cpuinfo", "model name"), Cores: runtime.NumCPU(), Memory: memory(),
		Kernel: kernel(), Go: runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH,
	}
	for line := range strings.Lines(changes) {
		m.changes = append(m.changes, strings.TrimSpace(line[min(2, len(line)):]))
	}
	return m, nil
}

func git(ctx context.Context, top string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", top}, args...)...) //nolint:gosec // arguments are ours
	cmd.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0")
	text, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("asking git for %s: %w", args[0], err)
	}
	return string(text), nil
}

// same says in which way a run that was begun does not go on here, nil where it does. The day may change.
func (m moment) same(now moment) error {
	switch {
	case m.Commit != now.Commit:
		return fmt.Errorf("the results belong to commit %s, the tree stands at %s", m.Commit, now.Commit)
	case m.CPU != now.CPU || m.Cores != now.Cores || m.Kernel != now.Kernel:
		return fmt.Errorf("the results belong to another machine (%s, %d cores, %s)", m.CPU, m.Cores, m.Kernel)
	case now.Dirty && !m.Dirty:
		return fmt.Errorf("the tree has changed since the run was begun: %s", strings.Join(now.changes, ", "))
	}
	return nil
}

func readMoment(dir string) (moment, error) {
	text, err := os.ReadFile(filepath.Join(dir, momentFile)) //nolint:gosec // the directory that was named
	if err != nil {
		return moment{}, err
	}
	var m moment
	if err := json.Unmarshal(text, &m); err != nil {
		return moment{}, fmt.Errorf("decoding %s: %w", momentFile, err)
	}
	return m, nil
}

func writeMoment(dir string, m moment) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding %s: %w", momentFile, err)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("making the directory of results: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, momentFile), append(text, '\n'), 0o600)
}

// What a machine does not say is "unknown" in the table.
const unknown = "unknown"

func fieldOf(path, name string) string {
	text, err := os.ReadFile(path) //nolint:gosec // one of two files of the kernel
	if err != nil {
		return unknown
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return unknown
}

func memory() string {
	kib, err := strconv.Atoi(strings.TrimSuffix(fieldOf("/proc/meminfo", "MemTotal"), " kB"))
	if err != nil {
		return unknown
	}
	return fmt.Sprintf("%d GiB", (kib+1<<19)>>20)
}

func kernel() string {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return unknown
	}
	return "Linux " + strings.TrimSpace(string(text))
}
