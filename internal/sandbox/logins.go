package sandbox

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// Login is one attempt to log in, as the identity provider saw it.
type Login struct {
	At       time.Time
	Client   string
	Secret   string // id of the version that the presented value belongs to, dead or alive; empty = it never existed
	Accepted bool
	Why      string // why it was refused; empty = accepted
}

// Count is how often one version was accepted and refused.
type Count struct {
	Accepted int
	Refused  int
}

// maxLogins is how many attempts are remembered per client. Counts are kept without limit.
const maxLogins = 256

// record keeps an attempt. The caller holds the lock.
func (c *client) record(l Login) {
	if c.counts == nil {
		c.counts = map[string]Count{}
	}
	count := c.counts[l.Secret]
	if l.Accepted {
		count.Accepted++
	} else {
		count.Refused++
	}
	c.counts[l.Secret] = count
	if len(c.logins) < maxLogins {
		c.logins = append(c.logins, l)
		return
	}
	c.logins[c.next] = l
	c.next = (c.next + 1) % maxLogins
}

// Logins returns the last attempts of a client, oldest first.
func (p *IdP) Logins(clientID string) []Login {
	c, err := p.client(clientID)
	if err != nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Concat(c.logins[c.next:], c.logins[:c.next])
}

// Counts returns how often each version of a client was accepted and refused. The empty id stands for values that
// never existed.
func (p *IdP) Counts(clientID string) map[string]Count {
	c, err := p.client(clientID)
	if err != nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.counts)
}

// login authenticates a client and records the attempt. The client is nil when there is none with this id.
func (p *IdP) login(clientID, secret, method string) (*client, refusal) {
	c, err := p.client(clientID)
	if err != nil {
		return nil, noClient
	}
	now := p.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	id, why := c.check(now, secret, method)
	c.record(Login{At: now, Client: clientID, Secret: id, Accepted: why == admitted, Why: string(why)})
	return c, why
}

// Login logs in with a bundle, without HTTP and by whatever method the client is registered with. It has the shape of
// Consumer.Login.
func (p *IdP) Login(_ context.Context, b credential.Bundle) (providers.Answer, error) {
	id := b[credential.FieldClientID].Reveal()
	method := methodBasic
	if c, err := p.client(id); err == nil && c.Auth != "" {
		method = c.Auth
	}
	if _, why := p.login(id, b.Secret().Reveal(), method); why != admitted {
		return providers.Refused, nil
	}
	return providers.Accepted, nil
}
