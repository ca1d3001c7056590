package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/rotad/rotad/internal/credential"
)

// mayWrite asks whether files can be made in a directory and renamed there: W_OK and X_OK of access(2).
const mayWrite = 0x2 | 0x1

// Check says what would keep a copy from being delivered, as far as it can be seen without changing anything. It is true of
// whoever asks: a unit of systemd may protect a directory that its user could write.
func Check(p credential.FilePlace) error {
	if _, err := p.Permissions(); err != nil {
		return err
	}
	who, err := ownerOf(p.Owner)
	if err != nil {
		return err
	}
	if err = writable(filepath.Dir(p.Path)); err != nil {
		return fmt.Errorf("the directory of %s cannot be written: %w; make it, and let rotad's user write there", p.Path, err)
	}
	info, err := os.Lstat(p.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("looking at %s: %w", p.Path, reason(err))
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file: name the file itself, not a link to it", p.Path)
	}
	groups, err := os.Getgroups()
	if err != nil {
		return fmt.Errorf("asking for one's groups: %w", err)
	}
	if !mayChown() && !who.within(os.Geteuid(), append(groups, os.Getegid())) {
		return fmt.Errorf("%s cannot be given to its owner: rotad may give files to its own groups only, unless it runs as root", p.Path)
	}
	return nil
}

func writable(dir string) error {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return syscall.ENOTDIR
	}
	return syscall.Access(dir, mayWrite)
}

// within says whether a user in groups can give files to the owner without any right of root's.
func (o owner) within(uid int, groups []int) bool {
	return (o.uid == unchanged || o.uid == uid) && (o.gid == unchanged || slices.Contains(groups, o.gid))
}

// capChown is the right to give files to anybody, among the capabilities of a process (capabilities(7)).
const capChown = 1

// mayChown says whether this process has it.
func mayChown() bool {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return os.Geteuid() == 0
	}
	return effective(string(text))&capChown != 0
}

func effective(status string) uint64 {
	for line := range strings.Lines(status) {
		if hex, ok := strings.CutPrefix(line, "CapEff:"); ok {
			n, _ := strconv.ParseUint(strings.TrimSpace(hex), 16, 64) // what cannot be read is no right
			return n
		}
	}
	return 0
}
