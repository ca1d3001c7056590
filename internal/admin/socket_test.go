package admin_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/admin"
)

func TestTheSocketLetsInOwnerAndGroupOnly(t *testing.T) {
	open(t, nil)
	info, err := os.Lstat(socket)
	if err != nil || info.Mode() != fs.ModeSocket|0o660 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(".")
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the socket there are %v, %v", entries, err)
	}
}

func TestASocketThatADeadDaemonLeftIsReplaced(t *testing.T) {
	t.Chdir(t.TempDir())
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	if err := dead.Close(); err != nil {
		t.Fatal(err)
	}
	l, _, err := admin.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	if got := l.Addr().String(); got != socket {
		t.Errorf("the address is %s", got)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(socket); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}

func TestASocketThatSomebodyListensOnIsLeftAlone(t *testing.T) {
	d := open(t, nil)
	if _, _, err := admin.Listen(socket); err == nil || !strings.Contains(err.Error(), "another daemon listens") {
		t.Errorf("got %v", err)
	}
	if _, err := d.World(t.Context()); err != nil {
		t.Errorf("the first daemon no longer answers: %v", err)
	}
}

func TestWhatIsNoSocketIsLeftAlone(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{socket, ".dmin.sock"} { // also where the socket is made before it is moved
		if err := os.WriteFile(name, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := admin.Listen(socket); err == nil || !strings.Contains(err.Error(), "no socket") {
			t.Errorf("%s: got %v", name, err)
		}
		if content, err := os.ReadFile(name); err != nil || string(content) != "precious" {
			t.Errorf("%s: got %q, %v", name, content, err)
		}
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}

func TestClosingLeavesTheSocketOfTheNextDaemon(t *testing.T) {
	t.Chdir(t.TempDir())
	first, _, err := admin.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(socket); err != nil {
		t.Fatal(err)
	}
	second, _, err := admin.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(socket); err != nil {
		t.Errorf("the second daemon's socket is gone: %v", err)
	}
}

func TestWithoutADaemonTheClientSaysSo(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := admin.NewClient("unix:" + socket).World(t.Context()); !errors.Is(err, admin.ErrNoDaemon) {
		t.Errorf("got %v", err)
	}
}
