package bolt_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
	"github.com/rotad/rotad/state/bolt"
)

func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// TestCheckFindsWhatDoesNotFit damages what no checksum protects: entries that fit the format, but not each other.
func TestCheckFindsWhatDoesNotFit(t *testing.T) {
	for name, damage := range map[string]func(tx *bbolt.Tx) error{
		"a lost due entry":      func(tx *bbolt.Tx) error { return dropFirst(tx, "due") },
		"a lost expiry entry":   func(tx *bbolt.Tx) error { return dropFirst(tx, "expiry") },
		"a lost active entry":   func(tx *bbolt.Tx) error { return dropFirst(tx, "active") },
		"a lost unique entry":   func(tx *bbolt.Tx) error { return dropFirst(tx, "unique") },
		"a lost key of notices": func(tx *bbolt.Tx) error { return dropFirst(tx, "outkey") },
		"a lost counter":        func(tx *bbolt.Tx) error { return dropFirst(tx, "count") },
		"a lost record":         func(tx *bbolt.Tx) error { return dropFirst(tx, "record") },
		"a lost notice":         func(tx *bbolt.Tx) error { return dropFirst(tx, "outbox") },
		"a lost audit entry":    func(tx *bbolt.Tx) error { return dropFirst(tx, "audit") },
		"a stray due entry": func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("due")).Put([]byte("corp\x0012345678x"), state.Seal("corp\x0012345678x"))
		},
		"a stray active entry": func(tx *bbolt.Tx) error { return tx.Bucket([]byte("active")).Put([]byte("x"), state.Seal("x")) },
		"a stray counter": func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("count")).Put([]byte("x"), state.Seal("x", []byte("12345678")))
		},
		"a wrong owner of a ref": func(tx *bbolt.Tx) error {
			k, _ := tx.Bucket([]byte("unique")).Cursor().First()
			return tx.Bucket([]byte("unique")).Put(bytes.Clone(k), state.Seal(string(k), []byte("x")))
		},
		"a record under another id": func(tx *bbolt.Tx) error {
			k, v := tx.Bucket([]byte("record")).Cursor().First()
			payload, err := state.Open(k, v)
			return errors.Join(err, tx.Bucket([]byte("record")).Put([]byte("x"), state.Seal("x", payload)))
		},
		"a changed audit entry": func(tx *bbolt.Tx) error {
			c := tx.Bucket([]byte("audit")).Cursor()
			first, _ := c.First()
			k, v := c.Next()
			payload, err := state.Open(k, v)
			return errors.Join(err, tx.Bucket([]byte("audit")).Put(bytes.Clone(first), state.Seal(string(first), payload)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := written(t)
			inside(t, path, damage)
			s := open(t, path, bolt.Options{})
			if err := s.Check(t.Context()); !errors.Is(err, state.ErrCorrupt) {
				t.Errorf("got %v, want ErrCorrupt", err)
			}
		})
	}
}

// TestADisorderlyFileIsCheckedBeforeItIsUsed loses a due entry as a disk does that lies about its writes: every page that
// is left is sound for itself. After an orderly end nobody looks for that at the start; without one, everything is.
func TestADisorderlyFileIsCheckedBeforeItIsUsed(t *testing.T) {
	for _, orderly := range []bool{true, false} {
		path := written(t)
		inside(t, path, func(tx *bbolt.Tx) error {
			if !orderly {
				if err := tx.Bucket([]byte("meta")).Delete([]byte("clean")); err != nil {
					return err
				}
			}
			return dropFirst(tx, "due")
		})
		before := content(t, path)
		s, err := bolt.Open(path, bolt.Options{})
		if orderly {
			if err := errors.Join(err, s.Close()); err != nil {
				t.Errorf("in good order: %v", err)
			}
			continue
		}
		if file, ok := errors.AsType[*state.FileError](err); !ok || !errors.Is(err, state.ErrCorrupt) || !strings.Contains(file.Hint(), "rotad restore") {
			t.Errorf("got %v, want ErrCorrupt and what to do", err)
		}
		if !bytes.Equal(before, content(t, path)) {
			t.Error("the refused file was changed")
		}
	}
}

func dropFirst(tx *bbolt.Tx, bucket string) error {
	c := tx.Bucket([]byte(bucket)).Cursor()
	c.First()
	return c.Delete()
}

