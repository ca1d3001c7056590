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
	"github.com/rotad/rotad/scheduler"
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
	if err = register(ctx, store, sweepClients, client, c.now()); err != nil {
		return nil, err
	}
	w := newWatch()
	w.seen = bare.learn
	w.goal.Store(sweepClients)
	sch := newScheduler(store, c, quiet{c}, quietTiming(), quiet{c}, w)
	var ours, theirs []time.Duration
	err = running(ctx, sch, func() error {
		<-w.reached // first sight, which writes more
		idle(ctx, store, sch, c)
		bare.begin()
		for range s.rounds {
			began := time.Now()
			c.advance(2 * day)
			sch.Wake()
			idle(ctx, store, sch, c)
			took := time.Since(began)
			alone, failed := bare.sweep()
			if failed != nil {
				return failed
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
	return result{
		"ours_s": median(ours).Seconds(), "bare_s": median(theirs).Seconds(),
		"commits_per_client": float64(bare.commits) / float64(sweepClients*s.rounds),
	}, nil
}

// idle waits until nothing is due or under way.
func idle(ctx context.Context, s *bolt.Store, sch *scheduler.Scheduler, c *clock) {
	for {
		due, ok, err := s.NextDue(ctx, provider)
		if err != nil || (!sch.Busy() && (!ok || due.After(c.now()))) {
			return
		}
		time.Sleep(500 * time.Microsecond)
	}
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

	mu      sync.Mutex
	due     map[string]time.Time // by client
	write   []pairs              // of the commits of the sweep before
	commits int                  // of all sweeps
	more    int                  // commits that wrote more than these pairs
}

// pairs are what one commit writes. Without was and will, the due entry stays.
type pairs struct{ id, record, was, will []byte }

func newBareSweep(path string) (*bareSweep, error) {
	db, err := openBare(path, "record", "due", "meta")
	return &bareSweep{db: db, due: map[string]time.Time{}}, err
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

// learn keeps the pairs of a commit.
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
	p := pairs{id: []byte(id), record: state.Seal(id, make([]byte, 8), record)}
	if was := b.due[id]; !was.Equal(c.Record.Due) {
		p.was, p.will = dueKey(was, id), dueKey(c.Record.Due, id)
	}
	b.due[id] = c.Record.Due
	b.write = append(b.write, p)
	b.commits++
}

// begin forgets what was written so far.
func (b *bareSweep) begin() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.write, b.more, b.commits = nil, 0, 0
}

func dueKey(at time.Time, id string) []byte {
	return append(binary.BigEndian.AppendUint64([]byte(provider+"\x00"), uint64(at.UnixMicro())), id...)
}

// sweep writes the pairs of the last sweep, one call of Batch each.
func (b *bareSweep) sweep() (time.Duration, error) {
	work := make(chan pairs, len(b.write))
	for _, p := range b.write {
		work <- p
	}
	close(work)
	b.write = nil
	watermark := state.Seal("watermark", make([]byte, 8))
	began := time.Now()
	err := together(func() error {
		for p := range work {
			if err := b.db.Batch(func(tx *bbolt.Tx) error { return p.put(tx, watermark) }); err != nil {
				return err
			}
		}
		return nil
	})
	return time.Since(began), err
}

func (p pairs) put(tx *bbolt.Tx, watermark []byte) error {
	err := errors.Join(
		tx.Bucket([]byte("record")).Put(p.id, p.record), tx.Bucket([]byte("meta")).Put([]byte("watermark"), watermark))
	if p.will == nil {
		return err
	}
	due := tx.Bucket([]byte("due"))
	return errors.Join(err, due.Delete(p.was), due.Put(p.will, state.Seal(string(p.will))))
}

// together runs f in as many goroutines as there are workers.
func together(f func() error) error {
	failed := make(chan error, workers)
	for range workers {
		go func() { failed <- f() }()
	}
	var err error
	for range workers {
		err = errors.Join(err, <-failed)
	}
	return err
}
