package canary

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
)

// Files searches files and everything below directories, on all processors. Packed content (gzip, wherever in a file it
// begins) is searched as it is and unpacked. An error is what could not be read: whatever else there was has been
// searched.
func (s *Search) Files(paths ...string) error {
	var files []string
	for _, start := range paths {
		err := filepath.WalkDir(start, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("listing what is searched: %w", err)
		}
	}
	work := make(chan segment)
	failed := make(chan error, runtime.GOMAXPROCS(0)+1)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() { failed <- s.segments(work) })
	}
	failed <- s.hand(files, work)
	close(work)
	workers.Wait()
	close(failed)
	var err error
	for e := range failed {
		err = errors.Join(err, e)
	}
	return err
}

// segment is a part of a file that one worker searches.
type segment struct {
	path string
	from int64
}

// hand gives out the segments of all files.
func (s *Search) hand(files []string, work chan<- segment) error {
	var wrong error
	for _, path := range files {
		info, err := os.Stat(path)
		if err != nil {
			wrong = errors.Join(wrong, fmt.Errorf("searching: %w", err))
			continue
		}
		s.count(info.Size())
		for from := int64(0); from < info.Size(); from += pieceSize {
			work <- segment{path, from}
		}
	}
	return wrong
}

func (s *Search) count(size int64) {
	if size == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.report.Files++
}

func (s *Search) segments(work <-chan segment) error {
	b := &buffers{raw: make([]byte, pieceSize+beyond)}
	var wrong error
	for part := range work {
		if err := s.segment(part, b); err != nil {
			wrong = errors.Join(wrong, fmt.Errorf("searching %s: %w", part.path, err))
		}
	}
	return wrong
}

func (s *Search) segment(part segment, b *buffers) error {
	f, err := os.Open(part.path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	n, err := f.ReadAt(b.raw, part.from)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if s.learnt == 0 {
		return ErrNoSecrets
	}
	s.piece(part.path, b.raw[:n], min(n, pieceSize), part.from, b)
	return s.packed(f, part, b.raw[:n])
}

// packedMark begins every gzip member that uses deflate (RFC 1952 section 2.3.1).
var packedMark = [3]byte{0x1f, 0x8b, 8}

// packed searches gzip members that begin in a segment. What only looks like one is no error: its bytes have been
// searched as they are.
func (s *Search) packed(f *os.File, part segment, raw []byte) error {
	for at := 0; ; at++ {
		next := bytes.Index(raw[at:min(len(raw), pieceSize+len(packedMark)-1)], packedMark[:])
		if next < 0 {
			return nil
		}
		at += next
		from := part.from + int64(at)
		inner, err := gzip.NewReader(io.NewSectionReader(f, from, 1<<62))
		if err != nil {
			continue
		}
		inner.Multistream(false)
		name := fmt.Sprintf("%s, unpacked from offset %d", part.path, from)
		if err := s.unpack(name, inner); err != nil {
			return err
		}
	}
}

// unpack searches unpacked content up to the first byte that is broken, which is no error: only the file's own are.
func (s *Search) unpack(name string, inner io.Reader) error {
	err := s.Read(name, inner)
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return err
	}
	return nil
}
