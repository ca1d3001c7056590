package vaultlog

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
)

const (
	maxLine   = 1 << 20  // bytes; a longer line is passed over
	maxHead   = 1 << 10  // bytes by which a file is known again
	perTurn   = 64 << 20 // bytes that one call reads
	longWrite = math.MaxInt64
)

// Mark is how far a log has been read. The zero value stands for one that has never been read.
type Mark struct {
	Offset int64  `json:"offset"`
	Length int64  `json:"length"` // bytes at the beginning of the file that Head is about
	Head   string `json:"head"`   // SHA-256 of them, in hex
}

// Follower reads the lines of a log once each, in their order. A file that is renamed is read to its end before the one that took
// its place. It is not safe for concurrent use.
type Follower struct {
	path     string
	from     Mark
	file     *os.File
	offset   int64
	skipping bool // inside a line that is too long
	reader   *bufio.Reader
}

// Follow goes on at a mark. A log that has never been read is read from its present end: what was read before says nothing.
// Where the file is another one by now, it is read from its beginning.
func Follow(path string, from Mark) *Follower {
	return &Follower{path: path, from: from, reader: bufio.NewReaderSize(nil, maxLine)}
}

// Next hands out what was read in Vault since the last call, and says how far it has come.
func (f *Follower) Next(take func(Read)) (Mark, error) {
	if f.file == nil {
		if err := f.open(); err != nil {
			return f.from, err
		}
	}
	ended, err := f.drain(take)
	if err == nil && ended {
		err = f.follow(take)
	}
	if err != nil {
		return f.from, fmt.Errorf("reading %s: %w", f.path, err)
	}
	f.from, err = f.mark()
	return f.from, err
}

// open opens the file and goes to where reading goes on.
func (f *Follower) open() error {
	file, err := os.Open(f.path)
	if err != nil {
		return err
	}
	f.file, f.offset, f.skipping = file, 0, false
	switch known, err := f.known(); {
	case err != nil:
		return errors.Join(err, f.Close())
	case f.from == Mark{}:
		f.offset, err = file.Seek(0, io.SeekEnd)
		return err
	case known:
		f.offset = f.from.Offset
	}
	return nil
}

// known says whether the open file is the one that the mark is about, and holds what was read of it.
func (f *Follower) known() (bool, error) {
	info, err := f.file.Stat()
	if err != nil || info.Size() < f.from.Offset {
		return false, err
	}
	head, err := f.head(f.from.Length)
	return head == f.from.Head, err
}

func (f *Follower) head(length int64) (string, error) {
	content := make([]byte, min(length, maxHead))
	if _, err := f.file.ReadAt(content, 0); err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:]), nil
}

func (f *Follower) mark() (Mark, error) {
	length := min(f.offset, maxHead)
	head, err := f.head(length)
	return Mark{Offset: f.offset, Length: length, Head: head}, err
}

// drain reads whole lines. Half a line is read again when it is whole.
func (f *Follower) drain(take func(Read)) (ended bool, err error) {
	f.reader.Reset(io.NewSectionReader(f.file, f.offset, longWrite-f.offset))
	for until := f.offset + perTurn; f.offset < until; {
		line, err := f.reader.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF):
			return true, nil
		case errors.Is(err, bufio.ErrBufferFull):
			f.skipping = true
		case err != nil:
			return false, err
		default:
			if read, ok := Parse(line); ok && !f.skipping {
				take(read)
			}
			f.skipping = false
		}
		f.offset += int64(len(line))
	}
	return false, nil
}

// follow notices a file that was cut short, or that another one has taken the place of.
func (f *Follower) follow(take func(Read)) error {
	if cut, err := f.wasCut(); cut || err != nil {
		f.offset, f.skipping, f.from = 0, false, Mark{}
		return err
	}
	open, err := f.file.Stat()
	if err != nil {
		return err
	}
	there, err := os.Stat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // between a rename and the next write: what is open may still grow
	case err != nil || os.SameFile(open, there):
		return err
	}
	if _, err = f.drain(take); err != nil { // what was written until Vault has let go of it
		return err
	}
	next, err := os.Open(f.path)
	if err != nil {
		return err
	}
	_ = f.file.Close() // it was read only
	f.file, f.offset, f.skipping = next, 0, false
	_, err = f.drain(take)
	return err
}

// wasCut says whether the open file holds something else than what was read of it.
func (f *Follower) wasCut() (bool, error) {
	info, err := f.file.Stat()
	if err != nil || info.Size() < f.offset || f.from.Length == 0 {
		return err == nil && info.Size() < f.offset, err
	}
	head, err := f.head(f.from.Length)
	return head != f.from.Head, err
}

// Close lets go of the file.
func (f *Follower) Close() error {
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}
