package main

import (
	"context"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
)

// consume lets every consumer log in again and again until the context ends.
func (p *demoPlay) consume(ctx context.Context) {
	var all sync.WaitGroup
	for _, actor := range p.actors {
		all.Go(func() {
			for pulse := time.NewTicker(demoPulse); ; {
				select {
				case <-ctx.Done():
					pulse.Stop()
					return
				case <-pulse.C:
					actor.mu.Lock()
					p.login(ctx, actor)
					p.lateLogin(ctx, actor)
					actor.mu.Unlock()
				}
			}
		})
	}
	for pulse := time.NewTicker(demoPulse); ; {
		select {
		case <-ctx.Done():
			pulse.Stop()
			all.Wait()
			return
		case <-pulse.C:
			p.follow(ctx)
			p.readPost()
			p.watchTrouble()
			p.screen.pulse(p)
		}
	}
}

// login is one tick of a consumer. Its lock is held.
func (p *demoPlay) login(ctx context.Context, actor *demoActor) sandbox.Outcome {
	result := actor.consumer.Tick(ctx, time.Now())
	if ctx.Err() != nil {
		return sandbox.Unknown
	}
	p.mu.Lock()
	p.logins++
	if result.Outcome == sandbox.InGap {
		p.refusals++
	}
	p.mu.Unlock()
	switch result.Outcome {
	case sandbox.Violation:
		p.violate(actor.client.ID, "a login was refused, and refused again with what Vault hands out on a second reading")
	case sandbox.InGap:
		if actor.dark.IsZero() {
			actor.dark = result.At
		}
	case sandbox.Served, sandbox.Reread:
		actor.served++
	case sandbox.Unknown: // a server that does not answer is no refusal
	}
	return result.Outcome
}

// demoLatePulse: the late service logs in once for so many logins of the other one.
const demoLatePulse = 3

// lateLogin is one tick of the service that keeps what it has read. The actor's lock is held.
func (p *demoPlay) lateLogin(ctx context.Context, actor *demoActor) {
	if actor.ticks++; actor.ticks%demoLatePulse != 0 {
		return
	}
	result := actor.late.Tick(ctx, time.Now())
	if ctx.Err() != nil {
		return
	}
	p.mu.Lock()
	p.logins++
	if result.Outcome == sandbox.InGap {
		p.refusals++
	}
	p.mu.Unlock()
	if result.Outcome == sandbox.Violation {
		p.violate(actor.client.ID, "a service that read its secret when it started was refused, and refused again with what Vault hands out")
	}
}

// readPost takes the mails that have arrived since it was asked last.
func (p *demoPlay) readPost() {
	for _, message := range p.world.mailbox.After(p.post.Count()) {
		if err := p.post.Add(message.Data, message.At); err != nil {
			p.violate("", err.Error())
		}
	}
}

// cutBegins permits refusals: the provider is about to replace the secret that Vault hands out.
func (p *demoPlay) cutBegins(actor *demoActor) {
	actor.mu.Lock()
	defer actor.mu.Unlock()
	actor.cut = true
}

// cutIsFelt lets the consumer log in after the provider has replaced the secret and before rotad has the reply, so
// that the gap is always felt. Where nothing was replaced there is no gap.
func (p *demoPlay) cutIsFelt(ctx context.Context, actor *demoActor, status int) {
	actor.mu.Lock()
	defer actor.mu.Unlock()
	if status >= 300 {
		actor.cut = false
		return
	}
	p.login(ctx, actor)
}

// cutEnds: Vault hands out the new secret. From here on no refusal is permitted, and the gap is known.
func (p *demoPlay) cutEnds(ctx context.Context, actor *demoActor, entry credential.Audit) {
	actor.mu.Lock()
	defer actor.mu.Unlock()
	actor.cut = false
	p.login(ctx, actor)
	if actor.dark.IsZero() {
		p.violate(actor.client.ID, "nobody was refused in the gap of a hard cutover")
		return
	}
	gap := time.Since(actor.dark)
	actor.dark = time.Time{}
	p.screen.event(demoEvent{
		Event: "cutover_gap", Time: p.world.clock.now(), Client: entry.Client, Mode: entry.Mode, Rotation: entry.Rotation,
		Gap: max(1, int64((gap+time.Millisecond-1)/time.Millisecond)),
	})
}
