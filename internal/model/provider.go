package model

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/oracle"
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
	first   string  // mode staged: the id of what became current last
	past    []*held // deleted ones, with when they were, for stale reads
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
	maker oracle.Maker
}

// Timing returns the time limits of the model.
func (p *Provider) Timing() providers.Timing {
	return providers.Timing{Deadline: Deadline, Propagation: Propagation}
}

// Seed gives the client a secret that was there before rotad, and returns its value.
func (p *Provider) Seed(foreign bool) string {
	s := p.make("seed", "")
	s.maker = oracle.Adopted
	if foreign {
		s.maker = oracle.ByPerson
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
	s := &held{value: value, maker: oracle.ByRotad}
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

func (p *Provider) alive(s *held) bool { return p.aliveAt(s, p.World.Wall) }

// accepted answers a request to log in, which a stale reply answers as of before the propagation bound.
func (p *Provider) accepted(value string) bool {
	if !p.World.stale() {
		return p.Accepts(value)
	}
	then := p.World.Wall.Add(-Propagation)
	for _, s := range slices.Concat(p.secrets, p.past) {
		if s.value == value && !s.Start.After(then) && p.aliveAt(s, then) {
			return true
		}
	}
	return false
}

func (p *Provider) aliveAt(s *held, now time.Time) bool {
	if p.Deaf {
		return len(p.secrets) > 0 && s == p.secrets[0]
	}
	if s.maker == oracle.ByRotad && now.Before(s.Start.Add(p.Slow)) {
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
	now, list := p.seen()
	for i, s := range list {
		shown := s.Secret
		behind := p.World.stale() && s.dies.Sub(p.World.Wall) > p.Caps.Grace-Propagation
		if !s.dies.IsZero() && !behind {
			shown.Expires = s.dies
		}
		switch p.Caps.Mode {
		case credential.ModeStaged:
			shown.Slot = providers.SlotStaged
			if s.ID == p.shownFirst(list) {
				shown.Slot = providers.SlotCurrent
			}
			snap.Secrets = append(snap.Secrets, shown)
		case credential.ModeTwoSlot, credential.ModeCaller, credential.ModeKeySet:
			snap.Secrets = append(snap.Secrets, shown)
		case credential.ModeGraceWindow, credential.ModeHardCutover:
			if !p.Caps.StartReadable || !p.aliveAt(s, now) {
				continue
			}
			shown.Slot = providers.SlotPrevious
			if i == len(list)-1 {
				shown.Slot = providers.SlotCurrent
			}
			snap.Secrets = append([]credential.Secret{shown}, snap.Secrets...)
		default:
		}
	}
	return snap
}

// seen returns what a list shows: the secrets as they are, or in a stale reply as they were.
func (p *Provider) seen() (time.Time, []*held) {
	now := p.World.Wall
	if !p.World.stale() {
		return now, p.secrets
	}
	then := now.Add(-Propagation)
	var list []*held
	for _, s := range slices.Concat(p.secrets, p.past) {
		if !s.Start.After(then) && (s.dies.IsZero() || s.dies.After(then)) {
			list = append(list, s)
		}
	}
	slices.SortStableFunc(list, func(a, b *held) int { return a.Start.Compare(b.Start) })
	return then, list
}

// Create makes a secret as a provider of this mode does.
func (p *Provider) Create(_ context.Context, _ providers.Target, r providers.Request) (providers.Issued, error) {
	var s *held
	full := false
	kind := p.World.call("create", func() {
		p.World.act(oracle.Act{Kind: oracle.Create, Label: r.Label, Value: r.Proposed.Secret().Reveal()})
		p.before("create", "")
		if full = p.full(); !full {
			s = p.create(r)
		}
	})
	if full && (kind == "" || kind == Malformed) {
		return providers.Issued{}, &providers.Error{Class: providers.ClassQuota, Provider: "model", Operation: "create"}
	}
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
		if p.accepted(b.Secret().Reveal()) {
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
	kind := p.World.call("recover", func() {
		if _, list := p.seen(); len(list) > 0 {
			issued = p.issued(list[len(list)-1])
		}
	})
	if !p.Caps.Readable {
		return providers.Issued{}, &providers.Error{Class: providers.ClassUnsupported, Provider: "model", Operation: "recover"}
	}
	return issued, p.World.fault(kind, "recover")
}

// Revoke deletes one secret by its id, and notes what must never happen.
func (p *Provider) Revoke(_ context.Context, _ providers.Target, id string) error {
	var refusal error
	kind := p.World.call("revoke", func() {
		p.World.act(oracle.Act{Kind: oracle.Revoke, ID: id})
		p.before("revoke", id)
		if p.isCurrent(id) {
			refusal = conflict("revoke")
			return
		}
		p.revoke(id)
	})
	if err := p.World.fault(kind, "revoke"); err != nil {
		return err
	}
	return refusal
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
		p.remove(i)
		p.Revoked = append(p.Revoked, id)
		return
	}
}

func (p *Provider) remove(i int) {
	gone := *p.secrets[i]
	if gone.dies.IsZero() || gone.dies.After(p.World.Wall) {
		gone.dies = p.World.Wall
	}
	p.past = append(p.past, &gone)
	p.secrets = append(p.secrets[:i:i], p.secrets[i+1:]...)
}

// Secrets returns what stands at the provider, for oracles.
func (p *Provider) Secrets() []oracle.Secret {
	list := make([]oracle.Secret, 0, len(p.secrets))
	for _, s := range p.secrets {
		list = append(list, oracle.Secret{ID: s.ID, Label: s.Label, Value: s.value, Maker: s.maker, Live: p.alive(s), Once: p.Vault.once[s.value]})
	}
	return list
}

// Own makes a secret rotad's: a person has named it to be adopted or discarded.
func (p *Provider) Own(id string) {
	for _, s := range p.secrets {
		if s.ID == id && s.maker == oracle.ByPerson {
			s.maker = oracle.Adopted
		}
	}
}

// Generate chooses a value.
func (p *Provider) Generate(providers.Target) (credential.Bundle, error) {
	p.next++
	return credential.Bundle{
		credential.FieldClientID:     credential.NewSensitive("client"),
		credential.FieldClientSecret: credential.NewSensitive(fmt.Sprintf("chosen-%d", p.next)),
	}, nil
}

// Age lets all secrets be older.
func (p *Provider) Age(by time.Duration) {
	for _, s := range p.secrets {
		s.Start = s.Start.Add(-by)
	}
}

// OwnValue makes a secret rotad's: a person has submitted its value.
func (p *Provider) OwnValue(value string) {
	for _, s := range p.secrets {
		if s.value == value {
			p.Own(s.ID)
		}
	}
}

// Adopt makes a secret rotad's if it has this value.
func (p *Provider) Adopt(id, value string) {
	for _, s := range p.secrets {
		if s.ID == id && s.value == value {
			p.Own(id)
		}
	}
}

// Newest returns the value of the newest secret; empty if there is none.
func (p *Provider) Newest() string {
	if len(p.secrets) == 0 {
		return ""
	}
	return p.secrets[len(p.secrets)-1].value
}
