package admin

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// socketGroup is the group whose members may use the socket, where it exists.
const socketGroup = "rotad"

// socketMode lets the owner and the group in, and nobody else.
const socketMode = 0o660

// Path returns the path of an address such as "unix:/run/rotad/admin.sock"; a bare path is one too.
func Path(address string) string { return strings.TrimPrefix(address, "unix:") }

// Listen opens the socket at an address. One that a dead daemon has left is replaced; one that somebody listens on, and
// anything that is no socket, is refused. The returned text is a warning, empty if there is none.
//
// The socket is made under another name and moved to its own when its rights are as they have to be: at no moment can
// anybody connect who must not.
func Listen(address string) (l net.Listener, warning string, err error) {
	path := Path(address)
	if err = clearStale(path); err != nil {
		return nil, "", fmt.Errorf("opening the admin socket: %w", err)
	}
	temp := besides(path)
	if err = removeSocket(temp); err != nil {
		return nil, "", fmt.Errorf("opening the admin socket: %w", err)
	}
	unix, err := net.ListenUnix("unix", &net.UnixAddr{Name: temp, Net: "unix"})
	if err != nil {
		return nil, "", fmt.Errorf("opening the admin socket: %w", err)
	}
	unix.SetUnlinkOnClose(false)
	warning = giveToGroup(temp)
	err = os.Chmod(temp, socketMode)
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		return nil, "", fmt.Errorf("opening the admin socket: %w", errors.Join(err, unix.Close(), os.Remove(temp)))
	}
	made, err := os.Lstat(path)
	if err != nil {
		return nil, "", fmt.Errorf("opening the admin socket: %w", errors.Join(err, unix.Close()))
	}
	return &listener{UnixListener: unix, path: path, made: made}, warning, nil
}

// besides returns a name of the same length in the same directory: the path of a socket is short of space.
func besides(path string) string {
	dir, name := filepath.Split(path)
	mark := "."
	if strings.HasPrefix(name, ".") {
		mark = "~"
	}
	return dir + mark + name[min(1, len(name)):]
}

// clearStale removes a socket that nobody listens on.
func clearStale(path string) error {
	conn, err := net.Dial("unix", path) //nolint:noctx // a local socket answers at once
	switch {
	case err == nil:
		return errors.Join(fmt.Errorf("%s: another daemon listens on it", path), conn.Close())
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, syscall.ECONNREFUSED):
		return removeSocket(path)
	}
	if info, statErr := os.Lstat(path); statErr == nil && info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s is there already, and it is no socket", path)
	}
	return err
}

// removeSocket removes a socket, and nothing else.
func removeSocket(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is there already, and it is no socket", path)
	}
	return os.Remove(path)
}

// giveToGroup lets the members of the group in, where there is such a group and the daemon may.
func giveToGroup(path string) (warning string) {
	group, err := user.LookupGroup(socketGroup)
	if err != nil {
		return ""
	}
	gid, err := strconv.Atoi(group.Gid)
	if err != nil {
		return ""
	}
	if err := os.Chown(path, -1, gid); err != nil {
		return fmt.Sprintf("the admin socket cannot be given to the group %s: %v", socketGroup, err)
	}
	return ""
}

// listener removes its socket when it is closed, unless another daemon has put its own there meanwhile.
type listener struct {
	*net.UnixListener
	path string
	made os.FileInfo
}

// Addr returns the address under which the socket is found.
func (l *listener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: "unix"} }

// Close closes the listener and removes its socket.
func (l *listener) Close() error {
	err := l.UnixListener.Close()
	if errors.Is(err, net.ErrClosed) {
		return err
	}
	if there, statErr := os.Lstat(l.path); statErr == nil && os.SameFile(there, l.made) {
		err = errors.Join(err, os.Remove(l.path))
	}
	return err
}
