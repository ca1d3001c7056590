package model

import (
	"context"
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// Provider is a modelled identity provider with one client.
type Provider struct {
	World *World
	Caps  credential.Capabilities
	Life  time.Duration // of a new secret; 0 = for ever

	// Deaf says that creates do not take: the new value is refused and the old one still accepted, as long as it is set.
	Deaf bool

	// Vault is asked at every revoke and create whether what it hands out survives.
	Vault *Vault

	// Before is called right before a create or a revoke takes effect, with the id that is revoked: a place for oracles.
	Before func(call, id string)
	// Slow is how long a new secret is refused after it was made, as long as caches have it.
	Slow time.Duration

	secrets []*held
	next    int
	Revoked []string // ids, in order
	Creates int
	Foreign map[string]bool // ids that somebody else made: never to be revoked
}

// held is one secret at the provider.
type held struct {
	credential.Secret
	value string
	dies  time.Time // zero = lives
}

// Timing returns the time limits of the model.
func (p *Provider) Timing() providers.Timing {
	return providers.Timing{Deadline: 10 * time.Second, Propagation: 20 * time.Second}
}

// Seed gives the client a secret that was there before rotad, and returns its value.
func (p *Provider) Seed(foreign bool) string {
	s := p.make("seed", "")
	if foreign {
		if p.Foreign == nil {
			p.Foreign = map[string]bool{}
		}
		p.Foreign[s.ID] = true
	}
	return s.value
}

func (p *Provider) make(label, value string) *held {
	p.next++
	if value == "" {
		value = fmt.Sprintf("value-%d", p.next)
	}
	s := &held{value: value}
	s.ID, s.Start = fmt.Sprintf("secret-%d", p.next), p.World.Wall
	if p.Caps.Labels {
		s.Label = label
	}
	if p.Life > 0 {
		s.Expires = p.World.Wall.Add(p.Life)
	}
	p.secrets = append(p.secrets, s)
	return s
}

// Accepts says whether a value logs in now.
func (p *Provider) Accepts(value string) bool {
	for _, s := range p.secrets {
		if s.value == value && p.alive(s) {
			return true
		}
	}
	return false
}

func (p *Provider) alive(s *held) bool {
	now := p.World.Wall
	if p.Deaf {
		return s == p.secrets[0]
	}
	if s != p.secrets[0] && now.Before(s.Start.Add(p.Slow)) {
		return false
	}
	return (s.dies.IsZero() || now.Before(s.dies)) && (s.Expires.IsZero() || now.Before(s.Expires))
}

// Live returns the ids of the secrets that log in now.
func (p *Provider) Live() []string {
	var ids []string
	for _, s := range p.secrets {
		if p.alive(s) {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// Inspect lists the secrets as a provider of this mode shows them.
func (p *Provider) Inspect(context.Context, providers.Target) (providers.Snapshot, error) {
	var snap providers.Snapshot
	kind := p.World.call("inspect", func() { snap = p.snapshot() })
	return snap, p.World.fault(kind, "inspect")
}

func (p *Provider) snapshot() providers.Snapshot {
	snap := providers.Snapshot{Caps: p.Caps, ClientID: "client", Time: p.World.Wall}
	for i, s := range p.secrets {
		shown := s.Secret
		if !s.dies.IsZero() {
			shown.Expires = s.dies
		}
		switch p.Caps.Mode {
		case credential.ModeTwoSlot, credential.ModeCaller:
			snap.Secrets = append(snap.Secrets, shown)
		case credential.ModeGraceWindow, credential.ModeHardCutover:
			if !p.Caps.StartReadable || !p.alive(s) {
				continue
			}
			shown.Slot = providers.SlotPrevious
			if i == len(p.secrets)-1 {
				shown.Slot = providers.SlotCurrent
			}
			snap.Secrets = append([]credential.Secret{shown}, snap.Secrets...)
		default:
		}
	}
	return snap
}

// Create makes a secret as a provider of this mode does.
func (p *Provider) Create(_ context.Context, _ providers.Target, r providers.Request) (providers.Issued, error) {
	var s *held
	kind := p.World.call("create", func() {
		p.before("create", "")
		s = p.create(r)
	})
	if err := p.World.fault(kind, "create"); err != nil {
		if kind == Malformed {
			return providers.Issued{Raw: credential.NewSensitive("unreadable:" + s.value)}, err
		}
		return providers.Issued{}, err
	}
	return p.issued(s), nil
}

func (p *Provider) before(call, id string) {
	if p.Before != nil {
		p.Before(call, id)
	}
}

func (p *Provider) create(r providers.Request) *held {
	if proposed := r.Proposed.Secret().Reveal(); proposed != "" {
		for _, s := range p.secrets {
			if s.value == proposed {
				return s
			}
		}
		p.Creates++
		return p.make(r.Label, proposed)
	}
	p.Creates++
	p.retireOlder()
	return p.make(r.Label, "")
}

// retireOlder lets the older secrets die as the mode has it: in a grace window the current one counts down and an
// earlier previous one dies at once; in a hard cutover all die at once.
func (p *Provider) retireOlder() {
	now := p.World.Wall
	for i, s := range p.secrets {
		last := i == len(p.secrets)-1
		switch {
		case p.Caps.Mode == credential.ModeHardCutover, p.Caps.Mode == credential.ModeGraceWindow && !last:
			if s.dies.IsZero() || s.dies.After(now) {
				s.dies = now
			}
		case p.Caps.Mode == credential.ModeGraceWindow:
			s.dies = now.Add(p.Caps.Grace)
		}
	}
}

func (p *Provider) issued(s *held) providers.Issued {
	issued := providers.Issued{Secret: s.Secret, Bundle: credential.Bundle{
		credential.FieldClientID: credential.NewSensitive("client"), credential.FieldClientSecret: credential.NewSensitive(s.value),
	}}
	if p.Caps.Mode == credential.ModeGraceWindow && len(p.secrets) > 1 {
		issued.OldDies = p.secrets[len(p.secrets)-2].dies
	}
	return issued
}

// Verify says whether a bundle logs in.
func (p *Provider) Verify(_ context.Context, _ providers.Target, b credential.Bundle) (providers.Answer, error) {
	answer := providers.Refused
	kind := p.World.call("verify", func() {
		if p.Accepts(b.Secret().Reveal()) {
			answer = providers.Accepted
		}
	})
	if err := p.World.fault(kind, "verify"); err != nil {
		return providers.Unknown, err
	}
	return answer, nil
}

// Recover reads the current value back.
func (p *Provider) Recover(context.Context, providers.Target) (providers.Issued, error) {
	var issued providers.Issued
	kind := p.World.call("recover", func() { issued = p.issued(p.secrets[len(p.secrets)-1]) })
	if !p.Caps.Readable {
		return providers.Issued{}, &providers.Error{Class: providers.ClassUnsupported, Provider: "model", Operation: "recover"}
	}
	return issued, p.World.fault(kind, "recover")
}

// Revoke deletes one secret by its id, and notes what must never happen.
func (p *Provider) Revoke(_ context.Context, _ providers.Target, id string) error {
	kind := p.World.call("revoke", func() {
		p.before("revoke", id)
		p.revoke(id)
	})
	return p.World.fault(kind, "revoke")
}

func (p *Provider) revoke(id string) {
	for i, s := range p.secrets {
		if s.ID != id {
			continue
		}
		if p.Vault.Hands() == s.value {
			p.World.Violate("revoked %s, which Vault hands out", id)
		}
		if p.Foreign[id] {
			p.World.Violate("revoked %s, which somebody else made", id)
		}
		p.secrets = append(p.secrets[:i:i], p.secrets[i+1:]...)
		p.Revoked = append(p.Revoked, id)
		return
	}
}

// Drop deletes the n-th secret, as a person does in a portal.
func (p *Provider) Drop(n int) { p.secrets = append(p.secrets[:n:n], p.secrets[n+1:]...) }

// Generate chooses a value.
func (p *Provider) Generate(providers.Target) (credential.Bundle, error) {
	p.next++
	return credential.Bundle{
		credential.FieldClientID:     credential.NewSensitive("client"),
		credential.FieldClientSecret: credential.NewSensitive(fmt.Sprintf("chosen-%d", p.next)),
	}, nil
}
