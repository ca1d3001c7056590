package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// How long the person of the demo takes, in demo time.
const (
	demoReads   = 3 * time.Hour // from the mail to the portal
	demoCleaner = 2 * time.Hour // from the end of the overlap to the portal
)

// sendPerson lets a person make a new secret, once the mails become urgent. The first warning, a month before, is left
// lying, as in real life.
func (p *demoPlay) sendPerson(actor *demoActor, entry credential.Audit) {
	if entry.Mode != credential.ModeManual || actor.errand || entry.Detail == "30d" {
		return
	}
	actor.errand = true
	p.world.clock.at(entry.At.Add(demoReads), func() { p.submit(actor) })
}

// submit is the person: a new secret from the portal, given to "rotad submit" on stdin.
func (p *demoPlay) submit(actor *demoActor) {
	value, expires, err := p.world.odc.Portal().NewSecret(actor.client.Ref["client_id"])
	if err != nil {
		p.violate(actor.client.ID, err.Error())
		return
	}
	p.bring(actor, value, expires)
}

// bring hands the new secret over. While something is broken, rotad says no and the person tries again later: the value
// is kept until it was taken.
func (p *demoPlay) bring(actor *demoActor, value string, expires time.Time) {
	id := actor.client.ID
	var out, errOut bytes.Buffer
	args := []string{"submit", id, "--socket", p.socket, "--expires", expires.UTC().Format(time.RFC3339)}
	code := run(args, strings.NewReader(value+"\n"), &out, &errOut, nil)
	switch {
	case code != exitDone && p.trouble.ever():
		if rec, ok := p.record(id); ok && rec.Hold == nil && rec.Mode() != credential.ModeManual {
			return // it has been settled otherwise
		}
		p.world.clock.at(p.world.clock.now().Add(demoReads), func() { p.bring(actor, value, expires) })
	case code != exitDone:
		p.violate(id, fmt.Sprintf("rotad submit ended with %d: %s", code, strings.TrimSpace(errOut.String())))
	}
	p.follow(context.Background())
}

// sendCleaner lets the person remove the old secret in the portal once the overlap is over.
func (p *demoPlay) sendCleaner(actor *demoActor, entry credential.Audit) {
	policy := p.config.Policies[actor.client.Policy]
	p.world.clock.at(entry.At.Add(policy.Overlap+demoCleaner), func() {
		if _, err := p.world.odc.Portal().RemoveOld(actor.client.Ref["client_id"]); err != nil {
			p.violate(actor.client.ID, err.Error())
		}
	})
	actor.errand = false
}
