package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

const (
	batch    = 1024        // notices claimed at once
	parallel = 128         // clients served at once, so that what they write down waits for the disk together; notices of one client keep their order
	many     = 256         // notices at once that are worth more memory, and more that a power cut may double, for a while
	lookAt   = time.Minute // the longest wait between two looks, so that a changed wall clock delays nothing for long
	grace    = 20 * time.Second
)

// Settings are what a Loop works with. Every field without "may be" is required.
type Settings struct {
	Outbox  Outbox
	Records Records
	Meter   Meter        // may be nil
	Log     *slog.Logger // may be nil
	Now     func() time.Time
	Elapsed func() time.Duration // monotonic
	After   func(time.Duration) <-chan time.Time
	Taken   Taken // may be nil: then a kill doubles what was taken and not written down
	World   World
}

// World is what a reload of the configuration replaces.
type World struct {
	Directory Directory
	Renderer  *Renderer
	Channels  []Channel // empty = nothing can be sent, and notices are dropped

	flood bool // many notices are due
}

// parts keeps the settings of a Loop out of the reach of others.
type parts = Settings

// Loop takes due notices out of the outbox and sends them.
type Loop struct {
	parts
	world atomic.Pointer[World]
	wake  chan struct{}
	turns turns
	// forgets is set where nothing is noted past a kill: a turn ends with the disk then, however many notices are due.
	forgets atomic.Bool
	down    outages
	prune   time.Duration // on the monotonic clock: when old notices are forgotten next
	garbage garbage
}

