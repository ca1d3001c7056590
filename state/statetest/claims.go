package statetest

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
)

func claimRules() []rule {
	return []rule{
		{"claim yields what is due, the earliest first", claimOrder},
		{"claim at the very moment of due yields it, a microsecond earlier does not", claimExact},
		{"claim keeps to its number", claimNumber},
		{"a claimed record is not claimed again until its lease ends", claimLease},
		{"a commit gives the claim free, and the new due time decides", claimCommit},
		{"a commit that keeps the claim does so", claimKeep},
		{"a conflict leaves the claim as it is", claimConflict},
		{"release gives free only what its owner holds", claimRelease},
		{"a record without a due time is never due", claimNever},
		{"a provider with much to do hides no other", claimFair},
		{"a provider whose name begins like another one's is another one", claimPrefix},
		{"times before 1970 come first", claimPast},
		{"one client can be claimed whether it is due or not", claimOne},
		{"the next due time is that of the earliest free record, or the end of a claim", nextDue},
	}
}

func claimOrder(w world) {
	w.add("late", "p", at(-time.Second))
	w.add("later", "p", at(time.Second))
	w.add("early", "p", at(-time.Hour))
	w.same("claimed", w.claim(start(), "p", 10), []string{"early", "late"})
	w.sound()
}

func claimExact(w world) {
	w.add("a", "p", start())
	w.same("claimed before", w.claim(at(-time.Microsecond), "p", 1), []string(nil))
	w.same("claimed", w.claim(start(), "p", 1), []string{"a"})
}

func claimNumber(w world) {
	for i := range 5 {
		w.add(numbered(i), "p", at(time.Duration(i-9)*time.Second))
	}
	w.same("none", w.claim(start(), "p", 0), []string(nil))
	w.same("two", w.claim(start(), "p", 2), []string{numbered(0), numbered(1)})
	w.same("two more", w.claim(start(), "p", 2), []string{numbered(2), numbered(3)})
}

func claimLease(w world) {
	w.add("a", "p", at(-time.Hour))
	w.claim(start(), "p", 1)
	w.same("within the lease", w.claim(at(time.Minute-1), "p", 1), []string(nil))
	w.same("at its end", w.claim(at(time.Minute), "p", 1), []string{"a"})
}

func claimCommit(w world) {
	r := w.add("a", "p", at(-time.Hour))
	w.claim(start(), "p", 1)
	r.Due = at(time.Second)
	w.commit(credential.Change{Record: r})
	w.same("not yet", w.claim(start(), "p", 1), []string(nil))
	w.same("then", w.claim(at(time.Second), "p", 1), []string{"a"})
	w.sound()
}

func claimKeep(w world) {
	r := w.add("a", "p", at(-time.Hour))
	w.claim(start(), "p", 1)
	r.Due = at(-time.Minute)
	r = w.commit(credential.Change{Record: r, Keep: true})
	w.same("kept", w.claim(start(), "p", 1), []string(nil))
	w.wakes("p", at(time.Minute))
	w.commit(credential.Change{Record: r})
	w.same("free", w.claim(start(), "p", 1), []string{"a"})
}

func claimConflict(w world) {
	r := w.add("a", "p", at(-time.Hour))
	w.claim(start(), "p", 1)
	r.Rev = 99
	if _, conflict, err := w.Commit(w.Context(), credential.Change{Record: r}); !conflict || err != nil {
		w.Fatalf("conflict %v, %v", conflict, err)
	}
	w.same("still claimed", w.claim(start(), "p", 1), []string(nil))
}

func claimRelease(w world) {
	w.add("a", "p", at(-time.Hour))
	w.claim(start(), "p", 1)
	w.Release("a", "someone else")
	w.same("still claimed", w.claim(start(), "p", 1), []string(nil))
	w.Release("a", "worker")
	w.same("free", w.claim(start(), "p", 1), []string{"a"})
}

func claimNever(w world) {
	r := w.add("a", "p", time.Time{})
	w.same("claimed", w.claim(at(1000*time.Hour), "p", 1), []string(nil))
	w.same("providers", w.Providers(), []string(nil))
	w.wakes("p", time.Time{})
	r.Due = start()
	r = w.commit(credential.Change{Record: r})
	w.same("providers", w.Providers(), []string{"p"})
	r.Due = time.Time{}
	w.commit(credential.Change{Record: r})
	w.same("providers in the end", w.Providers(), []string(nil))
	w.sound()
}

func claimFair(w world) {
	for i := range 50 {
		w.add(numbered(i), "broken", at(-time.Hour))
	}
	w.add("z", "zzz", at(-time.Second))
	w.same("providers", w.Providers(), []string{"broken", "zzz"})
	w.claim(start(), "broken", 10)
	w.same("claimed", w.claim(start(), "zzz", 1), []string{"z"})
}

func claimPrefix(w world) {
	w.add("a", "corp", at(-time.Second))
	w.add("b", "corp-b", at(-time.Hour))
	w.add("c", "corp\x01", at(-time.Hour))
	w.same("providers", w.Providers(), []string{"corp", "corp\x01", "corp-b"})
	w.same("claimed", w.claim(start(), "corp", 10), []string{"a"})
	w.wakes("corp-b", at(-time.Hour))
}

func claimPast(w world) {
	w.add("new", "p", start())
	w.add("old", "p", time.Date(1923, 1, 1, 0, 0, 0, 0, time.UTC))
	w.add("zero", "p", time.Unix(0, 0))
	w.same("claimed", w.claim(start(), "p", 10), []string{"old", "zero", "new"})
}

func claimOne(w world) {
	want := w.add("a", "p", at(time.Hour))
	got, ok, err := w.ClaimOne(w.Context(), start(), "a", "admin", time.Minute)
	if !ok || err != nil {
		w.Fatalf("ok %v, %v", ok, err)
	}
	w.same("record", got, want)
	if _, ok, err = w.ClaimOne(w.Context(), start(), "a", "other", time.Minute); ok || err != nil {
		w.Errorf("claimed twice: %v, %v", ok, err)
	}
	if _, ok, err = w.ClaimOne(w.Context(), start(), "none", "other", time.Minute); ok || err != nil {
		w.Errorf("claimed what does not exist: %v, %v", ok, err)
	}
	w.same("by due", w.claim(at(30*time.Second), "p", 1), []string(nil))
	w.same("after its lease", w.claim(at(2*time.Hour), "p", 1), []string{"a"})
}

func nextDue(w world) {
	w.wakes("p", time.Time{})
	w.add("b", "p", at(time.Hour))
	w.wakes("p", at(time.Hour))
	a := w.add("a", "p", at(-time.Hour))
	w.wakes("p", at(-time.Hour))
	w.claim(start(), "p", 1)
	w.wakes("p", at(time.Minute))
	a.Due = at(30 * time.Second)
	a = w.commit(credential.Change{Record: a})
	w.wakes("p", at(30*time.Second))
	w.commit(credential.Change{Record: a, Archive: true})
	w.wakes("p", at(time.Hour))
	w.sound()
}
