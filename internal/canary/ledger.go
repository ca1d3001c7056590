package canary

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// MinLength is the number of bytes that a secret has to have to be looked for: a shorter one would be found everywhere.
const MinLength = 12

// Directory is the environment variable that names the directory in which the ledger of a whole run is kept, with what
// left the processes of that run beside it. Unset or empty means that a run keeps neither.
const Directory = "ROTAD_CANARY"

// Names in the directory of a run.
const (
	LedgerFile = "ledger.jsonl" // every secret; never among what is searched
	OutputDir  = "left"         // what left the processes, one directory per world
)

// ErrShort says that a value is too short to be looked for.
var ErrShort = fmt.Errorf("a secret needs at least %d bytes to be looked for", MinLength)

// Ledger is a list of clear secrets, each with a number from 1 on. It is safe for concurrent use. The zero value is an
// empty ledger in memory.
type Ledger struct {
	mu    sync.Mutex
	pages [][]byte          // the values, one after another
	spans []span            // by number - 1
	words []string          // that say what a secret opens
	whats map[string]uint32 // where among them
	known map[uint64]uint32 // hash of a value to its number; a collision costs a second entry, never a lost one
	seed  maphash.Seed
	file  *os.File // nil = in memory only
}

// pageSize is the room for values that is taken at once.
const pageSize = 1 << 20

// span says where an entry stands. There are millions of them, so they hold no pointers, which a collection of garbage
// would follow one by one.
type span struct{ page, at, length, word uint32 }

// entry is one secret. What says what it opens; it may be printed.
type entry struct {
	What  string `json:"what"`
	Value string `json:"value"`
}

// OpenLedger opens the ledger in a file that only its owner reads, and goes on where it ends. Several processes may
// append to one file; numbers are lines, so that they agree as long as one of them writes at a time.
func OpenLedger(path string) (*Ledger, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("making the ledger's directory: %w", err)
	}
	l, err := ReadLedger(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if l == nil {
		l = &Ledger{}
	}
	l.file, err = os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) //nolint:gosec // the caller names the file
	if err != nil {
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	return l, nil
}

// ReadLedger reads a ledger that is complete. What is noted afterwards stays in memory.
func ReadLedger(path string) (*Ledger, error) {
	f, err := os.Open(path) //nolint:gosec // the caller names the file
	if err != nil {
		return nil, fmt.Errorf("reading the ledger: %w", err)
	}
	defer func() { _ = f.Close() }()
	l := &Ledger{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("reading the ledger: line %d holds no entry", len(l.spans)+1) // never its text
		}
		l.append(e)
	}
	return l, lines.Err()
}

// Note adds a secret, with a word for what it opens, and returns its number. A value that is there already keeps the
// number that it has. ErrShort: the value is too short, and was not noted.
func (l *Ledger) Note(what, value string) (int, error) {
	if len(value) < MinLength {
		return 0, ErrShort
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if n, ok := l.find(value); ok {
		return n, nil
	}
	e := entry{what, value}
	if l.file != nil {
		line, err := json.Marshal(e)
		if err == nil {
			_, err = l.file.Write(append(line, '\n'))
		}
		if err != nil {
			return 0, fmt.Errorf("writing the ledger: %w", err)
		}
	}
	return l.append(e), nil
}

// Len is the number of secrets.
func (l *Ledger) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.spans)
}

// Close closes the file, if there is one.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	f := l.file
	l.file = nil
	return f.Close()
}

// entry returns the one with a number.
func (l *Ledger) entry(number int) entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.spans[number-1]
	return entry{l.words[s.word], string(l.value(s))}
}

// value is the text of an entry in place; the lock is held.
func (l *Ledger) value(s span) []byte { return l.pages[s.page][s.at : s.at+s.length] }

func (l *Ledger) find(value string) (int, bool) {
	if l.known == nil {
		l.known, l.whats, l.seed = map[uint64]uint32{}, map[string]uint32{}, maphash.MakeSeed()
	}
	n, ok := l.known[maphash.String(l.seed, value)]
	return int(n), ok && string(l.value(l.spans[n-1])) == value
}

func (l *Ledger) append(e entry) int {
	_, known := l.find(e.Value)
	last := len(l.pages) - 1
	if last < 0 || len(l.pages[last])+len(e.Value) > cap(l.pages[last]) {
		l.pages = append(l.pages, make([]byte, 0, max(pageSize, len(e.Value))))
		last++
	}
	word, ok := l.whats[e.What]
	if !ok {
		word = uint32(len(l.words)) //nolint:gosec // less than memory holds
		l.words, l.whats[e.What] = append(l.words, e.What), word
	}
	at := len(l.pages[last])
	l.pages[last] = append(l.pages[last], e.Value...)
	l.spans = append(l.spans, span{uint32(last), uint32(at), uint32(len(e.Value)), word}) //nolint:gosec // less than memory holds
	n := len(l.spans)
	if !known {
		l.known[maphash.String(l.seed, e.Value)] = uint32(n) //nolint:gosec // a search has no room for more
	}
	return n
}
