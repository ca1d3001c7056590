package scheduler

import (
	"slices"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/model"
	"github.com/rotad/rotad/internal/rotation"
)

// points are the calls of a rotation without faults at which the rows of the crash matrices strike.
type points struct {
	intent, fence, create, stage, staged, verify, promote, promoted, activate, revoke, last int
}

func pointsOf(trace []string) points {
	p := points{fence: slices.Index(trace, "vault.stage"), create: slices.Index(trace, "create")}
	p.intent = before(trace, p.fence, "commit")
	p.stage = after(trace, p.create, "vault.stage")
	p.staged = after(trace, p.stage, "commit")
	p.verify = after(trace, p.staged, "verify")
	p.promote = after(trace, p.stage, "vault.promote")
	p.promoted = after(trace, p.promote, "commit")
	p.activate = after(trace, p.promoted, "activate")
	p.revoke = after(trace, p.promoted, "revoke")
	p.last = lastOf(trace, "verify")
	return p
}

func before(trace []string, at int, call string) int {
	for i := at - 1; i >= 0; i-- {
		if trace[i] == call {
			return i
		}
	}
	return -1
}

func after(trace []string, at int, call string) int {
	for i := at + 1; i < len(trace); i++ {
		if trace[i] == call {
			return i
		}
	}
	return -1
}

func lastOf(trace []string, call string) int { return before(trace, len(trace), call) }

// revokePoint is the revoke, or where another call ends the old secret, that one, or where the provider's own timer does it,
// the negative test.
func (p points) revokePoint() int {
	switch {
	case p.activate >= 0:
		return p.activate
	case p.revoke >= 0:
		return p.revoke
	}
	return p.last
}

// crashRow is one row of a crash matrix: what goes wrong where.
type crashRow struct {
	name string
	run  func(t *testing.T, m overlapMode, l *life, p points)
}

// strike is a row with one fault.
func strike(at func(points) int, kind model.FaultKind) func(*testing.T, overlapMode, *life, points) {
	return func(t *testing.T, m overlapMode, l *life, p points) {
		t.Helper()
		if at(p) < 0 {
			t.Fatal("the rotation has no such call")
		}
		l.world.Faults[at(p)] = kind
		l.untilRotated(t)
		if l.world.Hit != 1 {
			t.Fatalf("%d faults happened, want 1", l.world.Hit)
		}
		l.judge(t, m)
	}
}

// crashRows are the rows that every mode of docs/architecture.md has.
func crashRows() []crashRow {
	return []crashRow{
		{"W1 before the intent is durable", strike(func(p points) int { return p.intent }, model.CrashBefore)},
		{"W2 before the fence", strike(func(p points) int { return p.intent }, model.CrashAfter)},
		{"W3 after the fence, nothing sent", strike(func(p points) int { return p.fence }, model.CrashAfter)},
		{"W4 the create's reply is lost", strike(func(p points) int { return p.create }, model.LostReply)},
		{"W5 dies with the reply in memory", strike(func(p points) int { return p.create }, model.CrashAfter)},
		{"W6 whether it was staged is unknown", strike(func(p points) int { return p.stage }, model.LostReply)},
		{"W7 staged, not committed", strike(func(p points) int { return p.stage }, model.CrashAfter)},
		{"W8 while it is verified", strike(func(p points) int { return p.verify }, model.CrashBefore)},
		{"W9 whether it was promoted is unknown", strike(func(p points) int { return p.promote }, model.LostReply)},
		{"W10 promoted, not committed", strike(func(p points) int { return p.promote }, model.CrashAfter)},
		{"W11 the confirmation is queued once", queuedOnce},
		{"W12 down during the overlap", downInOverlap},
		{"W13 whether it was revoked is unknown", strike(points.revokePoint, model.Timeout)},
		{"W14 revoked, not committed", strike(points.revokePoint, model.CrashBefore)},
		{"W15 the state is lost", stateLost},
		{"W16 vault is rolled back", vaultRolledBack},
	}
}

// queuedOnce: the process dies right after the commit that carries the confirmation.
func queuedOnce(t *testing.T, m overlapMode, l *life, p points) {
	t.Helper()
	l.world.Faults[p.promoted] = model.CrashAfter
	l.untilRotated(t)
	l.judge(t, m)
	if n := l.told(credential.NoticeRotated); n != 1 {
		t.Errorf("%d confirmations in the outbox, want 1", n)
	}
}

func (l *life) told(kind credential.NoticeKind) (n int) {
	for _, notice := range l.store.notices {
		if notice.Kind == kind {
			n++
		}
	}
	return n
}

// until runs until a condition holds.
func (l *life) until(t *testing.T, what string, cond func(credential.Record) bool) {
	t.Helper()
	for range 300 {
		if cond(l.store.rec) {
			return
		}
		l.step()
	}
	t.Fatalf("never: %s\n%s", what, l.story())
}

// cutAfter lets the process die right after a call of the plain rotation.
func (l *life) cutAfter(t *testing.T, at int) {
	t.Helper()
	l.world.Faults[at] = model.CrashAfter
	l.until(t, "cut", func(credential.Record) bool { return l.world.Hit > 0 })
}

// downInOverlap: the machine is off for three weeks, with both secrets valid when it went.
func downInOverlap(t *testing.T, m overlapMode, l *life, p points) {
	t.Helper()
	l.cutAfter(t, p.promoted)
	l.world.Advance(21 * 24 * time.Hour)
	l.untilRotated(t)
	l.judge(t, m)
}

