package bolt_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
	"github.com/rotad/rotad/state/bolt"
)

var buckets = []string{"meta", "record", "due", "expiry", "active", "unique", "outbox", "outdue", "outkey", "audit", "archive", "count"}

// FuzzValues opens a store in which one pair is anything, under a checksum that fits, and uses all of it. Whatever it is, the
// store refuses it or works around it with an error that says so; it never falls over, and every other client stays readable.
func FuzzValues(f *testing.F) {
	record, err := state.Encode(&credential.Record{Client: credential.Client{ID: "x", Provider: "corp"}, Rev: 1})
	if err != nil {
		f.Fatal(err)
	}
	for i, name := range buckets {
		f.Add(uint8(i), []byte("x"), []byte{}, false)
		f.Add(uint8(i), []byte(name), []byte("12345678"), false)
		f.Add(uint8(i), []byte("12345678"), record, true)
	}
	f.Add(uint8(0), []byte("schema"), []byte{0, 0, 0, 0, 0, 0, 0, 99}, false)
	f.Add(uint8(0), []byte("watermark"), bytes.Repeat([]byte{0xff}, 8), false)
	f.Add(uint8(1), []byte("client-0000000"), append([]byte("12345678"), record...), false)
	f.Add(uint8(2), []byte("corp\x00\x00\x00\x00\x00\x00\x00\x00\x00nobody"), []byte{}, false)
	f.Add(uint8(6), bytes.Repeat([]byte{0xff}, 8), []byte{0xa0}, true)
	f.Add(uint8(7), bytes.Repeat([]byte{0}, 16), []byte{}, false)
	whole := few(f)
	path := filepath.Join(f.TempDir(), "rotad.db")
	f.Fuzz(func(t *testing.T, which uint8, key, value []byte, replace bool) {
		name := buckets[int(which)%len(buckets)]
		rewrite(t, path, whole)
		if !put(t, path, name, key, value, replace) {
			return
		}
		s, err := bolt.Open(path, bolt.Options{NoSync: true})
		if err != nil {
			if !errors.Is(err, state.ErrCorrupt) && !errors.Is(err, state.ErrNewer) {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		use(t, s, name)
		if err := s.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
}

// few is the content of a state file with three clients and a notice.
func few(f *testing.F) []byte {
	f.Helper()
	path := filepath.Join(f.TempDir(), "few.db")
	s, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		f.Fatal(err)
	}
	for i := range 3 {
		c := registered(i, moment().Add(time.Duration(i)*time.Hour))
		c.Watermark = moment()
		c.Notices = []credential.Notice{{Key: c.Record.Client.ID, At: moment(), Due: moment(), State: credential.NoticePending}}
		commit(f, s, c)
	}
	if err := s.Close(); err != nil {
		f.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	return content
}

// put writes one pair, sealed, or puts the value under the bucket's first key. It says no to what bbolt does not take.
func put(t *testing.T, path, name string, key, value []byte, replace bool) bool {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(name))
		if first, _ := b.Cursor().First(); replace && first != nil {
			key = bytes.Clone(first)
		}
		return b.Put(key, state.Seal(string(key), value))
	})
	if closed := db.Close(); closed != nil {
		t.Fatal(closed)
	}
	return err == nil
}

// use asks a store for everything. Errors are allowed where the damage is, panics and silence about it are not.
func use(t *testing.T, s *bolt.Store, damaged string) {
	t.Helper()
	ctx, now := t.Context(), moment().Add(24*time.Hour)
	records, err := s.Claim(ctx, now, "corp", 10, "worker", time.Minute)
	if damaged == "count" || damaged == "audit" {
		if len(records) != 3 || err != nil {
			t.Errorf("damage of %s hides records: %d, %v", damaged, len(records), err)
		}
	}
	for _, r := range records {
		if r.Client.ID == "" {
			t.Error("a record of nobody was claimed")
		}
	}
	notices, _ := s.ClaimNotices(ctx, now, 10)
	for _, n := range notices {
		n.Due, n.State = time.Time{}, credential.NoticeSent
		_ = s.Settle(ctx, n)
	}
	reads(ctx, s, now)
	for _, r := range records {
		r.Due = now.Add(time.Hour)
		_, _, _ = s.Commit(ctx, credential.Change{Record: r, Watermark: now})
	}
	_, _ = s.Prune(ctx, now.AddDate(1, 0, 0))
	if err := s.Check(ctx); err != nil && !errors.Is(err, state.ErrCorrupt) {
		t.Errorf("the check ends with an error of no kind: %v", err)
	}
}

func reads(ctx context.Context, s *bolt.Store, now time.Time) {
	_, _, _ = s.Get(ctx, "client-0000001")
	_, _, _ = s.Archived(ctx, "x")
	_, _, _ = s.Find(ctx, "corp", credential.Ref{"client_id": "client-0000001"})
	_, _ = s.List(ctx, "", 10)
	_, _ = s.Active(ctx, "", 10)
	_, _ = s.History(ctx, "client-0000001", 10)
	_ = s.Aggregates()
	for _, err := range s.MostUrgent(ctx, 10) {
		_ = err // it is only read
	}
	_, _, _ = s.Expiring(ctx, now, time.Hour, 1000*time.Hour)
	_, _, _ = s.NextDue(ctx, "corp")
	_, _, _ = s.NextNotice(ctx)
	_ = s.Providers()
	_, _ = s.VerifyAudit(ctx)
}
