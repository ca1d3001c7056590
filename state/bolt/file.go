package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/rotad/rotad/state"
)

const lockPoll = 20 * time.Millisecond

// lockFile opens a file and locks it: alone for writing, with others for reading. It waits at most for timeout, because
// the rotad before this one may be on its way out. The lock belongs to the returned file.
func lockFile(path string, readOnly bool, timeout time.Duration) (*os.File, error) {
	flag, how := os.O_RDWR, syscall.LOCK_EX
	if readOnly {
		flag, how = os.O_RDONLY, syscall.LOCK_SH
	}
	f, err := os.OpenFile(path, flag, 0) //nolint:gosec // the path is the configured one
	if err != nil {
		return nil, err
	}
	for waited := time.Duration(0); ; waited += lockPoll {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("locking: %w", err), f.Close())
		}
		if waited >= timeout {
			return nil, errors.Join(state.ErrLocked, f.Close())
		}
		time.Sleep(lockPoll) //nolint:forbidigo // waits for another process, before there is any loop
	}
}

// inspectFile maps a file and inspects it. The file must be locked.
func inspectFile(f *os.File, visit func(bucket string, key, value []byte) error) (img *image, err error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: it is no regular file", state.ErrCorrupt)
	case info.Size() == 0:
		return nil, fmt.Errorf("%w: it is empty", state.ErrCorrupt)
	}
	data, err := syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mapping: %w", err)
	}
	defer func() { err = errors.Join(err, syscall.Munmap(data)) }()
	prefetch(data)
	img, err = inspect(data, visit)
	if err != nil {
		return nil, err
	}
	img.data, img.visit = nil, nil // gone with the mapping
	return img, nil
}

// FreeBytes returns how much a process may still write to the file system of the state file.
func (s *Store) FreeBytes() (uint64, error) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(s.path, &stat); err != nil {
		return 0, fmt.Errorf("asking for the free space: %w", err)
	}
	return stat.Bavail * uint64(stat.Bsize), nil //nolint:gosec // the size of a block
}

// publish moves a finished file to its name and makes that durable. With replace false it never overwrites: the error
// wraps fs.ErrExist if there is one already.
func publish(temp, path string, replace bool) error {
	if replace {
		if err := os.Rename(temp, path); err != nil {
			return err
		}
		return syncDir(filepath.Dir(path))
	}
	err := os.Link(temp, path)
	if errors.Is(err, syscall.EPERM) || errors.Is(err, errors.ErrUnsupported) { // a file system without hard links
		if _, missing := os.Lstat(path); errors.Is(missing, fs.ErrNotExist) {
			return publish(temp, path, true)
		}
		err = fs.ErrExist
	}
	if err != nil {
		return err
	}
	return errors.Join(os.Remove(temp), syncDir(filepath.Dir(path)))
}

func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the directory of the configured path
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// tempFile creates an empty file, readable by its owner only, in the directory of path.
func tempFile(path string) (*os.File, error) {
	return os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.new")
}

// refuse dresses an error of a state file with what to do about it.
func refuse(path string, err error) error {
	if err == nil {
		return nil
	}
	advice := "see the runbook about the state file"
	switch {
	case errors.Is(err, state.ErrLocked):
		advice = "stop the other rotad first; commands for a running one go through its admin socket"
	case errors.Is(err, state.ErrNewer):
		advice = "run the newer rotad, or restore a backup made by this one"
	case errors.Is(err, state.ErrCorrupt):
		advice = "nothing was changed: keep a copy of it, then restore a backup with \"rotad restore\"; without one, move it away: " +
			"rotad starts anew and adopts what stands in Vault"
	case errors.Is(err, state.ErrFilesystem):
		advice = "put state.path on a local disk, or set state.allow_filesystem if no second rotad can ever open it"
	case errors.Is(err, fs.ErrNotExist):
		advice = "the directory must exist; \"rotad run\" makes the file"
	case errors.Is(err, fs.ErrPermission):
		advice = "the file and its directory must belong to the user that rotad runs as"
	case errors.Is(err, syscall.ENOSPC):
		advice = "make room on the disk"
	}
	return &state.FileError{Path: path, Err: err, Advice: advice}
}
