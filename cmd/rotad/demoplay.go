package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/internal/stage"
)

// demoPulse is the pause between two logins of a consumer, and between two looks at the audit.
const demoPulse = 20 * time.Millisecond

// demoPlay follows what the daemon does and what its consumers feel, and judges it.
//
//	audit ──► follow ──► events ──► screen            person ──► portal, rotad submit
//	              └────► stage directions ───────────────┘
//	consumers ──► every pulse: read Vault, log in ──► violation, cutover_gap
type demoPlay struct {
	app    *app
	once   bool
	limit  time.Duration // of a play that is played once, in real time
	kept   bool          // its directory is not removed at the end
	speed  time.Duration // demo time per second
	world  *demoWorld
	whole  context.Context // of what nobody waits for; it ends with the world
	config *config.Config
	birth  demoBirth
	life   atomic.Pointer[demoLife] // nil while the daemon is dead
	mortal atomic.Pointer[demoLife] // the one that a kill would hit
	socket string
	page   string // address that was asked for
	haste  int    // real pauses are divided by it
	screen demoScreen
	actors map[string]*demoActor

	post    *stage.Post
	story   *stage.Story
	trouble demoTrouble
	voice   *demoLines // sentences for the page

	posted time.Time // when no mail was waiting; the clock's own

	follows sync.Mutex // whoever follows the audit
	seq     uint64     // last audit entry that was followed

	mu         sync.Mutex // all below
	began      time.Time
	violations int
	rotations  int
	logins     int
	refusals   int
	modes      map[string]credential.Mode // by client
	lived      map[string]bool            // clients that have had their whole life
	records    []credential.Record        // as they were last seen
	complete   chan struct{}              // closed when all have
}

// demoActor is one client as the play sees it.
type demoActor struct {
	client credential.Client
	errand bool // a person is busy with it; written by follow only

	mu       sync.Mutex // held during a login
	consumer *sandbox.Consumer
	late     *sandbox.Consumer // the service that keeps what it has read
	ticks    int
	served   int
	cut      bool      // a provider has killed the secret that Vault still hands out
	dark     time.Time // first refusal of the present gap, in real time; zero = none
}

func newDemoPlay(a *app, w *demoWorld, speed time.Duration, f demoFlags) *demoPlay {
	p := &demoPlay{
		app: a, whole: context.Background(), once: f.once, limit: f.limit, kept: f.dir != "", haste: f.haste, speed: speed, world: w, page: f.page, screen: newDemoScreen(a),
		actors: map[string]*demoActor{}, post: stage.NewPost(), story: &stage.Story{}, voice: &demoLines{zone: demoZone()},
		began: time.Now(), modes: map[string]credential.Mode{}, lived: map[string]bool{}, complete: make(chan struct{}),
	}
	p.trouble.planned = stage.Act(f.spoil)
	return p
}

// cast gives every client its services, and each cutover its witness.
func (p *demoPlay) cast(ctx context.Context, clients []credential.Client) {
	late := p.world.consumers(clients, demoLate)
	for i, consumer := range p.world.consumers(clients, demoPrompt) {
		actor := &demoActor{client: clients[i], consumer: consumer, late: late[i]}
		consumer.Cut = func() bool { return actor.cut }
		actor.late.Cut = consumer.Cut
		p.actors[clients[i].ID] = actor
		p.world.ledger.Phase(clients[i].ID, credential.PhaseSteady, p.world.clock.now())
	}
	for _, id := range []string{demoCutover, demoLight} {
		p.world.faults.Around(
			sandbox.When{Method: "POST", Path: demoRoles()[id].creates, Count: -1},
			func() { p.cutBegins(p.actors[id]) },
			func(status int) { p.cutIsFelt(ctx, p.actors[id], status) },
		)
	}
}

// demoEvents are the events that are told, a contract of the command.
func demoEvents() []credential.Event {
	return []credential.Event{
		credential.EventWarned, credential.EventAnnounced, credential.EventIntent, credential.EventCreated, credential.EventStaged,
		credential.EventVerified, credential.EventPromoted, credential.EventOverlap, credential.EventRevoked,
		credential.EventOldRefused, credential.EventConfirmed, credential.EventSubmitted,
	}
}

