package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
)

// demoFlags are the flags of "rotad demo".
type demoFlags struct {
	once  bool
	speed string
	dir   string
	page  string        // address of the page; empty = the usual one, or none where JSON is printed
	spoil string        // what to break
	limit time.Duration // of a demo that is played once, in real time
	haste int           // real pauses are divided by it; 0 = somebody watches
}

// Bounds of a demo.
const (
	demoSpeed     = demoDay          // per second
	demoOnceSpeed = 3 * demoDay      // per second
	demoOnceLimit = 5 * time.Minute  // a life takes well under a minute, and several on a machine that is busy
	demoPost      = time.Second      // for a mail to be sent, before time goes on without it
	demoFarewell  = 10 * time.Second // for the last mails to arrive
)

func newDemo(a *app) *cobra.Command {
	f := demoFlags{limit: demoOnceLimit}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run the whole daemon against a sandbox, in accelerated time: ninety days in ninety seconds.",
		Long: "Run the whole daemon, unchanged, against identity providers, a Vault and a mail server that live in this process.\n" +
			"Time runs fast while nothing happens, and as it should while something does. Nothing outside is touched.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.demo(cmd.Context(), f, demoBegin(time.Now()))
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.once, "once", false, "play every client through a whole life, then stop; exit 1 if anything was violated")
	flags.StringVar(&f.speed, "speed", "", `demo time per second of real time (default "1d/s", with --once "3d/s")`)
	flags.StringVar(&f.page, "page", "", "loopback `address` of the page, or off (default "+demoPageAt+", or a free port; with --json off)")
	flags.StringVar(&f.spoil, "break", "", "break something in the worst moment of the first rotation: "+demoBreakNames())
	flags.StringVar(&f.dir, "dir", "", "directory for configuration, state, mails and log (default: a temporary one, removed at the end)")
	return cmd
}

// rate reads "1d/s".
func (f demoFlags) rate() (time.Duration, error) {
	switch {
	case f.speed == "" && f.once:
		return demoOnceSpeed, nil
	case f.speed == "":
		return demoSpeed, nil
	}
	speed, err := credential.ParseDuration(strings.TrimSuffix(f.speed, "/s"))
	if err != nil || speed < time.Second {
		return 0, wrong(fmt.Errorf("%q is not a speed", f.speed), "write demo time per second, at least 1s/s: 1d/s, 12h/s, 90s/s")
	}
	return speed, nil
}

// place makes the directory ready. An own one must be empty: nothing of anybody's is written over.
func (f demoFlags) place() (dir string, remove func(), err error) {
	if f.dir == "" {
		dir, err = os.MkdirTemp("", "rotad-demo-")
		return dir, func() { _ = os.RemoveAll(dir) }, err
	}
	if dir, err = filepath.Abs(f.dir); err != nil {
		return "", nil, err
	}
	if err = os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, err
	}
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		err = refused(fmt.Errorf("the directory %s is not empty", dir), "give the demo an empty directory: every demo begins a world of its own")
	}
	return dir, func() {}, err
}

// demoBegin returns when a demo begins: on Monday of the present week, early in the morning, so that every demo meets
// the same weekdays.
func demoBegin(now time.Time) time.Time {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		zone = time.UTC
	}
	now = now.In(zone)
	back := (int(now.Weekday()) + 6) % 7
	return time.Date(now.Year(), now.Month(), now.Day()-back, 7, 0, 0, 0, zone)
}

// demo plays the demo from a moment on, until it is over or a signal ends it.
func (a *app) demo(ctx context.Context, f demoFlags, begin time.Time) error {
	speed, err := f.rate()
	if err == nil {
		err = f.check()
	}
	if err != nil {
		return err
	}
	dir, remove, err := f.place()
	if err != nil {
		return err
	}
	defer remove()
	clock := newDemoClock(begin)
	world, err := newDemoWorld(ctx, clock, dir)
	if err != nil {
		return failed(err, "")
	}
	err = a.playIn(ctx, world, begin, speed, f)
	return errors.Join(err, world.close())
}

