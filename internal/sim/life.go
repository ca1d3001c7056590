package sim

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/model"
	"github.com/rotad/rotad/internal/oracle"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/scheduler"
)

// Life is one client in the modelled world, driven by the real loop body, the real step function and the real effects.
type Life struct {
	Mode     Mode
	World    *model.World
	Provider *model.Provider
	Vault    *model.Vault
	Place    *model.Place // the client's destination; it is there in every mode, and used where the mode says so

	store   *store
	daemon  *daemon // the one that is at work
	policy  credential.Policy
	boots   int
	at      int // of the point that is next
	points  []Point
	between func() // done while no process runs, at the next boot

	disturbed  string
	touched    int // the call at which somebody acted last
	unseen     int // so many looks have to be finished until one has begun after that
	acts       int // the call before which the present effect was decided
	gated      int // and the one before it
	looked     time.Time
	rewound    bool              // the state was replaced by an older one
	restored   bool              // Vault was
	unstaged   bool              // a person has brought a version of staging back
	sending    bool              // what happens, happens between a fence and its create
	meanwhile  func(call string) // lets another daemon take its turn; nil = there is none
	twins      *twins
	steps      int
	kept       bool                        // nothing happens to this life any more: it is there to be copied
	stepping   func()                      // before every step; nil = nobody is told
	shared     bool                        // two daemons have shared the store
	submitting bool                        // a person is bringing a value
	said       saying                      // what the consumer has said
	silent     bool                        // it says nothing any more
	orphaned   string                      // the rotation in which both of them died: what each had in memory is still to be found
	helped     int                         // how often people have helped
	tries      int                         // how often a hold was met that may end by itself
	resolved   map[credential.HoldCode]int // how often people have resolved a hold of this code
	broken     []oracle.Broken
	accepts    func(value string) bool     // of the provider, for views
	version    func(n int) string          // of Vault, for views
	Holds      map[credential.HoldCode]int // holds that called for a person
}

// daemon is one process.
type daemon struct {
	sch   *scheduler.Scheduler
	exec  rotation.Executor
	seen  credential.Record // as durable when its present effect began
	began time.Time         // on the true clock
	slept time.Duration     // its monotonic clock stood still for so long
	ids   int               // that it has made
	// second is its second clock when its life was copied.
	second time.Time
	skew   time.Duration // its wall clock is so far ahead of the true time
}

type everyWeek struct{}

// Next returns the first of the week.
func (everyWeek) Next(t time.Time) time.Time {
	const week = 7 * 24 * time.Hour
	return t.Truncate(week).Add(week)
}

// NewLife registers a client that has a secret already.
func NewLife(m Mode) *Life {
	w := model.NewWorld(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC))
	v := &model.Vault{World: w}
	p := &model.Provider{World: w, Caps: m.Caps, Vault: v, Slow: m.Slow}
	l := &Life{
		Mode: m, World: w, Provider: p, Vault: v, Place: &model.Place{World: w}, policy: policy(),
		store:    &store{world: w},
		resolved: map[credential.HoldCode]int{}, Holds: map[credential.HoldCode]int{},
	}
	client := credential.Client{
		ID: "billing", Provider: "model", Ref: credential.Ref{"client_id": "billing"}, Policy: "default", Owner: "payments",
		Vault: credential.VaultPath{Mount: "secret", Path: "apps/billing"}, AllowCut: m.Cut,
	}
	if m.Copied {
		client.Destinations = []credential.Destination{{Name: "app", File: &credential.FilePlace{Path: "/run/app", Previous: map[string]string{}}}}
		client.Reloads = []credential.Reload{
			{Name: "app", Command: []string{"/app"}, Health: &credential.Probe{URL: "http://app"}},
			{Name: "same", Command: []string{"/app"}},
		}
	}
	l.begins(m, &client)
	if m.additive() && m.Caps.Slots == 0 {
		p.Seed(true)
		client.CurrentID = "secret-2"
	}
	v.Seed(p.Seed(false))
	l.Place.Taken = v.Hands()
	p.Age(24 * time.Hour)
	v.Age(24 * time.Hour)
	l.listen()
	l.boot()
	l.store.rec = rotation.Register(client, l.daemon.sch.Env(credential.Record{Client: client})).Record
	return l
}

