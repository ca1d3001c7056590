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
	mu     sync.Mutex
	values []entry
	known  map[uint64]int // hash of a value to its number; a collision costs a second entry, never a lost one
	seed   maphash.Seed
	file   *os.File // nil = in memory only
}

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
			return nil, fmt.Errorf("reading the ledger: line %d holds no entry", len(l.values)+1) // never its text
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
	return len(l.values)
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

// since returns the entries after a number.
func (l *Ledger) since(n int) []entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.values[n:len(l.values):len(l.values)]
}

func (l *Ledger) find(value string) (int, bool) {
	if l.known == nil {
		l.known, l.seed = map[uint64]int{}, maphash.MakeSeed()
	}
	n, ok := l.known[maphash.String(l.seed, value)]
	return n, ok && l.values[n-1].Value == value
}

func (l *Ledger) append(e entry) int {
	l.values = append(l.values, e)
	n := len(l.values)
	if _, ok := l.find(e.Value); !ok {
		l.known[maphash.String(l.seed, e.Value)] = n
	}
	return n
}
