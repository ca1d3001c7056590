package bolt_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
	"github.com/rotad/rotad/state/bolt"
)

func moment() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) }

// registered is the change that registers a client, much like an import makes it.
func registered(i int, due time.Time) credential.Change {
	id := fmt.Sprintf("client-%07d", i)
	return credential.Change{
		Create: true,
		Record: credential.Record{
			Client: credential.Client{
				ID: id, Provider: "corp", Ref: credential.Ref{"client_id": id}, Owner: "payments", Policy: "default",
				Vault: credential.VaultPath{Mount: "secret", Path: "apps/" + id + "/oidc"}, Source: "import",
			},
			Since: moment(), Sight: credential.SightAdopted, Due: due, DueFor: "look",
			Caps:    credential.Capabilities{Mode: credential.ModeTwoSlot, Slots: 2, Labels: true, SetsExpiry: true},
			Current: credential.Secret{ID: "key-" + id, Start: moment(), Expires: due.Add(90 * 24 * time.Hour)},
			Version: 3, Proved: true, Looked: moment(), NextLook: due,
		},
		Audit: []credential.Audit{{At: moment(), Client: id, Event: credential.EventRegistered}},
	}
}

// load fills a store with clients that are due one after the other, from an hour after moment on.
func load(tb testing.TB, s *bolt.Store, clients int) {
	tb.Helper()
	all(tb, s, func(yield func(credential.Change) bool) {
		for i := range clients {
			if !yield(registered(i, moment().Add(time.Hour+time.Duration(i)*time.Millisecond))) {
				return
			}
		}
	})
}

