package bolt

import (
	"context"
	"fmt"

	"github.com/rotad/rotad/state"
)

// Feed returns the generation of an owner's calendar feed: how often its address has been changed.
func (s *Store) Feed(ctx context.Context, owner string) (generation uint64, err error) {
	err = s.view(ctx, func(t *txn) error {
		generation, err = t.feed(owner)
		return err
	})
	return generation, err
}

// ChangeFeed gives the calendar feed of an owner its next generation, and returns it.
func (s *Store) ChangeFeed(ctx context.Context, owner string) (generation uint64, err error) {
	if owner == "" || len(owner) > state.MaxIDLength {
		return 0, fmt.Errorf("changing the feed of an owner: %w", state.ErrInvalid)
	}
	err = s.write(ctx, func(t *txn) error {
		last, failed := t.feed(owner)
		if failed != nil {
			return failed
		}
		generation = last + 1
		t.put(bktMeta, metaFeed+owner, number(generation))
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("changing the feed of an owner: %w", err)
	}
	return generation, nil
}

func (t *txn) feed(owner string) (uint64, error) {
	value, _, err := t.get(bktMeta, metaFeed+owner)
	return parseSeq(value), err
}
