package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/oracle"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/internal/stage"
)

// demoLife is one process of the daemon, from its start to its end. A process cannot be killed inside of another one;
// what a kill leaves behind can be had all the same:
//
//	gates shut ──► nothing that it asks or says reaches the world any more
//	state copied ──► what was durable at that moment, without an orderly end, is what the next life begins with
//	ghost ──► what still runs of it commits to a file without a name, until it ends
type demoLife struct {
	play   *demoPlay
	daemon *daemon
	doors  *listeners
	stop   context.CancelFunc
	killed atomic.Bool
}

// demoBirth makes a daemon on the configuration and the state that lie in the demo's directory.
type demoBirth func(watch watcher) (*daemon, error)

// demoDead is how long the service manager takes to start it again, in real time.
const demoDead = 2500 * time.Millisecond

// begin starts a life: it registers the clients and opens the doors. Nothing runs yet.
func (p *demoPlay) begin(ctx context.Context) (*demoLife, error) {
	life := &demoLife{play: p}
	d, err := p.birth(life)
	if err != nil {
		return nil, openFailure(err)
	}
	life.daemon = d
	if err = d.register(ctx, d.config()); err != nil {
		return nil, errors.Join(err, d.close())
	}
	if life.doors, err = d.listen(ctx, p.socket); err != nil {
		return nil, errors.Join(failed(err, ""), d.close())
	}
	p.life.Store(life)
	return life, nil
}

// live runs one life after the other, until one ends in good order.
func (p *demoPlay) live(ctx context.Context, life *demoLife) error {
	for {
		within, stop := context.WithCancel(ctx)
		life.stop = stop
		p.mortal.Store(life)
		err := life.daemon.run(within)
		stop()
		if !life.killed.Load() {
			p.follow(context.WithoutCancel(ctx))
			p.lastRites()
			return errors.Join(err, life.end())
		}
		if life, err = p.rise(ctx, life); err != nil || life == nil {
			return err
		}
	}
}

// end gives free what a life holds.
func (l *demoLife) end() error {
	l.doors.close()
	return l.daemon.close()
}

// lastRites keeps what the summary needs of the last life.
func (p *demoPlay) lastRites() {
	if records := p.list(); records != nil {
		p.mu.Lock()
		p.records = records
		p.mu.Unlock()
	}
	p.life.Store(nil)
}

// kill ends the daemon's life where it stands. Nothing of it is told to anybody: neither replies to it nor mails of it
// arrive.
func (p *demoPlay) kill() {
	life := p.mortal.Swap(nil)
	if life == nil {
		return
	}
	p.world.gates.own.Set(true)
	p.world.mailbox.Down(true)
	life.killed.Store(true)
	p.follows.Lock()
	p.life.Store(nil)
	p.follows.Unlock()
	if err := life.keepState(); err != nil {
		p.violate("", "the state of the killed daemon could not be kept: "+err.Error())
	}
	life.stop()
}

// keepState puts a copy of the state as it is now in the place of the file that the ghost has open.
func (l *demoLife) keepState() error {
	path := l.daemon.config().State.Path
	image, err := os.OpenFile(filepath.Clean(path+".killed"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = l.daemon.store.WriteTo(l.play.whole, image)
	if err = errors.Join(err, image.Close()); err != nil {
		return err
	}
	return os.Rename(image.Name(), path)
}

// rise starts the daemon again after its ghost has gone. Nil without an error: the demo is over.
func (p *demoPlay) rise(ctx context.Context, dead *demoLife) (*demoLife, error) {
	release := p.world.clock.hold()
	defer release()
	if err := dead.end(); err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, nil
	case <-time.After(p.pause(demoDead)):
	}
	p.world.gates.own.Set(false)
	p.world.mailbox.Down(p.trouble.down(stage.ActSMTP))
	life, err := p.begin(context.WithoutCancel(ctx))
	if err == nil {
		p.risen()
	}
	return life, err
}

// alive returns the daemon, nil while it is dead.
func (p *demoPlay) alive() *daemon {
	if life := p.life.Load(); life != nil {
		return life.daemon
	}
	return nil
}

// list returns the records, those last seen while the daemon is dead.
func (p *demoPlay) list() []credential.Record {
	d := p.alive()
	p.mu.Lock()
	records := p.records
	p.mu.Unlock()
	if d == nil {
		return records
	}
	fresh, err := d.store.List(p.whole, "", 0)
	if err != nil {
		return records
	}
	p.mu.Lock()
	p.records = fresh
	p.mu.Unlock()
	return fresh
}

// Committed implements watcher: what was committed is shown at once. A ghost has nothing to say.
func (l *demoLife) Committed(change credential.Change) {
	if l.killed.Load() {
		return
	}
	if seen := l.play.world.seen; seen != nil {
		seen(change)
	}
	l.play.world.ledger.Phase(change.Record.Client.ID, change.Record.Phase(), l.play.world.clock.now())
	l.play.follow(l.play.whole)
}

// Effect implements watcher.
func (l *demoLife) Effect(rec credential.Record, e rotation.Effect, o rotation.Outcome, _ time.Duration) {
	if o.Failure.Text != "" && !l.killed.Load() {
		l.play.tried(rec, e, o)
	}
}

// Violated shows what the daemon's own monitor has found.
func (l *demoLife) Violated(client string, b oracle.Broken) {
	if !l.killed.Load() {
		l.play.violate(client, b.String())
	}
}