// listen connects the world's calls with this life.
func (l *Life) listen() {
	l.World.Acting, l.World.Calling = l.acting, l.calling
	l.accepts, l.version = l.Provider.Accepts, l.Vault.Value
	l.store.committed = func(conflict bool) {
		l.daemon.seen = l.store.rec
		l.said.passed(l.store.rec.Phase(), len(l.World.Trace))
		if !conflict {
			l.acts, l.gated = len(l.World.Trace), l.acts
		}
	}
}

func policy() credential.Policy {
	return credential.Policy{
		Name: "default", Start: credential.StartAuto, Lifetime: 90 * 24 * time.Hour,
		RotateBefore: 14 * 24 * time.Hour, Overlap: 72 * time.Hour, Announce: 7 * 24 * time.Hour,
	}
}

// boot starts a process: its monotonic clock begins anew; a clock that was set wrong stays wrong.
func (l *Life) boot() {
	if l.between != nil {
		l.between()
		l.between = nil
	}
	l.boots++
	d := &daemon{began: l.World.Wall}
	if l.daemon != nil {
		d.skew = l.daemon.skew
	}
	l.daemon = d
	l.start(d, l.store.mark)
	if now := l.World.Wall.Add(d.skew); now.Before(l.store.mark.Add(-time.Minute)) { // as the loop does when it begins
		_ = l.store.Hasten(background(), now)
	}
	d.seen = l.store.rec
}

// start makes the process's scheduler, with its second clock at a watermark.
func (l *Life) start(d *daemon, watermark time.Time) {
	boot := "boot-" + strconv.Itoa(l.boots)
	fresh := d.fresh(boot + "-")
	now := func() time.Time { return l.World.Wall.Add(d.skew) }
	elapsed := func() time.Duration { return l.World.Wall.Sub(d.began) - d.slept }
	d.exec = rotation.Executor{
		Vault: l.Vault, Instance: "instance", Now: now, Elapsed: elapsed, After: l.World.After, Deliver: l.Place.Deliver,
		Reload: l.Place.Reload, Probe: l.Place.Health,
	}
	d.sch = scheduler.New(scheduler.Settings{
		Store: l.store, Instance: "instance", Boot: boot, Watermark: watermark, Now: now, Elapsed: elapsed, After: l.World.After,
		FreshID: fresh, FreshUID: fresh, Executor: d.exec,
	}, l.config())
}

// fresh returns what makes ids. Each decision is given two, and hardly one uses them: many share one piece of memory.
func (d *daemon) fresh(prefix string) func() string {
	const many, longest = 512, 32
	var ids *strings.Builder
	return func() string {
		if ids == nil || ids.Cap()-ids.Len() < longest {
			ids = &strings.Builder{}
			ids.Grow(many)
		}
		d.ids++
		from := ids.Len()
		ids.WriteString(prefix)
		var number [20]byte
		ids.Write(strconv.AppendInt(number[:0], int64(d.ids), 10))
		return ids.String()[from:]
	}
}

// config is the configuration as it stands now.
func (l *Life) config() *scheduler.World {
	return &scheduler.World{
		Connections: map[string]scheduler.Connection{"model": {Provider: l.Provider, Timing: l.Provider.Timing()}},
		Policies:    map[string]credential.Policy{"default": l.policy}, Scan: everyWeek{},
	}
}

