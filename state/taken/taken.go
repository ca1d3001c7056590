// Package taken remembers which messages a server has taken, past the death of the process that sent them.
//
//	server's yes ──► Note ──► a line of the file ── the process is killed ──► Open ──► Answer: it is not sent again
//	                                │
//	the state has it ──► Done ──────┴──► nothing is open: the file is emptied
//
// A line is written without waiting for the disk: what the kernel has been given, no kill takes away. A power cut may, and then the
// state says what it always says: that the message was begun, and may have arrived. That is all that may be lost here, so that a
// line that cannot be read is no line, and a file that is missing is an empty one.
package taken

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"os"
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
	file  *os.File
	end   int64            // where the next line begins
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
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // beside the configured state file
	if err != nil {
		return nil, fmt.Errorf("opening what was taken: %w", err)
	}
	l := &Log{now: now, file: file, open: map[string]bool{}}
	if l.noted, err = read(file); err == nil {
		err = l.empty()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading what was taken: %w", err), file.Close())
	}
	return l, nil
}

// Read returns the ids in a file that no process has open; none where there is no file.
func Read(path string) ([]string, error) {
	file, err := os.Open(path) //nolint:gosec // beside the configured state file
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all, err := read(file)
	ids := make([]string, 0, len(all))
	for id := range all {
		ids = append(ids, id)
	}
	return ids, errors.Join(err, file.Close())
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

// empty leaves in the file what a process before has noted and the state does not know. It writes before it cuts off, so that
// no moment is without that. The caller holds the lock, and nothing is open.
func (l *Log) empty() error {
	maps.DeleteFunc(l.noted, func(_ string, e entry) bool { return l.now().Sub(e.at) > Keep })
	var left bytes.Buffer
	for _, e := range l.noted {
		left.Write(e.line())
	}
	_, err := l.file.WriteAt(left.Bytes(), 0)
	if err == nil {
		l.end = int64(left.Len())
		err = l.file.Truncate(l.end)
	}
	return err
}

// line writes an entry with its checksum before it. Whatever could end a line in it is quoted.
func (e entry) line() []byte {
	text := fmt.Sprintf("%d %s %s", e.at.Unix(), strconv.Quote(e.id), strconv.Quote(e.answer))
	return fmt.Appendf(nil, "%08x %s\n", crc32.ChecksumIEEE([]byte(text)), text)
}

// read returns what can be read.
func read(from io.Reader) (map[string]entry, error) {
	raw, err := io.ReadAll(from)
	if err != nil {
		return nil, err
	}
	all := map[string]entry{}
	for line := range strings.Lines(string(raw)) {
		if e, ok := parse(line); ok {
			all[e.id] = e
		}
	}
	return all, nil
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
