package power

import (
	"strings"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// files serves a disk to the kernel. Files are known by their number plus one, because one is the directory.
type files struct {
	fuse.RawFileSystem
	disk *Disk
}

func node(id uint64) uint64 { return id + root }
func file(n uint64) uint64  { return n - root }

func (s *files) String() string { return fsName }

// attributes describes a file, or the directory.
func (s *files) attributes(n uint64) fuse.Attr {
	a := fuse.Attr{Ino: n, Mode: syscall.S_IFREG | 0o600, Nlink: 1, Blksize: Page}
	if n == root {
		a.Mode = syscall.S_IFDIR | 0o700
		return a
	}
	f := s.disk.now.files[file(n)]
	a.Size, a.Blocks = uint64(f.size), uint64(len(f.pages))*Page/Sector
	a.Nlink = 0
	for _, id := range s.disk.now.names {
		if id == file(n) {
			a.Nlink++
		}
	}
	return a
}

func (s *files) entry(n uint64, out *fuse.EntryOut) {
	out.NodeId, out.Attr = n, s.attributes(n)
}

// Lookup finds a name.
func (s *files) Lookup(_ <-chan struct{}, _ *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	if text, ok := strings.CutPrefix(name, TellPrefix); ok {
		s.disk.told = append(s.disk.told, Told{At: len(s.disk.log), Text: text})
		return fuse.ENOENT
	}
	id, ok := s.disk.now.names[name]
	if !ok {
		return fuse.ENOENT
	}
	s.entry(node(id), out)
	return fuse.OK
}

// GetAttr describes a file.
func (s *files) GetAttr(_ <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	out.Attr = s.attributes(in.NodeId)
	return fuse.OK
}

// SetAttr changes the size of a file. Modes and times are taken and forgotten.
func (s *files) SetAttr(_ <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	if size, ok := in.GetSize(); ok {
		s.disk.do(Op{Kind: Truncate, File: file(in.NodeId), Size: int64(size)})
	}
	out.Attr = s.attributes(in.NodeId)
	return fuse.OK
}

// Create makes a file.
func (s *files) Create(_ <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	id, there := s.disk.now.names[name]
	switch {
	case there && in.Flags&syscall.O_EXCL != 0:
		return fuse.Status(syscall.EEXIST)
	case !there && s.disk.trip.armed && s.disk.trip.writes == 0:
		return fuse.Status(syscall.ENOSPC)
	case !there:
		s.disk.files++
		id = s.disk.files
		s.disk.do(Op{Kind: Link, File: id, Name: name})
	}
	s.entry(node(id), &out.EntryOut)
	return fuse.OK
}

// Open opens a file.
func (s *files) Open(_ <-chan struct{}, in *fuse.OpenIn, _ *fuse.OpenOut) fuse.Status {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	if in.Flags&syscall.O_TRUNC != 0 {
		s.disk.do(Op{Kind: Truncate, File: file(in.NodeId)})
	}
	return fuse.OK
}

// Read reads from a file.
func (s *files) Read(_ <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	n := s.disk.now.Read(file(in.NodeId), int64(in.Offset), buf)
	return fuse.ReadResultData(buf[:n]), fuse.OK
}

// Write writes what finds room.
func (s *files) Write(_ <-chan struct{}, in *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	n, full := s.disk.room(file(in.NodeId), int64(in.Offset), len(data))
	if full != 0 {
		return 0, fuse.Status(full)
	}
	s.disk.do(Op{Kind: Write, File: file(in.NodeId), At: int64(in.Offset), Data: append([]byte(nil), data[:n]...)})
	return uint32(n), fuse.OK
}

// Fsync is the barrier of a file.
func (s *files) Fsync(_ <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	s.disk.sync(file(in.NodeId))
	return fuse.OK
}

// FsyncDir is the barrier of the names.
func (s *files) FsyncDir(_ <-chan struct{}, _ *fuse.FsyncIn) fuse.Status {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	s.disk.do(Op{Kind: SyncDir})
	return fuse.OK
}

// Unlink takes a name away.
func (s *files) Unlink(_ <-chan struct{}, _ *fuse.InHeader, name string) fuse.Status {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	if !s.disk.now.Has(name) {
		return fuse.ENOENT
	}
	s.disk.do(Op{Kind: Unlink, Name: name})
	return fuse.OK
}

// Rename moves a name over another one.
func (s *files) Rename(_ <-chan struct{}, in *fuse.RenameIn, from, to string) fuse.Status {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	switch {
	case !s.disk.now.Has(from):
		return fuse.ENOENT
	case in.Flags != 0:
		return fuse.EINVAL
	}
	s.disk.do(Op{Kind: Rename, Name: from, To: to})
	return fuse.OK
}

// Link gives a file one more name.
func (s *files) Link(_ <-chan struct{}, in *fuse.LinkIn, name string, out *fuse.EntryOut) fuse.Status {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	if s.disk.now.Has(name) {
		return fuse.Status(syscall.EEXIST)
	}
	s.disk.do(Op{Kind: Link, File: file(in.Oldnodeid), Name: name})
	s.entry(in.Oldnodeid, out)
	return fuse.OK
}

// OpenDir opens the directory.
func (s *files) OpenDir(_ <-chan struct{}, _ *fuse.OpenIn, _ *fuse.OpenOut) fuse.Status {
	return fuse.OK
}

// ReadDir lists the directory.
func (s *files) ReadDir(_ <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	for i, name := range s.disk.now.Names() {
		if uint64(i) < in.Offset {
			continue
		}
		entry := fuse.DirEntry{Name: name, Ino: node(s.disk.now.names[name]), Mode: syscall.S_IFREG, Off: uint64(i) + 1}
		if !out.AddDirEntry(entry) {
			break
		}
	}
	return fuse.OK
}

// ReadDirPlus is not offered.
func (s *files) ReadDirPlus(_ <-chan struct{}, _ *fuse.ReadIn, _ *fuse.DirEntryList) fuse.Status {
	return fuse.ENOSYS
}

// Access lets everybody in.
func (s *files) Access(_ <-chan struct{}, _ *fuse.AccessIn) fuse.Status { return fuse.OK }

// Flush has nothing to do: only an fsync makes anything durable.
func (s *files) Flush(_ <-chan struct{}, _ *fuse.FlushIn) fuse.Status { return fuse.OK }

// StatFs tells the size and the free space.
func (s *files) StatFs(_ <-chan struct{}, _ *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	size, free := s.disk.free()
	out.Bsize, out.Frsize, out.NameLen = Page, Page, 255
	out.Blocks, out.Bfree, out.Bavail = uint64(size/Page), uint64(free/Page), uint64(free/Page)
	return fuse.OK
}
