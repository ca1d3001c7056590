package main

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/internal/stage"
)

// Bounds of what is broken: whatever comes first mends it.
const (
	demoOutage     = 3 * demoDay     // Vault or the providers
	demoOutageReal = 5 * time.Second // the clock runs in real time while rotad waits for an answer
	demoSilence    = 6 * demoDay     // mail
	demoSilentReal = 8 * time.Second
	demoWorst      = 2 * time.Second // a create that has not come until then is not waited for
	demoAftermath  = 14 * demoDay    // after that nobody waits for rotad to be done with it
)

// demoBreaks are what can be broken.
func demoBreaks() []stage.Act {
	return []stage.Act{stage.ActVault, stage.ActSMTP, stage.ActIdP, stage.ActKill, stage.ActHand}
}

func demoBreakNames() string {
	names := make([]string, 0, len(demoBreaks()))
	for _, act := range demoBreaks() {
		names = append(names, string(act))
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// demoTrouble is what is broken, and what is not over yet.
//
//	armed ──► struck, in the worst moment ──► mended ──► settled: rotad is done with it
type demoTrouble struct {
	planned stage.Act // by --break; empty once it is armed

	mu     sync.Mutex
	had    bool
	breaks []*demoBreak // that have not been settled
}

// demoBreak is one thing that is broken.
type demoBreak struct {
	act     stage.Act
	client  string
	chapter int

	armed  time.Time // in real time
	struck time.Time // in real time; zero = not yet
	since  time.Time
	mended time.Time // zero = not yet
	whole  time.Time // mended, in real time

	answered, refused int // logins before
	failures          int
	said              map[string]bool
}

// ever says whether anything has been broken so far: from then on a hold, or an outcome that is not known, may follow
// from that. A refused login or a broken invariant never may.
func (t *demoTrouble) ever() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.had
}

// find returns the break that is armed or struck and not mended; nil = none.
func (t *demoTrouble) find(act stage.Act) *demoBreak {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, b := range t.breaks {
		if b.act == act && b.mended.IsZero() {
			return b
		}
	}
	return nil
}

// look returns a break as it is now.
func (t *demoTrouble) look(b *demoBreak) demoBreak {
	t.mu.Lock()
	defer t.mu.Unlock()
	return *b
}

// down says whether something is broken just now.
func (t *demoTrouble) down(act stage.Act) bool {
	b := t.find(act)
	return b != nil && !t.look(b).struck.IsZero()
}

// all returns what has not been settled.
func (t *demoTrouble) all() []*demoBreak {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.breaks)
}

// arm prepares a break in the worst moment of a client's rotation: when the provider has made the new secret, and
// before rotad has it in Vault. Where no secret is made it strikes at once.
func (p *demoPlay) arm(act stage.Act, client string, waits bool) *demoBreak {
	b := &demoBreak{act: act, client: client, armed: time.Now(), said: map[string]bool{}}
	now := p.world.clock.now()
	b.chapter = p.story.Begin(stage.Chapter{Act: act, Client: client, Title: demoTitle(act), Begun: now})
	p.trouble.mu.Lock()
	p.trouble.had = true
	p.trouble.breaks = append(p.trouble.breaks, b)
	p.trouble.mu.Unlock()
	if waits {
		p.world.gates.own.Spoil(demoCreates(client), func() (cut bool) { return p.strike(b) })
	}
	return b
}

// demoCreates recognizes the request that makes a secret for a client.
func demoCreates(client string) func(*http.Request) bool {
	part := demoRoles()[client].creates
	return func(r *http.Request) bool {
		return part != "" && (r.Method == http.MethodPost || r.Method == http.MethodPatch) && strings.HasSuffix(r.URL.Path, part)
	}
}

// strike breaks what is to be broken. It returns whether the answer under way is lost.
func (p *demoPlay) strike(b *demoBreak) (cut bool) {
	now := p.world.clock.now()
	p.trouble.mu.Lock()
	if !b.struck.IsZero() {
		p.trouble.mu.Unlock()
		return false
	}
	b.struck, b.since = time.Now(), now
	b.answered, b.refused = p.world.ledger.Refusals(b.client)
	p.trouble.mu.Unlock()
	p.say(stage.Line{At: now, Client: b.client, What: "broken", Text: demoStruck(b.act), Tone: demoAct})
	switch b.act {
	case stage.ActVault:
		p.world.gates.vault.Set(true)
	case stage.ActIdP:
		p.world.gates.idp.Set(true)
	case stage.ActSMTP:
		p.world.mailbox.Down(true)
	case stage.ActKill:
		p.kill()
	default:
	}
	return b.act == stage.ActIdP || b.act == stage.ActKill
}

