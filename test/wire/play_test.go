package wire_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/oracle"
	"github.com/rotad/rotad/test/servers"
)

// held is how long a fault lasts: longer than every deadline, so that each is met.
const held = 7 * time.Second

// recovery is how long everything may take to come right after a fault.
const recovery = 2 * time.Minute

// played is what became of one combination.
type played struct {
	combination
	recovered time.Duration // after the fault was gone; negative = it did not
	before    size
	peak      size
	after     size
	problems  []string
}

// play breaks a line while rotations are under way: a third of the clients has begun some time before, so that they
// stand in every phase, a third right before, and a third begins when the line is broken already.
func (f *fleet) play(c combination, lead time.Duration) (p played) {
	ctx := f.T.Context()
	p = played{combination: c, recovered: -1}
	p.problem(f.await(recovery, "all clients rest", f.rest))
	var err error
	p.before, err = f.gauge.read(ctx)
	p.problem(err)
	_ = f.gauge.takePeak()
	versions := f.versions()

	p.problem(f.begin(versions, 0))
	servers.Pause(ctx, lead)
	p.problem(f.begin(versions, 1))
	servers.Pause(ctx, 150*time.Millisecond)
	applied := time.Now()
	p.problem(c.apply(ctx, f.lines[c.line]))
	p.problem(f.begin(versions, 2))
	servers.Pause(ctx, held)
	p.problem(c.lift(ctx, f.lines[c.line]))
	lifted := time.Now()

	err = f.await(recovery, "all clients have rotated", func() error { return f.rotated(versions) })
	p.problem(err)
	if err == nil {
		p.recovered = time.Since(lifted)
	}
	p.problem(f.await(patience, "every mail is sent", f.delivered))
	p.problem(f.await(patience, "every mail has come, once", f.arrived))
	p.peak = f.gauge.takePeak()
	p.problem(f.await(20*time.Second, "the daemon is small again", func() error {
		p.after, err = f.gauge.read(ctx)
		if err == nil && p.after.goroutines > p.before.goroutines+moreAfter {
			err = fmt.Errorf("%d goroutines, %d before", p.after.goroutines, p.before.goroutines)
		}
		return err
	}))
	p.bounded()
	p.problem(f.meet(applied, lifted))
	return p
}

func (p *played) problem(err error) {
	if err != nil {
		p.problems = append(p.problems, err.Error())
	}
}

func (p *played) bounded() {
	if p.peak.goroutines > mostGoroutines || p.peak.memory > mostMemory {
		p.problem(fmt.Errorf("the daemon grew to %d goroutines and %d MiB", p.peak.goroutines, p.peak.memory>>20))
	}
}

// await asks until the answer is nil.
func (f *fleet) await(limit time.Duration, what string, ask func() error) error {
	err := servers.Until(f.T.Context(), limit, 300*time.Millisecond, func(context.Context) error { return ask() })
	if err != nil {
		return fmt.Errorf("awaiting that %s: %w", what, err)
	}
	return nil
}

// versions returns the Vault versions of the clients that rest.
func (f *fleet) versions() map[string]int {
	versions := map[string]int{}
	for _, m := range f.members {
		if r, err := f.record(f.T.Context(), m.id); err == nil && steady(r) == nil {
			versions[m.id] = r.Version
		}
	}
	return versions
}

// begin starts the rotations of a third of the resting clients.
func (f *fleet) begin(versions map[string]int, third int) error {
	var errs []error
	for i, m := range f.members {
		if _, resting := versions[m.id]; resting && i%3 == third {
			errs = append(errs, f.rotate(m.id))
		}
	}
	return errors.Join(errs...)
}

// rest is nil when no client is in a rotation, but for those whose old secret the provider's timer ends.
func (f *fleet) rest() error {
	for _, m := range f.members {
		r, err := f.record(f.T.Context(), m.id)
		if err != nil {
			return err
		}
		if err := steady(r); err != nil && (!m.timed || r.Hold != nil) {
			return err
		}
	}
	return nil
}

// rotated is nil when every client that began has published another secret, and rests.
func (f *fleet) rotated(versions map[string]int) error {
	for _, m := range f.members {
		old, began := versions[m.id]
		if !began {
			continue
		}
		r, err := f.record(f.T.Context(), m.id)
		if err != nil {
			return err
		}
		if m.timed && r.Rotation != nil && r.Rotation.Promoted > old && r.Hold == nil {
			continue
		}
		if err := steady(r); err != nil {
			return err
		}
		if r.Version <= old || r.Last.Outcome != "done" {
			return fmt.Errorf("%s went from version %d to %d and ended %q", m.id, old, r.Version, r.Last.Outcome)
		}
	}
	return nil
}

// meet notes the phases in which clients stood when the fault began, and those that they entered while it lasted; and
// what has happened since it began.
func (f *fleet) meet(from, to time.Time) error {
	for _, m := range f.members {
		entries, err := f.history(f.T.Context(), m.id)
		if err != nil {
			return err
		}
		standing := credential.PhaseSteady
		for _, e := range entries {
			if e.At.After(from) {
				f.events[e.Event]++
			}
			switch {
			case e.At.After(to):
			case e.At.After(from):
				f.phases[standing] = true
				f.phases[e.Phase] = true
				standing = e.Phase
			default:
				standing = e.Phase
			}
		}
		f.phases[standing] = true
	}
	return nil
}

// end waits until nothing moves any more, and asks what must be true then.
func (f *fleet) end() (problems []string) {
	err := f.await(recovery+kept, "nothing moves any more", func() error {
		for _, m := range f.members {
			r, err := f.record(f.T.Context(), m.id)
			if err = errors.Join(err, steady(r)); err != nil {
				return err
			}
			if r.Cleanup != nil {
				return fmt.Errorf("%s has versions left to destroy", m.id)
			}
		}
		return nil
	})
	if err != nil {
		problems = append(problems, err.Error())
	}
	if err := f.repeated(); err != nil {
		problems = append(problems, err.Error())
	}
	for _, m := range f.members {
		problems = append(problems, f.judge(m)...)
	}
	return problems
}

func (f *fleet) judge(m *member) (problems []string) {
	var broken []oracle.Broken
	err := f.await(20*time.Second, m.id+" can be looked at", func() (err error) {
		broken, err = f.quiet(m)
		return err
	})
	if err != nil {
		problems = append(problems, err.Error())
	}
	for _, b := range broken {
		problems = append(problems, m.id+": "+b.String())
	}
	return slices.Compact(problems)
}

// sightProof breaks what no fault may break, and is nil when the onlooker sees it: an onlooker that sees nothing would
// praise everything. A person gives a client another secret where the old one dies at once.
func (f *fleet) sightProof() error {
	ctx := f.T.Context()
	i := slices.IndexFunc(f.members, func(m *member) bool { return m.realm == realmCuts })
	m := f.members[i]
	if err := f.keycloak.SetSecret(ctx, m.realm, m.clientID, f.Known("a-secret-that-somebody-set-by-hand")); err != nil {
		return err
	}
	o, err := f.look(ctx, m)
	if err != nil {
		return err
	}
	for _, b := range oracle.Moment(o.view) {
		if b.Name == "access" {
			return nil
		}
	}
	return errors.New("the onlooker does not see that a client has lost its access")
}
