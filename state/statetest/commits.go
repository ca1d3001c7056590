package statetest

import (
	"errors"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
)

func commitRules() []rule {
	return []rule{
		{"what was committed is read back, with the next revision", commitRead},
		{"a conflict returns the winner and changes nothing", commitConflict},
		{"creating what exists is a conflict", commitCreateTwice},
		{"changing what does not exist ends with ErrGone", commitGone},
		{"an archived record leaves every list and keeps its history", commitArchive},
		{"a client that comes back goes on with its history", commitReturn},
		{"a renamed record keeps revision, history and claim", commitRename},
		{"renaming onto another client is a duplicate", commitRenameTaken},
		{"what cannot be stored is refused", commitInvalid},
		{"the watermark is that of the last change that carries one", commitWatermark},
		{"many changes are made at once, and the refused ones named", commitMany},
		{"after the clock was set back everything falls due", commitHasten},
		{"a cancelled context changes nothing", commitCancelled},
		{"a closed store takes nothing", commitClosed},
	}
}

func audit(event credential.Event, detail string) credential.Audit {
	return credential.Audit{At: start(), Client: "a", Event: event, Detail: detail}
}

func (w world) conflicts(c credential.Change, winner credential.Record) {
	w.Helper()
	got, conflict, err := w.Commit(w.Context(), c)
	if err != nil || !conflict {
		w.Fatalf("conflict %v, %v", conflict, err)
	}
	w.same("winner", got, winner)
}

func (w world) fails(c credential.Change, want error) {
	w.Helper()
	if _, conflict, err := w.Commit(w.Context(), c); !errors.Is(err, want) || conflict {
		w.Errorf("got %v, conflict %v; want %v", err, conflict, want)
	}
}

func commitRead(w world) {
	c := client("a", "p", at(time.Hour))
	c.Record.Rotation = &credential.Rotation{ID: "r", Phase: credential.PhaseIntent, Since: start(), Client: c.Record.Client}
	c.Record.Hold = &credential.Hold{Code: credential.HoldByPerson, Since: at(-123456 * time.Microsecond)}
	r := w.commit(c)
	w.same("revision", r.Rev, uint64(1))
	c.Record.Rev = 1
	w.same("committed", r, c.Record)
	w.same("stored", w.must("a"), c.Record)
	r.Rotation.ID = "changed by its owner" // who shares no memory with the store
	w.same("stored", w.must("a").Rotation.ID, "r")
	w.sound()
}

func commitConflict(w world) {
	first := w.add("a", "p", at(time.Hour))
	second := first
	second.Missing = 1
	second = w.commit(credential.Change{Record: second})
	w.same("revision", second.Rev, uint64(2))

	lost := first
	lost.Missing, lost.Due = 7, at(-time.Hour)
	w.conflicts(credential.Change{
		Record: lost, Audit: []credential.Audit{audit(credential.EventFailed, "")},
		Notices: []credential.Notice{{Key: "k", At: start()}}, Watermark: at(time.Hour),
	}, second)
	w.same("stored", w.must("a"), second)
	w.same("claimed", w.claim(start(), "p", 1), []string(nil))
	w.same("outbox", w.OutboxCounts(), map[credential.NoticeState]int{})
	w.same("watermark", w.Meta().Watermark, time.Time{})
	w.history("a")
	w.sound()
}

func commitCreateTwice(w world) {
	first := w.add("a", "p", at(time.Hour))
	w.conflicts(client("a", "q", at(-time.Hour)), first)
	w.same("providers", w.Providers(), []string{"p"})
}

func commitGone(w world) {
	c := client("a", "p", start())
	c.Create, c.Record.Rev = false, 1
	w.fails(c, state.ErrGone)
	c.Rename = "b"
	w.fails(c, state.ErrGone)
	if _, ok, err := w.Get(w.Context(), "a"); ok || err != nil {
		w.Errorf("ok %v, %v", ok, err)
	}
}

