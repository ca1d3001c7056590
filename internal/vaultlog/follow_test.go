package vaultlog_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/vaultlog"
)

// log is an audit log and what was read of it.
type log struct {
	t        *testing.T
	path     string
	mark     vaultlog.Mark
	follower *vaultlog.Follower
}

func newLog(t *testing.T) *log {
	t.Helper()
	l := &log{t: t, path: filepath.Join(t.TempDir(), "audit.log")}
	l.restart()
	t.Cleanup(func() { _ = l.follower.Close() })
	return l
}

func (l *log) restart() {
	if l.follower != nil {
		_ = l.follower.Close()
	}
	l.follower = vaultlog.Follow(l.path, l.mark)
}

func entryOf(version int) string {
	return strings.Replace(whole, `"version":7`, fmt.Sprintf(`"version":%d`, version), 1) + "\n"
}

func (l *log) write(path, text string) {
	l.t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		l.t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		l.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		l.t.Fatal(err)
	}
}

// reads expects the versions that were read since the last time.
func (l *log) reads(want ...int) {
	l.t.Helper()
	var got []int
	mark, err := l.follower.Next(func(r vaultlog.Read) { got = append(got, r.Version) })
	if err != nil || !slices.Equal(got, want) {
		l.t.Fatalf("read %v, want %v (%v)", got, want, err)
	}
	l.mark = mark
}

func TestLinesAreReadOnce(t *testing.T) {
	l := newLog(t)
	l.write(l.path, entryOf(1))
	l.reads() // what was there before rotad asked for it
	l.write(l.path, entryOf(2)+"no entry\n"+entryOf(3))
	l.reads(2, 3)
	l.reads()
	half := entryOf(4)
	l.write(l.path, half[:50])
	l.reads()
	l.write(l.path, half[50:])
	l.reads(4)
	l.write(l.path, strings.Repeat("x", 3<<20))
	l.reads()
	l.write(l.path, entryOf(5)+entryOf(6)) // the first one ends the line that is too long
	l.reads(6)
}

func TestAnEmptyLogIsReadFromItsBeginning(t *testing.T) {
	l := newLog(t)
	l.write(l.path, "")
	l.reads()
	l.write(l.path, entryOf(1))
	l.reads(1)
}

func TestARestartLosesNothing(t *testing.T) {
	l := newLog(t)
	l.write(l.path, entryOf(1))
	l.reads()
	l.write(l.path, entryOf(2))
	l.restart()
	l.reads(2)
	l.restart()
	l.reads()
}

func TestARenamedLogIsReadToItsEnd(t *testing.T) {
	l := newLog(t)
	l.write(l.path, entryOf(1))
	l.reads()
	l.write(l.path, entryOf(2))
	old := l.path + ".1"
	if err := os.Rename(l.path, old); err != nil {
		t.Fatal(err)
	}
	l.reads(2)
	l.write(old, entryOf(3)) // Vault has not let go of it yet
	l.write(l.path, entryOf(4))
	l.reads(3, 4)
	l.write(l.path, entryOf(5))
	l.reads(5)
}

func TestALogThatIsCutShortIsReadFromItsBeginning(t *testing.T) {
	for name, first := range map[string]string{"shorter": entryOf(3), "longer again": entryOf(3) + strings.Repeat(entryOf(4), 9)} {
		t.Run(name, func(t *testing.T) {
			l := newLog(t)
			l.write(l.path, "what was before\n"+entryOf(1)+entryOf(2))
			l.reads()
			if err := os.Truncate(l.path, 0); err != nil {
				t.Fatal(err)
			}
			l.write(l.path, first)
			var got []int
			for range 2 {
				if _, err := l.follower.Next(func(r vaultlog.Read) { got = append(got, r.Version) }); err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Contains(got, 3) {
				t.Errorf("read %v", got)
			}
		})
	}
}

func TestALogThatWasRotatedMeanwhileIsReadFromItsBeginning(t *testing.T) {
	l := newLog(t)
	l.write(l.path, "the old file\n"+entryOf(1))
	l.reads()
	if err := os.Rename(l.path, l.path+".1"); err != nil {
		t.Fatal(err)
	}
	l.write(l.path, "the new file\n"+strings.Repeat(entryOf(2), 3))
	l.restart()
	l.reads(2, 2, 2)
}

func TestALogThatIsNotThere(t *testing.T) {
	l := newLog(t)
	if _, err := l.follower.Next(func(vaultlog.Read) {}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}
