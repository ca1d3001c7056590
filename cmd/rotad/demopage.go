package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/internal/stage"
)

// demoPageAt is where the page is unless something else is there already.
const demoPageAt = "127.0.0.1:9848"

// check refuses flags that mean nothing.
func (f demoFlags) check() error {
	if f.spoil != "" && !slices.Contains(demoBreaks(), stage.Act(f.spoil)) {
		return wrong(fmt.Errorf("there is no break %q", f.spoil), "break "+demoBreakNames())
	}
	return nil
}

// openPage serves the page until the context ends, and returns its address; empty = there is none.
func (p *demoPlay) openPage(ctx context.Context, parts *sync.WaitGroup) (string, error) {
	if p.page == off || p.page == "" && p.app.json {
		return "", nil
	}
	address := p.page
	if address == "" {
		address = demoPageAt
	}
	listener, err := stage.Listen(ctx, address)
	if err != nil && p.page == "" {
		listener, err = stage.Listen(ctx, "127.0.0.1:0")
	}
	if err != nil {
		return "", wrong(err, "give --page a loopback address and a free port, such as 127.0.0.1:0, or off")
	}
	parts.Go(func() {
		if err := stage.Serve(ctx, listener, &demoPage{demoPlay: p, plans: map[string]demoPlan{}}); err != nil {
			p.violate("", err.Error())
		}
	})
	return listener.Addr().String(), nil
}

// demoPage is a play as its page sees it.
type demoPage struct {
	*demoPlay
	pausing sync.Mutex
	goOn    func() // nil = time passes

	planning sync.Mutex
	plans    map[string]demoPlan
}

// demoPlan is what was foreseen for a client, and from what.
type demoPlan struct {
	rev    uint64
	at     time.Time
	events []stage.Mark
}

// demoForesight is how far the page looks ahead, and demoPlanAge how long a plan is good.
const (
	demoForesight = 90 * demoDay
	demoPlanAge   = 12 * time.Hour
)

// Mail implements stage.Play.
func (p *demoPage) Mail(n int) (stage.Mail, bool) { return p.post.Mail(n) }

// Scene implements stage.Play.
func (p *demoPage) Scene(context.Context) (stage.Scene, error) {
	now := p.world.clock.now()
	answered, refused := p.world.ledger.Refusals("")
	p.mu.Lock()
	rotations, violations := p.rotations, p.violations
	p.mu.Unlock()
	scene := stage.Scene{
		Begin: p.world.clock.origin, Now: now, Zone: p.voice.zone.String(), Speed: credential.FormatDuration(p.speed), Once: p.once,
		Paused: p.paused(), World: p.parts(), Buttons: p.buttons(), Clients: []stage.Client{},
		Counts: stage.Counts{
			Logins: answered, Refused: refused, Rotations: rotations, Mails: p.post.Count(), Waiting: p.waiting(), Violations: violations,
		},
	}
	for _, rec := range p.list() {
		scene.Clients = append(scene.Clients, p.client(rec, now))
	}
	p.post.Fill(&scene)
	p.story.Fill(&scene)
	return scene, nil
}

func (p *demoPage) client(rec credential.Record, now time.Time) stage.Client {
	mode, means := demoMode(rec.Mode())
	c := stage.Client{
		ID: rec.Client.ID, Owner: rec.Client.Owner, Provider: rec.Client.Provider, Kind: p.kindOf(rec.Client.Provider), Mode: mode, Means: means, Phase: rec.Phase(),
		Next: p.voice.outlook(p.demoPlay, rec), Expires: rotation.Ends(rec), Path: rec.Client.Vault.String(),
		Forecast: p.plan(rec, now), Versions: p.versions(rec),
	}
	if h := rec.Hold; h != nil {
		c.Hold = &stage.Hold{Code: string(h.Code), Detail: clean(h.Detail), Commands: waysOut(rec)}
	}
	if rec.Backoff.Attempts > 0 {
		c.Failing = clean(rec.Backoff.Error)
	}
	p.world.ledger.Tell(&c)
	return c
}

// plan foresees what comes, again when the record has changed or time has passed.
func (p *demoPage) plan(rec credential.Record, now time.Time) []stage.Mark {
	p.planning.Lock()
	defer p.planning.Unlock()
	kept := p.plans[rec.Client.ID]
	if kept.events != nil && kept.rev == rec.Rev && now.Sub(kept.at) < demoPlanAge {
		return kept.events
	}
	kept = demoPlan{rev: rec.Rev, at: now, events: []stage.Mark{}}
	for _, e := range foresee(rec, p.config.Policies, now, now.Add(demoForesight)) {
		if text := demoForeseen(e); text != "" {
			kept.events = append(kept.events, stage.Mark{At: e.At, What: e.What, Text: text})
		}
	}
	p.plans[rec.Client.ID] = kept
	return kept.events
}

func (p *demoPage) versions(rec credential.Record) []stage.Version {
	list := p.world.kv.Versions(rec.Client.Vault.Mount, rec.Client.Vault.Path)
	versions := make([]stage.Version, 0, len(list))
	for i, v := range list {
		state := "old"
		switch {
		case v.Destroyed:
			state = "destroyed"
		case v.Deleted:
			state = "deleted"
		case i == len(list)-1:
			state = "current"
		}
		versions = append(versions, stage.Version{Number: v.Number, At: v.At, State: state})
	}
	slices.Reverse(versions)
	return versions
}

