package sandbox

import (
	"fmt"
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Issue is how a new version is made by hand: by a check, or by a stand-in that speaks another dialect.
type Issue struct {
	Value   string        // empty = the identity provider chooses
	Label   string        // kept with the version
	TTL     time.Duration // 0 = it never expires
	KeepOld time.Duration // how long the versions before it are still accepted; negative = for their own life
}

// Issue adds a version and returns its id and its value.
func (p *IdP) Issue(clientID string, i Issue) (id, value string, err error) {
	c, err := p.client(clientID)
	if err != nil {
		return "", "", fmt.Errorf("issuing a secret: %w", err)
	}
	value = i.Value
	if value == "" {
		value = p.value()
	}
	now := p.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if i.KeepOld >= 0 {
		for _, v := range c.present() {
			v.end(now.Add(i.KeepOld))
		}
	}
	v := c.add(now, p.id(), value)
	v.label = i.Label
	if i.TTL > 0 {
		v.expires = now.Add(i.TTL)
	}
	return v.id, value, nil
}

// Remove ends one version by its id at once. ErrNoSecret: no such version is listed.
func (p *IdP) Remove(clientID, id string) error {
	c, err := p.client(clientID)
	if err != nil {
		return fmt.Errorf("removing a secret: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	present := c.present()
	i := slices.IndexFunc(present, func(v *version) bool { return v.id == id })
	if i < 0 {
		return fmt.Errorf("removing a secret of %q: %w", clientID, ErrNoSecret)
	}
	present[i].remove(p.now())
	return nil
}

// Secrets lists the versions of a client that are not removed, oldest first, with the identity provider's own ids.
func (p *IdP) Secrets(clientID string) []credential.Secret {
	return p.describe(clientID, func(v *version, _ time.Time) bool { return !v.removed })
}

// Made returns how many versions a client has ever had.
func (p *IdP) Made(clientID string) int {
	return len(p.describe(clientID, func(*version, time.Time) bool { return true }))
}

// Live lists the versions of a client that are accepted now, oldest first. It includes removed ones whose removal has
// not reached every replica yet.
func (p *IdP) Live(clientID string) []credential.Secret {
	return p.describe(clientID, (*version).alive)
}

func (p *IdP) describe(clientID string, keep func(*version, time.Time) bool) []credential.Secret {
	c, err := p.client(clientID)
	if err != nil {
		return nil
	}
	now := p.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []credential.Secret
	for _, v := range c.versions {
		if keep(v, now) {
			out = append(out, v.describe())
		}
	}
	return out
}
