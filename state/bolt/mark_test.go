package bolt_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state/bolt"
)

func TestTheMarkOfALogOutlivesARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rotad.db")
	for _, want := range []string{"", "here", "there"} {
		s, err := bolt.Open(path, bolt.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if mark, err := s.LogMark(t.Context()); err != nil || string(mark) != want {
			t.Errorf("%q, want %q (%v)", mark, want, err)
		}
		next := map[string]string{"": "here", "here": "there", "there": "end"}[want]
		if err := s.SetLogMark(t.Context(), []byte(next)); err != nil {
			t.Fatal(err)
		}
		if err := s.Check(t.Context()); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheOutageOfAProviderOutlivesARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rotad.db")
	began := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	type outage struct {
		since time.Time
		told  bool
	}
	var want outage
	for _, next := range []outage{{began, false}, {began, true}, {}, {began.Add(time.Hour), false}} {
		s, err := bolt.Open(path, bolt.Options{})
		if err != nil {
			t.Fatal(err)
		}
		since, told, err := s.Outage(t.Context(), "corp")
		if got := (outage{since, told}); err != nil || got != want {
			t.Errorf("%+v, want %+v (%v)", got, want, err)
		}
		if since, _, err := s.Outage(t.Context(), "other"); err != nil || !since.IsZero() {
			t.Errorf("another provider: %s, %v", since, err)
		}
		if err := s.SetOutage(t.Context(), "corp", next.since, next.told); err != nil {
			t.Fatal(err)
		}
		want = next
		if err := s.Check(t.Context()); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAClientIsFoundByItsPath(t *testing.T) {
	s, err := bolt.Open(filepath.Join(t.TempDir(), "rotad.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	place := credential.VaultPath{Mount: "secret", Path: "apps/billing"}
	rec := credential.Record{Client: credential.Client{ID: "billing", Provider: "p", Ref: credential.Ref{"app_id": "a"}, Vault: place}}
	if _, _, err := s.Commit(t.Context(), credential.Change{Record: rec, Create: true, Keep: true}); err != nil {
		t.Fatal(err)
	}
	if id, ok, err := s.FindPath(t.Context(), place); err != nil || !ok || id != "billing" {
		t.Errorf("%q %t %v", id, ok, err)
	}
	for _, other := range []credential.VaultPath{{}, {Mount: "kv", Path: "apps/billing"}, {Namespace: "n", Mount: "secret", Path: "apps/billing"}} {
		if id, ok, err := s.FindPath(t.Context(), other); err != nil || ok {
			t.Errorf("%+v: %q %v", other, id, err)
		}
	}
}
