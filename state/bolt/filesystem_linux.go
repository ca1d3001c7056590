package bolt

import (
	"fmt"
	"syscall"

	"github.com/rotad/rotad/state"
)

// remote names the file systems whose locks may not reach other machines, or whose mapped pages may be stale, by their
// magic number (statfs(2)).
func remote(magic int64) string {
	switch magic & 0xFFFFFFFF {
	case 0x6969:
		return "NFS"
	case 0x517B, 0xFE534D42:
		return "SMB"
	case 0xFF534D42:
		return "CIFS"
	case 0x65735546:
		return "FUSE"
	case 0x01021997:
		return "9P"
	case 0x5346414F, 0x6B414653:
		return "AFS"
	case 0x00C36400:
		return "Ceph"
	case 0x0BD00BD0:
		return "Lustre"
	case 0x564C:
		return "NCP"
	case 0x73757245:
		return "Coda"
	case 0x786F4256:
		return "VirtualBox shared folder"
	default:
		return ""
	}
}

// checkFilesystem refuses a directory on a network file system.
func checkFilesystem(dir string) error {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(dir, &stat); err != nil {
		return err
	}
	if name := remote(stat.Type); name != "" {
		return fmt.Errorf("%w (%s)", state.ErrFilesystem, name)
	}
	return nil
}

// prefetch has a mapped file read from the disk in one go, where it is not in memory yet: page by page in the order of
// the tree would take many times as long.
func prefetch(data []byte) { _ = syscall.Madvise(data, syscall.MADV_WILLNEED) }
