package bolt

import (
	"fmt"
	"os"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/rotad/rotad/state"
)

// txn is a transaction with its changes still in memory: changes of one group see each other, each page is touched once
// and in order, and a change that is refused leaves nothing behind.
type txn struct {
	store   *Store
	tx      *bbolt.Tx
	handles [bucketCount]*bbolt.Bucket
	cursors [bucketCount]*bbolt.Cursor // for raw; buckets do not change before flush
	ends    [bucketCount][]byte        // with cursors: the last key of each; nil = the bucket is empty
	pending [bucketCount]pending
	counts  map[string]int64    // by how much a counter changes
	last    tail                // set by the writer
	fill    float64             // of pages; 0 = as bbolt likes it
	expect  int                 // about as many changes of a bucket; 0 = not known
	touched map[string]struct{} // providers whose due entries change
	after   []func()            // run under Store.mu once the transaction is durable
}

// pending are the changes of one bucket.
type pending struct {
	values map[string][]byte // nil = to be deleted
	keys   []string          // as they came, which is nearly sorted where it matters: in an import
}

func newTxn(s *Store, tx *bbolt.Tx) *txn {
	return &txn{store: s, tx: tx}
}

func (t *txn) bucket(b bucket) *bbolt.Bucket {
	if t.handles[b] == nil {
		t.handles[b] = t.tx.Bucket([]byte(bucketNames()[b]))
	}
	return t.handles[b]
}

// raw returns a stored value as it is, nil if there is none. It must not be kept beyond the transaction.
func (t *txn) raw(b bucket, key string) []byte {
	if v, ok := t.pending[b].values[key]; ok {
		return v
	}
	if t.cursors[b] == nil {
		t.cursors[b] = t.bucket(b).Cursor()
		t.ends[b], _ = t.cursors[b].Last()
	}
	if key > string(t.ends[b]) { // as nearly all keys of an import are: no need to search
		return nil
	}
	if k, v := t.cursors[b].Seek([]byte(key)); string(k) == key {
		return v
	}
	return nil
}

// get returns an opened value. ok is false if there is none.
func (t *txn) get(b bucket, key string) (payload []byte, ok bool, err error) {
	v := t.raw(b, key)
	if v == nil {
		return nil, false, nil
	}
	payload, err = state.Open([]byte(key), v)
	if err != nil {
		return nil, false, fmt.Errorf("bucket %s, key %q: %w", bucketNames()[b], key, err)
	}
	return payload, true, nil
}

// put seals a value and writes it under a key. Index entries without a payload are sealed too: it protects their key.
func (t *txn) put(b bucket, key string, payload ...[]byte) {
	t.set(b, key, state.Seal(key, payload...))
}

func (t *txn) drop(b bucket, key string) { t.set(b, key, nil) }

func (t *txn) set(b bucket, key string, value []byte) {
	p := &t.pending[b]
	if p.values == nil {
		p.values, p.keys = make(map[string][]byte, t.expect), make([]string, 0, t.expect)
	}
	before := len(p.values)
	if p.values[key] = value; len(p.values) > before {
		p.keys = append(p.keys, key)
	}
}

// move replaces an index entry by another one; an empty key means none.
func (t *txn) move(b bucket, from, to string) {
	if from == to {
		return
	}
	if from != "" {
		t.drop(b, from)
	}
	if to != "" {
		t.put(b, to)
	}
}

func (t *txn) count(name string, by int64) {
	if t.counts == nil {
		t.counts = make(map[string]int64)
	}
	t.counts[name] += by
}

func (t *txn) onCommit(do func()) { t.after = append(t.after, do) }

func (t *txn) changed() bool {
	return slices.ContainsFunc(t.pending[:], func(p pending) bool { return len(p.keys) > 0 })
}

// flush writes the pending changes to the buckets, bucket by bucket, in the order of keys.
func (t *txn) flush() error {
	t.flushCounts()
	for b := range bucketCount {
		if len(t.pending[b].keys) == 0 {
			continue
		}
		if err := t.flushBucket(b); err != nil {
			return fmt.Errorf("writing bucket %s: %w", bucketNames()[b], err)
		}
	}
	last := t.last
	t.onCommit(func() { t.store.last = last })
	return nil
}

const filled = 0.95 // how full the pages of appended buckets get

func (t *txn) flushBucket(b bucket) error {
	handle := t.bucket(b)
	switch {
	case b.appended():
		handle.FillPercent = filled
	case t.fill != 0:
		handle.FillPercent = t.fill
	}
	p := t.pending[b]
	slices.Sort(p.keys)
	for _, key := range p.keys {
		var err error
		if value := p.values[key]; value == nil {
			err = handle.Delete([]byte(key))
		} else {
			err = handle.Put([]byte(key), value)
		}
		if err != nil {
			return err
		}
	}
	t.pending[b] = pending{}
	return nil
}

// size returns the length of the file in bytes.
func (s *Store) size() (uint64, error) {
	info, err := os.Stat(s.path)
	if err != nil {
		return 0, err
	}
	return uint64(info.Size()), nil //nolint:gosec // a size
}
