package sim

import (
	"iter"
	"math/rand/v2"
	"time"

	"github.com/rotad/rotad/internal/model"
	"github.com/rotad/rotad/internal/oracle"
)

// twins are two daemons that share the store, as a cluster of stores lets them. A lease says who works on the record,
// and proves nothing: a daemon can be paused at any call, for longer than its lease, while the other one goes on. They
// take turns at every call, in an order that comes from a seed.
type twins struct {
	life   *Life
	random *rand.Rand
	turns  [2]*turn
	at     int // whose turn it is
	lease  struct {
		owner *turn
		until time.Time
	}
}

// turn is one of the daemons, as a coroutine that stops before every call.
type turn struct {
	daemon *daemon
	next   func() (struct{}, bool)
	stop   func()
	pause  func()
	inside bool // it is between two calls of an effect
}

const (
	leaseLasts = time.Minute
	sharedFor  = 400 // turns
)

// share lets two daemons take turns for a while. Then one of them is left, and ends what is under way.
func (l *Life) share(seed uint64) {
	t := &twins{life: l, random: rand.New(rand.NewPCG(seed, 2))} //nolint:gosec // a seed is to be repeated
	l.twins, l.shared = t, true
	for i := range t.turns {
		l.boot()
		t.turns[i] = t.begin(l.daemon)
	}
	l.meanwhile = func(call string) { t.yield(call) }
	for range sharedFor {
		if len(l.broken) > 0 || l.store.gone {
			break
		}
		t.step()
	}
	l.meanwhile = nil
	for _, turn := range t.turns {
		turn.stop()
	}
	l.World.Advance(leaseLasts)
	l.twins = nil
	if r := l.store.rec.Rotation; r != nil {
		l.orphaned = r.ID
	}
	l.boot()
}

// begin makes a coroutine of a daemon.
func (t *twins) begin(d *daemon) *turn {
	u := &turn{daemon: d}
	u.next, u.stop = iter.Pull(func(yield func(struct{}) bool) {
		u.pause = func() {
			if !yield(struct{}{}) {
				panic(model.Crash{Call: "stopped"})
			}
		}
		defer func() { // a daemon that is stopped dies in its call
			if r := recover(); r != nil {
				if c, ok := r.(model.Crash); !ok || c.Call != "stopped" {
					panic(r)
				}
			}
		}()
		for {
			t.work(u)
			u.pause()
		}
	})
	return u
}

// step gives one daemon a turn, and lets time pass now and then.
func (t *twins) step() {
	l := t.life
	if t.random.IntN(3) == 0 { // turns are long more often than short
		t.at = t.random.IntN(len(t.turns))
	}
	if !l.Mode.additive() && t.turns[1-t.at].inside {
		t.at = 1 - t.at // these modes run on one daemon at a time
	}
	t.elapse()
	u := t.turns[t.at]
	l.daemon = u.daemon
	if !l.survive(func() { u.next() }) {
		t.turns[t.at] = t.begin(l.daemon) // its lease runs out by itself
	}
	l.look()
}

// elapse lets time pass: nothing mostly, sometimes seconds, rarely longer than a lease; and until the record is due
// where nobody has anything to do.
func (t *twins) elapse() {
	l := t.life
	switch t.random.IntN(40) {
	case 0, 1:
		l.World.Advance(time.Duration(t.random.IntN(8000)) * time.Millisecond)
	case 2:
		if l.Mode.additive() {
			l.World.Advance(time.Duration(t.random.IntN(180)) * time.Second)
		}
	}
	if t.turns[0].inside || t.turns[1].inside || l.store.rec.Due.IsZero() {
		return
	}
	if wait := l.store.rec.Due.Sub(l.World.Wall); wait > 0 {
		l.World.Advance(wait)
	}
}

// work is the loop's body of one daemon: claim, step, release.
func (t *twins) work(u *turn) {
	l := t.life
	now := l.World.Wall
	rec := l.store.rec
	if rec.Due.IsZero() || rec.Due.After(now.Add(u.daemon.skew)) || l.store.gone {
		return
	}
	if t.lease.owner != nil && t.lease.owner != u && now.Before(t.lease.until) {
		return
	}
	t.lease.owner, t.lease.until = u, now.Add(leaseLasts)
	u.inside = true
	u.daemon.seen = rec
	if err := u.daemon.sch.Step(background(), rec); err != nil {
		l.fail(oracle.Broken{Invariant: "I9", Name: "step", Text: err.Error()})
	}
	u.inside = false
	if t.lease.owner == u {
		t.lease.owner = nil
	}
}

// yield ends a turn before a call. Between the fence and the create nobody is paused where a create replaces: that no
// protocol can survive, and the five seconds that a fence lives keep it as short as can be. Where creates only add, what
// lands after the other daemon has settled is deleted again; without a label nobody could tell whose it is.
func (t *twins) yield(call string) {
	u := t.turns[t.at]
	if call == "create" && (!t.life.Mode.additive() || !t.life.Mode.Caps.Labels) {
		return
	}
	if !u.inside {
		return
	}
	u.pause()
	t.life.daemon = u.daemon
}
