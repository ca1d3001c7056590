package scheduler

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/model"
	"github.com/rotad/rotad/internal/rotation"
)

// life is one client in the modelled world, driven by the real loop body, the real step function and the real effects.
type life struct {
	world    *model.World
	provider *model.Provider
	vault    *model.Vault
	store    *oneRecord
	sch      *Scheduler
	boots    int
	cuts     int
	gap      bool // a cutover's gap between create and promote has been seen
	original string
}

// oneRecord is a store of one client whose commits are calls of the model, so that they can fail like any other.
type oneRecord struct {
	world   *model.World
	rec     credential.Record
	mark    time.Time
	notices map[string]credential.Notice
	audit   []credential.Audit
	gone    bool
}

func (o *oneRecord) Claim(context.Context, time.Time, string, int, string, time.Duration) ([]credential.Record, error) {
	return nil, nil
}
func (o *oneRecord) Hasten(context.Context, time.Time) error { return nil }
func (o *oneRecord) Providers() []string                     { return nil }
func (o *oneRecord) NextDue(context.Context, string) (time.Time, bool, error) {
	return o.rec.Due, !o.rec.Due.IsZero(), nil
}

func (o *oneRecord) Commit(_ context.Context, c credential.Change) (credential.Record, bool, error) {
	if c.Record.Rev != o.rec.Rev {
		return o.rec, true, nil
	}
	o.world.Commit(func() {
		o.rec = c.Record
		o.rec.Rev++
		o.mark, o.gone = c.Watermark, c.Archive
		o.audit = append(o.audit, c.Audit...)
		for _, n := range c.Notices {
			if _, ok := o.notices[n.Key]; !ok {
				o.notices[n.Key] = n
			}
		}
	})
	return o.rec, false, nil
}

type everyWeek struct{}

func (everyWeek) Next(t time.Time) time.Time {
	return t.Truncate(7 * 24 * time.Hour).Add(7 * 24 * time.Hour)
}

// overlapMode is one way in which the model's provider behaves.
type overlapMode struct {
	name  string
	caps  credential.Capabilities
	cut   bool
	lossy bool // a lost reply may end in a hold
}

func overlapModes() []overlapMode {
	grace := credential.Capabilities{Mode: credential.ModeGraceWindow, Grace: 7 * 24 * time.Hour, SlotRevoke: true}
	readable, start := grace, grace
	readable.Readable, readable.StartReadable = true, true
	start.StartReadable = true
	cut := credential.Capabilities{Mode: credential.ModeHardCutover}
	cutReadable := cut
	cutReadable.Readable, cutReadable.StartReadable = true, true
	return []overlapMode{
		{name: "two-slot", caps: credential.Capabilities{Mode: credential.ModeTwoSlot, Labels: true, StartReadable: true}},
		{name: "two-slot-unlabelled", caps: credential.Capabilities{Mode: credential.ModeTwoSlot, StartReadable: true}},
		{name: "staged", caps: credential.Capabilities{Mode: credential.ModeStaged, Slots: 2, StartReadable: true}},
		{name: "key-set", caps: credential.Capabilities{Mode: credential.ModeKeySet, Labels: true, Repeatable: true, StartReadable: true}},
		{name: "caller-chosen", caps: credential.Capabilities{Mode: credential.ModeCaller, Labels: true, Repeatable: true, StartReadable: true}},
		{name: "grace-window-readable", caps: readable},
		{name: "grace-window-start-readable", caps: start, lossy: true},
		{name: "grace-window-unreadable", caps: grace, lossy: true},
		{name: "hard-cutover", caps: cutReadable, cut: true},
		{name: "hard-cutover-unreadable", caps: cut, cut: true},
	}
}

func newLife(m overlapMode) *life {
	w := model.NewWorld(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC))
	v := &model.Vault{World: w}
	p := &model.Provider{World: w, Caps: m.caps, Vault: v}
	l := &life{world: w, provider: p, vault: v}
	if m.caps.Mode.Additive() && m.caps.Slots == 0 {
		p.Seed(true)
	}
	l.original = p.Seed(false)
	v.Seed(l.original)
	client := credential.Client{
		ID: "billing", Provider: "model", Ref: credential.Ref{"client_id": "billing"}, Policy: "default", Owner: "payments",
		Vault: credential.VaultPath{Mount: "secret", Path: "apps/billing"}, AllowCut: m.cut,
	}
	if !m.lossy || m.caps.StartReadable {
		client.CurrentID = "secret-2"
	}
	if !m.caps.Mode.Additive() || m.caps.Slots != 0 {
		client.CurrentID = ""
	}
	p.Before = l.intentFirst
	l.store = &oneRecord{world: w, notices: map[string]credential.Notice{}}
	l.boot()
	d := rotation.Register(client, l.sch.Env(credential.Record{Client: client}))
	l.store.rec = d.Record
	return l
}

func crashPolicy() credential.Policy {
	return credential.Policy{
		Name: "default", Start: credential.StartAuto, Lifetime: 90 * 24 * time.Hour,
		RotateBefore: 14 * 24 * time.Hour, Overlap: 72 * time.Hour, Announce: 7 * 24 * time.Hour,
	}
}

// boot starts a process: its monotonic clock begins anew.
func (l *life) boot() {
	l.boots++
	l.world.Uptime = 0
	id := 0
	boot := fmt.Sprintf("boot-%d", l.boots)
	fresh := func() string { id++; return fmt.Sprintf("%s-%d", boot, id) }
	l.sch = New(Settings{
		Store: l.store, Instance: "instance", Boot: boot, Watermark: l.store.mark, Now: l.world.Now, Elapsed: l.world.Elapsed, After: l.world.After,
		FreshID: fresh, FreshUID: fresh,
		Executor: rotation.Executor{Vault: l.vault, Instance: "instance", Now: l.world.Now, Elapsed: l.world.Elapsed, After: l.world.After},
	}, &World{
		Connections: map[string]Connection{"model": {Provider: l.provider, Timing: l.provider.Timing()}},
		Policies:    map[string]credential.Policy{"default": crashPolicy()}, Scan: everyWeek{},
	})
}

