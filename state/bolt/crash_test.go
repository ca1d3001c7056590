package bolt_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
	"github.com/rotad/rotad/state/bolt"
)

const (
	childFile = "ROTAD_TEST_STATE"
	childRole = "ROTAD_TEST_ROLE"
)

// TestMain lets the tests start this binary once more, as the process that is killed or runs out of disk.
func TestMain(m *testing.M) {
	ctx := context.Background() //nolint:forbidigo // the other process has no test whose context it could take
	switch os.Getenv(childRole) {
	case "":
		m.Run()
	case "commits":
		childCommits(ctx, os.Getenv(childFile))
	case "full disk":
		childFullDisk(ctx, os.Getenv(childFile))
	}
}

// say writes a line for the test to read.
func say(words ...any) { _, _ = fmt.Fprintln(os.Stdout, words...) }

// child starts this binary in a role.
func child(t *testing.T, role, path string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childRole+"="+role, childFile+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

// childCommits raises clients one after the other in many goroutines for ever, and says so after each commit.
func childCommits(ctx context.Context, path string) {
	s, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		panic(err)
	}
	var out sync.Mutex
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for {
				r, _, err := s.Get(ctx, fmt.Sprintf("client-%07d", i))
				if err != nil {
					return
				}
				r.Missing++
				r.Due = r.Due.Add(1)
				_, _, err = s.Commit(ctx, credential.Change{
					Record:  r,
					Audit:   []credential.Audit{{At: moment(), Client: r.Client.ID, Event: credential.EventFailed}},
					Notices: []credential.Notice{{Key: fmt.Sprint(r.Client.ID, r.Missing), At: moment()}},
				})
				if err != nil {
					return
				}
				out.Lock()
				say(r.Client.ID, r.Missing)
				out.Unlock()
			}
		})
	}
	all.Wait()
}

// TestKilledWhileCommitting kills a process while it commits, again and again: nothing that was confirmed is lost, and
// everything fits.
func TestKilledWhileCommitting(t *testing.T) {
	path := written(t)
	confirmed := make(map[string]int)
	for round := range 5 {
		cmd, lines := child(t, "commits", path)
		for n := 0; n < 40+17*round && lines.Scan(); n++ {
			note(t, confirmed, lines.Text())
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
			note(t, confirmed, lines.Text())
		}
		if err := cmd.Wait(); err == nil {
			t.Error("it ended by itself")
		}
		s, err := bolt.Open(path, bolt.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for id, n := range confirmed {
			if r := get(t, s, id); r.Missing < n || int(r.Rev) < n {
				t.Errorf("round %d: %s stands at %d, %d was confirmed", round, id, r.Missing, n)
			}
		}
		if err := errors.Join(s.Check(t.Context()), s.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if len(confirmed) == 0 {
		t.Error("nothing was ever committed")
	}
}

func note(t *testing.T, confirmed map[string]int, line string) {
	t.Helper()
	var id string
	var n int
	if _, err := fmt.Sscan(line, &id, &n); err != nil {
		if strings.Contains(line, " ") || line == "" {
			t.Fatalf("%q: %v", line, err)
		}
		return // cut by the kill
	}
	confirmed[id] = max(confirmed[id], n)
}

// childFullDisk commits until files may not grow any further.
func childFullDisk(ctx context.Context, path string) {
	signal.Ignore(syscall.SIGXFSZ)
	s, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		panic(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		panic(err)
	}
	limit := syscall.Rlimit{Cur: uint64(info.Size()), Max: uint64(info.Size())}
	if err = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		panic(err)
	}
	for i := 1000; i < 1_000_000; i++ {
		c := registered(i, moment())
		c.Record.Client.Labels = map[string]string{"long": strings.Repeat("x", 30_000)}
		if _, _, err = s.Commit(ctx, c); err != nil {
			break
		}
		say(c.Record.Client.ID, 0)
	}
	_, _, again := s.Commit(ctx, registered(2_000_000, moment()))
	_, readable, readErr := s.Get(ctx, "client-0000001")
	say("fatal", errors.Is(err, state.ErrFatal), errors.Is(again, state.ErrFatal), readable, readErr)
	_ = s.Close()
}

func TestFullDiskIsFatalAndLosesNothing(t *testing.T) {
	path := written(t)
	cmd, lines := child(t, "full disk", path)
	confirmed := make(map[string]int)
	last := ""
	for lines.Scan() {
		if last = lines.Text(); strings.HasPrefix(last, "client-") {
			note(t, confirmed, last)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err, last)
	}
	if last != "fatal true true true <nil>" {
		t.Errorf("the last words: %q", last)
	}
	s := open(t, path, bolt.Options{})
	for id := range confirmed {
		get(t, s, id)
	}
	if err := s.Check(t.Context()); err != nil || len(confirmed) == 0 {
		t.Errorf("%d confirmed, %v", len(confirmed), err)
	}
}

// TestTwoCreatorsShareOneFile starts on nothing from several sides at once: one makes the file, all others find it
// locked, and nobody's file is lost.
func TestTwoCreatorsShareOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rotad.db")
	var all sync.WaitGroup
	stores := make(chan *bolt.Store, 8)
	for range cap(stores) {
		all.Go(func() {
			s, err := bolt.Open(path, bolt.Options{Timeout: -1})
			if err == nil {
				stores <- s
			} else if !errors.Is(err, state.ErrLocked) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(stores) != 1 {
		t.Fatalf("%d have it open", len(stores))
	}
	s := <-stores
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	same(t, "instance", open(t, path, bolt.Options{}).Meta().Instance, s.Meta().Instance)
}
