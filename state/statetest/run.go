package statetest

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Run holds a store to the rules. open returns a new, empty store each time, and closes it when the test ends.
func Run(t *testing.T, open func(t *testing.T) Store) {
	t.Helper()
	for _, group := range [][]rule{claimRules(), commitRules(), uniqueRules(), readRules(), outboxRules(), countRules(), tallyRules(), crowdRules()} {
		for _, r := range group {
			t.Run(r.name, func(t *testing.T) { r.hold(world{t, open(t)}) })
		}
	}
}

// rule is one sentence about a store, and the test that it holds.
type rule struct {
	name string
	hold func(w world)
}

// world is a store with the means to ask it things without a word about errors.
type world struct {
	*testing.T
	Store
}

// start is the moment around which all rules play. Times are exact to the microsecond.
func start() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 89000, time.UTC) }

func at(d time.Duration) time.Time { return start().Add(d) }

// client makes the change that creates a client with a ref and a Vault path of its own.
func client(id, provider string, due time.Time) credential.Change {
	return credential.Change{Create: true, Record: credential.Record{
		Client: credential.Client{
			ID: id, Provider: provider, Ref: credential.Ref{"client_id": id}, Owner: "team", Policy: "default",
			Vault: credential.VaultPath{Mount: "secret", Path: "apps/" + id},
		},
		Since: start(), Due: due, DueFor: "look", Caps: credential.Capabilities{Mode: credential.ModeTwoSlot},
	}}
}

func numbered(i int) string { return fmt.Sprintf("client-%04d", i) }

// commit makes a change that must succeed.
func (w world) commit(c credential.Change) credential.Record {
	w.Helper()
	r, conflict, err := w.Commit(w.Context(), c)
	if err != nil || conflict {
		w.Fatalf("committing %s: conflict %v, %v", c.Record.Client.ID, conflict, err)
	}
	return r
}

// add creates a client.
func (w world) add(id, provider string, due time.Time) credential.Record {
	w.Helper()
	return w.commit(client(id, provider, due))
}

// must is the record of a client that has to exist.
func (w world) must(id string) credential.Record {
	w.Helper()
	r, ok, err := w.Get(w.Context(), id)
	if err != nil || !ok {
		w.Fatalf("client %s: ok %v, %v", id, ok, err)
	}
	return r
}

// claim returns the ids that a claim of at most n records yields.
func (w world) claim(now time.Time, provider string, n int) []string {
	w.Helper()
	records, err := w.Claim(w.Context(), now, provider, n, "worker", time.Minute)
	if err != nil {
		w.Fatal(err)
	}
	return ids(records)
}

func ids(records []credential.Record) []string {
	var all []string
	for _, r := range records {
		all = append(all, r.Client.ID)
	}
	return all
}

// sound asks the store to prove that its indexes and counters fit its records.
func (w world) sound() {
	w.Helper()
	if err := w.Check(w.Context()); err != nil {
		w.Error(err)
	}
}

func (w world) same(what string, got, want any) {
	w.Helper()
	if !reflect.DeepEqual(got, want) {
		w.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// wakes asks when something is due next.
func (w world) wakes(provider string, want time.Time) {
	w.Helper()
	got, ok, err := w.NextDue(w.Context(), provider)
	if err != nil {
		w.Fatal(err)
	}
	if ok == want.IsZero() || !got.Equal(want) {
		w.Errorf("next due at %s: got %v, %v; want %v", provider, got, ok, want)
	}
}
