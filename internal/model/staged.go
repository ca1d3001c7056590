package model

import (
	"context"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/oracle"
	"github.com/rotad/rotad/providers"
)

// stagedSlots is how many secrets a client has where one waits beside the current one to take its place.
const stagedSlots = 2

// current returns the secret that the provider calls the client's own; nil = there is none. What became current last stays so
// until it is gone; then the oldest one is.
func (p *Provider) current() *held {
	id := p.shownFirst(p.secrets)
	for _, s := range p.secrets {
		if s.ID == id {
			return s
		}
	}
	return nil
}

// shownFirst is the id that a list calls current.
func (p *Provider) shownFirst(list []*held) string {
	for _, s := range list {
		if s.ID == p.first {
			return s.ID
		}
	}
	if len(list) == 0 {
		return ""
	}
	return list[0].ID
}

// full says whether a second secret waits already.
func (p *Provider) full() bool {
	return p.Caps.Mode == credential.ModeStaged && len(p.secrets) >= stagedSlots
}

// isCurrent says whether a secret cannot be deleted, because the provider keeps the current one.
func (p *Provider) isCurrent(id string) bool {
	c := p.current()
	return p.Caps.Mode == credential.ModeStaged && c != nil && c.ID == id && len(p.secrets) > 1
}

// Activate lets the fresh secret take the old one's place. Where the provider has a grace, the old one lives on for that long;
// else it ends with the call.
func (p *Provider) Activate(_ context.Context, _ providers.Target, fresh, old string) error {
	var refusal error
	kind := p.World.call("activate", func() {
		p.World.act(oracle.Act{Kind: oracle.Revoke, ID: old})
		p.before("activate", old)
		refusal = p.activate(fresh, old)
	})
	if err := p.World.fault(kind, "activate"); err != nil {
		return err
	}
	return refusal
}

func (p *Provider) activate(fresh, old string) error {
	c := p.current()
	switch {
	case c != nil && c.ID == fresh:
		return nil
	case c == nil, c.ID != old, !p.has(fresh):
		return conflict("activate")
	}
	p.first = fresh
	if p.Caps.Grace > 0 {
		c.dies = p.World.Wall.Add(p.Caps.Grace)
		return nil
	}
	p.revoke(old)
	return nil
}

func (p *Provider) has(id string) bool {
	for _, s := range p.secrets {
		if s.ID == id {
			return true
		}
	}
	return false
}

func conflict(operation string) error {
	return &providers.Error{Class: providers.ClassConflict, Provider: "model", Operation: operation}
}