func TestCheckOfASoundStore(t *testing.T) {
	s := open(t, written(t), bolt.Options{})
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestAnAuditEntryCannotBeChanged shows that the chain notices a changed entry even if its checksum was made anew.
func TestAnAuditEntryCannotBeChanged(t *testing.T) {
	path := written(t)
	inside(t, path, func(tx *bbolt.Tx) error {
		k, v := tx.Bucket([]byte("audit")).Cursor().First()
		payload, err := state.Open(k, v)
		if err != nil {
			return err
		}
		forged := bytes.Replace(payload, []byte("registered"), []byte("requested!"), 1)
		return tx.Bucket([]byte("audit")).Put(bytes.Clone(k), state.Seal(string(k), forged))
	})
	s := open(t, path, bolt.Options{})
	if _, err := s.VerifyAudit(t.Context()); !errors.Is(err, state.ErrCorrupt) || !strings.Contains(err.Error(), "before entry 2") {
		t.Errorf("got %v, want that the chain breaks before entry 2", err)
	}
}

// TestARecordThatCannotBeReadHidesNoOther damages a value while the store is open, behind the look at its start.
func TestARecordThatCannotBeReadHidesNoOther(t *testing.T) {
	path := written(t)
	inside(t, path, func(tx *bbolt.Tx) error { // a sealed value that is no record
		return tx.Bucket([]byte("record")).Put([]byte("client-0000000"), state.Seal("client-0000000", []byte("12345678x")))
	})
	s := open(t, path, bolt.Options{})
	now := moment().Add(2 * time.Hour)
	records, err := s.Claim(t.Context(), now, "corp", 2, "worker", time.Minute)
	if len(records) != 2 || records[0].Client.ID != "client-0000001" || !errors.Is(err, state.ErrCorrupt) {
		t.Errorf("%d records, %v", len(records), err)
	}
	records, err = s.Claim(t.Context(), now, "corp", 2, "worker", time.Minute)
	if len(records) != 2 || err != nil {
		t.Errorf("again: %d records, %v", len(records), err)
	}
	if _, _, err := s.Get(t.Context(), "client-0000000"); !errors.Is(err, state.ErrCorrupt) {
		t.Errorf("got %v, want ErrCorrupt", err)
	}
}

func TestBackupIsTheStateOfOneMoment(t *testing.T) {
	s := open(t, written(t), bolt.Options{})
	copied := filepath.Join(t.TempDir(), "backup.db")
	if err := s.Backup(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	want := get(t, s, "client-0000007")
	later := want
	later.Missing = 1
	commit(t, s, credential.Change{Record: later})
	if instance, err := bolt.Verify(copied); instance != s.Meta().Instance || err != nil {
		t.Errorf("instance %q, %v", instance, err)
	}
	old := open(t, copied, bolt.Options{ReadOnly: true})
	same(t, "record", get(t, old, "client-0000007"), want)
	if err := s.Backup(t.Context(), filepath.Join(filepath.Dir(copied), "none", "x")); err == nil {
		t.Error("a backup into nowhere")
	}
}

func TestBackupNeverReplacesTheStateFile(t *testing.T) {
	path := written(t)
	s := open(t, path, bolt.Options{})
	if err := s.Backup(t.Context(), path); !errors.Is(err, state.ErrInvalid) {
		t.Errorf("got %v, want ErrInvalid", err)
	}
}

// backup makes a state file, a backup of it, and changes the file after.
func backup(t *testing.T) (path, copied string, then credential.Record) {
	t.Helper()
	path = written(t)
	copied = filepath.Join(t.TempDir(), "backup.db")
	s := open(t, path, bolt.Options{})
	if err := s.Backup(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	then = get(t, s, "client-0000001")
	commit(t, s, credential.Change{Record: then, Archive: true})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path, copied, then
}

func TestRestoreBringsBackAndSaysSo(t *testing.T) {
	path, copied, then := backup(t)
	replaced, original := content(t, path), content(t, copied)
	for range 2 { // the second time over its own result
		if err := bolt.Restore(copied, path, false); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, path, bolt.Options{})
	same(t, "record", get(t, s, then.Client.ID), then)
	if !s.Meta().Restored {
		t.Error("it does not know that it was restored")
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.ClearRestored(t.Context()); err != nil || s.Meta().Restored {
		t.Errorf("still restored: %v", err)
	}
	if !bytes.Equal(original, content(t, copied)) {
		t.Error("the backup was changed")
	}
	if bytes.Equal(replaced, content(t, path+".replaced")) {
		t.Error("the file of the first restore is kept, not the one that the second replaced")
	}
	if _, err := bolt.Verify(path + ".replaced"); err != nil {
		t.Errorf("the replaced file: %v", err)
	}
}

func TestRestoreOverADamagedFile(t *testing.T) {
	path, copied, then := backup(t)
	rewrite(t, path, []byte("garbage"))
	if err := bolt.Restore(copied, path, false); err != nil {
		t.Fatal(err)
	}
	same(t, "record", get(t, open(t, path, bolt.Options{}), then.Client.ID), then)
	if string(content(t, path+".replaced")) != "garbage" {
		t.Error("the damaged file is lost")
	}
}

func TestRestoreWhereNothingIs(t *testing.T) {
	_, copied, then := backup(t)
	path := filepath.Join(t.TempDir(), "rotad.db")
	if err := bolt.Restore(copied, path, false); err != nil {
		t.Fatal(err)
	}
	same(t, "record", get(t, open(t, path, bolt.Options{}), then.Client.ID), then)
}

func TestRestoreRefuses(t *testing.T) {
	path, copied, _ := backup(t)
	before := content(t, path)
	broken := filepath.Join(t.TempDir(), "rotad.db.broken")
	rewrite(t, broken, content(t, copied)[:9000])
	if err := bolt.Restore(broken, path, true); !errors.Is(err, state.ErrCorrupt) {
		t.Errorf("a cut backup: %v", err)
	}
	foreign := written(t)
	if err := bolt.Restore(foreign, path, false); !errors.Is(err, state.ErrInstance) {
		t.Errorf("a backup of another instance: %v", err)
	}
	if err := bolt.Restore(filepath.Join(t.TempDir(), "none"), path, false); err == nil {
		t.Error("a backup that does not exist")
	}
	if !bytes.Equal(before, content(t, path)) {
		t.Error("the file was changed")
	}
	open(t, path, bolt.Options{})
	if err := bolt.Restore(copied, path, true); !errors.Is(err, state.ErrLocked) {
		t.Errorf("while a daemon runs: %v", err)
	}
	if err := bolt.Restore(foreign, filepath.Join(t.TempDir(), "rotad.db"), false); err != nil {
		t.Errorf("into an empty place: %v", err)
	}
}