// playIn configures the daemon for a world, and plays.
func (a *app) playIn(ctx context.Context, world *demoWorld, begin time.Time, speed time.Duration, f demoFlags) error {
	if err := world.populate(begin); err != nil {
		return failed(err, "")
	}
	path, err := world.configure()
	if err != nil {
		return failed(err, "")
	}
	cfg, problems := config.Load(path, configKinds())
	if len(problems) > 0 {
		return failed(fmt.Errorf("the demo's own configuration: %s", problems[0]), "")
	}
	logFile, err := os.OpenFile(filepath.Join(world.dir, "rotad.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return failed(err, "")
	}
	defer func() { _ = logFile.Close() }()
	log := slog.New(slog.NewTextHandler(logFile, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: world.clock.stamp}))
	play := newDemoPlay(a, world, speed, f)
	play.config = cfg
	play.birth = func(watch watcher) (*daemon, error) {
		return newDaemon(cfg, daemonSettings{clocks: world.clock.clocks(), log: log, watch: watch, noSync: true})
	}
	if play.socket = a.socket; play.socket == "" { // never the one in the environment: that is another daemon's
		play.socket = cfg.Listen.Admin
	}
	play.socket = strings.TrimPrefix(play.socket, "unix:")
	return play.run(ctx)
}

// run runs daemon, clock, services, screen and page until the play is over.
func (p *demoPlay) run(ctx context.Context) error {
	release := p.world.clock.hold()
	defer release()
	life, err := p.begin(ctx)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	below, end := context.WithCancel(context.WithoutCancel(ctx)) // the world outlives the daemon
	defer end()
	p.whole = below
	p.cast(below, p.config.Clients)
	var parts sync.WaitGroup
	address, err := p.openPage(below, &parts)
	if err != nil {
		end()
		return errors.Join(err, life.end())
	}
	p.screen.begin(p, address, life.doors.metrics())
	parts.Go(func() { p.world.clock.run(below, p.speed, p.busy, p.nextDue) })
	parts.Go(func() { p.consume(below) })
	parts.Go(func() { p.watchTheClock(ctx, stop) })
	release()
	err = p.live(ctx, life)
	end()
	parts.Wait()
	return errors.Join(err, p.finish())
}

// busy says whether the clock has to run in real time: while the daemon works, while a mail is on its way, and while it is dead. What
// becomes of a secret when nobody looks after it for weeks is another story than that of a kill.
func (p *demoPlay) busy() bool {
	d := p.alive()
	return d == nil || d.scheduler.Busy() || p.posting(d)
}

// posting says whether mails are being sent. One that waits for another attempt stops nothing.
func (p *demoPlay) posting(d *daemon) bool {
	if d.store.OutboxCounts()[credential.NoticePending] == 0 {
		p.posted = time.Now()
		return false
	}
	return time.Since(p.posted) < demoPost
}

// nextDue returns the next moment at which the daemon has something to do. A loop that had worked out its pause right
// before the clock jumped, and began it right after, would oversleep: it is woken.
func (p *demoPlay) nextDue() (next time.Time, ok bool) {
	d := p.alive()
	if d == nil {
		return next, false
	}
	sooner := func(at time.Time, found bool, err error) {
		if err == nil && found && (!ok || at.Before(next)) {
			next, ok = at, true
		}
	}
	for _, name := range d.store.Providers() {
		sooner(d.store.NextDue(context.Background(), name))
	}
	sooner(d.store.NextNotice(context.Background()))
	if ok && !next.After(p.world.clock.now()) {
		d.scheduler.Wake()
		d.notices.Wake()
	}
	return next, ok
}

// watchTheClock ends the play: when every client has had its life, or when it takes too long.
func (p *demoPlay) watchTheClock(ctx context.Context, stop context.CancelFunc) {
	if !p.once {
		return
	}
	defer stop()
	select {
	case <-ctx.Done():
	case <-p.complete:
		p.waitForMail(ctx)
	case <-time.After(p.limit): // finish says whose lives were not over; that a machine is slow violates nothing
	}
}

// waiting returns how many mails have not been sent.
func (p *demoPlay) waiting() int {
	if d := p.alive(); d != nil {
		return d.store.OutboxCounts()[credential.NoticePending]
	}
	return 0
}

// waitForMail lets the last mails arrive, with the clock in real time.
func (p *demoPlay) waitForMail(ctx context.Context) {
	defer p.world.clock.hold()()
	limit := time.After(demoFarewell)
	for p.waiting() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-limit:
			p.violate("", "mails were not sent")
			return
		case <-time.After(demoPulse):
		}
	}
}