// NewLoop checks the settings.
func NewLoop(s Settings) (*Loop, error) {
	if s.Outbox == nil || s.Records == nil || s.Now == nil || s.Elapsed == nil || s.After == nil {
		return nil, errors.New("the notice loop needs an outbox, records and clocks")
	}
	if err := s.World.check(); err != nil {
		return nil, err
	}
	if s.Meter == nil {
		s.Meter = noMeter{}
	}
	forgets := s.Taken == nil
	if forgets {
		s.Taken = noTaken{}
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	l := &Loop{parts: s, wake: make(chan struct{}, 1), turns: newTurns(), down: outages{since: map[string]outage{}, told: map[string]time.Duration{}}}
	l.forgets.Store(forgets)
	l.world.Store(&s.World)
	return l, nil
}

func (w World) check() error {
	if w.Directory == nil || w.Renderer == nil {
		return errors.New("the notice loop needs a directory and a renderer")
	}
	return nil
}

// Replace swaps directory, renderer and channels, after a reload. Messages under way finish with the old ones.
func (l *Loop) Replace(w World) error {
	if err := w.check(); err != nil {
		return err
	}
	l.world.Store(&w)
	l.down.retry(w.Channels)
	l.Wake()
	return nil
}

// Wake makes the loop look at once. It never blocks.
func (l *Loop) Wake() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Failing says for how long each channel has taken no message, for whatever reason that may pass. A channel that works, or that
// nothing was tried over since the start or the last reload, is absent.
func (l *Loop) Failing() map[string]time.Duration { return l.down.failing(l.Elapsed()) }

// Run sends until the context ends, which gives nil. Any other return is an error of the outbox or the records, and
// whoever started the loop decides whether to start it again: nothing is lost by that.
func (l *Loop) Run(ctx context.Context) error {
	defer l.garbage.allow(false)
	for {
		wait, err := l.turn(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if wait <= 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-l.wake:
		case <-l.After(wait):
		}
	}
}

// Close says farewell on the connections that channels have kept. The loop must not run any more.
func (l *Loop) Close() error {
	var wrong []error
	for _, c := range l.world.Load().Channels {
		if closer, ok := c.(io.Closer); ok {
			wrong = append(wrong, closer.Close())
		}
	}
	return errors.Join(wrong...)
}

// turn sends what is due and returns how long nothing more will be.
func (l *Loop) turn(ctx context.Context) (time.Duration, error) {
	world := l.world.Load()
	if wait := l.down.all(world.Channels, l.Elapsed()); wait > 0 {
		return min(wait, lookAt), nil
	}
	claimed, err := l.Outbox.Claim(ctx, l.Now(), batch)
	l.garbage.allow(len(claimed) >= many)
	if len(claimed) > 0 {
		if err != nil {
			l.Log.Error("some notices cannot be read", "error", err)
		}
		return 0, l.serve(ctx, world, claimed)
	}
	if err != nil {
		return 0, fmt.Errorf("claiming notices: %w", err)
	}
	if err = l.forget(ctx); err != nil {
		return 0, err
	}
	due, ok, err := l.Outbox.NextDue(ctx)
	switch {
	case err != nil:
		return 0, fmt.Errorf("asking for the next notice: %w", err)
	case !ok:
		return lookAt, nil
	}
	return max(time.Millisecond, min(due.Sub(l.Now()), lookAt)), nil
}

// forget lets the outbox forget old notices once a day, when nothing waits to be sent: it must not grow for ever.
func (l *Loop) forget(ctx context.Context) error {
	const everyDay = 24 * time.Hour
	if l.Elapsed() < l.prune {
		return nil
	}
	l.prune = l.Elapsed() + everyDay
	if _, err := l.Outbox.Prune(ctx, l.Now()); err != nil {
		return fmt.Errorf("forgetting old notices: %w", err)
	}
	return nil
}

// serve handles the notices of each client in their order, and several clients at once. What has waited for one digest is
// handled as one.
func (l *Loop) serve(ctx context.Context, world *World, claimed []credential.Notice) error {
	if len(claimed) >= many {
		flooded := *world
		flooded.flood = true
		world = &flooded
	}
	defer l.turns.speakers()()
	groups := grouped(claimed)
	var wg sync.WaitGroup
	errs := make([]error, len(groups))
	var next atomic.Int64
	for range min(parallel, len(groups)) { // and not one for each group: what renders needs a deep stack, which is grown once so
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(groups)); i = next.Add(1) - 1 {
				errs[i] = l.group(ctx, world, groups[i])
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// group handles what belongs together.
func (l *Loop) group(ctx context.Context, world *World, notices []credential.Notice) error {
	if notices[0].Digest {
		return l.digest(ctx, world, notices)
	}
	return l.client(ctx, world, notices)
}

// grouped leaves together what belongs together: the notices of one client, or those of one digest.
func grouped(claimed []credential.Notice) [][]credential.Notice {
	type key struct {
		name string
		wait time.Time
	}
	var groups [][]credential.Notice
	index := map[key]int{}
	for _, n := range claimed {
		k := key{name: n.Client}
		if n.Digest {
			k = key{n.Owner, n.Wait.UTC()}
		}
		i, ok := index[k]
		if !ok {
			i = len(groups)
			index[k] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], n)
	}
	return groups
}

// client handles the due notices of one client.
func (l *Loop) client(ctx context.Context, world *World, notices []credential.Notice) error {
	live, err := l.living(ctx, notices)
	if err != nil {
		return err
	}
	live, err = l.putOff(ctx, world, live)
	if err != nil {
		return err
	}
	for _, n := range oneEvent(live) {
		if ctx.Err() != nil {
			return nil
		}
		s := sending{Loop: l, world: world, notice: n}
		if err := s.run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// living drops the notices whose reason has gone, and returns the others.
func (l *Loop) living(ctx context.Context, notices []credential.Notice) ([]credential.Notice, error) {
	var live, gone []credential.Notice
	var record credential.Record
	var found bool
	for i, n := range notices {
		var err error
		if i == 0 || n.Client != notices[i-1].Client {
			if record, found, err = l.Records.Get(n.Client); err != nil {
				return nil, fmt.Errorf("reading the record of %s: %w", n.Client, err)
			}
		}
		if ok, why := StillTrue(n, record, found, l.Now()); !ok {
			gone = append(gone, l.dropped(n, why))
			continue
		}
		if n.Calendar != nil && !n.Wait.IsZero() && found && n.Calendar.Sequence < record.Calendar.Sequence && len(n.Deliveries) == 0 {
			n.Calendar = nil // while it waited, another mail has moved the event, or one that waits longer will
		}
		live = append(live, n)
	}
	return live, l.settle(ctx, gone...)
}

// oneEvent leaves the calendar event only on the last of several notices that wait together: the earlier positions are
// history. A mail that was sent before with its event keeps it, so that it is the same mail when it is sent again.
func oneEvent(notices []credential.Notice) []credential.Notice {
	seen := map[string]bool{}
	for i := len(notices) - 1; i >= 0; i-- {
		n := &notices[i]
		if n.Calendar == nil {
			continue
		}
		if seen[n.Calendar.UID] && len(n.Deliveries) == 0 {
			n.Calendar = nil
			continue
		}
		seen[n.Calendar.UID] = true
	}
	return notices
}

// dropped is a notice whose reason has gone. What has been sent stays sent.
func (l *Loop) dropped(n credential.Notice, why string) credential.Notice {
	n.Deliveries = slices.Clone(n.Deliveries)
	n.State, n.Due = credential.NoticeDropped, time.Time{}
	open := 0
	for i := range n.Deliveries {
		switch d := &n.Deliveries[i]; d.State {
		case credential.NoticeSent:
			n.State = credential.NoticeSent
		case credential.NoticePending:
			d.State, d.Error, d.Next = credential.NoticeDropped, why, time.Time{}
			l.Meter.Notice(d.Channel, n.Kind, OutcomeDropped)
			open++
		case credential.NoticeDropped, credential.NoticeDead, credential.NoticeWaiting:
		}
	}
	if open == 0 {
		l.Meter.Notice("", n.Kind, OutcomeDropped)
	}
	l.Log.Info("notice dropped", "seq", n.Seq, "kind", n.Kind, "client", n.Client, "reason", why)
	return n
}

// settle stores notices even while the daemon is being stopped: an outcome that is known must not be forgotten.
func (l *Loop) settle(ctx context.Context, notices ...credential.Notice) error {
	if len(notices) == 0 {
		return nil
	}
	rows := slices.Clone(notices)
	for i := range rows {
		rows[i].Deliveries = slices.Clone(rows[i].Deliveries)
	}
	if err := l.Outbox.Settle(context.WithoutCancel(ctx), rows...); err != nil {
		return fmt.Errorf("settling %d notices, the first of %s: %w", len(rows), rows[0].Client, err)
	}
	return nil
}
