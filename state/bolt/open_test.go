package bolt_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
	"github.com/rotad/rotad/state/bolt"
)

// written is the path of a state file with some clients in it, closed in good order.
func written(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rotad.db")
	s, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	load(t, s, 300)
	r := get(t, s, "client-0000007")
	r.Hold = &credential.Hold{Code: credential.HoldByPerson, Since: moment()}
	commit(t, s, credential.Change{Record: r, Watermark: moment(), Notices: []credential.Notice{{Key: "k", At: moment()}}})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func get(t testing.TB, s *bolt.Store, id string) credential.Record {
	t.Helper()
	r, ok, err := s.Get(t.Context(), id)
	if err != nil || !ok {
		t.Fatalf("client %s: %v, %v", id, ok, err)
	}
	return r
}

func commit(t testing.TB, s *bolt.Store, c credential.Change) credential.Record {
	t.Helper()
	r, conflict, err := s.Commit(t.Context(), c)
	if err != nil || conflict {
		t.Fatalf("conflict %v, %v", conflict, err)
	}
	return r
}

func content(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func rewrite(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// inside changes a file through bbolt itself, behind the back of the store.
func inside(t testing.TB, path string, change func(tx *bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(change), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefusesAndLeavesUntouched(t *testing.T) {
	const page = 4096
	for name, tt := range map[string]struct {
		spoil func(t *testing.T, path string, b []byte) []byte // nil result = the file was changed in place
		want  error
	}{
		"an empty file":      {func(*testing.T, string, []byte) []byte { return []byte{} }, state.ErrCorrupt},
		"a text":             {func(*testing.T, string, []byte) []byte { return []byte(strings.Repeat("hello ", 9999)) }, state.ErrCorrupt},
		"zeros":              {func(_ *testing.T, _ string, b []byte) []byte { return make([]byte, len(b)) }, state.ErrCorrupt},
		"cut in the middle":  {func(_ *testing.T, _ string, b []byte) []byte { return b[:len(b)/2] }, state.ErrCorrupt},
		"cut by one byte":    {func(_ *testing.T, _ string, b []byte) []byte { return b[:len(b)-1] }, state.ErrCorrupt},
		"cut to three pages": {func(_ *testing.T, _ string, b []byte) []byte { return b[:3*page] }, state.ErrCorrupt},
		"cut to 100 bytes":   {func(_ *testing.T, _ string, b []byte) []byte { return b[:100] }, state.ErrCorrupt},
		"both first pages damaged": {func(_ *testing.T, _ string, b []byte) []byte {
			b[100], b[page+100] = b[100]^1, b[page+100]^1
			b[50], b[page+50] = b[50]^1, b[page+50]^1
			return b
		}, state.ErrCorrupt},
		"one bit of a stored value": {func(_ *testing.T, _ string, b []byte) []byte {
			b[bytes.LastIndex(b, []byte("payments"))] ^= 4
			return b
		}, state.ErrCorrupt},
		"one bit of an index key": {func(_ *testing.T, _ string, b []byte) []byte {
			return bytes.ReplaceAll(b, []byte("corp\x00\x80\x06"), []byte("corp\x00\x80\x07")) // when clients are due
		}, state.ErrCorrupt},
		"a page of zeros": {func(_ *testing.T, _ string, b []byte) []byte {
			at := bytes.LastIndex(b, []byte("payments")) / page * page
			return append(append(b[:at:at], make([]byte, page)...), b[at+page:]...)
		}, state.ErrCorrupt},
		"a newer schema": {func(t *testing.T, path string, _ []byte) []byte {
			inside(t, path, func(tx *bbolt.Tx) error {
				newer := state.Seal("schema", binary.BigEndian.AppendUint64(nil, state.Schema+1))
				return tx.Bucket([]byte("meta")).Put([]byte("schema"), newer)
			})
			return nil
		}, state.ErrNewer},
		"another program's file": {func(t *testing.T, path string, _ []byte) []byte {
			inside(t, path, func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("meta")) })
			return nil
		}, state.ErrCorrupt},
		"a bucket is missing": {func(t *testing.T, path string, _ []byte) []byte {
			inside(t, path, func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("archive")) })
			return nil
		}, state.ErrCorrupt},
		"a bucket inside of a bucket": {func(t *testing.T, path string, _ []byte) []byte {
			inside(t, path, func(tx *bbolt.Tx) error {
				_, err := tx.Bucket([]byte("record")).CreateBucket([]byte("x"))
				return err
			})
			return nil
		}, state.ErrCorrupt},
	} {
		t.Run(name, func(t *testing.T) {
			path := written(t)
			if b := tt.spoil(t, path, content(t, path)); b != nil {
				rewrite(t, path, b)
			}
			before := content(t, path)
			for _, readOnly := range []bool{false, true} {
				_, err := bolt.Open(path, bolt.Options{ReadOnly: readOnly})
				refused(t, err, tt.want)
			}
			if _, err := bolt.Verify(path); !errors.Is(err, tt.want) {
				t.Errorf("Verify: got %v, want %v", err, tt.want)
			}
			if !bytes.Equal(before, content(t, path)) {
				t.Error("the file was changed")
			}
		})
	}
}

// refused asks for an error that says what is wrong with which file, and what to do.
func refused(t *testing.T, err, want error) {
	t.Helper()
	var file *state.FileError
	if !errors.Is(err, want) || !errors.As(err, &file) {
		t.Fatalf("got %v, want %v", err, want)
	}
	if file.Hint() == "" || !strings.Contains(err.Error(), "rotad.db") {
		t.Errorf("the error %q, hint %q", err, file.Hint())
	}
}

func TestOpenSecondTimeIsLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rotad.db")
	s := open(t, path, bolt.Options{})
	for _, readOnly := range []bool{false, true} {
		_, err := bolt.Open(path, bolt.Options{ReadOnly: readOnly, Timeout: -1})
		refused(t, err, state.ErrLocked)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, path, bolt.Options{})
}

