package statetest

import (
	"context"
	"errors"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
)

func commitCancelled(w world) {
	ctx, cancel := context.WithCancel(w.Context())
	cancel()
	_, _, err := w.Commit(ctx, client("a", "p", start()))
	if !errors.Is(err, context.Canceled) {
		w.Errorf("got %v", err)
	}
	if _, ok, err := w.Get(w.Context(), "a"); ok || err != nil {
		w.Errorf("ok %v, %v", ok, err)
	}
}

func commitClosed(w world) {
	r := w.add("a", "p", start())
	for range 2 {
		if err := w.Close(); err != nil {
			w.Fatal(err)
		}
	}
	w.fails(credential.Change{Record: r}, state.ErrClosed)
	_, _, failed := w.Get(w.Context(), "a")
	_, failedList := w.List(w.Context(), "", 0)
	_, failedClaim := w.Claim(w.Context(), start(), "p", 1, "worker", time.Minute)
	for _, err := range []error{failed, failedList, failedClaim} {
		if !errors.Is(err, state.ErrClosed) {
			w.Errorf("got %v, want ErrClosed", err)
		}
	}
}

func uniqueRules() []rule {
	return []rule{
		{"two clients never have the same ref at one provider", uniqueRef},
		{"two clients never have the same Vault path", uniqueVault},
		{"a ref or path that is given up is free", uniqueFree},
		{"clients without ref or path do not stand in each other's way", uniqueEmpty},
	}
}

func (w world) duplicate(c credential.Change, index, id string) {
	w.Helper()
	_, conflict, err := w.Commit(w.Context(), c)
	var duplicate *state.Duplicate
	if !errors.As(err, &duplicate) || conflict {
		w.Fatalf("got %v, conflict %v; want a duplicate", err, conflict)
	}
	w.same("duplicate", *duplicate, state.Duplicate{Index: index, ID: id})
}

func uniqueRef(w world) {
	w.add("a", "p", start())
	b := client("b", "p", start())
	b.Record.Client.Ref = credential.Ref{"client_id": "a"}
	w.duplicate(b, state.IndexRef, "a")
	b.Record.Client.Provider = "q"
	r := w.commit(b)
	r.Client.Provider = "p"
	w.duplicate(credential.Change{Record: r}, state.IndexRef, "a")
	id, ok, err := w.Find(w.Context(), "q", credential.Ref{"client_id": "a"})
	w.same("found", []any{id, ok, err}, []any{"b", true, nil})
	_, ok, err = w.Find(w.Context(), "q", credential.Ref{"client_id": "zzz"})
	w.same("not found", []any{ok, err}, []any{false, nil})
	w.sound()
}

func uniqueVault(w world) {
	w.add("a", "p", start())
	b := client("b", "p", start())
	b.Record.Client.Vault = credential.VaultPath{Mount: "secret", Path: "apps/a", Fields: map[string]string{"x": "Y"}}
	w.duplicate(b, state.IndexVault, "a")
	b.Record.Client.Vault.Namespace = "ns"
	w.commit(b)
	w.sound()
}

func uniqueFree(w world) {
	a := w.add("a", "p", start())
	former := a.Client
	a.Client.Ref, a.Client.Vault.Path = credential.Ref{"client_id": "new"}, "apps/new"
	w.commit(credential.Change{Record: a})
	b := client("b", "p", start())
	b.Record.Client.Ref, b.Record.Client.Vault = former.Ref, former.Vault
	w.commit(b)
	w.sound()
}

func uniqueEmpty(w world) {
	for _, id := range []string{"a", "b"} {
		c := client(id, "p", start())
		c.Record.Client.Ref, c.Record.Client.Vault = nil, credential.VaultPath{Mount: "secret"}
		w.commit(c)
	}
	if id, ok, err := w.Find(w.Context(), "p", nil); ok || err != nil {
		w.Errorf("found %q by no ref: %v", id, err)
	}
	w.sound()
}

func emptyAggregates() state.Aggregates {
	return state.Aggregates{
		Clients: map[state.Watch]int{}, Holds: map[credential.HoldCode]int{}, Phases: map[credential.Phase]int{},
		Outbox: map[credential.NoticeState]int{},
	}
}