// step runs the loop's body once, as soon as the record is due. A crash starts a new process.
func (l *life) step() {
	if wait := l.store.rec.Due.Sub(l.world.Now()); wait > 0 {
		l.world.Advance(wait)
	}
	l.runNow()
}

// context is the context of a process that nobody stops.
func (l *life) context() context.Context {
	return context.Background() //nolint:forbidigo // a process outlives no test, and many lives share one
}

// runNow runs the loop's body at once.
func (l *life) runNow() {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(model.Crash); !ok {
				panic(r)
			}
			l.world.Advance(3 * time.Second)
			l.boot()
		}
		l.check()
	}()
	if err := l.sch.process(l.context(), l.store.rec); err != nil {
		l.world.Violate("process: %v", err)
	}
}

// check asks the oracles: what must be true at every moment that the world can be seen.
func (l *life) check() {
	rec := l.store.rec
	hands := l.vault.Hands()
	if !l.provider.Accepts(hands) && !l.allowedGap() {
		l.world.Violate("at %s (%s): the provider refuses what Vault hands out", l.world.Wall.Format(time.DateTime), rec.Phase())
	}
	if rec.Due.IsZero() && rec.Hold == nil {
		l.world.Violate("(%s) the record is never due again", rec.Phase())
	}
	for _, n := range l.store.notices {
		if text := fmt.Sprintf("%+v", n); strings.Contains(text, hands) {
			l.world.Violate("a notice holds a value")
		}
	}
}

// intentFirst: no secret is made or deleted without a durable intent that names it.
func (l *life) intentFirst(call, id string) {
	r := l.store.rec.Rotation
	letGo := func(o credential.Orphan) bool { return o.ID == id }
	switch {
	case r == nil && call == "revoke" && slices.ContainsFunc(l.store.rec.Orphans, letGo):
	case r == nil:
		l.world.Violate("a %s without a durable intent", call)
	case call == "create" && r.Phase != credential.PhaseIntent:
		l.world.Violate("a create in phase %s", r.Phase)
	case call == "revoke" && ((r.Phase != credential.PhaseRevoking || r.Old.ID != id) && (r.Phase != credential.PhaseCompensating || r.Orphan != id)) && r.Phase != credential.PhaseIntent:
		l.world.Violate("a revoke of %s, which the durable record does not name (%s)", id, r.Phase)
	}
}

// allowedGap: a permitted cutover has a gap between create and promote; and until it is proved, the provider accepts
// either what Vault hands out or the other one of the two values. Nothing else has a gap.
func (l *life) allowedGap() bool {
	r := l.store.rec.Rotation
	if l.provider.Caps.Mode != credential.ModeHardCutover || r == nil {
		return false
	}
	l.gap = true
	return r.Promoted == 0 || l.provider.Accepts(l.vault.Staged()) || l.provider.Accepts(l.original)
}

// untilRotated runs until the first rotation has ended, or a hold needs a person.
func (l *life) untilRotated(t *testing.T) {
	t.Helper()
	for range 600 {
		l.step()
		if len(l.world.Trace) > 5000 {
			break
		}
		if len(l.world.Broken) > 0 {
			return
		}
		rec := l.store.rec
		if rec.Hold != nil && !rec.Hold.Paging && !rec.Hold.Retry {
			return
		}
		if rec.Rotation == nil && rec.Last.Outcome == "done" {
			return
		}
	}
	t.Fatalf("no end after 600 steps: phase %s, hold %+v, backoff %+v, due %s for %s\n%s", l.store.rec.Phase(), l.store.rec.Hold,
		l.store.rec.Backoff, l.store.rec.Due, l.store.rec.DueFor, l.story())
}

func (l *life) story() string {
	var b strings.Builder
	for i, a := range l.store.audit {
		if i > 40 {
			break
		}
		fmt.Fprintf(&b, "  %s %s %s %s %s\n", a.At.Format(time.DateTime), a.Event, a.Phase, a.Secret, a.Detail)
	}
	fmt.Fprintf(&b, "  trace: %s\n  live: %v hands %q\n", strings.Join(l.world.Trace[:min(200, len(l.world.Trace))], " "), l.provider.Live(), l.vault.Hands())
	return b.String()
}

// judge says what must be true at the end.
func (l *life) judge(t *testing.T, m overlapMode) {
	t.Helper()
	for _, broken := range l.world.Broken {
		t.Errorf("violated: %s\n%s", broken, l.story())
	}
	rec := l.store.rec
	if rec.Hold != nil && !rec.Hold.Paging && !rec.Hold.Retry {
		if !m.lossy || (rec.Hold.Code != credential.HoldSecretLost && rec.Hold.Code != credential.HoldNotUnderstood) {
			t.Errorf("held: %+v\n%s", rec.Hold, l.story())
		}
		return
	}
	if l.vault.Hands() == l.original {
		t.Errorf("the rotation ended and Vault hands out the old value\n%s", l.story())
	}
	if l.vault.Staged() != "" {
		t.Errorf("staging still holds a value\n%s", l.story())
	}
	want := 1 + len(l.provider.Foreign)
	if live := l.provider.Live(); len(live) != want {
		t.Errorf("%d secrets live at the provider, want %d: %v\n%s", len(live), want, live, l.story())
	}
}
