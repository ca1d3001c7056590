package power

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

const (
	root   = 1 // the number of the directory
	fsName = "rotad-power"

	maxWrite = 1 << 17 // bytes of one request
)

// Mounted is a disk that processes work on below a directory.
type Mounted struct {
	dir    string
	server *fuse.Server
}

// Mount lets processes work on a disk below a directory until Unmount. It needs root. The test's own process must not map
// a file of it: a page fault would wait for a server that cannot run meanwhile.
func Mount(d *Disk, dir string) (*Mounted, error) {
	// The daemons must not inherit the device: whoever holds it keeps the mount alive, and waits for ever for an answer
	// when the server has died.
	device, err := syscall.Open("/dev/fuse", syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("opening /dev/fuse: %w", err)
	}
	options := fmt.Sprintf("fd=%d,rootmode=%o,user_id=0,group_id=0,max_read=%d", device, syscall.S_IFDIR, maxWrite)
	if err := syscall.Mount(source(os.Getpid()), dir, "fuse."+fsName, syscall.MS_NOSUID|syscall.MS_NODEV, options); err != nil {
		return nil, errors.Join(fmt.Errorf("mounting the disk at %s: %w", dir, err), syscall.Close(device))
	}
	server, err := fuse.NewServer(&files{RawFileSystem: fuse.NewDefaultRawFileSystem(), disk: d}, fmt.Sprintf("/dev/fd/%d", device),
		&fuse.MountOptions{Name: fsName, DisableXAttrs: true, MaxWrite: maxWrite})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("serving the disk at %s: %w", dir, err), syscall.Unmount(dir, syscall.MNT_FORCE|syscall.MNT_DETACH))
	}
	go server.Serve()
	return &Mounted{dir: dir, server: server}, nil
}

// unmounting is how long the kernel may take to close the files of a process that has died.
const unmounting = 10 * time.Second

// Unmount takes the disk away from whoever works on it. Nobody may have a file of it open any more.
func (m *Mounted) Unmount() error {
	err := syscall.Unmount(m.dir, 0)
	for waited := time.Duration(0); errors.Is(err, syscall.EBUSY) && waited < unmounting; waited += unmounting / 1000 {
		time.Sleep(unmounting / 1000)
		err = syscall.Unmount(m.dir, 0)
	}
	if err != nil {
		return fmt.Errorf("unmounting %s: %w", m.dir, errors.Join(err, syscall.Unmount(m.dir, syscall.MNT_FORCE|syscall.MNT_DETACH)))
	}
	m.server.Wait()
	return nil
}

// source names a process's mounts.
func source(pid int) string { return fmt.Sprintf("%s-%d", fsName, pid) }

// Sweep unmounts the disks of processes that have died without doing so: a process that is killed cannot clean up, and
// whoever looks into such a directory waits for ever or gets an error.
func Sweep() error {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return fmt.Errorf("reading the mounts: %w", err)
	}
	var errs []error
	for line := range strings.Lines(string(mounts)) {
		fields := strings.Fields(line)
		pid, ours := strings.CutPrefix(fields[0], fsName+"-")
		if !ours || len(fields) < 2 {
			continue
		}
		if _, err := os.Stat("/proc/" + pid); errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, syscall.Unmount(fields[1], syscall.MNT_FORCE|syscall.MNT_DETACH))
		}
	}
	return errors.Join(errs...)
}
