package taken_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/rotad/rotad/state/taken"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// reopened is what the next process finds: the file is read again, whatever the one before had open.
func reopened(t *testing.T, path string, now time.Time) *taken.Log {
	t.Helper()
	l, err := taken.Open(path, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func noted(t *testing.T, path string, ids ...string) {
	t.Helper()
	l := reopened(t, path, noon)
	for _, id := range ids {
		if err := l.Note(id, "250 2.0.0 \"Ok\"\r\nqueued as "+id); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatWasNotedOutlivesTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "taken")
	noted(t, path, "a@x", "b@x")
	l := reopened(t, path, noon.Add(time.Hour))
	if got, ok := l.Answer("a@x"); !ok || got != "250 2.0.0 \"Ok\"\r\nqueued as a@x" {
		t.Errorf("%q, %t", got, ok)
	}
	if _, ok := l.Answer("c@x"); ok {
		t.Error("a message is known that nobody noted")
	}
	if err := l.Note("c@x", ""); err != nil {
		t.Fatal(err)
	}
	if answer, ok := l.Answer("c@x"); !ok || answer != "" {
		t.Error("what this process has noted is not known")
	}
	if err := l.Done("a@x"); err != nil {
		t.Fatal(err)
	}
	if err := l.Done("c@x"); err != nil {
		t.Fatal(err)
	}
	if _, ok := l.Answer("c@x"); ok {
		t.Error("what the state has is still noted")
	}
	ids, err := taken.Read(path)
	if err != nil || !slices.Equal(ids, []string{"b@x"}) {
		t.Errorf("left are %v, %v; want what the state does not know", ids, err)
	}
}

// A kill may come between two pages of one write: what the state does not know is never written over.
func TestWhatAProcessBeforeHasNotedIsNeverWrittenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "taken")
	var ids []string
	for i := range 200 { // several pages
		ids = append(ids, fmt.Sprintf("%03d@x", i))
	}
	noted(t, path, ids...)
	l := reopened(t, path, noon)
	held, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = held.Close() }()
	before, err := io.ReadAll(held)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"new@x", ids[0], "newer@x", ids[1]} {
		if err := errors.Join(l.Note("mine@x", "250 Ok"), l.Done(id), l.Done("mine@x")); err != nil {
			t.Fatal(err)
		}
		now := make([]byte, len(before))
		if _, err := held.ReadAt(now, 0); err != nil || !bytes.Equal(now, before) {
			t.Fatalf("after %s the lines were written over, %v", id, err)
		}
	}
	left, err := taken.Read(path)
	if err != nil || !slices.Equal(left, ids[2:]) {
		t.Errorf("left are %v, %v", left, err)
	}
}

func TestAFileThatNothingNeedsIsEmpty(t *testing.T) {
	path := filepath.Join(t.TempDir(), "taken")
	if ids, err := taken.Read(path); err != nil || len(ids) > 0 {
		t.Errorf("without a file: %v, %v", ids, err)
	}
	l := reopened(t, path, noon)
	for range 3 {
		for _, id := range []string{"a", "b"} {
			if err := l.Note(id, "250 Ok"); err != nil {
				t.Fatal(err)
			}
		}
		for i, id := range []string{"a", "nobody", "b"} {
			if err := l.Done(id); err != nil {
				t.Fatal(err)
			}
			if info, err := os.Stat(path); err != nil || (info.Size() == 0) != (i == 2) {
				t.Errorf("after %s the file has %d bytes, %v", id, info.Size(), err)
			}
		}
	}
	noted(t, path, "old")
	if _, ok := reopened(t, path, noon.Add(taken.Keep+time.Minute)).Answer("old"); ok {
		t.Error("what nobody can ask about any more is kept")
	}
}

// A power cut may leave anything in the file. A line that is not whole says nothing, and hides none of the others.
func TestALineThatIsNotWholeSaysNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "taken")
	noted(t, path, "a@x", "b@x")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := range whole {
		damaged := bytes.Clone(whole)
		damaged[at] ^= 1
		for name, content := range map[string][]byte{"cut off": whole[:at], "with a flipped bit": damaged} {
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			ids, err := taken.Read(path)
			if err != nil || len(ids) > 1 || len(ids) == 1 && ids[0] != "a@x" && ids[0] != "b@x" {
				t.Fatalf("%s at %d: %v, %v", name, at, ids, err)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("4a5f4a8c 1780315200 \"a\" \"250 Ok\"\n"))
	f.Add([]byte("00000000 \n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "taken")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		before, err := taken.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		l := reopened(t, path, time.Unix(0, 0))
		for _, id := range before {
			if _, ok := l.Answer(id); !ok {
				t.Errorf("%q was read, and is not known", id)
			}
		}
	})
}