// step runs the loop's body once, as soon as the record is due. A crash starts a new process.
func (l *Life) step() {
	wait := l.store.rec.Due.Sub(l.World.Wall.Add(l.daemon.skew))
	if l.speaksBefore(wait) {
		return
	}
	if wait > 0 {
		l.World.Advance(wait)
	}
	before := len(l.World.Trace)
	l.survive(func() {
		l.daemon.seen = l.store.rec
		if err := l.daemon.sch.Step(background(), l.store.rec); err != nil {
			l.fail(oracle.Broken{Invariant: "I9", Name: "step", Text: err.Error()})
		}
	})
	if calls := len(l.World.Trace) - before; calls > mostAtOnce {
		l.fail(oracle.Broken{Invariant: "I9", Name: "spins", Text: fmt.Sprintf("%d calls at one moment, in phase %s", calls, l.store.rec.Phase())})
	}
	l.look()
}

// mostAtOnce is how many calls one turn of the loop may make: a whole rotation has about forty.
const mostAtOnce = 200

// survive does something that the process may die of. It says whether it did not.
func (l *Life) survive(do func()) (alive bool) {
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		if _, ok := r.(model.Crash); !ok {
			panic(r)
		}
		l.World.Advance(3 * time.Second)
		l.boot()
	}()
	do()
	return true
}

// background is the context of a process that nobody stops.
func background() context.Context {
	return context.Background() //nolint:forbidigo // a simulated process has no caller whose end could stop it
}

// acting asks what must be true before a mutation.
func (l *Life) acting(a oracle.Act) {
	v := l.view()
	v.Record = l.daemon.seen
	l.fail(oracle.Before(v, a)...)
}

// look asks what must be true at every moment. What rotad has found to be Vault's secret is adopted, whoever made it.
func (l *Life) look() {
	if rec := l.store.rec; rec.Sight == credential.SightAdopted && rec.Current.ID != "" {
		l.Provider.Adopt(rec.Current.ID, l.Vault.Hands())
	}
	l.fail(oracle.Moment(l.view())...)
}

func (l *Life) fail(broken ...oracle.Broken) { l.broken = append(l.broken, broken...) }

// misled says whether an answer since the last act of somebody was as old as that.
func (l *Life) misled() bool {
	for at, kind := range l.World.Faults {
		if kind == model.Stale && at >= l.touched && at < len(l.World.Trace) {
			return true
		}
	}
	return false
}

// recent is how many calls two daemons make between them while one of them looks once.
const recent = 80

// view is what somebody sees who sees everything.
func (l *Life) view() oracle.View {
	v := oracle.View{
		Client: l.store.rec.Client.ID, At: l.World.Wall, Record: l.store.rec, Audit: l.store.audit, Notices: l.store.told, Gone: l.store.gone,
		Secrets: l.Provider.Secrets(), Accepts: l.accepts, Hands: l.Vault.Hands(), Version: l.version,
		Staged: l.Vault.Staged(), StageID: l.Vault.StagedID(), Disturbed: l.disturbed, Rewound: l.rewound,
	}
	v.Copied, v.Copy, v.Taken = l.Mode.Copied, l.Place.Holds, l.Place.Taken
	v.HandsAt, v.HandsBy = l.Vault.Handed()
	v.Used, v.Said, v.SaidLate = l.Mode.Used, l.Vault.Value(l.said.version), l.said.late()
	v.Behind = l.daemon.seen.Rev < l.store.rec.Rev
	v.Daemons, v.Submitting = 1, l.submitting
	if r := l.store.rec.Rotation; l.twins != nil || r != nil && r.ID == l.orphaned {
		v.Daemons = len(twins{}.turns)
	}
	v.Restored, v.Unwitnessed = l.restored || l.unstaged, l.restored && (l.shared || l.rewound || l.Mode.blind())
	v.Racing = l.disturbed != "" && (l.touched >= l.gated || l.misled())
	if l.twins != nil { // the other one's commits are no looks of this one
		v.Racing = l.disturbed != "" && l.touched >= len(l.World.Trace)-recent
	}
	return v
}
