package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/stage"
)

// demoBusy is why nothing else is broken now.
const demoBusy = "one thing at a time: rotad is not done with the last one yet"

// byHand is somebody who does not know of rotad: a new secret, made at the provider and written to Vault past rotad.
func (p *demoPlay) byHand(ctx context.Context, client string) (said string, err error) {
	actor := p.actors[client]
	rec, ok := p.record(client)
	switch {
	case actor == nil || !ok:
		return "", &stage.Refusal{Why: "there is no client " + client}
	case len(p.trouble.all()) > 0:
		return "", &stage.Refusal{Why: demoBusy}
	case rec.Rotation != nil || rec.Hold != nil:
		return "", &stage.Refusal{Why: fmt.Sprintf("%s is %s just now: wait for it, or choose another client", client, rec.Phase())}
	}
	b := p.arm(stage.ActHand, client, false)
	if err := p.changeByHand(actor); err != nil {
		return "", err
	}
	p.strike(b)
	p.follow(ctx)
	return "Somebody made a new secret for " + client + " and wrote it to Vault. rotad finds out with its next look.", nil
}

// changeByHand does both at once for the client's services and for rotad: this person at least knows what breaks a login,
// and where a day lasts a second, the moment between the two would be long enough for a look.
func (p *demoPlay) changeByHand(actor *demoActor) error {
	actor.mu.Lock()
	defer actor.mu.Unlock()
	p.world.changing.Lock()
	defer p.world.changing.Unlock()
	role := demoRoles()[actor.client.ID]
	value, err := role.hand(p.world)
	if err != nil {
		return err
	}
	data, _ := p.world.kv.Current("secret", role.place.path)
	data[role.place.field] = value
	p.world.put(role.place.path, demoByPerson, data)
	return nil
}

// sendOwner lets the owner of a client read the mail about a hold that followed from something broken, and do what it
// says.
func (p *demoPlay) sendOwner(entry credential.Audit) {
	if entry.Actor != "" || !p.trouble.ever() {
		return
	}
	var then func()
	b := p.trouble.find(stage.ActHand)
	ours := b != nil && b.client == entry.Client // a look may fall between the two things that somebody has done by hand
	word, _, _ := strings.Cut(entry.Detail, ":")
	switch code := credential.HoldCode(word); {
	case code == credential.HoldForeignWrite, code == credential.HoldChangedElsewhere && ours:
		then = func() { p.accept(entry.Client) }
	case code == credential.HoldSecretLost, code == credential.HoldChangedElsewhere:
		then = func() { p.replace(entry.Client) }
	default:
		return // what ends by itself
	}
	p.world.clock.at(entry.At.Add(demoReads), then)
}

// accept is the owner: it was us, the value in Vault is good. Who is not heard tries again.
func (p *demoPlay) accept(client string) {
	if rec, ok := p.record(client); !ok || rec.Hold == nil && p.alive() != nil {
		return
	}
	err := p.ask(p.whole, admin.Command{
		Verb: admin.VerbResume, Client: client, Resolve: credential.ResolveAcceptVault, Reason: "it was us",
	})
	if err != nil {
		p.world.clock.at(p.world.clock.now().Add(demoReads), func() { p.accept(client) })
		return
	}
	if b := p.trouble.find(stage.ActHand); b != nil && b.client == client {
		p.mend(b)
	}
}

// replace is the owner of a secret that nobody has: another one is made at the provider and brought to rotad.
func (p *demoPlay) replace(client string) {
	rec, ok := p.record(client)
	if !ok || rec.Hold == nil {
		return
	}
	value, err := demoRoles()[client].hand(p.world)
	if err != nil {
		p.violate(client, err.Error())
		return
	}
	p.bring(p.actors[client], value, p.world.clock.now().Add(demoLifetime))
}

// ask asks the daemon over its socket, as a command does.
func (p *demoPlay) ask(ctx context.Context, c admin.Command) error {
	_, err := admin.NewClient(p.socket).Do(ctx, c)
	if said, ok := errors.AsType[*admin.Error](err); ok {
		why := said.Why
		if said.Hint != "" {
			why += " (" + said.Hint + ")"
		}
		return &stage.Refusal{Why: why}
	}
	if err != nil {
		return &stage.Refusal{Why: "rotad does not answer: it is dead just now"}
	}
	return nil
}