// history asks for the details of a client's audit, newest first.
func (w world) history(id string, want ...string) {
	w.Helper()
	entries, err := w.History(w.Context(), id, 0)
	if err != nil {
		w.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Detail)
	}
	w.same("history of "+id, got, want)
}

func commitArchive(w world) {
	c := client("a", "p", at(-time.Hour))
	c.Record.Hold = &credential.Hold{Code: credential.HoldByPerson, Since: start()}
	c.Record.Current.Expires = at(time.Hour)
	c.Audit = []credential.Audit{audit(credential.EventRegistered, "1")}
	r := w.commit(c)
	r = w.commit(credential.Change{Record: r, Archive: true, Audit: []credential.Audit{audit(credential.EventArchived, "2")}})

	if _, ok, err := w.Get(w.Context(), "a"); ok || err != nil {
		w.Errorf("it is still there: %v, %v", ok, err)
	}
	got, ok, err := w.Archived(w.Context(), "a")
	if !ok || err != nil {
		w.Fatalf("ok %v, %v", ok, err)
	}
	w.same("archived", got, r)
	w.history("a", "2", "1")
	w.same("claimed", w.claim(start(), "p", 1), []string(nil))
	w.same("aggregates", w.Aggregates(), emptyAggregates())
	w.fails(credential.Change{Record: r}, state.ErrGone)
	other := client("b", "p", start())
	other.Record.Client.Ref, other.Record.Client.Vault = c.Record.Client.Ref, c.Record.Client.Vault
	w.commit(other) // its ref and Vault path are free again
	w.sound()
}

func commitReturn(w world) {
	c := client("a", "p", start())
	c.Audit = []credential.Audit{audit(credential.EventRegistered, "1")}
	w.commit(credential.Change{Record: w.commit(c), Archive: true})
	c.Audit = []credential.Audit{audit(credential.EventRegistered, "2")}
	w.same("revision", w.commit(c).Rev, uint64(1))
	w.history("a", "2", "1")
	w.sound()
}

func commitRename(w world) {
	c := client("a", "p", at(-time.Hour))
	c.Record.Current.Expires = at(time.Hour)
	c.Record.Hold = &credential.Hold{Code: credential.HoldByPerson, Since: start()}
	c.Audit = []credential.Audit{audit(credential.EventRegistered, "1")}
	r := w.commit(c)
	w.claim(start(), "p", 1)
	r.Client.ID = "b"
	r = w.commit(credential.Change{
		Record: r, Rename: "a", Keep: true, Audit: []credential.Audit{audit(credential.EventChanged, "2")},
	})
	w.same("revision", r.Rev, uint64(2))
	w.same("stored", w.must("b"), r)
	if _, ok, err := w.Get(w.Context(), "a"); ok || err != nil {
		w.Errorf("the former one is still there: %v, %v", ok, err)
	}
	w.history("b", "2", "1")
	w.history("a")
	w.same("still claimed", w.claim(start(), "p", 1), []string(nil))
	w.same("after the lease", w.claim(at(time.Minute), "p", 1), []string{"b"})
	id, ok, err := w.Find(w.Context(), "p", credential.Ref{"client_id": "a"})
	w.same("found by its ref", []any{id, ok, err}, []any{"b", true, nil})
	w.duplicate(client("a", "q", start()), state.IndexVault, "b") // the id is free, the path went with the record
	c.Record.Client.Provider, c.Record.Client.Vault.Path = "q", "apps/other"
	w.commit(c)
	w.history("a", "1")
	w.sound()
}

func commitRenameTaken(w world) {
	a, b := w.add("a", "p", start()), w.add("b", "p", start())
	a.Client.ID = "b"
	w.duplicate(credential.Change{Record: a, Rename: "a"}, state.IndexID, "b")
	w.same("the other one", w.must("b"), b)
	w.sound()
}

