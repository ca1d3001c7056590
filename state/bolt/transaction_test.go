package bolt_test

import (
	"errors"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state/bolt"
)

// TestACommitIsOneTransaction: record, due entry, notice, audit entry, counters and watermark become durable together.
// What is in another transaction is lost, or there without the rest, when the process dies in between.
func TestACommitIsOneTransaction(t *testing.T) {
	path := written(t)
	idle := transactions(t, path, func(*bolt.Store) {})
	one := transactions(t, path, func(s *bolt.Store) {
		r := get(t, s, "client-0000011")
		r.Due = r.Due.Add(time.Hour)
		r.Missing++
		commit(t, s, credential.Change{
			Record: r, Watermark: moment().Add(time.Hour),
			Notices: []credential.Notice{{Key: "another", At: moment(), Due: moment()}},
			Audit:   []credential.Audit{{At: moment(), Client: r.Client.ID, Event: credential.EventFailed}},
		})
	})
	if one-idle != 1 {
		t.Errorf("a commit took %d transactions, want 1", one-idle)
	}
}

// transactions counts the transactions that a store made durable while something was done.
func transactions(t *testing.T, path string, do func(*bolt.Store)) int {
	t.Helper()
	before := lastTransaction(t, path)
	s, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	do(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return lastTransaction(t, path) - before
}

func lastTransaction(t *testing.T, path string) (id int) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	err = db.View(func(tx *bbolt.Tx) error {
		id = tx.ID()
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return id
}