// mend makes what was broken whole again.
func (p *demoPlay) mend(b *demoBreak) {
	now := p.world.clock.now()
	p.trouble.mu.Lock()
	if !b.mended.IsZero() {
		p.trouble.mu.Unlock()
		return
	}
	b.mended, b.whole = now, time.Now()
	p.trouble.mu.Unlock()
	switch b.act {
	case stage.ActVault:
		p.world.gates.vault.Set(false)
	case stage.ActIdP:
		p.world.gates.idp.Set(false)
	case stage.ActSMTP:
		p.world.mailbox.Down(p.alive() == nil) // for a dead daemon it stays down
	default:
	}
	p.say(stage.Line{At: now, Client: b.client, What: "mended", Text: demoMended(b.act), Tone: demoGood})
}

// risen mends a kill: the daemon lives again.
func (p *demoPlay) risen() {
	if b := p.trouble.find(stage.ActKill); b != nil {
		p.mend(b)
	}
}

// say tells what happened to the world, on the page and on the screen.
func (p *demoPlay) say(l stage.Line) {
	p.story.Tell(l)
	p.mu.Lock()
	mode := p.modes[l.Client]
	p.mu.Unlock()
	p.screen.event(demoEvent{Event: l.What, Time: l.At, Client: l.Client, Mode: mode, Detail: l.Text})
}

// watchTrouble lets every break run its course.
func (p *demoPlay) watchTrouble() {
	for _, b := range p.trouble.all() {
		now := p.trouble.look(b)
		switch {
		case now.struck.IsZero() && time.Since(now.armed) > p.pause(demoWorst):
			p.strike(b)
		case now.struck.IsZero():
		case now.mended.IsZero() && p.worn(now):
			p.mend(b)
		case !now.mended.IsZero() && time.Since(now.whole) > p.pause(time.Second) && p.settled(now):
			p.close(b)
		}
	}
}

// worn says whether something has been broken for long enough.
func (p *demoPlay) worn(b demoBreak) bool {
	lasted, real := p.world.clock.now().Sub(b.since), time.Since(b.struck)
	switch b.act {
	case stage.ActVault, stage.ActIdP:
		return lasted >= demoOutage || real >= p.pause(demoOutageReal)
	case stage.ActSMTP:
		return lasted >= demoSilence || real >= p.pause(demoSilentReal)
	default:
	}
	return false
}

// pause shortens a real pause where nobody watches.
func (p *demoPlay) pause(d time.Duration) time.Duration { return d / time.Duration(max(1, p.haste)) }

// settled says whether rotad is done with a break: its client waits for nothing, and no mail does.
func (p *demoPlay) settled(b demoBreak) bool {
	if p.world.clock.now().Sub(b.mended) > demoAftermath {
		return true
	}
	rec, ok := p.record(b.client)
	if p.alive() == nil || !ok || rec.Hold != nil || rec.Backoff.Attempts > 0 || rec.Request.Rotate {
		return false
	}
	quiet := rec.Rotation == nil || rec.Rotation.Phase == credential.PhaseOverlap || rec.Rotation.Phase == credential.PhaseRevoking
	return quiet && (b.act != stage.ActSMTP || p.waiting() == 0)
}

func (p *demoPlay) record(id string) (credential.Record, bool) {
	for _, rec := range p.list() {
		if rec.Client.ID == id {
			return rec, true
		}
	}
	return credential.Record{}, false
}

// close ends the chapter of a break.
func (p *demoPlay) close(b *demoBreak) {
	p.trouble.mu.Lock()
	p.trouble.breaks = slices.DeleteFunc(p.trouble.breaks, func(other *demoBreak) bool { return other == b })
	p.trouble.mu.Unlock()
	p.story.End(b.chapter, p.world.clock.now(), p.verdict(p.trouble.look(b)))
}

// tried shows the first failure of each sort that follows from something broken.
func (p *demoPlay) tried(rec credential.Record, e rotation.Effect, o rotation.Outcome) {
	now, text := p.world.clock.now(), string(e)+": "+o.Failure.Text
	fresh := false
	p.trouble.mu.Lock()
	for _, b := range p.trouble.breaks {
		if b.client == rec.Client.ID {
			b.failures++
			fresh = fresh || !b.said[text]
			b.said[text] = true
		}
	}
	p.trouble.mu.Unlock()
	if fresh {
		p.story.Tell(stage.Line{At: now, Client: rec.Client.ID, What: "failed", Text: text, Tone: demoAct})
	}
}

// strikeAt arms what "--break" asked for, in the first rotation. Before a hand can interfere, nothing may be under way.
func (p *demoPlay) strikeAt(entry credential.Audit) {
	act := p.trouble.planned
	when := credential.EventIntent
	if act == stage.ActHand {
		when = credential.EventAnnounced
	}
	if act == "" || entry.Event != when {
		return
	}
	p.trouble.planned = ""
	switch act {
	case stage.ActHand:
		go func() { p.sayNo(p.byHand(p.whole, entry.Client)) }() // it waits for what follows the audit
	case stage.ActSMTP:
		p.strike(p.arm(act, entry.Client, false))
	default:
		p.arm(act, entry.Client, true)
	}
}

// sayNo makes a violation of what a plan of the demo itself could not do.
func (p *demoPlay) sayNo(_ string, err error) {
	if err != nil {
		p.violate("", err.Error())
	}
}