// follow reads the audit on from where it was read last, whoever has written it.
func (p *demoPlay) follow(ctx context.Context) {
	p.follows.Lock()
	defer p.follows.Unlock()
	d := p.alive()
	if d == nil {
		return
	}
	entries, err := d.store.Audit(ctx, p.seq, 0)
	if err != nil {
		if ctx.Err() == nil {
			p.violate("", err.Error())
		}
		return
	}
	for _, entry := range entries {
		p.seq = entry.Seq
		if actor := p.actors[entry.Client]; actor != nil {
			p.take(ctx, actor, entry)
		}
	}
}

// take shows an entry, and gives its stage directions.
func (p *demoPlay) take(ctx context.Context, actor *demoActor, entry credential.Audit) {
	if entry.Mode != credential.ModeUnknown {
		p.mu.Lock()
		p.modes[entry.Client] = entry.Mode
		p.mu.Unlock()
	}
	if slices.Contains(demoEvents(), entry.Event) {
		p.screen.event(demoEvent{
			Event: string(entry.Event), Time: entry.At, Client: entry.Client, Mode: entry.Mode, Rotation: entry.Rotation, entry: entry,
		})
	}
	p.tell(entry) //nolint:contextcheck // an owner's command has a context of its own, as a process has
	p.strikeAt(entry)
	switch entry.Event {
	case credential.EventWarned:
		p.sendPerson(actor, entry) //nolint:contextcheck // the person's command has a context of its own, as a process has
	case credential.EventPromoted:
		p.promoted(ctx, actor, entry)
	case credential.EventConfirmed:
		p.confirmed(actor)
	case credential.EventHeld, credential.EventNotProved, credential.EventOrphan, credential.EventUnknown:
		if entry.Actor == "" && !p.trouble.ever() {
			p.violate(entry.Client, fmt.Sprintf("%s: %s", entry.Event, entry.Detail))
		}
	default:
	}
}

func (p *demoPlay) promoted(ctx context.Context, actor *demoActor, entry credential.Audit) {
	p.mu.Lock()
	p.rotations++
	p.mu.Unlock()
	switch entry.Mode {
	case credential.ModeHardCutover:
		p.cutEnds(ctx, actor, entry)
	case credential.ModeManual:
		p.sendCleaner(actor, entry)
	default:
	}
}

// confirmed counts the client's first whole life.
func (p *demoPlay) confirmed(actor *demoActor) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lived[actor.client.ID] {
		return
	}
	p.lived[actor.client.ID] = true
	if len(p.lived) == len(p.actors) {
		close(p.complete)
	}
}

// violate counts and shows that something is not as it must be.
func (p *demoPlay) violate(client, what string) {
	p.mu.Lock()
	p.violations++
	mode := p.modes[client]
	p.mu.Unlock()
	now := p.world.clock.now()
	p.screen.event(demoEvent{Event: "violation", Time: now, Client: client, Mode: mode, Detail: what})
	p.story.Tell(stage.Line{At: now, Client: client, What: "violation", Text: what, Tone: demoWrong})
}

// finish shows the summary. A violation is an error, and so is a life that was not finished.
func (p *demoPlay) finish() error {
	for id, actor := range p.actors {
		if actor.served == 0 && p.lived[id] {
			p.violate(id, "its consumer has never logged in")
		}
	}
	p.mu.Lock()
	s := demoSummary{
		Event: "summary", Time: p.world.clock.now(), Violations: p.violations, Clients: len(p.actors), Rotations: p.rotations,
		Logins: p.logins, Refusals: p.refusals, Mails: len(p.world.mailbox.Messages()),
		Seconds: time.Since(p.began).Round(10 * time.Millisecond).Seconds(),
	}
	unfinished := p.unfinished()
	p.mu.Unlock()
	s.Days = int(s.Time.Sub(p.world.clock.origin) / demoDay)
	p.screen.end(p, s)
	switch {
	case s.Violations > 0:
		return failed(errors.New(counted(s.Violations, "violation")), "the lines above that say violation; --dir DIR keeps the log of another run")
	case p.once && len(unfinished) > 0:
		return failed(fmt.Errorf("it ended after %d of %d lives; not over were those of %s", len(p.actors)-len(unfinished), len(p.actors), strings.Join(unfinished, ", ")),
			"effects take real time, and after "+p.limit.String()+" the demo ends in any case: run it again when this machine has less to do")
	}
	return nil
}

// unfinished are the clients that have not had their first whole life. The caller holds the lock.
func (p *demoPlay) unfinished() (ids []string) {
	for id := range p.actors {
		if !p.lived[id] {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