func TestOpenWaitsForTheOneThatCloses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rotad.db")
	s := open(t, path, bolt.Options{})
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	open(t, path, bolt.Options{Timeout: 10 * time.Second})
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestOpenCreatesForItsOwnerOnly(t *testing.T) {
	dir := t.TempDir()
	open(t, filepath.Join(dir, "rotad.db"), bolt.Options{})
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v: want the state file alone", entries, err)
	}
	info, err := entries[0].Info()
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestOpenWithoutDirectory(t *testing.T) {
	_, err := bolt.Open(filepath.Join(t.TempDir(), "none", "rotad.db"), bolt.Options{})
	refused(t, err, fs.ErrNotExist)
}

func TestOpenForReadingCreatesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rotad.db")
	_, err := bolt.Open(path, bolt.Options{ReadOnly: true})
	refused(t, err, fs.ErrNotExist)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was made: %v", err)
	}
}

func TestOpenForReadingChangesNothing(t *testing.T) {
	path := written(t)
	before := content(t, path)
	first := open(t, path, bolt.Options{ReadOnly: true})
	second := open(t, path, bolt.Options{ReadOnly: true})
	if records, err := second.List(t.Context(), "", 0); len(records) != 300 || err != nil {
		t.Errorf("%d records, %v", len(records), err)
	}
	if _, _, err := first.Commit(t.Context(), registered(1000, moment())); !errors.Is(err, state.ErrReadOnly) {
		t.Errorf("got %v, want ErrReadOnly", err)
	}
	if first.Meta().Boot != 1 || !bytes.Equal(before, content(t, path)) {
		t.Error("the file was changed")
	}
}

func TestOpenWarnsOfAFileThatOthersCanRead(t *testing.T) {
	path := written(t)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	var warnings []string
	open(t, path, bolt.Options{Warn: func(text string) { warnings = append(warnings, text) }})
	if len(warnings) != 1 || !strings.Contains(warnings[0], "chmod 600") {
		t.Errorf("warnings %q", warnings)
	}
}

