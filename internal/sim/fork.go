package sim

import (
	"maps"
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// fork copies a life between two of its steps, so that lives with the same beginning need not begin again. What becomes
// of the copy is what becomes of a life from the start with the same points; a test compares the two.
func (l *Life) fork() *Life {
	c := *l
	c.World = l.World.Fork()
	c.Vault = l.Vault.Fork(c.World)
	c.Provider = l.Provider.Fork(c.World, c.Vault)
	c.Place = l.Place.Fork(c.World)
	c.store = l.store.fork(&c)
	c.resolved, c.Holds = maps.Clone(l.resolved), maps.Clone(l.Holds)
	c.broken, c.points = slices.Clip(l.broken), slices.Clip(l.points)
	c.listen()
	d := *l.daemon
	c.daemon = &d
	if !l.kept {
		d.second = l.daemon.second0()
	}
	c.kept = false
	c.start(&d, d.second)
	return &c
}

// second0 returns the second clock of a daemon. Asking for it uses up ids, which are given back.
func (d *daemon) second0() time.Time {
	ids := d.ids
	second := d.sch.Env(credential.Record{}).Second
	d.ids = ids
	return second
}

func (s *store) fork(l *Life) *store {
	c := *s
	c.world = l.World
	c.audit, c.told = slices.Clip(s.audit), slices.Clip(s.told)
	return &c
}

// beginnings are copies of one life, a step apart.
type beginnings struct{ list []*Life }

// before returns a copy from before a call was made.
func (b *beginnings) before(call int) *Life {
	last := b.list[0]
	for _, l := range b.list[1:] {
		if len(l.World.Trace) > call {
			break
		}
		last = l
	}
	return last.fork()
}

// record runs a schedule and keeps copies of its life from a call on.
func record(s Schedule, from int) (*beginnings, Result) {
	l := s.life()
	b := &beginnings{}
	l.stepping = func() {
		if len(l.World.Trace) <= from {
			b.list = b.list[:0]
		}
		kept := l.fork()
		kept.kept, kept.stepping = true, nil
		b.list = append(b.list, kept)
	}
	l.untilQuiet()
	return b, l.result()
}

// resume runs a life on with one more point.
func (l *Life) resume(p Point) Result {
	l.points = append(l.points, p)
	if p.Fault != "" {
		l.World.Faults[p.At] = p.Fault
	}
	l.untilQuiet()
	return l.result()
}
