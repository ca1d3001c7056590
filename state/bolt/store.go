package bolt

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/rotad/rotad/internal/failpoint"
	"github.com/rotad/rotad/state"
)

// Store is an open state file. All methods are safe for concurrent use.
type Store struct {
	db       *bbolt.DB
	path     string
	readOnly bool

	ops  chan *op      // to the writer
	quit chan struct{} // closed by Close
	done chan struct{} // closed when the writer has ended
	once sync.Once
	end  error // of Close

	// durable is held by the writer while it commits, and by a reader while it begins: what a commit writes can be seen in
	// the mapped file before it has reached the disk, and nobody may act upon what a power cut may still take away.
	durable sync.RWMutex

	// last and fatal belong to the writer alone.
	last  tail
	fatal error

	// mu guards what follows: what can be known without reading the file. It is never held while the disk is written.
	mu      sync.Mutex
	meta    state.Meta
	heads   map[string]dueEntry // by provider: the earliest entry of the due index
	claims  map[string]claim    // by client id
	outdue  time.Time           // the earliest entry of the outbox; zero = none
	notices map[uint64]claim    // by number of the notice
	counts  map[string]int64
}

// tail is where the appended buckets end.
type tail struct {
	audit  uint64
	hash   [32]byte
	outbox uint64
}

// op is one change that waits for the writer. It runs once, within a transaction that other changes share, and must
// make all its checks before its first change.
type op struct {
	run    func(*txn) error
	err    error
	result chan struct{}
}

const maxGroup = 1000

func newStore(db *bbolt.DB, path string, readOnly bool) *Store {
	return &Store{
		db: db, path: path, readOnly: readOnly,
		ops: make(chan *op), quit: make(chan struct{}), done: make(chan struct{}),
		heads: make(map[string]dueEntry), claims: make(map[string]claim),
		notices: make(map[uint64]claim), counts: make(map[string]int64),
	}
}

// start loads what is kept in memory, none of which grows with the number of clients, and notes that the file is in
// use: its boot counter rises, its mark of an orderly end goes. With doubt the whole file is checked first: after a power
// cut on a disk that lies about its writes, pages of another age may stand in it, each of which is sound for itself.
func (s *Store) start(doubt bool) error {
	if err := s.db.View(s.load); err != nil {
		return fmt.Errorf("reading: %w", err)
	}
	if s.readOnly {
		close(s.done)
		return nil
	}
	if doubt {
		if err := s.db.View(func(tx *bbolt.Tx) error { return newTxn(s, tx).check() }); err != nil {
			return fmt.Errorf("checking what was not closed in good order: %w", err)
		}
	}
	s.meta.Boot++
	err := s.db.Update(func(tx *bbolt.Tx) error {
		t := newTxn(s, tx)
		t.put(bktMeta, metaBoot, number(s.meta.Boot))
		t.drop(bktMeta, metaClean)
		return t.flush()
	})
	if err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	go s.serve()
	return nil
}

func (s *Store) load(tx *bbolt.Tx) error {
	var err error
	if s.meta, err = readMeta(tx); err != nil {
		return err
	}
	t := newTxn(s, tx)
	if err := s.loadCounts(t); err != nil {
		return err
	}
	s.loadHeads(t)
	if k, v := t.bucket(bktAudit).Cursor().Last(); k != nil {
		s.last.audit, s.last.hash = parseSeq(k), hashOf(v)
	}
	if k, _ := t.bucket(bktOutbox).Cursor().Last(); k != nil {
		s.last.outbox = parseSeq(k)
	}
	return nil
}

// write hands a change to the writer and waits for its outcome, also when ctx ends meanwhile: an answer that nobody
// waits for would leave the caller without the outcome of its commit.
func (s *Store) write(ctx context.Context, run func(*txn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.readOnly {
		return state.ErrReadOnly
	}
	o := &op{run: run, result: make(chan struct{})}
	select {
	case s.ops <- o:
	case <-s.quit:
		return state.ErrClosed
	}
	<-o.result
	return o.err
}

// serve is the writer: it commits what waits, as one transaction, until Close.
func (s *Store) serve() {
	defer close(s.done)
	for {
		select {
		case first := <-s.ops:
			group := s.gather(first)
			s.commit(group)
			for _, o := range group {
				close(o.result)
			}
		case <-s.quit:
			return
		}
	}
}

// gather takes all changes that wait already. Whoever could run has the chance to come along first: a group costs two
// waits for the disk, however large it is.
func (s *Store) gather(first *op) []*op {
	group := []*op{first}
	for idle := 0; idle < 2 && len(group) < maxGroup; {
		select {
		case o := <-s.ops:
			group, idle = append(group, o), 0
		default:
			idle++
			runtime.Gosched()
		}
	}
	return group
}

func (s *Store) commit(group []*op) {
	if s.fatal != nil {
		fail(group, s.fatal)
		return
	}
	tx, err := s.db.Begin(true)
	if err != nil {
		fail(group, errors.Join(state.ErrFatal, err))
		return
	}
	t := newTxn(s, tx)
	t.last = s.last
	for _, o := range group {
		o.err = o.run(t)
	}
	if !t.changed() {
		if err = tx.Rollback(); err != nil {
			fail(group, fmt.Errorf("%w: %w", state.ErrFatal, err))
		}
		return
	}
	if err = t.flush(); err == nil {
		t.findHeads()
		failpoint.Hit("disk", "before", "")
		s.durable.Lock()
		err = tx.Commit()
		s.durable.Unlock()
		failpoint.Hit("disk", "after", "")
	} else {
		err = errors.Join(err, tx.Rollback())
	}
	if err != nil {
		// The new state may be visible already, on disk or only in the page cache: nothing may be concluded.
		s.fatal = fmt.Errorf("%w: %w", state.ErrFatal, err)
		fail(group, s.fatal)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, do := range t.after {
		do()
	}
}

func fail(group []*op, err error) {
	for _, o := range group {
		o.err = err
	}
}

// view runs a reading transaction, of what is durable. It must be short: pages that it can see are not used again
// meanwhile.
func (s *Store) view(ctx context.Context, read func(*txn) error) (err error) {
	if err = ctx.Err(); err != nil {
		return err
	}
	s.durable.RLock()
	tx, err := s.db.Begin(false)
	s.durable.RUnlock()
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return state.ErrClosed
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	return read(newTxn(s, tx))
}

// Close ends the writer, marks the file as closed in good order and gives it free. Changes that wait end with
// state.ErrClosed. It may be called more than once.
func (s *Store) Close() error {
	s.once.Do(func() {
		close(s.quit)
		<-s.done
		if !s.readOnly && s.fatal == nil {
			s.end = s.markClean()
		}
		s.end = errors.Join(s.end, s.db.Close())
	})
	return s.end
}

// markClean writes down how long the file is, so that one that was cut off later is noticed even where only unused
// pages are missing.
func (s *Store) markClean() error {
	size, err := s.size()
	if err != nil {
		return err
	}
	return s.db.Update(func(tx *bbolt.Tx) error {
		t := newTxn(s, tx)
		t.put(bktMeta, metaClean, number(size))
		return t.flush()
	})
}

// about says which client a failed commit was about.
func about(id string, err error) error { return fmt.Errorf("committing client %s: %w", id, err) }
