package bolt

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
)

// loadChunk is how many changes Load makes in one transaction: some ten megabytes.
const loadChunk = 20_000

// CommitMany makes changes in one transaction. A change that cannot be made is left out and returned as a Refusal; the
// others are made. Claims are given free as by Commit.
func (s *Store) CommitMany(ctx context.Context, changes []credential.Change) ([]state.Refusal, error) {
	l := loading{store: s}
	for i := range changes {
		l.add(i, &changes[i])
	}
	if err := s.write(ctx, l.chunk()); err != nil {
		return nil, fmt.Errorf("committing %d changes: %w", len(changes), err)
	}
	return l.refused(), nil
}

// Load makes any number of changes, in large transactions: while one is written, the changes of the next one are taken
// from the sequence and encoded. It is for an import of a million clients; the refusals are those of CommitMany, with
// the position in the sequence. After an error, some of the changes have been made.
func (s *Store) Load(ctx context.Context, changes iter.Seq[credential.Change]) ([]state.Refusal, error) {
	l := loading{store: s}
	var written chan error // of the transaction under way; nil = none
	wait := func() (err error) {
		if written != nil {
			err = <-written
		}
		written = nil
		return err
	}
	send := func() error {
		if err := wait(); err != nil {
			return err
		}
		written = make(chan error, 1)
		run := l.chunk()
		go func(result chan<- error) { result <- s.write(ctx, run) }(written)
		return nil
	}
	i := 0
	for c := range changes {
		l.add(i, &c)
		if i++; len(l.next) == loadChunk {
			if err := send(); err != nil {
				return nil, fmt.Errorf("loading: %w", err)
			}
		}
	}
	err := send()
	if err == nil {
		err = wait()
	}
	if err != nil {
		return nil, fmt.Errorf("loading: %w", err)
	}
	return l.refused(), nil
}

// loading collects prepared changes for a transaction. Only one transaction of it is under way at any time.
type loading struct {
	store  *Store
	next   []numbered
	before []state.Refusal // before the transaction
	within []state.Refusal // by the transactions; belongs to the one under way
}

type numbered struct {
	index int
	*prepared
}

func (l *loading) add(index int, c *credential.Change) {
	p, err := prepare(c)
	if err != nil {
		l.before = append(l.before, state.Refusal{Index: index, Err: about(c.Record.Client.ID, err)})
		return
	}
	l.next = append(l.next, numbered{index, p})
}

// chunk returns the transaction with the changes collected so far, and begins anew.
func (l *loading) chunk() func(*txn) error {
	changes := l.next
	l.next = nil
	return func(t *txn) error {
		t.fill = filled
		for _, p := range changes {
			winner, err := t.apply(p.prepared)
			if err == nil && winner != nil {
				err = state.ErrConflict
			}
			if err != nil {
				l.within = append(l.within, state.Refusal{Index: p.index, Err: about(p.id, err)})
			}
		}
		return nil
	}
}

func (l *loading) refused() []state.Refusal {
	all := slices.Concat(l.before, l.within)
	slices.SortFunc(all, func(a, b state.Refusal) int { return a.Index - b.Index })
	return all
}
