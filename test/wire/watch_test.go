package wire_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/oracle"
	"github.com/rotad/rotad/test/servers"
)

// watch looks at one client after the other, all the time, and asks what must be true at every moment.
type watch struct {
	fleet  *fleet
	cancel context.CancelFunc
	done   chan struct{}

	mu         sync.Mutex
	looks      int // that were good for a judgement
	moved      int // that were not, because the world moved meanwhile
	violations []string
}

// betweenLooks is the pause between two looks, so that watching does not become the load.
const betweenLooks = 60 * time.Millisecond

func newWatch(f *fleet) *watch {
	ctx, cancel := context.WithCancel(f.T.Context())
	w := &watch{fleet: f, cancel: cancel, done: make(chan struct{})}
	go w.run(ctx)
	f.T.Cleanup(w.stop)
	return w
}

func (w *watch) run(ctx context.Context) {
	defer close(w.done)
	for ctx.Err() == nil {
		for _, m := range w.fleet.members {
			w.once(ctx, m)
			servers.Pause(ctx, betweenLooks)
		}
	}
}

// once judges one client. What is broken in a world that moved meanwhile is looked at again; what is still broken in
// the same moment is a violation.
func (w *watch) once(ctx context.Context, m *member) {
	for range 3 {
		o, err := w.fleet.look(ctx, m)
		if err != nil {
			return // the daemon or a server did not answer the onlooker
		}
		broken := oracle.Moment(o.view)
		if len(broken) == 0 && len(o.errs) == 0 {
			w.count(&w.looks)
			return
		}
		switch err := o.still(ctx); {
		case err == nil:
			w.report(o, broken)
			return
		case errors.Is(err, errMoved):
			w.count(&w.moved)
		default:
			return
		}
	}
}

func (w *watch) count(what *int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*what++
}

func (w *watch) report(o *onlooker, broken []oracle.Broken) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looks++
	for _, b := range broken {
		w.violations = append(w.violations, fmt.Sprintf("%s %s (revision %d, phase %s): %s",
			o.view.At.UTC().Format(time.StampMilli), o.id, o.view.Record.Rev, o.view.Record.Phase(), b))
	}
}

func (w *watch) stop() {
	w.cancel()
	<-w.done
}

// result ends the watch.
func (w *watch) result() (looks int, violations []string) {
	w.stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.looks, w.violations
}
