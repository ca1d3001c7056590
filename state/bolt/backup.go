package bolt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"

	"github.com/rotad/rotad/state"
)

// WriteTo writes a complete copy of the state, as it is at one moment, while everything goes on. Verify reads it. Pages
// are kept meanwhile, so that a slow writer makes the file grow.
func (s *Store) WriteTo(ctx context.Context, w io.Writer) (n int64, err error) {
	err = s.view(ctx, func(t *txn) error {
		var failed error
		n, failed = t.tx.WriteTo(w)
		return failed
	})
	if err != nil {
		return n, fmt.Errorf("copying the state: %w", err)
	}
	return n, nil
}

// Backup writes a copy of the state to a file, verifies it, and gives it its name only then. A file of that name is
// replaced.
func (s *Store) Backup(ctx context.Context, path string) error {
	if same(path, s.path) {
		return fmt.Errorf("backing up to %s: %w: it is the state file itself", path, state.ErrInvalid)
	}
	err := withTemp(path, func(f *os.File) error {
		if _, err := s.WriteTo(ctx, f); err != nil {
			return err
		}
		_, err := verify(f)
		return err
	})
	if err != nil {
		return fmt.Errorf("backing up to %s: %w", path, err)
	}
	return nil
}

func same(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}

// withTemp writes a file under another name, makes it durable and then moves it to its own.
func withTemp(path string, write func(f *os.File) error) error {
	f, err := tempFile(path)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return publish(f.Name(), path, true)
}

// Verify reads a state file or backup whole, without changing it: every page, every checksum. It returns the instance
// that it belongs to. Errors are a *state.FileError.
func Verify(path string) (instance string, err error) {
	f, err := lockFile(path, true, 0)
	if err != nil {
		return "", refuse(path, err)
	}
	found, err := verify(f)
	return found.instance, refuse(path, errors.Join(err, f.Close()))
}

func verify(f *os.File) (fileMeta, error) {
	var found fileMeta
	img, err := inspectFile(f, found.collect)
	if err != nil {
		return fileMeta{}, err
	}
	info, err := f.Stat()
	if err != nil {
		return fileMeta{}, err
	}
	return found, found.accept(info.Size(), img.buckets)
}

// Restore puts a backup in the place of a state file that no rotad has open, after verifying it. The state file that
// stood there is kept as "<path>.replaced". The store knows from then on that it was restored (state.Meta.Restored). A
// backup of another instance than that of the file is refused with state.ErrInstance, unless force is set; a file that
// cannot be read any more does not stand in the way.
func Restore(backup, path string, force bool) error {
	there, err := lockFile(path, false, 0)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return refuse(path, err)
	}
	if there != nil {
		defer func() { _ = there.Close() }()
	}
	from, err := lockFile(backup, true, 0)
	if err != nil {
		return refuse(backup, err)
	}
	defer func() { _ = from.Close() }()
	found, err := verify(from)
	if err != nil {
		return refuse(backup, err)
	}
	if there != nil && !force {
		if old, err := verify(there); err == nil && old.instance != found.instance {
			return refuse(backup, fmt.Errorf("%w: %s instead of %s", state.ErrInstance, found.instance, old.instance))
		}
	}
	if err := replace(from, path, there != nil); err != nil {
		return fmt.Errorf("restoring %s: %w", path, err)
	}
	return nil
}

// replace copies a verified backup to its place. The file that stood there keeps a name throughout, so that at no
// moment a start would find none and begin anew.
func replace(from *os.File, path string, keep bool) error {
	return withTemp(path, func(f *os.File) error {
		if _, err := io.Copy(f, from); err != nil {
			return err
		}
		if err := markRestored(f.Name()); err != nil {
			return err
		}
		if !keep {
			return nil
		}
		if err := os.Remove(path + ".replaced"); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		// The new name must be on the disk before the old one is given away: after a power cut, a rename may be there and
		// the link made before it not.
		return errors.Join(os.Link(path, path+".replaced"), syncDir(filepath.Dir(path)))
	})
}

func markRestored(path string) error {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: defaultTimeout})
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(bucketNames()[bktMeta]))
		return errors.Join(b.Put([]byte(metaRestored), state.Seal(metaRestored)), b.Delete([]byte(metaClean)))
	})
	return errors.Join(err, db.Close())
}
