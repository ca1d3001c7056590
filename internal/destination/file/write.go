package file

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/rotad/rotad/internal/credential"
)

// maxSize is how much of a file is read to be compared: far above any bundle.
const maxSize = 1 << 20

// Deliver makes a file hold a copy. It says whether that had to be written.
func Deliver(ctx context.Context, p credential.FilePlace, c credential.Copy) (written bool, err error) {
	content, err := Render(p, c)
	if err != nil {
		return false, err
	}
	mode, err := p.Permissions()
	if err != nil {
		return false, err
	}
	who, err := ownerOf(p.Owner)
	if err != nil {
		return false, err
	}
	dir, name := filepath.Split(filepath.Clean(p.Path))
	root, err := os.OpenRoot(dir)
	if err != nil {
		return false, fmt.Errorf("opening the directory of %s: %w", p.Path, reason(err))
	}
	defer func() { _ = root.Close() }()
	w := writer{root: root, name: name, path: p.Path, content: content, mode: mode, owner: who}
	if same, err := w.holds(); err != nil || same {
		return false, err
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	return true, w.replace()
}

// writer replaces one file.
type writer struct {
	root    *os.Root
	name    string
	path    string // for people
	content []byte
	mode    fs.FileMode
	owner   owner
}

// holds says whether the file is as it should be.
func (w writer) holds() (bool, error) {
	info, err := w.root.Lstat(w.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("looking at %s: %w", w.path, reason(err))
	case !info.Mode().IsRegular():
		return false, fmt.Errorf("%s is not a regular file: name the file itself, not a link to it", w.path)
	case info.Mode().Perm() != w.mode || !w.owner.owns(info) || info.Size() > maxSize:
		return false, nil
	}
	have, err := w.root.ReadFile(w.name)
	if err != nil {
		return false, fmt.Errorf("reading %s: %w", w.path, reason(err))
	}
	return bytes.Equal(have, w.content), nil
}

// replace writes a file beside the old one and renames it over that.
func (w writer) replace() error {
	w.removeLeftovers()
	beside := w.leftover() + rand.Text()
	if err := w.write(beside); err != nil {
		_ = w.root.Remove(beside)
		return fmt.Errorf("writing %s: %w", w.path, reason(err))
	}
	if err := w.root.Rename(beside, w.name); err != nil {
		_ = w.root.Remove(beside)
		return fmt.Errorf("replacing %s: %w", w.path, busy(reason(err)))
	}
	if err := w.syncDir(); err != nil {
		return fmt.Errorf("writing the directory of %s: %w", w.path, reason(err))
	}
	same, err := w.holds()
	if err == nil && !same {
		err = fmt.Errorf("%s does not hold what was written: somebody else writes it", w.path)
	}
	return err
}

func (w writer) write(name string) error {
	f, err := w.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(w.content)
	return errors.Join(err, w.owner.give(f), f.Chmod(w.mode), f.Sync(), f.Close())
}

func (w writer) syncDir() error {
	dir, err := w.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// leftover is how the name of an unfinished file begins.
func (w writer) leftover() string { return "." + w.name + ".rotad-" }

// removeLeftovers removes what a process left that died in between.
func (w writer) removeLeftovers() {
	entries, err := fs.ReadDir(w.root.FS(), ".")
	if err != nil {
		return
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), w.leftover()) {
			_ = w.root.Remove(e.Name())
		}
	}
}

// reason strips the name of the operation and of the unfinished file: the caller names the file that people know.
func reason(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		return link.Err
	}
	return err
}

// busy explains why a file that is a mount point of its own cannot be replaced.
func busy(err error) error {
	if errors.Is(err, syscall.EBUSY) {
		return fmt.Errorf("%w: it is mounted by itself; mount its directory instead", err)
	}
	return err
}