func commitInvalid(w world) {
	for name, spoil := range map[string]func(*credential.Change){
		"no id":                  func(c *credential.Change) { c.Record.Client.ID = "" },
		"NUL in the id":          func(c *credential.Change) { c.Record.Client.ID = "a\x00b" },
		"an endless id":          func(c *credential.Change) { c.Record.Client.ID = strings.Repeat("a", 40000) },
		"no provider":            func(c *credential.Change) { c.Record.Client.Provider = "" },
		"NUL in the provider":    func(c *credential.Change) { c.Record.Client.Provider = "a\x00b" },
		"an endless ref":         func(c *credential.Change) { c.Record.Client.Ref["x"] = strings.Repeat("a", 40000) },
		"a notice without a key": func(c *credential.Change) { c.Notices = []credential.Notice{{At: start()}} },
		"created at revision 3":  func(c *credential.Change) { c.Record.Rev = 3 },
		"created and archived":   func(c *credential.Change) { c.Archive = true },
		"created and renamed":    func(c *credential.Change) { c.Rename = "b" },
		"the year 12026":         func(c *credential.Change) { c.Record.Due = start().AddDate(10000, 0, 0) },
	} {
		c := client("a", "p", start())
		spoil(&c)
		if _, _, err := w.Commit(w.Context(), c); !errors.Is(err, state.ErrInvalid) {
			w.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
	records, err := w.List(w.Context(), "", 0)
	if err != nil || len(records) != 0 {
		w.Errorf("stored all the same: %v, %v", ids(records), err)
	}
}

func commitWatermark(w world) {
	c := client("a", "p", start())
	c.Watermark = at(time.Hour)
	r := w.commit(c)
	r = w.commit(credential.Change{Record: r})
	w.same("kept", w.Meta().Watermark, at(time.Hour))
	w.commit(credential.Change{Record: r, Watermark: start()})
	w.same("put back", w.Meta().Watermark, start())
}

func commitMany(w world) {
	taken := w.add("b", "p", start())
	spoiled := client("e", "", start())
	changes := []credential.Change{
		client("d", "p", start()), client("a", "p", at(-time.Hour)), client("b", "p", start()), spoiled, client("c", "p", start()),
	}
	changes[4].Record.Client.Ref = credential.Ref{"client_id": "d"} // which stands before it in the same call
	refusals, err := w.CommitMany(w.Context(), changes)
	if err != nil || len(refusals) != 3 {
		w.Fatalf("refusals %v, %v", refusals, err)
	}
	var duplicate *state.Duplicate
	for i, want := range []struct {
		index int
		match bool
	}{
		{2, errors.Is(refusals[0].Err, state.ErrConflict)},
		{3, errors.Is(refusals[1].Err, state.ErrInvalid)},
		{4, errors.As(refusals[2].Err, &duplicate) && duplicate.ID == "d"},
	} {
		if refusals[i].Index != want.index || !want.match {
			w.Errorf("refusal %d: %+v", i, refusals[i])
		}
	}
	records, err := w.List(w.Context(), "", 0)
	w.same("stored", []any{ids(records), err}, []any{[]string{"a", "b", "d"}, nil})
	w.same("untouched", w.must("b"), taken)
	w.wakes("p", at(-time.Hour))
	w.sound()
}

func commitHasten(w world) {
	w.commit(client("early", "p", at(-time.Hour)))
	late := w.commit(client("late", "p", at(365*24*time.Hour)))
	claimed := w.commit(client("claimed", "p", at(time.Hour)))
	if err := state.Hasten(w.Context(), w.Store, start()); err != nil {
		w.Fatal(err)
	}
	w.same("due before", w.must("early").Due, at(-time.Hour))
	w.same("due after", w.must("late").Due, start())
	w.conflicts(credential.Change{Record: late, Keep: true}, w.must("late"))
	got, err := w.Claim(w.Context(), start(), "p", 10, "boot", time.Hour)
	if err != nil || len(got) != 3 {
		w.Fatalf("%d records fell due, %v; want 3", len(got), err)
	}
	w.same("revision", w.must("claimed").Rev, claimed.Rev+1)
}
