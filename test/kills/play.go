package kills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/oracle"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// perWorld is how many kills a world sees before it is let come to rest.
const perWorld = 150

// play kills the daemon of one world until the campaign has enough, or the world is old; then lets it come to rest.
func (c *campaign) play(shared *world.World, number, most int, keycloak bool) {
	w := newKilled(shared, c, number, keycloak)
	ctx := w.T.Context()
	watched, stop := context.WithCancel(ctx)
	defer stop()
	refused := make(chan error, 1)
	go func() {
		logins, err := w.consume(watched)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.tally.logins += logins
		refused <- err
	}()
	last := w.killAll(ctx, most)
	if last.at.IsZero() {
		return // the others were faster
	}
	w.rest(ctx, last)
	stop()
	if err := <-refused; err != nil {
		w.fail(last, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tally.worlds++
}

// killAll kills, and looks at what is left each time.
func (w *killed) killAll(ctx context.Context, most int) (last death) {
	dice := w.random(w.number)
	for w.kill < most && w.take() {
		plan := w.next(w, dice, w.troubled(time.Now()))
		w.kill++
		last = w.life(ctx, plan)
		if w.T.Failed() {
			return last
		}
	}
	return last
}

// life is one life of the daemon, and the look after it.
func (w *killed) life(ctx context.Context, p plan) death {
	during, end := context.WithCancel(ctx)
	idle := make(chan struct{})
	go func() {
		defer close(idle)
		w.person.during(during)
	}()
	d := w.live(ctx, p)
	end()
	<-idle
	began := time.Now()
	if err := w.examine(ctx, oracle.Moment, false); err != nil {
		w.fail(d, err)
		return d
	}
	w.looked(time.Since(began))
	w.count(w, p, d, w.flight(d.at))
	return d
}

// examine looks at the dead state and asks the oracles; what a person has to resolve is handed to one.
func (w *killed) examine(ctx context.Context, question func(oracle.View) []oracle.Broken, final bool) error {
	if err := w.look(ctx); err != nil {
		return err
	}
	if err := w.ask(ctx, question, final); err != nil {
		return err
	}
	held, err := w.resumable()
	for _, id := range held {
		select {
		case w.person.retry <- id:
			w.resumed()
		default:
		}
	}
	return err
}

// fail reports what is broken and keeps what the daemon left behind.
func (w *killed) fail(d death, err error) {
	w.T.Helper()
	w.T.Errorf("%s: kept in %s:\n%v", w.place(d), w.keep(), err)
}

// restLimit is how long a world may take to come to rest: longer than the pause after the last attempt that rotad makes at
// a create, and once more as long. On a machine that is too busy for the deadlines of the providers it may come to that.
const restLimit = 10 * time.Minute

// rest lets the daemon live until nothing moves any more, stops it in good order, and asks what must be true then. Whatever
// its lives have left behind is searched for every secret that was seen.
func (w *killed) rest(ctx context.Context, last death) {
	if w.T.Failed() {
		return
	}
	w.calm()
	w.person.busy = false
	during, end := context.WithCancel(ctx)
	defer end()
	process := w.start("")
	idle := make(chan struct{})
	go func() {
		defer close(idle)
		w.person.during(during)
	}()
	err := servers.Until(ctx, restLimit, 300*time.Millisecond, w.resting)
	end()
	<-idle
	quiet := time.Since(last.at)
	if stopped := process.Stop(time.Minute); err == nil {
		err = stopped
	}
	w.spent(costDaemon, process.CPU())
	if err == nil {
		err = w.examine(ctx, both, true)
	}
	if err != nil {
		w.fail(last, fmt.Errorf("at the end, %s after the last kill: %w", quiet.Round(time.Second), err))
		return
	}
	w.CheckLeaks() //nolint:contextcheck // it looks even where the context of the test has ended
	w.rested(quiet, len(w.seen.records))
}

func both(v oracle.View) []oracle.Broken { return append(oracle.Moment(v), oracle.Quiet(v)...) }

// resting is nil when every client has nothing under way and nothing to be told.
func (w *killed) resting(ctx context.Context) error {
	records, err := w.socket().List(ctx, "", 0)
	if err != nil {
		return err
	}
	var moving []error
	for _, rec := range records {
		if h := rec.Hold; h != nil && h.Code == credential.HoldAttempts && !h.Paging && !h.Retry {
			select {
			case w.person.retry <- rec.Client.ID:
			default:
			}
		}
		if rec.Rotation != nil || rec.Hold != nil && !rec.Hold.Retry || rec.Sight == credential.SightNone || rec.Cleanup != nil {
			moving = append(moving, fmt.Errorf("%s: %s, hold %v, sight %s", rec.Client.ID, rec.Phase(), rec.Hold, rec.Sight))
		}
	}
	return errors.Join(moving...)
}
