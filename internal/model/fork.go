package model

import (
	"maps"
	"slices"
)

// Fork copies the world as it is. The copy shares nothing that either of the two changes, and nobody listens to it yet.
func (w *World) Fork() *World {
	c := *w
	c.Trace, c.Broken = slices.Clip(w.Trace), slices.Clip(w.Broken)
	c.Faults = maps.Clone(w.Faults)
	c.Acting, c.Calling = nil, nil
	return &c
}

// Fork copies the provider into a forked world.
func (p *Provider) Fork(w *World, v *Vault) *Provider {
	c := *p
	c.World, c.Vault = w, v
	c.secrets = make([]*held, 0, len(p.secrets))
	for _, s := range p.secrets {
		copied := *s
		c.secrets = append(c.secrets, &copied)
	}
	c.past, c.Revoked = slices.Clip(p.past), slices.Clip(p.Revoked)
	c.Foreign = maps.Clone(p.Foreign)
	return &c
}

// Fork copies Vault into a forked world.
func (v *Vault) Fork(w *World) *Vault {
	c := *v
	c.World = w
	c.staging, c.consumer = slices.Clone(v.staging), slices.Clone(v.consumer)
	c.once = maps.Clone(v.once)
	return &c
}
