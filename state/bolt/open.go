package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/rotad/rotad/state"
)

// Options say how a state file is opened. The zero value is right for the daemon.
type Options struct {
	ReadOnly        bool          // for commands beside a stopped daemon; nothing is written, nothing is created
	AllowFilesystem bool          // take a network file system, with a warning
	Timeout         time.Duration // wait this long for the lock; 0 = 1s, negative = not at all
	NoSync          bool          // do not wait for the disk: for benchmarks and throw-away files only
	Warn            func(text string)
}

const (
	defaultTimeout = time.Second
	// The mapping is virtual memory only. It is large so that it need not be moved, which waits for all readers.
	mappedSize = 1 << 30
)

// Open opens the state file, and creates it if there is none. Every page and every checksum is looked at before bbolt
// sees the file; one that was not closed in good order is checked wholly (see Check) before it is written to. Errors are a *state.FileError, which says what to do; the file is then as it was.
func Open(path string, o Options) (*Store, error) {
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	switch {
	case o.Timeout == 0:
		o.Timeout = defaultTimeout
	case o.Timeout < 0:
		o.Timeout = 0
	}
	s, err := open(path, o)
	if err != nil {
		return nil, refuse(path, err)
	}
	return s, nil
}

func open(path string, o Options) (*Store, error) {
	if err := acceptFilesystem(path, checkFilesystem(filepath.Dir(path)), o); err != nil {
		return nil, err
	}
	f, err := lockFile(path, o.ReadOnly, o.Timeout)
	if errors.Is(err, fs.ErrNotExist) && !o.ReadOnly {
		if err = create(path, o); err != nil {
			return nil, err
		}
		f, err = lockFile(path, false, o.Timeout)
	}
	if err != nil {
		return nil, err
	}
	orderly, err := examine(f, o.Warn)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	db, err := openBolt(path, f, o)
	if err != nil {
		return nil, err
	}
	s := newStore(db, path, o.ReadOnly)
	if err := s.start(!orderly); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// acceptFilesystem turns the refusal of a file system into a warning where that was asked for.
func acceptFilesystem(path string, err error, o Options) error {
	if errors.Is(err, state.ErrFilesystem) && o.AllowFilesystem {
		o.Warn(fmt.Sprintf("state file %s: %v; a second rotad on it would destroy it", path, err))
		return nil
	}
	return err
}

// examine inspects a locked file and refuses what this program must not touch. It says whether the file was closed in
// good order.
func examine(f *os.File, warn func(string)) (orderly bool, err error) {
	var found fileMeta
	img, err := inspectFile(f, found.collect)
	if err != nil {
		return false, err
	}
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	if err := found.accept(info.Size(), img.buckets); err != nil {
		return false, err
	}
	if img.damaged {
		warn(fmt.Sprintf("state file %s: one of its two first pages is damaged, as after a power cut; the other one is used", f.Name()))
	}
	if info.Mode().Perm()&0o077 != 0 {
		warn(fmt.Sprintf("state file %s can be read or written by other users: chmod 600", f.Name()))
	}
	return found.clean != nil, nil
}

// fileMeta is what has to be known about a file before bbolt may open it.
type fileMeta struct {
	schema, clean []byte
	instance      string
}

func (m *fileMeta) collect(bucket string, key, value []byte) error {
	if bucket != bucketNames()[bktMeta] {
		return nil
	}
	switch string(key) {
	case metaSchema:
		m.schema = append([]byte(nil), value...)
	case metaClean:
		m.clean = append([]byte(nil), value...)
	case metaInstance:
		m.instance = string(value)
	}
	return nil
}

// accept refuses what is not whole. A missing bucket is what a disk leaves that writes the first page before the others: each
// page is sound then, and some are of another age.
func (m *fileMeta) accept(size int64, buckets []string) error {
	expected := bucketNames()
	missing := slices.IndexFunc(expected[:], func(name string) bool { return !slices.Contains(buckets, name) })
	switch {
	case len(m.schema) != timeLength:
		return bad("it is a bbolt file, but not one of rotad")
	case binary.BigEndian.Uint64(m.schema) > state.Schema:
		return fmt.Errorf("schema %d, where this rotad knows no schema after %d: %w", binary.BigEndian.Uint64(m.schema), state.Schema, state.ErrNewer)
	case missing >= 0:
		return bad("the bucket %q is missing", expected[missing])
	case len(m.clean) == timeLength && uint64(size) < binary.BigEndian.Uint64(m.clean): //nolint:gosec // a size
		return bad("it is cut off: %d bytes of %d", size, binary.BigEndian.Uint64(m.clean))
	}
	return nil
}

// openBolt hands the locked and inspected file to bbolt, so that nobody can change it in between. A backup opens the
// file a second time; that reader gets a file of its own.
func openBolt(path string, f *os.File, o Options) (*bbolt.DB, error) {
	handed := false
	return bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:         defaultTimeout,
		ReadOnly:        o.ReadOnly,
		NoSync:          o.NoSync,
		NoGrowSync:      o.NoSync,
		FreelistType:    bbolt.FreelistMapType,
		NoStatistics:    true,
		InitialMmapSize: mappedSize,
		OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
			if !handed {
				handed = true
				return f, nil
			}
			return os.OpenFile(name, flag, mode) //nolint:gosec // the state file again
		},
	})
}

// create makes a new file beside its final place, complete and durable, and only then gives it its name: bbolt is not
// safe against a power cut while it writes its first pages. If another process was faster, its file stays.
func create(path string, o Options) error {
	f, err := tempFile(path)
	if err != nil {
		return fmt.Errorf("creating: %w", err)
	}
	temp := f.Name()
	defer func() { _ = os.Remove(temp) }()
	if err := f.Close(); err != nil {
		return err
	}
	if err := fill(temp, o); err != nil {
		return fmt.Errorf("creating: %w", err)
	}
	if err := publish(temp, path, false); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("creating: %w", err)
	}
	return nil
}

func fill(path string, o Options) error {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: o.NoSync, Timeout: defaultTimeout})
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range bucketNames() {
			if _, failed := tx.CreateBucket([]byte(name)); failed != nil {
				return failed
			}
		}
		return firstMeta(tx.Bucket([]byte(bucketNames()[bktMeta])))
	})
	return errors.Join(err, db.Close())
}
