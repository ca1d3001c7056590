package bolt

import (
	"bytes"
	"context"

	"github.com/rotad/rotad/internal/credential"
)

// metaLogMark is the key in the bucket meta under which it stands how far Vault's audit log was read.
const metaLogMark = "vault-log"

// LogMark returns how far Vault's audit log was read, as SetLogMark was given it; nil = it never was.
func (s *Store) LogMark(ctx context.Context) (mark []byte, err error) {
	err = s.view(ctx, func(t *txn) error {
		value, _, failed := t.get(bktMeta, metaLogMark)
		mark = bytes.Clone(value)
		return failed
	})
	return mark, err
}

// SetLogMark notes how far Vault's audit log was read.
func (s *Store) SetLogMark(ctx context.Context, mark []byte) error {
	return s.write(ctx, func(t *txn) error {
		t.put(bktMeta, metaLogMark, mark)
		return nil
	})
}

// FindPath returns the id of the client whose bundle lies at a path in Vault. ok is false if there is none.
func (s *Store) FindPath(ctx context.Context, p credential.VaultPath) (id string, ok bool, err error) {
	key := facetsOf(&credential.Record{Client: credential.Client{Vault: p}}).vault
	if key == "" {
		return "", false, nil
	}
	err = s.view(ctx, func(t *txn) error {
		owner, exists, failed := t.get(bktUnique, key)
		id, ok = string(owner), exists
		return failed
	})
	return id, ok, err
}