func TestOneDamagedFirstPageCostsNothing(t *testing.T) {
	for name, at := range map[string]int{"first": 60, "second": 4096 + 60} {
		t.Run(name, func(t *testing.T) {
			path := written(t)
			b := content(t, path)
			b[at] ^= 1
			rewrite(t, path, b)
			warned := 0
			s := open(t, path, bolt.Options{Warn: func(string) { warned++ }})
			if err := s.Check(t.Context()); err != nil || warned != 1 {
				t.Errorf("%v, %d warnings", err, warned)
			}
			get(t, s, "client-0000299")
		})
	}
}

func TestReopenFindsEverything(t *testing.T) {
	path := written(t)
	s := open(t, path, bolt.Options{})
	before := s.Meta()
	want, err := s.List(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	counts := s.Aggregates()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path, bolt.Options{})
	got, err := s.List(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "records", got, want)
	same(t, "counters", s.Aggregates(), counts)
	before.Boot++
	same(t, "meta", s.Meta(), before)
	if due, ok, err := s.NextDue(t.Context(), "corp"); !due.Equal(moment().Add(time.Hour)) || !ok || err != nil {
		t.Errorf("next due %v, %v, %v", due, ok, err)
	}
	if at, ok, err := s.NextNotice(t.Context()); !at.Equal(moment()) || !ok || err != nil {
		t.Errorf("next notice %v, %v, %v", at, ok, err)
	}
	r := get(t, s, "client-0000001")
	commit(t, s, credential.Change{Record: r, Audit: []credential.Audit{{At: moment(), Detail: "after"}}})
	if n, err := s.VerifyAudit(t.Context()); n != 301 || err != nil {
		t.Errorf("the chain goes on: %d entries, %v", n, err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestLoadEndsWhereItsCallerSaysSo(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "rotad.db"), bolt.Options{NoSync: true})
	enough := errors.New("enough")
	err := s.Load(t.Context(), func(yield func(credential.Change) bool) {
		for i := 0; yield(registered(i, moment())); i++ {
			if i > 100_000 {
				t.Fatal("the sequence goes on")
			}
		}
	}, func(int, []state.Refusal) error { return enough })
	if !errors.Is(err, enough) {
		t.Errorf("got %v, want the error of the caller", err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestLoadMakesManyChanges(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "rotad.db"), bolt.Options{NoSync: true})
	const clients = 45_000 // three transactions
	before, told := 0, 0
	var refusals []state.Refusal
	err := s.Load(t.Context(), func(yield func(credential.Change) bool) {
		for i := range clients {
			if !yield(registered(i, moment())) {
				return
			}
		}
		yield(registered(1, moment()))
		yield(credential.Change{Create: true})
	}, func(n int, refused []state.Refusal) error {
		for _, r := range refused {
			r.Index += before
			refusals = append(refusals, r)
		}
		before, told = before+n, told+1
		return nil
	})
	if before != clients+2 || told != 3 {
		t.Errorf("told of %d changes in %d transactions", before, told)
	}
	if err != nil || len(refusals) != 2 || refusals[0].Index != clients || !errors.Is(refusals[0].Err, state.ErrConflict) ||
		!errors.Is(refusals[1].Err, state.ErrInvalid) {
		t.Fatalf("%v, %v", refusals, err)
	}
	same(t, "counters", s.Aggregates().Clients, map[state.Watch]int{{Provider: "corp", Mode: credential.ModeTwoSlot}: clients})
	urgent, last := 0, ""
	for r, err := range s.MostUrgent(t.Context(), 2500) {
		if err != nil {
			t.Fatal(err)
		}
		urgent, last = urgent+1, r.Client.ID
	}
	if urgent != 2500 || last != "client-0002499" {
		t.Errorf("%d urgent clients, the last %s", urgent, last)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
