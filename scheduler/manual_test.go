package scheduler

import (
	"errors"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/model"
	"github.com/rotad/rotad/internal/rotation"
)

func manualMode() overlapMode {
	return overlapMode{name: "manual", caps: credential.Capabilities{Mode: credential.ModeManual}}
}

var errDied = errors.New("the daemon died")

// submit is the daemon's part of "rotad submit": prove that Vault takes a value, take it, stage it, commit.
func (l *life) submit(value string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(model.Crash); !ok {
				panic(r)
			}
			l.boot()
			err = errDied
		}
	}()
	ctx, rec := l.context(), l.store.rec
	env := l.sch.Env(rec)
	if err := rotation.MaySubmit(rec); err != nil {
		return err
	}
	fence, err := l.sch.Executor.Writable(ctx, rec, env.FreshID)
	if err != nil {
		return err
	}
	bundle := credential.Bundle{
		credential.FieldClientID: credential.NewSensitive("client"), credential.FieldClientSecret: credential.NewSensitive(value),
	}
	o, err := l.sch.Executor.StageSubmitted(ctx, rec, env.FreshID, fence, bundle)
	if err != nil {
		return err
	}
	d, err := rotation.Submit(rec, o, rotation.Person{Name: "anna"}, rotation.Expiry{}, env)
	if err != nil {
		return err
	}
	_, _, err = l.sch.commit(ctx, d)
	return err
}

// inPortal makes a secret as a person does in a portal; the old one stays.
func (l *life) inPortal() string { return l.provider.Seed(false) }

func newManualLife(t *testing.T) *life {
	t.Helper()
	l := newLife(manualMode())
	l.until(t, "sighted", func(r credential.Record) bool { return r.Sight != credential.SightNone })
	return l
}

// endManually removes the old secret in the portal and waits for the end.
func (l *life) endManually(t *testing.T, want string) {
	t.Helper()
	l.until(t, "published", func(r credential.Record) bool { return r.Phase() == credential.PhaseOverlap })
	if l.vault.Hands() != want {
		t.Fatalf("Vault does not hand out the submitted value\n%s", l.story())
	}
	l.provider.Drop(0)
	l.untilRotated(t)
	l.judge(t, manualMode())
}

// manualRow is a row of the manual matrix with one fault.
type manualRow struct {
	name  string
	call  string // the first call of this name
	then  string // or, if set, the first one of this name after it
	kind  model.FaultKind
	again bool // the person has to submit again
}

func manualRows() []manualRow {
	return []manualRow{
		{"W1 nothing is durable", "vault.read", "", model.CrashBefore, true},
		{"W2 before the fence", "vault.stage", "", model.CrashBefore, true},
		{"W3 after the fence", "vault.stage", "", model.CrashAfter, true},
		{"W6 whether it was staged is unknown", "vault.stage", "vault.stage", model.LostReply, false},
		{"W7 staged, not committed", "vault.stage", "vault.stage", model.CrashAfter, false},
		{"W8 while it is verified", "verify", "", model.CrashBefore, false},
		{"W9 whether it was promoted is unknown", "vault.promote", "", model.LostReply, false},
		{"W10 promoted, not committed", "vault.promote", "", model.CrashAfter, false},
	}
}

// at returns the call's place in a submit and what follows, counted from the submit's beginning.
func (r manualRow) at(t *testing.T) int {
	t.Helper()
	plain := newManualLife(t)
	began := len(plain.world.Trace)
	value := plain.inPortal()
	if err := plain.submit(value); err != nil {
		t.Fatal(err)
	}
	plain.endManually(t, value)
	trace := plain.world.Trace[began:]
	at := after(trace, -1, r.call)
	if r.then != "" {
		at = after(trace, at, r.then)
	}
	if at < 0 {
		t.Fatalf("a submit has no such call: %v", trace)
	}
	return at
}

func crashManually(t *testing.T) {
	for _, row := range manualRows() {
		t.Run(row.name, func(t *testing.T) {
			l := newManualLife(t)
			value := l.inPortal()
			l.world.Faults[len(l.world.Trace)+row.at(t)] = row.kind
			err := l.submit(value)
			if row.again && err == nil {
				t.Fatal("the submit reported success although nothing was stored")
			}
			if row.again {
				if err := l.submit(value); err != nil {
					t.Fatalf("submitting again: %v", err)
				}
			}
			l.endManually(t, value)
			if l.world.Hit != 1 {
				t.Errorf("%d faults happened, want 1", l.world.Hit)
			}
		})
	}
	t.Run("W11 the confirmation is queued once", func(t *testing.T) {
		l := newManualLife(t)
		value := l.inPortal()
		if err := l.submit(value); err != nil {
			t.Fatal(err)
		}
		l.endManually(t, value)
		if n := l.told(credential.NoticeRotated); n != 1 {
			t.Errorf("%d confirmations, want 1", n)
		}
	})
	t.Run("W12 down during the overlap", func(t *testing.T) {
		l := newManualLife(t)
		value := l.inPortal()
		if err := l.submit(value); err != nil {
			t.Fatal(err)
		}
		l.until(t, "published", func(r credential.Record) bool { return r.Phase() == credential.PhaseOverlap })
		l.world.Advance(30 * 24 * time.Hour)
		l.boot()
		l.endManually(t, value)
	})
	t.Run("W15 the state is lost", func(t *testing.T) {
		l := newManualLife(t)
		value := l.inPortal()
		if err := l.submit(value); err != nil {
			t.Fatal(err)
		}
		l.forget()
		l.endManually(t, value)
	})
	t.Run("W16 vault is rolled back", func(t *testing.T) {
		l := newManualLife(t)
		value := l.inPortal()
		if err := l.submit(value); err != nil {
			t.Fatal(err)
		}
		l.until(t, "published", func(r credential.Record) bool { return r.Phase() == credential.PhaseOverlap })
		l.vault.RollBack()
		l.provider.Drop(0)
		l.world.Broken = nil
		for range 20 {
			l.step()
		}
		if h := l.store.rec.Hold; h == nil {
			t.Errorf("Vault hands out a dead value, and nobody is told\n%s", l.story())
		}
	})
}
