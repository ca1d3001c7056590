package bolt

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
)

// loadChunk is how many changes Load makes in one transaction: some ten megabytes.
const loadChunk = 20_000

// CommitMany makes changes in one transaction. A change that cannot be made is left out and returned as a Refusal; the
// others are made. Claims are given free as by Commit.
func (s *Store) CommitMany(ctx context.Context, changes []credential.Change) ([]state.Refusal, error) {
	l := &loading{}
	for i := range changes {
		l.add(&changes[i])
	}
	if err := s.write(ctx, l.run); err != nil {
		return nil, fmt.Errorf("committing %d changes: %w", len(changes), err)
	}
	return l.refusals(), nil
}

// Load makes any number of changes, in large transactions: while one is written, the changes of the next one are taken
// from the sequence and encoded. It is for an import of a million clients. After each transaction settled is told how
// many changes it was about, and which of them were refused, with their index among these; it runs between two changes
// of the sequence, and may commit others. After an error, also one of settled, some of the changes have been made.
func (s *Store) Load(
	ctx context.Context, changes iter.Seq[credential.Change], settled func(n int, refusals []state.Refusal) error,
) error {
	var written *loading // the transaction under way; nil = none
	var outcome chan error
	wait := func() error {
		if written == nil {
			return nil
		}
		l := written
		written = nil
		if err := <-outcome; err != nil {
			return err
		}
		return settled(len(l.refused), l.refusals())
	}
	next := &loading{}
	send := func() error {
		if err := wait(); err != nil || len(next.refused) == 0 {
			return err
		}
		written, outcome = next, make(chan error, 1)
		go func(l *loading, result chan<- error) { result <- s.write(ctx, l.run) }(written, outcome)
		next = &loading{}
		return nil
	}
	for c := range changes {
		if next.add(&c); len(next.refused) == loadChunk {
			if err := send(); err != nil {
				return fmt.Errorf("loading: %w", err)
			}
		}
	}
	err := send()
	if err == nil {
		err = wait()
	}
	if err != nil {
		return fmt.Errorf("loading: %w", err)
	}
	return nil
}

// loading are prepared changes of one transaction.
type loading struct {
	changes []*prepared // nil = refused before the transaction
	refused []error     // by change; nil = made
}

func (l *loading) add(c *credential.Change) {
	p, err := prepare(c)
	if err != nil {
		err = about(c.Record.Client.ID, err)
	}
	l.changes, l.refused = append(l.changes, p), append(l.refused, err)
}

// run makes the changes within a transaction.
func (l *loading) run(t *txn) error {
	t.fill, t.expect = filled, len(l.changes)
	for i, p := range l.changes {
		if p == nil {
			continue
		}
		winner, err := t.apply(p)
		if err == nil && winner != nil {
			err = state.ErrConflict
		}
		if err != nil {
			l.refused[i] = about(p.id, err)
		}
	}
	return nil
}

func (l *loading) refusals() []state.Refusal {
	var all []state.Refusal
	for i, err := range l.refused {
		if err != nil {
			all = append(all, state.Refusal{Index: i, Err: err})
		}
	}
	return all
}

// Hasten lets everything that is due after a moment fall due at that moment; see state.Hasten.
func (s *Store) Hasten(ctx context.Context, to time.Time) error { return state.Hasten(ctx, s, to) }
