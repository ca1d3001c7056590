// Package taken remembers which messages a server has taken, past the death of the process that sent them.
//
//	server's yes ──► Note ──► a line of the file ── the process is killed ──► Open ──► Answer: it is not sent again
//	                                │
//	the state has it ──► Done ──────┴──► nothing is open: the file is emptied
//
// A line is written without waiting for the disk: what the kernel has been given, no kill takes away. A power cut may, and then the
// state says what it always says: that the message is due, begun or not, and it is sent once more. That is all that may be lost here, so that a
// line that cannot be read is no line, and a file that is missing is an empty one.
package taken

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Keep is how long the answer about a message of an earlier process is kept: longer than its next try can be away.
const Keep = 24 * time.Hour

// Log is an open file. It is safe for concurrent use.
type Log struct {
	now func() time.Time

	mu    sync.Mutex
	path  string
	file  *os.File
	end   int64            // where the next line begins
	base  int64            // where the lines of processes before end
	older int              // how many those are
	noted map[string]entry // what the state does not know yet
	open  map[string]bool  // of these: noted by this process
}

// entry is what a line says.
type entry struct {
	id, answer string
	at         time.Time
}

// Open opens or makes the file. It belongs to whoever has locked the state.
func Open(path string, now func() time.Time) (*Log, error) {
	l := &Log{now: now, path: path, open: map[string]bool{}}
	raw, err := os.ReadFile(path) //nolint:gosec // beside the configured state file
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("opening what was taken: %w", err)
	}
	l.noted = read(raw)
	l.expire()
	if err := l.rewrite(); err != nil {
		return nil, fmt.Errorf("opening what was taken: %w", err)
	}
	return l, nil
}

// Read returns the ids in a file that no process has open; none where there is no file.
func Read(path string) ([]string, error) {
	raw, err := os.ReadFile(path) //nolint:gosec // beside the configured state file
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return slices.Sorted(maps.Keys(read(raw))), nil
}

// Note remembers that a message was taken, and with which answer. Where it returns an error nothing is remembered.
func (l *Log) Note(id, answer string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := entry{id, answer, l.now()}
	n, err := l.file.WriteAt(e.line(), l.end)
	if err != nil {
		return fmt.Errorf("noting what was taken: %w", err) // the next line is written over what there is of this one
	}
	l.end += int64(n)
	l.noted[id], l.open[id] = e, true
	return nil
}

// Answer returns what was answered when a message was sent, by this process or one before; ok is false where nothing is noted.
func (l *Log) Answer(id string) (answer string, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.noted[id]
	return e.answer, ok
}

// Done forgets a message, because the state knows of it. The error says that the file could not be emptied, which does no harm.
func (l *Log) Done(id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.noted[id]; !known {
		return nil
	}
	delete(l.noted, id)
	if delete(l.open, id); len(l.open) > 0 {
		return nil
	}
	return l.empty()
}

// Close closes the file. That of a nil Log does nothing.
func (l *Log) Close() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}

// empty leaves in the file what a process before has noted and the state does not know. The caller holds the lock, and nothing is open.
func (l *Log) empty() error {
	l.expire()
	if len(l.noted) < l.older {
		return l.rewrite()
	}
	l.end = l.base
	return l.file.Truncate(l.end)
}

func (l *Log) expire() {
	maps.DeleteFunc(l.noted, func(_ string, e entry) bool { return l.now().Sub(e.at) > Keep })
}

// rewrite puts a file in the place of the one that there is. Lines that matter are never written over: a kill may come between two
// pages of one write.
func (l *Log) rewrite() error {
	var left bytes.Buffer
	for _, e := range l.noted {
		left.Write(e.line())
	}
	next, err := os.OpenFile(l.path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = next.Write(left.Bytes())
	if err == nil {
		err = os.Rename(next.Name(), l.path)
	}
	if err != nil {
		return errors.Join(err, next.Close())
	}
	before := l.file
	l.file, l.end, l.base, l.older = next, int64(left.Len()), int64(left.Len()), len(l.noted)
	if before == nil {
		return nil
	}
	return before.Close()
}

// line writes an entry with its checksum before it. Whatever could end a line in it is quoted.
func (e entry) line() []byte {
	text := fmt.Sprintf("%d %s %s", e.at.Unix(), strconv.Quote(e.id), strconv.Quote(e.answer))
	return fmt.Appendf(nil, "%08x %s\n", crc32.ChecksumIEEE([]byte(text)), text)
}

// read returns what can be read.
func read(raw []byte) map[string]entry {
	all := map[string]entry{}
	for line := range strings.Lines(string(raw)) {
		if e, ok := parse(line); ok {
			all[e.id] = e
		}
	}
	return all
}

func parse(line string) (e entry, ok bool) {
	line, whole := strings.CutSuffix(line, "\n")
	sum, text, found := strings.Cut(line, " ")
	if !whole || !found || sum != fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(text))) {
		return entry{}, false
	}
	var at int64
	if n, err := fmt.Sscanf(text, "%d %q %q", &at, &e.id, &e.answer); n != 3 || err != nil {
		return entry{}, false
	}
	e.at = time.Unix(at, 0)
	return e, true
}
