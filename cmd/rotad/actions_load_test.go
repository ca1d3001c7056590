package main

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state/bolt"
)

// offlineTable is the admin API on a state file, as a command without a daemon has it.
func offlineTable(t *testing.T) (*actions, *bolt.Store) {
	t.Helper()
	store, err := bolt.Open(filepath.Join(t.TempDir(), "rotad.db"), bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	a := newTable(t).actions
	a.store, a.committed = store, nil
	return a, store
}

func loadable(id string) credential.Client {
	return credential.Client{
		ID: id, Provider: "roles", Ref: credential.Ref{"role": id}, Owner: "payments",
		Vault: credential.VaultPath{Path: "apps/" + id},
	}
}

// Clients that need a look of their own stand behind more than one transaction: their numbers must still be right.
func TestLoadRegistersLikeRegister(t *testing.T) {
	const many = 35_000
	a, store := offlineTable(t)
	again, taken, nobody, moved := loadable("c-00007"), loadable("other"), loadable("orphan"), loadable("renamed")
	again.CurrentID = "known" // registered twice, with a difference
	taken.Ref = credential.Ref{"role": "c-00008"}
	nobody.Owner = "nobody"
	moved.Ref, moved.Vault, moved.RenamedFrom = credential.Ref{"role": "c-00009"}, credential.VaultPath{Path: "apps/c-00009"}, "c-00009"
	told := 0
	sum, err := a.load(t.Context(), store, admin.Command{Verb: admin.VerbRegister, Source: admin.SourceImport}, func(yield func(credential.Client) bool) {
		for i := range many {
			if i == 25_000 && (!yield(again) || !yield(nobody) || !yield(taken) || !yield(moved)) {
				return
			}
			if !yield(loadable(fmt.Sprintf("c-%05d", i))) {
				return
			}
		}
	}, func(admin.Registered) { told++ })
	if err != nil {
		t.Fatal(err)
	}
	if sum.New != many || sum.Changed != 2 || sum.Unchanged != 0 || told != 2 {
		t.Errorf("%d new, %d changed, %d unchanged, told %d times", sum.New, sum.Changed, sum.Unchanged, told)
	}
	if len(sum.Rejected) != 2 || sum.Rejected[0].Index != 25_001 || sum.Rejected[1].Index != 25_002 || !sum.Rejected[1].Conflict {
		t.Errorf("rejected %+v", sum.Rejected)
	}
	if r, ok, err := store.Get(t.Context(), "c-00007"); err != nil || !ok || r.Client.CurrentID != "known" {
		t.Errorf("the second registration: %+v, %v, %v", r.Client, ok, err)
	}
	if _, ok, err := store.Get(t.Context(), "renamed"); err != nil || !ok {
		t.Errorf("the renamed client: %v, %v", ok, err)
	}
	if err := store.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