// all loads changes none of which is refused.
func all(tb testing.TB, s *bolt.Store, changes iter.Seq[credential.Change]) {
	tb.Helper()
	err := s.Load(tb.Context(), changes, func(_ int, refusals []state.Refusal) error {
		if len(refusals) > 0 {
			return refusals[0].Err
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// BenchmarkTick is a tick with nothing due, as the scheduler makes it: every provider is asked.
func BenchmarkTick(b *testing.B) {
	for _, clients := range []int{1_000, 1_000_000} {
		b.Run(strconv.Itoa(clients), func(b *testing.B) {
			s := open(b, filepath.Join(b.TempDir(), "rotad.db"), bolt.Options{NoSync: true})
			load(b, s, clients)
			for b.Loop() {
				for _, provider := range s.Providers() {
					records, err := s.Claim(b.Context(), moment(), provider, 64, "bench", time.Minute)
					if err != nil || len(records) > 0 {
						b.Fatal(records, err)
					}
				}
			}
		})
	}
}

const (
	sweepClients = 1000
	sweepWorkers = 64
)

// BenchmarkSweep claims 1000 due records with 64 workers, decides, and commits each, against bbolt.Batch writing the
// same pairs in as many transactions. "ratio" is bare time by ours: more than 1 is faster than bare.
func BenchmarkSweep(b *testing.B) {
	dir := b.TempDir()
	s := open(b, filepath.Join(dir, "rotad.db"), bolt.Options{})
	load(b, s, sweepClients)
	bare := openBare(b, filepath.Join(dir, "bare.db"))
	now := moment().Add(24 * time.Hour)
	var ours, theirs time.Duration
	b.ResetTimer()
	for b.Loop() {
		before := b.Elapsed()
		sweep(b, s, now)
		ours += b.Elapsed() - before
		before = b.Elapsed()
		bareSweep(b, bare, now)
		theirs += b.Elapsed() - before
		now = now.Add(24 * time.Hour)
	}
	b.ReportMetric(float64(theirs)/float64(ours), "ratio")
	b.ReportMetric(float64(sweepClients*b.N)/ours.Seconds(), "commits/s")
}

func sweep(b *testing.B, s *bolt.Store, now time.Time) {
	var done sync.WaitGroup
	for w := range sweepWorkers {
		done.Go(func() {
			for {
				records, err := s.Claim(b.Context(), now, "corp", 1, strconv.Itoa(w), time.Minute)
				if err != nil {
					b.Error(err)
				}
				if len(records) == 0 {
					return
				}
				r := records[0]
				r.Looked, r.Due = now, now.Add(24*time.Hour)
				r.NextLook = r.Due
				if _, conflict, err := s.Commit(b.Context(), credential.Change{Record: r}); conflict || err != nil {
					b.Error(conflict, err)
				}
			}
		})
	}
	done.Wait()
}

func openBare(b *testing.B, path string) *bbolt.DB {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{FreelistType: bbolt.FreelistMapType})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	err = db.Update(func(tx *bbolt.Tx) error {
		_, failed := tx.CreateBucket([]byte("record"))
		_, failedToo := tx.CreateBucket([]byte("due"))
		return errors.Join(failed, failedToo)
	})
	if err != nil {
		b.Fatal(err)
	}
	return db
}

func bareSweep(b *testing.B, db *bbolt.DB, now time.Time) {
	c := registered(1, now)
	r, err := state.Encode(&c.Record)
	if err != nil {
		b.Fatal(err)
	}
	work := make(chan int, sweepClients)
	for i := range sweepClients {
		work <- i
	}
	close(work)
	var done sync.WaitGroup
	for range sweepWorkers {
		done.Go(func() {
			for i := range work {
				id := fmt.Sprintf("client-%07d", i)
				was, will := now.Add(-24*time.Hour).Format(time.RFC3339)+id, now.Format(time.RFC3339)+id
				err := db.Batch(func(tx *bbolt.Tx) error {
					due := tx.Bucket([]byte("due"))
					return errors.Join(tx.Bucket([]byte("record")).Put([]byte(id), r),
						due.Delete([]byte(was)), due.Put([]byte(will), nil))
				})
				if err != nil {
					b.Error(err)
				}
			}
		})
	}
	done.Wait()
}

// BenchmarkOpen opens a file of 1,000,000 clients, closed in good order, until the next due entry is known; "anon-MiB"
// is the anonymous memory of the process afterwards.
func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "rotad.db")
	s, err := bolt.Open(path, bolt.Options{NoSync: true})
	if err != nil {
		b.Fatal(err)
	}
	load(b, s, 1_000_000)
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	runtime.GC()
	for b.Loop() {
		s, err := bolt.Open(path, bolt.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if _, ok, err := s.NextDue(b.Context(), "corp"); !ok || err != nil {
			b.Fatal(ok, err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(info.Size())/(1<<20), "file-MiB")
	b.ReportMetric(anonymous(b), "anon-MiB")
}

// anonymous returns the anonymous memory of this process in MiB, as Linux counts it; 0 elsewhere.
func anonymous(tb testing.TB) float64 {
	tb.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "RssAnon:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, err := strconv.Atoi(fields[0])
	if err != nil {
		tb.Fatal(err)
	}
	return float64(kib) / 1024
}

// BenchmarkImport registers 100,000 clients from lines of JSON, against decoding the same lines and putting them into
// bbolt as they are. "ratio" is our time by that: 2 is the goal.
func BenchmarkImport(b *testing.B) {
	const clients, chunk = 100_000, 20_000
	lines := make([][]byte, clients)
	for i := range lines {
		var err error
		if lines[i], err = json.Marshal(registered(i, moment()).Record.Client); err != nil {
			b.Fatal(err)
		}
	}
	var ours, theirs time.Duration
	for b.Loop() {
		b.StopTimer()
		dir := b.TempDir()
		s, err := bolt.Open(filepath.Join(dir, "rotad.db"), bolt.Options{})
		if err != nil {
			b.Fatal(err)
		}
		bare := openBare(b, filepath.Join(dir, "bare.db"))
		b.StartTimer()
		before := b.Elapsed()
		all(b, s, decoded(b, lines))
		ours += b.Elapsed() - before
		before = b.Elapsed()
		for part := range slices.Chunk(lines, chunk) {
			bareImport(b, bare, part)
		}
		theirs += b.Elapsed() - before
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(ours)/float64(theirs), "ratio")
	b.ReportMetric(float64(clients*b.N)/ours.Seconds(), "clients/s")
}

// decoded makes a change of each line.
func decoded(b *testing.B, lines [][]byte) iter.Seq[credential.Change] {
	return func(yield func(credential.Change) bool) {
		for _, line := range lines {
			c := credential.Change{Create: true, Audit: []credential.Audit{{At: moment(), Event: credential.EventRegistered}}}
			if err := json.Unmarshal(line, &c.Record.Client); err != nil {
				b.Error(err)
			}
			c.Record.Since, c.Record.Due, c.Record.DueFor = moment(), moment(), "look"
			c.Audit[0].Client = c.Record.Client.ID
			if !yield(c) {
				return
			}
		}
	}
}

func bareImport(b *testing.B, db *bbolt.DB, lines [][]byte) {
	err := db.Update(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket([]byte("record"))
		bucket.FillPercent = 0.95
		for _, line := range lines {
			var c credential.Client
			if err := json.Unmarshal(line, &c); err != nil {
				return err
			}
			if err := bucket.Put([]byte(c.ID), line); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
