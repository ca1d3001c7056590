package exec

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// trusted says whether a file belongs to root or to the user that rotad runs as.
func trusted(info fs.FileInfo) bool {
	owner, ok := info.Sys().(*syscall.Stat_t)
	return !ok || owner.Uid == 0 || int(owner.Uid) == os.Geteuid()
}

// plainly keeps of an error of the system what it says, and leaves out the path, which the configuration has.
func plainly(err error) error {
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return number
	}
	return errUnsaid
}

var errUnsaid = errors.New("the system refused, and did not say why")

// tell sends a signal to every process of a group. One that is gone already is what was wanted.
func tell(group int, s syscall.Signal) { _ = syscall.Kill(-group, s) }
