package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/internal/vaultlog"
	"github.com/rotad/rotad/state/bolt"
)

// readers is a log, a state with one client, and what was noted of it.
type readers struct {
	t     *testing.T
	path  string
	store *bolt.Store
	said  bytes.Buffer
	noted []string
	err   error
	mark  vaultlog.Mark
	logReader
	follower *vaultlog.Follower
}

func newReaders(t *testing.T) *readers {
	t.Helper()
	r := &readers{t: t, path: filepath.Join(t.TempDir(), "audit.log")}
	var err error
	if r.store, err = bolt.Open(filepath.Join(t.TempDir(), "rotad.db"), bolt.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.store.Close() })
	rec := credential.Record{Client: credential.Client{
		ID: "billing", Provider: "p", Ref: credential.Ref{"id": "b"}, Vault: credential.VaultPath{Mount: "secret", Path: "apps/billing"},
		Consumers: []credential.NamedConsumer{{Name: "web", Role: "web"}, {Name: "batch", Entity: "e-1"}, {Name: "api", Role: "web", Entity: "e-2"}, {Name: "mute"}},
	}}
	if _, _, err := r.store.Commit(t.Context(), credential.Change{Record: rec, Create: true, Keep: true}); err != nil {
		t.Fatal(err)
	}
	r.logReader = logReader{store: r.store, log: slog.New(slog.NewTextHandler(&r.said, nil)), moved: r.move}
	r.follower = vaultlog.Follow(r.path, vaultlog.Mark{})
	return r
}

func (r *readers) move(_ context.Context, client, consumer string, version int, by rotation.Person) (admin.Reply, error) {
	r.noted = append(r.noted, fmt.Sprint(client, " ", consumer, " ", version, " ", by.Name))
	return admin.Reply{}, r.err
}

func (r *readers) read(path, role, entity string, version int) {
	r.t.Helper()
	f, err := os.OpenFile(r.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		r.t.Fatal(err)
	}
	_, err = fmt.Fprintf(f, `{"type":"response","auth":{"entity_id":%q,"metadata":{"role_name":%q}},"request":{"operation":"read","mount_point":"secret/",`+
		`"path":"secret/data/%s"},"response":{"data":{"data":{"client_secret":"hmac-sha256:1"},"metadata":{"version":%d}}}}`+"\n", entity, role, path, version)
	if err := errors.Join(err, f.Close()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *readers) turn(want ...string) {
	r.t.Helper()
	r.noted = nil
	mark, err := r.logReader.turn(r.t.Context(), r.follower, r.mark)
	r.mark = mark
	slices.Sort(r.noted)
	if err != nil || !slices.Equal(r.noted, want) {
		r.t.Fatalf("noted %q, want %q (%v)", r.noted, want, err)
	}
}

func TestWhoeverReadsInVaultIsKnownByEntityAndRole(t *testing.T) {
	r := newReaders(t)
	r.turn() // there is no log yet
	r.turn()
	if n := strings.Count(r.said.String(), "cannot be read"); n != 1 {
		t.Errorf("said %d times: %s", n, r.said.String())
	}
	r.read("nothing", "web", "", 1)
	r.turn()
	r.read("apps/billing", "web", "e-9", 1)
	r.read("apps/billing", "web", "e-9", 2) // the last one counts
	r.read("apps/billing", "job", "e-1", 3)
	r.read("apps/billing", "", "", 4)
	r.read("apps/other", "web", "e-1", 5)
	r.turn("billing batch 3 vault-audit-log", "billing web 2 vault-audit-log")
	r.read("apps/billing", "web", "e-2", 6)
	r.turn("billing api 6 vault-audit-log", "billing web 6 vault-audit-log")
	r.turn()
}

func TestAReadThatIsRefusedHoldsNothingUp(t *testing.T) {
	r := newReaders(t)
	r.read("nothing", "web", "", 1)
	r.turn()
	r.err = &admin.Error{Class: admin.ClassRefused, Why: "version 9 is not published"}
	r.read("apps/billing", "web", "", 9)
	r.turn("billing web 9 vault-audit-log")
	r.turn()
	if !strings.Contains(r.said.String(), "version 9 is not published") {
		t.Error(r.said.String())
	}
}

func TestAReadThatCouldNotBeNotedIsReadAgain(t *testing.T) {
	r := newReaders(t)
	r.read("nothing", "web", "", 1)
	r.turn()
	r.err = errors.New("the disk is full")
	r.read("apps/billing", "web", "", 2)
	if _, err := r.logReader.turn(t.Context(), r.follower, r.mark); err == nil {
		t.Fatal("no error")
	}
	kept, err := r.store.LogMark(t.Context())
	if err != nil || !strings.Contains(string(kept), fmt.Sprint(r.mark.Offset)) {
		t.Errorf("the mark is %s, want %d (%v)", kept, r.mark.Offset, err)
	}
	r.err, r.follower = nil, vaultlog.Follow(r.path, r.mark)
	r.turn("billing web 2 vault-audit-log")
}
