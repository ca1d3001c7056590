package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// moment is what a result belongs to: the source that was measured, when, and on what.
type moment struct {
	Commit string `json:"commit"`
	Dirty  bool   `json:"dirty"` // the tree had changes that are not committed
	Date   string `json:"date"`  // UTC, when the part began
	machine
}

// machine is what figures of time depend on, the toolchain included.
type machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Memory string `json:"memory"`
	Kernel string `json:"kernel"`
	Go     string `json:"go"`
}

func (m machine) String() string {
	return fmt.Sprintf("%s, %d cores, %s, %s; %s", m.CPU, m.Cores, m.Memory, m.Kernel, m.Go)
}

// now is the moment of a part that begins on this source.
func now(s source) moment {
	return moment{
		Commit: s.commit, Dirty: s.dirty(), Date: time.Now().UTC().Format(time.DateOnly),
		machine: machine{
			CPU: fieldOf("/proc/cpuinfo", "model name"), Cores: runtime.NumCPU(), Memory: memory(), Kernel: kernel(),
			Go: runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH,
		},
	}
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
