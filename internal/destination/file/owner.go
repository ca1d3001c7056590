package file

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// unchanged leaves a user or a group as it is.
const unchanged = -1

// owner is who a file belongs to.
type owner struct{ uid, gid int }

// ownerOf reads user[:group], names or numbers. Empty means as created.
func ownerOf(text string) (owner, error) {
	o := owner{unchanged, unchanged}
	name, group, _ := strings.Cut(text, ":")
	var err error
	if name != "" {
		if o.uid, err = number(name, userNumber); err != nil {
			return o, fmt.Errorf("there is no user %q on this machine", name)
		}
	}
	if group != "" {
		if o.gid, err = number(group, groupNumber); err != nil {
			return o, fmt.Errorf("there is no group %q on this machine", group)
		}
	}
	return o, nil
}

func number(text string, lookup func(string) (string, error)) (int, error) {
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return int(n), nil
	}
	id, err := lookup(text)
	if err != nil {
		return unchanged, err
	}
	return strconv.Atoi(id)
}

func userNumber(name string) (string, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return "", err
	}
	return u.Uid, nil
}

func groupNumber(name string) (string, error) {
	g, err := user.LookupGroup(name)
	if err != nil {
		return "", err
	}
	return g.Gid, nil
}

// owns says whether a file belongs to the owner already.
func (o owner) owns(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	return (o.uid == unchanged || int(stat.Uid) == o.uid) && (o.gid == unchanged || int(stat.Gid) == o.gid)
}

func (o owner) give(f *os.File) error {
	if o == (owner{unchanged, unchanged}) {
		return nil
	}
	if err := f.Chown(o.uid, o.gid); err != nil {
		return fmt.Errorf("giving it to its owner: %w; rotad may give files to its own groups only, unless it runs as root", reason(err))
	}
	return nil
}
