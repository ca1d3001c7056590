package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"go.etcd.io/bbolt"

	"github.com/rotad/rotad/internal/credential"
)

func (s settings) binary() string { return filepath.Join(s.dir, "rotad") }

// prepareImport builds rotad and writes its configuration and the file of clients.
func prepareImport(ctx context.Context, s settings, log io.Writer) error {
	if err := writeFiles(s); err != nil {
		return err
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", s.binary(), "./cmd/rotad") //nolint:gosec // fixed words
	build.Stderr = log
	if err := build.Run(); err != nil {
		return fmt.Errorf("building rotad (bench runs at the top of its source): %w", err)
	}
	return nil
}

// importLines lets rotad import the file into a new state file, as a person does while no daemon runs: the time is that
// of the whole process.
func importLines(ctx context.Context, s settings, log io.Writer) (time.Duration, error) {
	if err := os.RemoveAll(s.state()); err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, s.binary(), "--config", s.config(), "--json", "import", s.lines()) //nolint:gosec // just built
	cmd.Stderr = log
	began := time.Now()
	answer, err := cmd.Output()
	took := time.Since(began)
	if err != nil {
		return 0, fmt.Errorf("importing: %w", err)
	}
	var done struct{ New int }
	if err := json.Unmarshal(answer, &done); err != nil || done.New != s.clients {
		return 0, fmt.Errorf("imported %d clients of %d: %w", done.New, s.clients, err)
	}
	_, _ = fmt.Fprintf(log, "# import: %.2f s, %.0f clients/s\n", took.Seconds(), float64(s.clients)/took.Seconds())
	return took, nil
}

const importConfig = `state:
  path: %s
vault:
  address: http://127.0.0.1:8200
  auth: {method: token, token_file: %[2]s}
providers:
  corp:
    kind: entra
    allow_unproven: true
    tenant_id: 00000000-0000-0000-0000-000000000000
    client_id: rotad
    client_secret_file: %[2]s
owners:
  payments:
    email: [payments@example.com]
`

func writeFiles(s settings) error {
	token := filepath.Join(s.dir, "token")
	if err := os.MkdirAll(filepath.Dir(s.state()), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(token, []byte("token"), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(s.config(), fmt.Appendf(nil, importConfig, s.state(), token), 0o600); err != nil {
		return err
	}
	f, err := os.Create(s.lines())
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	w := bufio.NewWriter(f)
	for i := range s.clients {
		id := clientID(i)
		_, err := fmt.Fprintf(w, `{"id":%q,"provider":%q,"ref":{"app_id":%q},"owner":"payments","policy":"default",`+
			`"vault":{"path":"apps/%s/oidc"}}`+"\n", id, provider, appID(i), id)
		if err != nil {
			return err
		}
	}
	return w.Flush()
}

// rawImportPart is the other side of the import: each line is decoded by encoding/json into a client, and bbolt puts the
// pairs that the import has written for it, byte for byte and bucket by bucket (record, due entry, two unique keys,
// audit entry), in transactions of as many clients as the import made, each of which waits for the disk. It does not
// check anything, encodes nothing and hashes nothing: the pairs are read from the file that the import has made, which is
// mapped beforehand.
func rawImportPart(_ context.Context, s settings) (result, error) {
	made, err := bbolt.Open(s.state(), 0o600, &bbolt.Options{ReadOnly: true, MmapFlags: syscall.MAP_POPULATE})
	if err != nil {
		return nil, err
	}
	defer func() { _ = made.Close() }()
	numbered, err := transactions(s.state())
	if err != nil {
		return nil, err
	}
	chunks := max(1, int(numbered)-unrelated) //nolint:gosec // small
	lines, err := os.Open(s.lines())
	if err != nil {
		return nil, err
	}
	defer func() { _ = lines.Close() }()
	took := time.Duration(0)
	err = made.View(func(tx *bbolt.Tx) error {
		raw := &rawImport{in: bufio.NewReaderSize(lines, 1<<16), chunk: (s.clients + chunks - 1) / chunks}
		raw.follow(tx)
		began := time.Now()
		failed := raw.run(filepath.Join(s.dir, "raw.db"))
		took = time.Since(began)
		return failed
	})
	_ = os.Remove(filepath.Join(s.dir, "raw.db"))
	return result{"raw_s": took.Seconds(), "transactions": float64(chunks)}, err
}

// unrelated is the number of transactions of a new state file that load no clients: bbolt begins with number 1, rotad
// makes its buckets, counts a start, and marks the orderly end.
const unrelated = 4

// rawImport is a raw import under way.
type rawImport struct {
	in      *bufio.Reader
	chunk   int // clients in a transaction
	sources []source
}

// source is a range of pairs that the import has written in the order of the clients: one for each.
type source struct {
	bucket string
	cursor *bbolt.Cursor
	k, v   []byte
}

func (r *rawImport) follow(tx *bbolt.Tx) {
	for _, from := range []struct{ bucket, prefix string }{
		{"record", ""}, {"due", ""}, {"unique", "r"}, {"unique", "v"}, {"audit", ""},
	} {
		c := tx.Bucket([]byte(from.bucket)).Cursor()
		k, v := c.Seek([]byte(from.prefix))
		r.sources = append(r.sources, source{bucket: from.bucket, cursor: c, k: k, v: v})
	}
}

func (r *rawImport) run(path string) error {
	db, err := openBare(path, "record", "due", "unique", "audit")
	if err != nil {
		return err
	}
	for more := true; more && err == nil; {
		err = db.Update(func(tx *bbolt.Tx) error {
			n, failed := r.decode()
			more = n == r.chunk
			if failed == nil {
				failed = r.put(tx, n)
			}
			return failed
		})
	}
	if closed := db.Close(); err == nil {
		err = closed
	}
	return err
}

// decode reads the lines of one transaction.
func (r *rawImport) decode() (n int, err error) {
	for ; n < r.chunk; n++ {
		line, err := r.in.ReadSlice('\n')
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		var c credential.Client
		if err := json.Unmarshal(bytes.TrimSpace(line), &c); err != nil {
			return n, err
		}
	}
	return n, nil
}

func (r *rawImport) put(tx *bbolt.Tx, n int) error {
	for i := range r.sources {
		s := &r.sources[i]
		b := tx.Bucket([]byte(s.bucket))
		b.FillPercent = 0.95
		for range n {
			if s.k == nil {
				return fmt.Errorf("bucket %s has too few pairs", s.bucket)
			}
			if err := b.Put(s.k, s.v); err != nil {
				return err
			}
			s.k, s.v = s.cursor.Next()
		}
	}
	return nil
}
