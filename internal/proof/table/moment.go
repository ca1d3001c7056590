package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// moment is where a result was measured.
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

// source is what a result depends on: everything but the results themselves, and the page that shows them.
var source = []string{":/", ":(top,exclude)docs/proof", ":(top,exclude)docs/proof.md"} // nothing changes it

// look notes where and on what the program stands.
func look(ctx context.Context, top string) (moment, error) {
	commit, err := git(ctx, top, "rev-parse", "HEAD")
	if err != nil {
		return moment{}, err
	}
	changes, err := git(ctx, top, append([]string{"status", "--porcelain", "--"}, source...)...)
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

// same says in which way a part that was begun did not end where it began, nil where it did. The day may change.
func (m moment) same(now moment) error {
	switch {
	case m.Commit != now.Commit:
		return fmt.Errorf("the part was begun at commit %s, the tree stands at %s: its result is of neither", short(m.Commit), short(now.Commit))
	case m.Dirty != now.Dirty || strings.Join(m.changes, " ") != strings.Join(now.changes, " "):
		return fmt.Errorf("the tree has changed since the part was begun: %s", strings.Join(now.changes, ", "))
	}
	return nil
}

// machine names it in a line.
func (m moment) machine() string {
	return fmt.Sprintf("%s, %d cores, %s, %s, %s", m.CPU, m.Cores, m.Memory, m.Kernel, m.Go)
}

// short is as much of a commit's name as people compare.
func short(commit string) string { return commit[:min(len(commit), 12)] }

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
