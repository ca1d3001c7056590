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
