package model

import (
	"context"
	"errors"

	"github.com/rotad/rotad/internal/credential"
)

// Place is a destination that consumers read instead of Vault. It keeps no history, and answers like a disk or a server.
type Place struct {
	World *World
	Holds string // the value that it hands out; empty = none
	Old   string // the one beside it
	Taken string // what the consumer read there when it was reloaded last
}

var errPlace = errors.New("the place could not be written")

// Deliver makes it hold a copy.
func (p *Place) Deliver(_ context.Context, _ credential.Destination, c credential.Copy) (written bool, err error) {
	kind := p.World.call("deliver", func() {
		value, old := c.Bundle.Secret().Reveal(), c.Previous.Secret().Reveal()
		written = p.Holds != value || p.Old != old
		p.Holds, p.Old = value, old
	})
	if kind != "" && kind != CrashAfter {
		return false, errPlace
	}
	return written, nil
}

// Reload lets the consumer read the place.
func (p *Place) Reload(context.Context, credential.Reload, credential.Occasion) error {
	return p.answer("reload", func() { p.Taken = p.Holds })
}

// Health asks whether the consumer works.
func (p *Place) Health(context.Context, credential.Probe) error { return p.answer("health", func() {}) }

func (p *Place) answer(call string, do func()) error {
	if kind := p.World.call(call, do); kind != "" {
		return errPlace
	}
	return nil
}

// Fork copies the place into a forked world.
func (p *Place) Fork(w *World) *Place {
	c := *p
	c.World = w
	return &c
}
