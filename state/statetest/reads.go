package statetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
)

func readRules() []rule {
	return []rule{
		{"lists come in the order of ids, page by page", readList},
		{"the list of active clients has what rotates or is held", readActive},
		{"a history is that of one client, newest first", readHistory},
		{"the audit has everything, oldest first, and its chain holds", readAudit},
		{"the most urgent come first, and then those without an expiry", readUrgent},
		{"the store knows what it is", readMeta},
	}
}

func readList(w world) {
	var all []string
	changes := make([]credential.Change, 0, 2*state.PageSize)
	for i := range state.PageSize + 100 {
		changes = append(changes, client(numbered(i), "p", start()))
		all = append(all, numbered(i))
	}
	slices.Reverse(changes)
	if refusals, err := w.CommitMany(w.Context(), changes); err != nil || len(refusals) > 0 {
		w.Fatal(refusals, err)
	}
	var got []string
	for after, n := "", 7; ; n = 0 {
		records, err := w.List(w.Context(), after, n)
		if err != nil {
			w.Fatal(err)
		}
		if len(records) == 0 {
			break
		}
		if len(records) > state.PageSize || (n > 0 && len(records) > n) {
			w.Fatalf("a page of %d records", len(records))
		}
		got = append(got, ids(records)...)
		after = got[len(got)-1]
	}
	w.same("all pages", got, all)
}

// active returns the ids of the list of active clients.
func (w world) active() []string {
	w.Helper()
	records, err := w.Active(w.Context(), "", 0)
	if err != nil {
		w.Fatal(err)
	}
	return ids(records)
}

func readActive(w world) {
	hold := &credential.Hold{Code: credential.HoldByPerson, Since: start()}
	rotation := &credential.Rotation{ID: "r", Phase: credential.PhaseIntent}
	for id, r := range map[string]credential.Record{
		"b-held": {Hold: hold}, "a-rotates": {Rotation: rotation}, "c-both": {Hold: hold, Rotation: rotation}, "d-steady": {},
	} {
		c := client(id, "p", start())
		c.Record.Hold, c.Record.Rotation = r.Hold, r.Rotation
		w.commit(c)
	}
	w.same("active", w.active(), []string{"a-rotates", "b-held", "c-both"})
	records, err := w.Active(w.Context(), "a-rotates", 1)
	w.same("one after the first", []any{ids(records), err}, []any{[]string{"b-held"}, nil})
	r := w.must("a-rotates")
	r.Rotation = nil
	w.commit(credential.Change{Record: r})
	w.same("then", w.active(), []string{"b-held", "c-both"})
	w.sound()
}

func readHistory(w world) {
	a, b := w.add("a", "p", start()), w.add("b", "p", start())
	for i := range 3 {
		a = w.commit(credential.Change{Record: a, Audit: []credential.Audit{
			audit(credential.EventFailed, fmt.Sprint("a", i)), audit(credential.EventFailed, fmt.Sprintf("a%d+", i)),
		}})
		b = w.commit(credential.Change{Record: b, Audit: []credential.Audit{audit(credential.EventFailed, fmt.Sprint("b", i))}})
	}
	w.history("a", "a2+", "a2", "a1+", "a1", "a0+", "a0")
	w.history("b", "b2", "b1", "b0")
	w.history("none")
	entries, err := w.History(w.Context(), "a", 2)
	if err != nil || len(entries) != 2 || entries[0].Seq != 8 || entries[1].Seq != 7 || !entries[0].At.Equal(start()) {
		w.Errorf("the last two: %+v, %v", entries, err)
	}
	w.sound()
}

func readAudit(w world) {
	a := w.add("a", "p", start())
	const n = state.PageSize + 5
	entries := make([]credential.Audit, n)
	for i := range entries {
		entries[i] = audit(credential.EventFailed, fmt.Sprint(i))
	}
	w.commit(credential.Change{Record: a, Audit: entries})
	if got, err := w.VerifyAudit(w.Context()); got != n || err != nil {
		w.Errorf("verified %d entries of %d: %v", got, n, err)
	}
	page, err := w.Audit(w.Context(), n-2, 0)
	if err != nil || len(page) != 2 || page[0].Seq != n-1 || page[1].Detail != fmt.Sprint(n-1) {
		w.Errorf("the last two: %+v, %v", page, err)
	}
	if page, err = w.Audit(w.Context(), 0, 0); err != nil || len(page) != state.PageSize || page[0].Seq != 1 {
		w.Errorf("a page of %d entries, %v", len(page), err)
	}
	w.sound()
}

// expiring creates a client whose current secret expires then; zero = nobody knows.
func (w world) expiring(id string, expires time.Time) credential.Record {
	w.Helper()
	c := client(id, "p", start())
	c.Record.Current = credential.Secret{ID: "k", Expires: expires}
	return w.commit(c)
}

// urgent returns the ids of the n most urgent clients.
func (w world) urgent(n int) []string {
	w.Helper()
	return w.took(w.MostUrgent(w.Context(), n))
}

// took returns the ids of what is yielded.
func (w world) took(records iter.Seq2[credential.Record, error]) []string {
	w.Helper()
	var all []credential.Record
	for r, err := range records {
		if err != nil {
			w.Fatal(err)
		}
		all = append(all, r)
	}
	return ids(all)
}

func readUrgent(w world) {
	w.expiring("a-unknown", time.Time{})
	w.expiring("b-late", at(time.Hour))
	c := w.expiring("c-soon", at(time.Minute))
	w.expiring("d-past", at(-time.Hour))
	never := client("e-never", "p", start())
	never.Record.Current.Never = true
	w.commit(never)
	w.same("all", w.urgent(10), []string{"d-past", "c-soon", "b-late", "a-unknown", "e-never"})
	w.same("four", w.urgent(4), []string{"d-past", "c-soon", "b-late", "a-unknown"})
	w.same("two", w.urgent(2), []string{"d-past", "c-soon"})
	w.same("none", w.urgent(0), []string(nil))
	for r, err := range w.MostUrgent(w.Context(), 10) {
		w.same("the first", ids([]credential.Record{r}), []string{"d-past"})
		w.same("its error", err, error(nil))
		break // the rest is not asked for
	}
	ctx, cancel := context.WithCancel(w.Context())
	cancel()
	for r, err := range w.MostUrgent(ctx, 10) {
		if !errors.Is(err, context.Canceled) {
			w.Errorf("yielded %s and %v to a caller that is gone", r.Client.ID, err)
		}
	}
	c.Current.Expires = at(2 * time.Hour)
	w.commit(credential.Change{Record: c})
	w.same("after it moved", w.urgent(3), []string{"d-past", "b-late", "c-soon"})
	w.sound()
}

func readMeta(w world) {
	m := w.Meta()
	if m.Schema != state.Schema || m.Instance == "" || m.Boot != 1 || m.Restored || len(m.Key) != 32 || !m.Watermark.IsZero() {
		w.Errorf("meta %+v", m)
	}
	if err := w.SetInstance(w.Context(), "adopted"); err != nil {
		w.Fatal(err)
	}
	if err := w.ClearRestored(w.Context()); err != nil {
		w.Error(err)
	}
	w.same("instance", w.Meta().Instance, "adopted")
	if err := w.SetInstance(w.Context(), ""); err == nil {
		w.Error("an empty instance was adopted")
	}
	if free, err := w.FreeBytes(); free == 0 || err != nil {
		w.Errorf("free bytes %d, %v", free, err)
	}
}
