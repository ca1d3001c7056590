package bolt

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/rotad/rotad/state"
)

// Keys of the bucket meta.
const (
	metaSchema    = "schema"
	metaInstance  = "instance"
	metaBoot      = "boot"
	metaKey       = "key"
	metaWatermark = "watermark"
	metaRestored  = "restored"
	metaFeed      = "feed\x00" // and the name of an owner: the generation of its calendar feed; absent = 0
	metaClean     = "clean"    // size of the file at an orderly end; absent while it is open for writing
)

const (
	instanceBytes = 8
	keyBytes      = 32
)

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func firstMeta(b *bbolt.Bucket) error {
	random := make([]byte, instanceBytes+keyBytes)
	if _, err := rand.Read(random); err != nil {
		return err
	}
	for _, pair := range []struct {
		key   string
		value []byte
	}{
		{metaSchema, number(state.Schema)},
		{metaInstance, []byte(hex.EncodeToString(random[:instanceBytes]))},
		{metaBoot, number(0)},
		{metaKey, random[instanceBytes:]},
	} {
		if err := b.Put([]byte(pair.key), state.Seal(pair.key, pair.value)); err != nil {
			return err
		}
	}
	return nil
}

func readMeta(tx *bbolt.Tx) (state.Meta, error) {
	var m state.Meta
	var failed error
	get := func(key string) []byte {
		value := tx.Bucket([]byte(bucketNames()[bktMeta])).Get([]byte(key))
		if value == nil {
			return nil
		}
		payload, err := state.Open([]byte(key), value)
		failed = errors.Join(failed, err)
		return append([]byte{}, payload...)
	}
	m.Schema = int(parseSeq(get(metaSchema))) //nolint:gosec // small
	m.Instance = string(get(metaInstance))
	m.Boot = parseSeq(get(metaBoot))
	m.Key = get(metaKey)
	m.Restored = get(metaRestored) != nil
	if w := get(metaWatermark); len(w) == timeLength {
		m.Watermark = parseTimeKey(string(w))
	}
	if failed != nil {
		return state.Meta{}, fmt.Errorf("reading the meta data: %w", failed)
	}
	return m, nil
}

// Meta returns what the store knows about itself.
func (s *Store) Meta() state.Meta {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.meta
}

// SetInstance adopts an instance id, such as the one that stands in Vault.
func (s *Store) SetInstance(ctx context.Context, id string) error {
	if id == "" || len(id) > state.MaxIDLength {
		return fmt.Errorf("adopting an instance id: %w", state.ErrInvalid)
	}
	return s.write(ctx, func(t *txn) error {
		t.put(bktMeta, metaInstance, []byte(id))
		t.onCommit(func() { s.meta.Instance = id })
		return nil
	})
}

// ClearRestored forgets that the file came from a backup: what followed from that has been done.
func (s *Store) ClearRestored(ctx context.Context) error {
	return s.write(ctx, func(t *txn) error {
		t.drop(bktMeta, metaRestored)
		t.onCommit(func() { s.meta.Restored = false })
		return nil
	})
}
