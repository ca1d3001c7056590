package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
	"github.com/rotad/rotad/state/bolt"
)

const sweepClients = 1000

// sweepPart lets 1,000 steady clients fall due at once, round after round: the daemon's loop claims them, decides, looks
// at a provider that answers at once, decides again and commits, one transaction at least per group of waiting commits.
// The bare side writes what such a commit writes (the record, its due entry deleted and put, the watermark) by as many
// calls of bbolt.Batch with its defaults, from as many goroutines; its values are ready before its clock starts. Both
// wait for the disk.
func sweepPart(ctx context.Context, s settings) (result, error) {
	store, err := bolt.Open(filepath.Join(s.dir, "sweep.db"), bolt.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { _ = store.Close() }()
	bare, err := newBareSweep(filepath.Join(s.dir, "bare-sweep.db"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = bare.db.Close() }()
	c := newClock()
	if err := register(ctx, store, sweepClients, client, c.now()); err != nil {
		return nil, err
	}
	w := newWatch()
	w.seen = bare.learn
	w.goal.Store(sweepClients)
	sch := newScheduler(store, c, quiet{c}, quietTiming(), quiet{c}, w)
	var ours, theirs []time.Duration
	err = running(ctx, sch, func() error {
		<-w.reached // first sight, which writes more
		bare.reset()
		for range s.rounds {
			took := sweepOnce(w, func() { c.advance(2 * day); sch.Wake() })
			alone, err := bare.sweep()
			if err != nil {
				return err
			}
			ours, theirs = append(ours, took), append(theirs, alone)
		}
		return nil
	})
	if err == nil && bare.more > 0 {
		err = fmt.Errorf("%d commits wrote more than a record and its due entry", bare.more)
	}
	if err != nil {
		return nil, err
	}
	return result{"ours_s": median(ours).Seconds(), "bare_s": median(theirs).Seconds()}, nil
}

// sweepOnce starts a sweep and waits until every client has been committed once.
func sweepOnce(w *watch, start func()) time.Duration {
	w.goal.Store(w.commits.Load() + sweepClients)
	began := time.Now()
	start()
	<-w.reached
	return time.Since(began)
}

// client is one of the clients of every part.
func client(i int) credential.Client {
	id := clientID(i)
	return credential.Client{
		ID: id, Provider: provider, Ref: credential.Ref{"app_id": appID(i)}, Owner: "payments", Policy: "default",
		Vault: credential.VaultPath{Mount: "secret", Path: "apps/" + id + "/oidc"}, Source: "import",
	}
}

func clientID(i int) string { return fmt.Sprintf("client-%07d", i) }
func appID(i int) string    { return fmt.Sprintf("11111111-1111-4111-8111-%012d", i) }

// bareSweep is the other side.
type bareSweep struct {
	db *bbolt.DB

	mu    sync.Mutex
	write []pairs // of the commits of the sweep before
	more  int     // commits that wrote more than these pairs
}

// pairs are what one commit writes.
type pairs struct{ id, record, was, will []byte }

func newBareSweep(path string) (*bareSweep, error) {
	db, err := openBare(path, "record", "due", "meta")
	return &bareSweep{db: db}, err
}

// openBare opens a file with bbolt's defaults, except for the free list, which is the faster one here too.
func openBare(path string, buckets ...string) (*bbolt.DB, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return nil, err
	}
	return db, db.Update(func(tx *bbolt.Tx) error {
		for _, name := range buckets {
			if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	})
}

// learn keeps the pairs of a commit. The due entry that it replaces is the one of the sweep before.
func (b *bareSweep) learn(c credential.Change) {
	record, err := state.Encode(&c.Record)
	if err != nil {
		panic(err) // it has just been stored
	}
	id := c.Record.Client.ID
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(c.Audit)+len(c.Notices) > 0 {
		b.more++
	}
	b.write = append(b.write, pairs{
		[]byte(id), state.Seal(id, make([]byte, 8), record), dueKey(c.Record.Due.Add(-2*day), id), dueKey(c.Record.Due, id),
	})
}

func (b *bareSweep) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.write, b.more = nil, 0
}

func dueKey(at time.Time, id string) []byte {
	return append(binary.BigEndian.AppendUint64([]byte(provider+"\x00"), uint64(at.UnixMicro())), id...) //nolint:gosec // the bits are wanted
}

// sweep writes the pairs of the last sweep, one call of Batch each.
func (b *bareSweep) sweep() (time.Duration, error) {
	work := make(chan pairs, len(b.write))
	for _, p := range b.write {
		work <- p
	}
	close(work)
	failed := make(chan error, workers)
	watermark := state.Seal("watermark", make([]byte, 8))
	began := time.Now()
	for range workers {
		go func() {
			for p := range work {
				err := b.db.Batch(func(tx *bbolt.Tx) error {
					due := tx.Bucket([]byte("due"))
					return errors.Join(
						tx.Bucket([]byte("record")).Put(p.id, p.record), due.Delete(p.was), due.Put(p.will, state.Seal(string(p.will))),
						tx.Bucket([]byte("meta")).Put([]byte("watermark"), watermark))
				})
				if err != nil {
					failed <- err
					return
				}
			}
			failed <- nil
		}()
	}
	var err error
	for range workers {
		err = errors.Join(err, <-failed)
	}
	took := time.Since(began)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.write = nil
	return took, err
}
