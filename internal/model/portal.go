package model

import (
	"time"

	"github.com/rotad/rotad/internal/oracle"
)

// ByHand makes a secret in a portal, as the mode has it, and returns its value.
func (p *Provider) ByHand() string {
	p.retireOlder()
	s := p.make("", "")
	s.maker = oracle.ByPerson
	return s.value
}

// Drop deletes the n-th secret, as a person does in a portal.
func (p *Provider) Drop(n int) { p.remove(n) }

// Delete deletes the n-th secret, as a person does in a portal; -1 is the newest. Nothing happens if there is none.
func (p *Provider) Delete(n int) {
	if n < 0 {
		n += len(p.secrets)
	}
	if n >= 0 && n < len(p.secrets) {
		p.remove(n)
	}
}

// DeleteValue deletes the secret that has a value, as a person does in a portal.
func (p *Provider) DeleteValue(value string) {
	for i, s := range p.secrets {
		if s.value == value && value != "" {
			p.remove(i)
			return
		}
	}
}

// Expire lets a secret end at a moment.
func (p *Provider) Expire(id string, at time.Time) {
	for _, s := range p.secrets {
		if s.ID == id {
			s.Expires = at
		}
	}
}

// Use lets the provider say that a secret was used at a moment.
func (p *Provider) Use(id string, at time.Time) {
	for _, s := range p.secrets {
		if s.ID == id {
			s.LastUse = at
		}
	}
}

// Vacate deletes in a portal what stands beside the secret with this value, which is made the current one first where that has to be.
func (p *Provider) Vacate(hands string) {
	for i := len(p.secrets) - 1; i >= 0 && p.Accepts(hands); i-- {
		if s := p.secrets[i]; s.value != hands && s.maker != oracle.ByPerson {
			p.remove(i)
		}
	}
}
