package power

import (
	"bytes"
	"maps"
	"os"
	"slices"
)

// The grains in which a disk keeps or loses a write.
const (
	Sector = 512
	Page   = 4096
)

// Kind is a sort of operation.
type Kind int

// The operations that change what a disk holds. The fsyncs are barriers.
const (
	Write Kind = iota
	Truncate
	Link   // gives a file a name; a new file has none before
	Unlink // takes a name away
	Rename
	Sync    // of one file
	SyncDir // of the one directory
)

// Op is one operation.
type Op struct {
	Kind Kind
	File uint64
	At   int64  // of a write
	Data []byte // of a write
	Size int64  // of a truncate
	Name string
	To   string // of a rename
}

// content is a file: pages that are never changed in place, so that volumes share them.
type content struct {
	size  int64
	pages map[int64][]byte // by number; a missing one is all zeros
}

// Volume is what a disk with one directory holds. The zero value is not usable; see NewVolume.
type Volume struct {
	files map[uint64]content
	names map[string]uint64
}

// NewVolume returns an empty volume.
func NewVolume() *Volume {
	return &Volume{files: map[uint64]content{}, names: map[string]uint64{}}
}

// Clone returns a copy that can be changed for itself.
func (v *Volume) Clone() *Volume {
	c := &Volume{files: make(map[uint64]content, len(v.files)), names: maps.Clone(v.names)}
	for id, f := range v.files {
		c.files[id] = content{size: f.size, pages: maps.Clone(f.pages)}
	}
	return c
}

// Apply does one operation. A name that is missing is passed over: whatever gave it to the file was lost.
func (v *Volume) Apply(op Op) {
	switch op.Kind {
	case Write:
		v.write(op.File, op.At, op.Data)
	case Truncate:
		v.truncate(op.File, op.Size)
	case Link:
		v.touch(op.File)
		v.names[op.Name] = op.File
	case Unlink:
		delete(v.names, op.Name)
	case Rename:
		if id, ok := v.names[op.Name]; ok {
			delete(v.names, op.Name)
			v.names[op.To] = id
		}
	case Sync, SyncDir:
	}
}

func (v *Volume) touch(id uint64) content {
	f, ok := v.files[id]
	if !ok {
		f = content{pages: map[int64][]byte{}}
		v.files[id] = f
	}
	return f
}

func (v *Volume) write(id uint64, at int64, data []byte) {
	f := v.touch(id)
	f.size = max(f.size, at+int64(len(data)))
	for len(data) > 0 {
		number, within := at/Page, at%Page
		n := min(int64(len(data)), Page-within)
		f.pages[number] = written(f.pages[number], within, data[:n])
		at, data = at+n, data[n:]
	}
	v.files[id] = f
}

// zeros is every page of zeros: copies of whole files have thousands.
var zeros = make([]byte, Page)

// written returns a page with something written into it. Data is never changed, so that a whole page of it needs no copy.
func written(old []byte, within int64, data []byte) []byte {
	if len(data) < Page {
		page := make([]byte, Page)
		copy(page, old)
		copy(page[within:], data)
		return page
	}
	if bytes.Equal(data, zeros) {
		return zeros
	}
	return data[:Page:Page]
}

func (v *Volume) truncate(id uint64, size int64) {
	f := v.touch(id)
	for number, page := range f.pages {
		switch start := number * Page; {
		case start >= size:
			delete(f.pages, number)
		case start+Page > size:
			page = slices.Clone(page)
			clear(page[size-start:])
			f.pages[number] = page
		}
	}
	f.size = size
	v.files[id] = f
}

// Read fills a buffer from a file and returns how much there was.
func (v *Volume) Read(id uint64, at int64, into []byte) int {
	f := v.files[id]
	n := int(max(0, min(int64(len(into)), f.size-at)))
	into = into[:n]
	for len(into) > 0 {
		number, within := at/Page, at%Page
		piece := into[:min(int64(len(into)), Page-within)]
		if page := f.pages[number]; page != nil {
			copy(piece, page[within:])
		} else {
			clear(piece)
		}
		at, into = at+int64(len(piece)), into[len(piece):]
	}
	return n
}

// Names returns the names of the directory.
func (v *Volume) Names() []string { return slices.Sorted(maps.Keys(v.names)) }

// Has says whether a name is there.
func (v *Volume) Has(name string) bool { _, ok := v.names[name]; return ok }

// Size returns the length of a named file in bytes; 0 if there is none.
func (v *Volume) Size(name string) int64 { return v.files[v.names[name]].size }

// Used returns how many bytes all files take up.
func (v *Volume) Used() (n int64) {
	for _, f := range v.files {
		n += int64(len(f.pages)) * Page
	}
	return n
}

// Export writes a named file out, with its holes.
func (v *Volume) Export(name, path string) error {
	f := v.files[v.names[name]]
	out, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	if err := out.Truncate(f.size); err != nil {
		return err
	}
	for _, run := range f.runs() {
		if _, err := out.WriteAt(run.data, run.at); err != nil {
			return err
		}
	}
	return out.Close()
}

// Import takes a file in under a name that is not taken.
func (v *Volume) Import(name, path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	id := uint64(len(v.files) + 1)
	v.Apply(Op{Kind: Link, File: id, Name: name})
	v.Apply(Op{Kind: Truncate, File: id, Size: int64(len(raw))})
	for at := 0; at < len(raw); at += Page {
		if page := raw[at:min(at+Page, len(raw))]; !bytes.Equal(page, zeros[:len(page)]) {
			v.Apply(Op{Kind: Write, File: id, At: int64(at), Data: page})
		}
	}
	return nil
}

// Equals says whether a file elsewhere has the length of a named one and the same bytes, holes aside.
func (v *Volume) Equals(name, path string) (bool, error) {
	f := v.files[v.names[name]]
	other, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer func() { _ = other.Close() }()
	info, err := other.Stat()
	if err != nil || info.Size() != f.size {
		return false, err
	}
	for _, run := range f.runs() {
		there := make([]byte, len(run.data))
		if _, err := other.ReadAt(there, run.at); err != nil {
			return false, err
		}
		if !bytes.Equal(there, run.data) {
			return false, nil
		}
	}
	return true, nil
}

// run is a stretch of a file without a hole.
type run struct {
	at   int64
	data []byte
}

func (f content) runs() (all []run) {
	for _, number := range slices.Sorted(maps.Keys(f.pages)) {
		at, page := number*Page, f.pages[number]
		if &page[0] == &zeros[0] {
			continue // a hole reads the same
		}
		page = page[:min(Page, f.size-at)]
		if last := len(all) - 1; last >= 0 && all[last].at+int64(len(all[last].data)) == at {
			all[last].data = append(all[last].data, page...)
			continue
		}
		all = append(all, run{at, bytes.Clone(page)})
	}
	return all
}
