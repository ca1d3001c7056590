package admin

import (
	"errors"
	"fmt"
	"net"
	"os/user"
	"strconv"
	"syscall"
)

var errNoPeer = errors.New("the connection is no unix socket")

// peerOf returns who is at the other end of a connection, as the kernel says (SO_PEERCRED of unix(7)): "uid:1000 (anna)".
func peerOf(conn net.Conn) (string, error) {
	unix, ok := conn.(*net.UnixConn)
	if !ok {
		return "", errNoPeer
	}
	raw, err := unix.SyscallConn()
	if err != nil {
		return "", fmt.Errorf("asking who connects: %w", err)
	}
	var cred *syscall.Ucred
	var failed error
	err = raw.Control(func(fd uintptr) {
		cred, failed = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if err = errors.Join(err, failed); err != nil {
		return "", fmt.Errorf("asking who connects: %w", err)
	}
	uid := strconv.FormatUint(uint64(cred.Uid), 10)
	if known, err := user.LookupId(uid); err == nil && validText(known.Username, maxName) {
		return "uid:" + uid + " (" + known.Username + ")", nil
	}
	return "uid:" + uid, nil
}
