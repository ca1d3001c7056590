package canary

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Search looks for every secret of a ledger at once. Learn and the searching methods must not run at the same time;
// several searching ones may.
type Search struct {
	ledger *Ledger
	shapes []shape
	table  *table
	learnt int // secrets of the ledger that are in the table

	mu     sync.Mutex
	report Report
}

// Errors of a search that would prove nothing.
var (
	ErrNoSecrets = errors.New("the ledger is empty: there is nothing to look for")
	ErrNoBytes   = errors.New("there was nothing to look at")
)

// NewSearch makes a search with room for so many secrets; it grows when there are more. It knows none before Learn.
func NewSearch(l *Ledger, secrets int) *Search {
	s := &Search{ledger: l, shapes: shapes()}
	s.table = newTable(secrets * len(s.shapes) / 2) // most have ten or less
	return s
}

// Learn takes in what the ledger has gained. ErrNoSecrets: it is still empty.
func (s *Search) Learn() error {
	for end := s.ledger.Len(); s.learnt < end; {
		s.learnt++
		s.enter(s.learnt)
		if s.table.full() {
			s.grow()
		}
	}
	if s.learnt == 0 {
		return ErrNoSecrets
	}
	return nil
}

func (s *Search) enter(number int) {
	for i, p := range s.patterns(s.ledger.entry(number).Value) {
		if p != nil {
			s.table.add(p, i, uint32(number*len(s.shapes)+i)) //nolint:gosec // enough for 190 million secrets
		}
	}
}

func (s *Search) grow() {
	s.table = newTable(2 * s.table.used)
	for i := range s.learnt {
		s.enter(i + 1)
	}
}

// What is read at once, and how much more: a value that begins in a piece is compared beyond its end.
const (
	pieceSize = 8 << 20
	beyond    = 64 << 10
)

// buffers are what one piece needs.
type buffers struct {
	raw, flat []byte
	folds     []fold
}

// Read searches a stream. Name is what a hit calls it.
func (s *Search) Read(name string, r io.Reader) error {
	return s.read(name, r, 0, &buffers{})
}

// read searches a stream whose first byte stands at an offset of a file.
func (s *Search) read(name string, r io.Reader, offset int64, b *buffers) error {
	if s.learnt == 0 {
		return ErrNoSecrets
	}
	if b.raw == nil {
		b.raw = make([]byte, pieceSize+beyond)
	}
	kept := 0
	for {
		n, err := io.ReadFull(r, b.raw[kept:])
		n += kept
		if err != nil {
			s.piece(name, b.raw[:n], n, offset, b) // whatever came before it broke
		}
		switch {
		case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("searching %s: %w", name, err)
		}
		s.piece(name, b.raw[:n], pieceSize, offset, b)
		offset += pieceSize
		kept = copy(b.raw, b.raw[pieceSize:n])
	}
}

// piece searches some bytes. Values that begin behind the first owned ones belong to the next piece.
func (s *Search) piece(name string, raw []byte, owned int, offset int64, b *buffers) {
	b.flat, b.folds = unfold(b.flat[:0], raw, b.folds[:0])
	var hits []Hit
	s.table.windows(b.flat, func(at int, h uint64) {
		s.table.each(h, func(id uint32) {
			if hit, ok := s.confirm(b.flat[at:], int(id)); ok {
				if from := origin(at, b.folds); from < owned {
					hit.File, hit.Offset = name, offset+int64(from)
					hits = append(hits, hit)
				}
			}
		})
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.report.Bytes += int64(min(owned, len(raw)))
	s.report.Hits = append(s.report.Hits, hits...)
}

// enough is how many bytes of a value are a leak although the rest does not follow: somebody cut it off.
const enough = 16

func (s *Search) confirm(text []byte, id int) (Hit, bool) {
	number, i := id/len(s.shapes), id%len(s.shapes)
	e := s.ledger.entry(number)
	p := s.patterns(e.Value)[i]
	hit := Hit{Secret: number, What: e.What, Shape: s.shapes[i].name}
	if bytes.HasPrefix(text, p) {
		return hit, true
	}
	part := (len(p)*enough + len(e.Value) - 1) / len(e.Value)
	hit.Part = true
	return hit, part < len(p) && bytes.HasPrefix(text, p[:part])
}
