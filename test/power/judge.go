package power

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
	"github.com/rotad/rotad/state/bolt"
)

// Sum stands for everything that a state file stores. The zero value stands for no file.
type Sum [sha256.Size]byte

// Verdict is what became of an image.
type Verdict struct {
	Sum     Sum   // of what it holds; zero where it was refused or is not there
	Refused error // what rotad says to it; nil = it opens
}

// Judge opens one file of a volume as rotad would and checks it wholly. An error is a fault of rotad: it opened a file
// that is not sound, or refused it without saying what is wrong and what to do. The file is written below dir.
func Judge(ctx context.Context, v *Volume, name, dir string) (Verdict, error) {
	if !v.Has(name) {
		return Verdict{}, nil
	}
	path := filepath.Join(dir, "image.db")
	if err := v.Export(name, path); err != nil {
		return Verdict{}, fmt.Errorf("writing the image: %w", err)
	}
	defer func() { _ = os.Remove(path) }()
	if _, err := bolt.Verify(path); err != nil {
		return Verdict{Refused: err}, errors.Join(words(path, err), untouched(ctx, v, name, path))
	}
	sum, orderly, err := sumOf(path)
	if err != nil {
		return Verdict{}, err
	}
	s, err := bolt.Open(path, bolt.Options{NoSync: true})
	if err != nil {
		return Verdict{Refused: err}, errors.Join(words(path, err), untouched(ctx, v, name, path))
	}
	if orderly { // else it was checked as it was opened
		err = s.Check(ctx)
	}
	return Verdict{Sum: sum}, errors.Join(err, s.Close())
}

// words says what a refusal lacks: it has to name the file, what is wrong with it, and what to do.
func words(path string, err error) error {
	file, ok := errors.AsType[*state.FileError](err)
	switch {
	case !ok || !errors.Is(err, state.ErrCorrupt):
		return fmt.Errorf("refused with the wrong words: %w", err)
	case !strings.Contains(err.Error(), path):
		return fmt.Errorf("the refusal does not say which file it is about: %w", err)
	case !strings.Contains(file.Hint(), "rotad restore"), !strings.Contains(file.Hint(), "keep a copy"):
		return fmt.Errorf("the refusal does not say what to do: %q", file.Hint())
	}
	return nil
}

// untouched says whether a refused file was changed: it may be all that is left. Opening it has to refuse it as well.
func untouched(ctx context.Context, v *Volume, name, path string) error {
	if s, err := bolt.Open(path, bolt.Options{NoSync: true}); err == nil {
		return errors.Join(errors.New("what was refused opens"), s.Check(ctx), s.Close())
	}
	same, err := v.Equals(name, path)
	if err == nil && !same {
		err = errors.New("the refused file was changed")
	}
	return err
}

// reader opens a sound file without rotad.
func reader(path string) (*bbolt.DB, error) {
	return bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
}

// sumOf sums up everything that a file stores, and says whether it was closed in good order.
func sumOf(path string) (sum Sum, orderly bool, err error) {
	db, err := reader(path)
	if err != nil {
		return sum, false, fmt.Errorf("reading the image: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	h := sha256.New()
	part := func(b []byte) {
		_ = binary.Write(h, binary.BigEndian, uint64(len(b)))
		h.Write(b)
	}
	err = db.View(func(tx *bbolt.Tx) error {
		meta := tx.Bucket([]byte("meta"))
		orderly = meta != nil && meta.Get([]byte("clean")) != nil
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			part(name)
			return b.ForEach(func(k, value []byte) error {
				part(k)
				part(value)
				return nil
			})
		})
	})
	return Sum(h.Sum(nil)), orderly, err
}

// Known is what a state file knows.
type Known struct {
	Records map[string]credential.Record
	Audit   map[string][]credential.Audit // by client, oldest first
}

// Read reads a state file as it stands in a volume. A volume without the file knows nothing.
func Read(ctx context.Context, v *Volume, name, dir string) (k Known, err error) {
	k = Known{Records: map[string]credential.Record{}, Audit: map[string][]credential.Audit{}}
	if !v.Has(name) {
		return k, nil
	}
	f, err := os.CreateTemp(dir, "read-*.db")
	if err != nil {
		return k, err
	}
	path := f.Name()
	defer func() { _ = os.Remove(path) }()
	if err := errors.Join(f.Close(), v.Export(name, path)); err != nil {
		return k, err
	}
	s, err := bolt.Open(path, bolt.Options{ReadOnly: true})
	if err != nil {
		return k, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return k, errors.Join(k.records(ctx, s), k.audit(ctx, s))
}

func (k *Known) records(ctx context.Context, s *bolt.Store) error {
	for after := ""; ; {
		list, err := s.List(ctx, after, 0)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, r := range list {
			k.Records[r.Client.ID], after = r, r.Client.ID
		}
	}
}

func (k *Known) audit(ctx context.Context, s *bolt.Store) error {
	for after := uint64(0); ; {
		list, err := s.Audit(ctx, after, 0)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, a := range list {
			k.Audit[a.Client], after = append(k.Audit[a.Client], a), a.Seq
		}
	}
}
