package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
)

const maxProblems = 20

// Check reads the whole store and proves that it is sound: the pages and the list of free ones, every checksum, every
// index against the records and back, the counters, the outbox, the chain of the audit. It sees one moment of the
// store, so that the file may grow while it runs. Errors wrap state.ErrCorrupt; it names at most 20 problems.
func (s *Store) Check(ctx context.Context) error {
	err := s.view(ctx, func(t *txn) error { return errors.Join(t.check(), ctx.Err()) })
	if err != nil {
		return fmt.Errorf("checking the state: %w", err)
	}
	return nil
}

func (t *txn) check() error {
	c := &checker{t: t, want: make(map[string]int64), entries: make(map[bucket]int), members: make(map[credential.Membership]int)}
	for _, step := range []func() error{c.pages, c.records, c.outbox, c.indexes, c.counters, c.tallies, c.audit} {
		if err := step(); err != nil {
			return err
		}
	}
	return errors.Join(c.problems...)
}

// checker collects what is wrong, and what the indexes and counters should hold.
type checker struct {
	t        *txn
	want     map[string]int64              // counters
	entries  map[bucket]int                // entries that an index should have
	members  map[credential.Membership]int // clients, by their part in a wave
	problems []error
}

func (c *checker) note(text string, args ...any) {
	if len(c.problems) < maxProblems {
		c.problems = append(c.problems, bad(text, args...))
	}
}

func (c *checker) pages() error {
	for err := range c.t.tx.Check() {
		c.note("%v", err)
	}
	return errors.Join(c.problems...)
}

// records expects for each record exactly the entries that follow from it.
func (c *checker) records() error {
	return c.each(bktRecord, func(k, payload []byte) error {
		r, err := parseRecord(payload)
		if err != nil {
			return err
		}
		if r.Client.ID != string(k) {
			c.note("the record of %q stands under %q", r.Client.ID, k)
		}
		f := facetsOf(&r.Record)
		c.expect(bktDue, f.due, nil)
		c.expect(bktExpiry, f.expiry, nil)
		c.expect(bktActive, f.active, nil)
		c.expect(bktUnique, f.ref, k)
		c.expect(bktUnique, f.vault, k)
		for _, name := range f.counts {
			c.want[name]++
		}
		if r.Wave.State != credential.WaveNone {
			c.members[r.Wave]++
		}
		return nil
	})
}

func (c *checker) outbox() error {
	return c.each(bktOutbox, func(k, payload []byte) error {
		n, err := parseNotice(parseSeq(k), payload)
		if err != nil {
			return err
		}
		c.expect(bktOutkey, n.Key, k)
		c.expect(bktOutdue, outdueKey(n.Due, n.Seq), nil)
		c.want[counter(countOutbox, string(n.State))]++
		return nil
	})
}

// expect asks for one index entry, with the given content.
func (c *checker) expect(b bucket, key string, content []byte) {
	if key == "" {
		return
	}
	c.entries[b]++
	payload, found, err := c.t.get(b, key)
	if content == nil {
		found, err = c.t.raw(b, key) != nil, nil
	}
	switch {
	case err != nil:
		c.note("%v", err)
	case !found:
		c.note("the index %s lacks %q", bucketNames()[b], key)
	case content != nil && !bytes.Equal(payload, content):
		c.note("the index %s has %q at %q instead of %q", bucketNames()[b], payload, key, content)
	}
}

// indexes counts the entries: as many as are wanted, each of which was found, leave no room for others.
func (c *checker) indexes() error {
	for _, b := range []bucket{bktDue, bktExpiry, bktActive, bktUnique, bktOutkey, bktOutdue} {
		have := 0
		err := c.t.bucket(b).ForEach(func(_, _ []byte) error { have++; return nil })
		if err != nil {
			return err
		}
		if have != c.entries[b] {
			c.note("the index %s has %d entries instead of %d", bucketNames()[b], have, c.entries[b])
		}
	}
	return nil
}

func (c *checker) counters() error {
	have := make(map[string]int64)
	err := c.each(bktCount, func(k, payload []byte) error {
		have[string(k)] = int64(parseSeq(payload)) //nolint:gosec // a count
		return nil
	})
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(c.want)) {
		if have[name] != c.want[name] {
			c.note("the counter %q is %d instead of %d", name, have[name], c.want[name])
		}
		delete(have, name)
	}
	for name := range have {
		c.note("the counter %q should not be there", name)
	}
	return nil
}

func (c *checker) audit() error {
	last, chain, more, err := uint64(0), [32]byte{}, true, error(nil)
	for more && err == nil {
		last, chain, more, err = c.t.verifyChain(last, chain)
	}
	if err != nil {
		c.note("the audit: %v", err)
	}
	return c.each(bktArchive, func(_, payload []byte) error {
		_, err := parseRecord(payload)
		return err
	})
}

// each opens every value of a bucket. A value that cannot be read is a problem, not the end.
func (c *checker) each(b bucket, look func(k, payload []byte) error) error {
	return c.t.bucket(b).ForEach(func(k, v []byte) error {
		payload, err := state.Open(k, v)
		if err == nil {
			err = look(k, payload)
		}
		if err != nil {
			c.note("bucket %s, key %q: %v", bucketNames()[b], k, err)
		}
		return nil
	})
}
