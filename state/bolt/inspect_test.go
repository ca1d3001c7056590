package bolt

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/rotad/rotad/state"
)

func ignore(string, []byte, []byte) error { return nil }

// small is the content of a file with several levels of pages and with free ones.
func small(tb testing.TB) []byte {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "small.db")
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{PageSize: 1024, NoSync: true})
	if err != nil {
		tb.Fatal(err)
	}
	for round := range 3 {
		err := db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte("record"))
			for i := 0; i < 40 && err == nil; i++ {
				key := []byte{byte('a' + i%26), byte(i), byte(round)}
				err = b.Put(key, state.Seal(string(key), bytes.Repeat(key, 10)))
			}
			if round == 2 && err == nil {
				_, err = tx.CreateBucket([]byte("empty"))
			}
			return errors.Join(err, b.Delete([]byte{'a', 0, 0}))
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		tb.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestInspectSeesEveryValue(t *testing.T) {
	n := 0
	_, err := inspect(small(t), func(bucket string, _, value []byte) error {
		if n++; bucket != "record" || len(value) != 30 {
			t.Errorf("bucket %s, %d bytes", bucket, len(value))
		}
		return nil
	})
	if err != nil || n != 119 {
		t.Errorf("%d values, %v", n, err)
	}
}

// TestInspectNoticesEveryByteThatMatters changes each byte of the file in turn. What is not noticed must make no
// difference: what inspect lets through, bbolt reads as before.
func TestInspectNoticesEveryByteThatMatters(t *testing.T) {
	whole := small(t)
	want := pairs(t, whole)
	for i := range whole {
		broken := bytes.Clone(whole)
		broken[i] ^= 0x81
		if _, err := inspect(broken, ignore); err != nil {
			if !errors.Is(err, state.ErrCorrupt) && !errors.Is(err, state.ErrNewer) {
				t.Errorf("byte %d: %v", i, err)
			}
			continue
		}
		if i >= 2*1024 && i%211 != 0 { // reading all of it again and again takes its time
			continue
		}
		if got := pairs(t, broken); !bytes.Equal(got, want) && i >= 2*1024 {
			t.Errorf("byte %d: not noticed, and the content differs", i)
		}
	}
}

// pairs returns all pairs of a file as bbolt reads them.
func pairs(t *testing.T, file []byte) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pairs.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var all []byte
	err = db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			all = append(all, name...)
			return b.ForEach(func(k, v []byte) error { all = append(append(all, k...), v...); return nil })
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func FuzzInspect(f *testing.F) {
	whole := small(f)
	f.Add(whole)
	f.Add(whole[:4096])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, file []byte) {
		if _, err := inspect(file, ignore); err != nil && !errors.Is(err, state.ErrCorrupt) && !errors.Is(err, state.ErrNewer) {
			t.Errorf("an error of no kind: %v", err)
		}
	})
}

func TestNetworkFilesystemsAreRefused(t *testing.T) {
	for magic, want := range map[int64]string{
		0x6969: "NFS", 0x517B: "SMB", 0xFE534D42: "SMB", 0xFF534D42: "CIFS", 0x65735546: "FUSE", 0x01021997: "9P",
		-0x00ACB2BE: "CIFS", // where the number is signed and of 32 bits
		0xEF53:      "",     // ext4
		0x58465342:  "",     // XFS
		0x01021994:  "",     // tmpfs
		0x9123683E:  "",     // btrfs
		0x794C7630:  "",     // overlayfs
	} {
		if got := remote(magic); got != want {
			t.Errorf("%#x: got %q, want %q", magic, got, want)
		}
	}
}

func TestAllowedFilesystemIsAWarning(t *testing.T) {
	var warnings []string
	o := Options{AllowFilesystem: true, Warn: func(text string) { warnings = append(warnings, text) }}
	if err := acceptFilesystem("x", state.ErrFilesystem, o); err != nil || len(warnings) != 1 {
		t.Errorf("%v, warnings %q", err, warnings)
	}
	if err := acceptFilesystem("x", state.ErrFilesystem, Options{}); !errors.Is(err, state.ErrFilesystem) {
		t.Errorf("got %v, want ErrFilesystem", err)
	}
}
