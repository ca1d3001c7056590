package bolt

import (
	"context"
	"fmt"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
)

// page bounds the length of a listing; 0 or less means the most there is.
func page(n int) int {
	if n <= 0 || n > state.PageSize {
		return state.PageSize
	}
	return n
}

// Get returns the record of a client. ok is false if there is none.
func (s *Store) Get(ctx context.Context, id string) (credential.Record, bool, error) {
	return s.get(ctx, bktRecord, id)
}

// Archived returns the record of a client that has left, as it was archived. ok is false if there is none.
func (s *Store) Archived(ctx context.Context, id string) (credential.Record, bool, error) {
	return s.get(ctx, bktArchive, id)
}

func (s *Store) get(ctx context.Context, b bucket, id string) (r credential.Record, ok bool, err error) {
	if id == "" {
		return credential.Record{}, false, nil
	}
	err = s.view(ctx, func(t *txn) error {
		found, failed := t.record(b, id)
		if ok = found != nil; ok {
			r = found.Record
		}
		return failed
	})
	if err != nil {
		return credential.Record{}, false, fmt.Errorf("reading client %s: %w", id, err)
	}
	return r, ok, nil
}

// Find returns the id of the client with a provider and ref. ok is false if there is none.
func (s *Store) Find(ctx context.Context, provider string, ref credential.Ref) (id string, ok bool, err error) {
	key := facetsOf(&credential.Record{Client: credential.Client{Provider: provider, Ref: ref}}).ref
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

// List returns records in the order of their ids, those after an id (empty = from the first), at most n (0 =
// state.PageSize, which is also the most). A shorter answer than asked for is the last one.
func (s *Store) List(ctx context.Context, after string, n int) ([]credential.Record, error) {
	var records []credential.Record
	err := s.view(ctx, func(t *txn) error {
		c := t.bucket(bktRecord).Cursor()
		for k, v := c.Seek([]byte(after + "\x00")); k != nil && len(records) < page(n); k, v = c.Next() {
			r, err := openRecord(k, v)
			if err != nil {
				return err
			}
			records = append(records, r)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing clients: %w", err)
	}
	return records, nil
}

func openRecord(id, value []byte) (credential.Record, error) {
	payload, err := state.Open(id, value)
	if err != nil {
		return credential.Record{}, fmt.Errorf("client %s: %w", id, err)
	}
	r, err := parseRecord(payload)
	if err != nil {
		return credential.Record{}, fmt.Errorf("client %s: %w", id, err)
	}
	return r.Record, nil
}

// Active returns the records that are in a rotation or held, in the order of their ids, paged like List.
func (s *Store) Active(ctx context.Context, after string, n int) ([]credential.Record, error) {
	records, err := s.follow(ctx, func(t *txn, take func(id string) bool) {
		c := t.bucket(bktActive).Cursor()
		for k, _ := c.Seek([]byte(after + "\x00")); k != nil && take(string(k)); k, _ = c.Next() {
			continue
		}
	}, page(n))
	if err != nil {
		return nil, fmt.Errorf("listing active clients: %w", err)
	}
	return records, nil
}

// follow collects ids from an index and returns their records, at most n, all in one transaction.
func (s *Store) follow(ctx context.Context, walk func(t *txn, take func(id string) bool), n int) ([]credential.Record, error) {
	var records []credential.Record
	err := s.view(ctx, func(t *txn) error {
		var failed error
		walk(t, func(id string) bool {
			if len(records) == n {
				return false
			}
			r, err := t.record(bktRecord, id)
			if err == nil && r == nil {
				err = fmt.Errorf("client %s is in an index only: %w", id, state.ErrCorrupt)
			}
			if failed = err; err != nil {
				return false
			}
			records = append(records, r.Record)
			return true
		})
		return failed
	})
	return records, err
}