// stateLost: the state file is gone at every step of the rotation in turn, and a fresh one meets the live world.
func stateLost(t *testing.T, m overlapMode, _ *life, _ points) {
	t.Helper()
	phases := []credential.Phase{credential.PhaseIntent, credential.PhaseStaged, credential.PhaseOverlap, credential.PhaseSteady}
	for _, phase := range phases {
		l := newLife(m)
		l.until(t, "sighted", func(r credential.Record) bool { return r.Sight != credential.SightNone })
		l.untilPhase(t, phase)
		creates := l.provider.Creates
		l.forget()
		l.until(t, "looked at again", func(r credential.Record) bool { return r.Sight != credential.SightNone || r.Hold != nil })
		l.untilCalm(t)
		for _, broken := range l.world.Broken {
			t.Errorf("lost in %s: %s\n%s", phase, broken, l.story())
		}
		if phase != credential.PhaseIntent && l.provider.Creates != creates {
			t.Errorf("lost in %s: created again\n%s", phase, l.story())
		}
		if live := len(l.provider.Live()); live > 2+len(l.provider.Foreign) {
			t.Errorf("lost in %s: %d secrets live\n%s", phase, live, l.story())
		}
	}
}

// untilPhase goes on until a phase is durable. The rotation is driven with faults that cut it there.
func (l *life) untilPhase(t *testing.T, phase credential.Phase) {
	t.Helper()
	if phase == credential.PhaseSteady {
		l.untilRotated(t)
		return
	}
	for range 400 {
		if l.store.rec.Phase() == phase {
			return
		}
		l.world.Faults[len(l.world.Trace)+l.cut()] = model.CrashBefore
		l.step()
		clear(l.world.Faults)
	}
	t.Fatalf("never in phase %s\n%s", phase, l.story())
}

// cut says after how many calls of one step the process is to die: each step gets one call further than the last.
func (l *life) cut() int {
	l.cuts++
	return l.cuts % 12
}

// forget replaces the state by a fresh one, in which the client is registered again.
func (l *life) forget() {
	client := l.store.rec.Client
	l.boot()
	l.store.mark = time.Time{}
	l.store.rec = rotation.Register(client, l.sch.Env(credential.Record{Client: client})).Record
}

// untilCalm goes on until nothing is under way, or a person is needed.
func (l *life) untilCalm(t *testing.T) {
	t.Helper()
	l.until(t, "calm", func(r credential.Record) bool {
		return len(l.world.Broken) > 0 || r.Rotation == nil && r.Sight != credential.SightNone || r.Hold != nil && !r.Hold.Paging
	})
}

// vaultRolledBack: a restored backup of Vault hands out the old value again, in the overlap. Nothing may be revoked.
func vaultRolledBack(t *testing.T, m overlapMode, l *life, p points) {
	t.Helper()
	l.cutAfter(t, p.promoted)
	l.vault.RollBack()
	revoked := len(l.provider.Revoked)
	l.until(t, "held", func(r credential.Record) bool { return r.Hold != nil || m.cut && r.Rotation == nil })
	if len(l.provider.Revoked) != revoked {
		t.Errorf("a secret was revoked although Vault was rolled back\n%s", l.story())
	}
	if l.store.rec.Hold == nil {
		l.until(t, "held after the cutover", func(r credential.Record) bool { return r.Hold != nil })
	}
}

// cutoverRows are the rows that a hard cutover has instead of those about a revoke: bringing the old value back.
func cutoverRows() map[string]func(*testing.T, overlapMode, *life, points) {
	return map[string]func(*testing.T, overlapMode, *life, points){
		"W13 whether it was revoked is unknown": restoreStruck(model.LostReply),
		"W14 revoked, not committed":            restoreStruck(model.CrashAfter),
	}
}

// restoreStruck: the cutover does not take, and the write that brings the old value back is struck. In the end Vault
// hands out whichever value the provider accepts: the old one, and once the provider hears, a new one.
func restoreStruck(kind model.FaultKind) func(*testing.T, overlapMode, *life, points) {
	return func(t *testing.T, m overlapMode, l *life, _ points) {
		t.Helper()
		l.until(t, "sighted", func(r credential.Record) bool { return r.Sight != credential.SightNone })
		l.provider.Deaf = true
		l.until(t, "compensating", func(r credential.Record) bool { return r.Phase() == credential.PhaseCompensating })
		for range 40 {
			at := len(l.world.Trace)
			l.world.Faults[at+3] = kind
			l.step()
			clear(l.world.Faults)
			if r := l.store.rec.Rotation; r != nil && r.Restored {
				break
			}
		}
		l.until(t, "restored", func(r credential.Record) bool { return r.Rotation != nil && r.Rotation.Restored })
		if l.vault.Hands() != l.original {
			t.Fatalf("Vault does not hand out the old value\n%s", l.story())
		}
		l.provider.Deaf = false
		l.untilRotated(t)
		l.judge(t, m)
	}
}

func TestCrash(t *testing.T) {
	t.Run("manual", crashManually)
	for _, m := range overlapModes() {
		t.Run(m.name, func(t *testing.T) {
			plain := newLife(m)
			plain.untilRotated(t)
			plain.judge(t, m)
			p := pointsOf(plain.world.Trace)
			for _, row := range crashRows() {
				if instead, ok := cutoverRows()[row.name]; ok && m.cut {
					row.run = instead
				}
				t.Run(row.name, func(t *testing.T) { row.run(t, m, newLife(m), p) })
			}
		})
	}
}