// parts are what the play is made of.
func (p *demoPage) parts() []stage.Part {
	part := func(name string, good bool, well, ill string) stage.Part {
		if good {
			return stage.Part{Name: name, State: well, Good: true}
		}
		return stage.Part{Name: name, State: ill}
	}
	return []stage.Part{
		part("rotad", p.alive() != nil, "runs", "killed"),
		part("Vault", !p.world.gates.vault.Shut(), "answers", "down"),
		part("Providers", !p.world.gates.idp.Shut(), "answer", "down"),
		part("Mail", !p.trouble.down(stage.ActSMTP), "answers", "down"),
	}
}

// buttons are what the page can do now.
func (p *demoPage) buttons() []stage.Button {
	list := []stage.Button{
		{Act: stage.ActRotate, Label: "Rotate now", About: "asks rotad for a new secret, as rotad rotate does"},
		{Act: stage.ActHand, Label: "Someone changed it by hand", About: "a new secret, made and written to Vault past rotad"},
		{Act: stage.ActVault, Label: "Vault is down", About: "in the moment when the new secret exists and is stored nowhere"},
		{Act: stage.ActIdP, Label: "The provider is down", About: "in the moment when the new secret was made; the answer is lost"},
		{Act: stage.ActSMTP, Label: "Mail is down", About: "while a rotation has something to tell"},
		{Act: stage.ActKill, Label: "The daemon is killed", About: "in the moment when the new secret was made and not stored"},
	}
	for i := range list {
		list[i].On = p.trouble.find(list[i].Act) != nil
	}
	return list
}

// Do implements stage.Play.
func (p *demoPage) Do(ctx context.Context, act stage.Act, client string) (said string, err error) {
	if act == stage.ActPause {
		return p.togglePause()
	}
	if _, ok := p.actors[client]; !ok {
		return "", &stage.Refusal{Why: "choose a client"}
	}
	switch act {
	case stage.ActRotate:
		return p.rotate(ctx, client)
	case stage.ActHand:
		return p.byHand(ctx, client)
	case stage.ActVault, stage.ActIdP, stage.ActSMTP, stage.ActKill:
		return p.breakIt(ctx, act, client)
	default:
	}
	return "", &stage.Refusal{Why: "there is no such button"}
}

// rotate asks for a rotation, as the command does.
func (p *demoPage) rotate(ctx context.Context, client string) (said string, err error) {
	err = p.ask(ctx, admin.Command{Verb: admin.VerbRotate, Client: client, Reason: "a button of the demo's page"})
	return client + " is going to be rotated.", err
}

// breakIt breaks something while a client is rotated, or mends it.
func (p *demoPage) breakIt(ctx context.Context, act stage.Act, client string) (said string, err error) {
	if b := p.trouble.find(act); b != nil {
		if !p.trouble.down(act) || act == stage.ActKill {
			return "", &stage.Refusal{Why: "that is under way already"}
		}
		p.mend(b)
		return demoMended(act) + ".", nil
	}
	if len(p.trouble.all()) > 0 {
		return "", &stage.Refusal{Why: demoBusy}
	}
	waits := demoCreating(client) && act != stage.ActSMTP
	b := p.arm(act, client, waits)
	_, err = p.rotate(ctx, client)
	refusal, no := errors.AsType[*stage.Refusal](err)
	if !waits || err != nil {
		p.strike(b)
	}
	said = demoTitle(act) + ", while " + client + " is rotated."
	if no {
		said = demoTitle(act) + ". No rotation began: " + refusal.Why + "."
	}
	return strings.ReplaceAll(said, "..", "."), nil
}

// demoCreating says whether rotad itself makes the secrets of a client.
func demoCreating(client string) bool { return demoRoles()[client].creates != "" }

func (p *demoPage) paused() bool {
	p.pausing.Lock()
	defer p.pausing.Unlock()
	return p.goOn != nil
}

// togglePause lets time pass as it should, or fast again. A demo that is played once ends in time.
func (p *demoPage) togglePause() (said string, err error) {
	if p.once {
		return "", &stage.Refusal{Why: "this demo is played once and ends by itself"}
	}
	p.pausing.Lock()
	defer p.pausing.Unlock()
	if p.goOn != nil {
		p.goOn()
		p.goOn = nil
		return "Time runs fast again.", nil
	}
	p.goOn = p.world.clock.hold()
	return "Time stands almost still.", nil
}

// demoMode names an overlap mode for people, and says what it means.
func demoMode(m credential.Mode) (name, means string) {
	switch m {
	case credential.ModeTwoSlot:
		return "two-slot", "two secrets live side by side"
	case credential.ModeStaged:
		return "staged", "the new one stands beside the old one until a second call lets it take its place"
	case credential.ModeKeySet:
		return "key-set", "two public keys stand side by side"
	case credential.ModeCaller:
		return "caller-chosen", "rotad chooses the value"
	case credential.ModeGraceWindow:
		return "grace-window", "the provider keeps the old one for a week"
	case credential.ModeHardCutover:
		return "hard-cutover", "the new one kills the old one"
	case credential.ModeManual:
		return "manual", "a person makes it in a portal"
	case credential.ModeUnknown:
	}
	return "not known yet", "rotad has not looked at it yet"
}

// kindOf returns the kind of a provider.
func (p *demoPage) kindOf(provider string) string {
	for _, configured := range p.config.Providers {
		if configured.Name == provider {
			return configured.Kind
		}
	}
	return ""
}
