package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/internal/stage"
	"github.com/rotad/rotad/providers"
)

// Each client has two services. One reads Vault before every login; the other keeps what it has read, as a service does
// that reads its secret when it starts. For the second one secrets overlap.
const (
	demoPrompt = "prompt"
	demoLate   = "late"
)

// demoMemory is how long a service keeps what it has read. It is shorter than every overlap.
const demoMemory = 2 * demoDay

// consumers are the services that use the clients, all of one sort. Each may read its own bundle in Vault, and nothing
// else.
func (w *demoWorld) consumers(clients []credential.Client, sort string) []*sandbox.Consumer {
	shared := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}, Timeout: 30 * time.Second}
	all := make([]*sandbox.Consumer, 0, len(clients))
	for _, client := range clients {
		token := rand.Text()
		w.kv.AddToken(token, 0, sandbox.KVGrant{Path: client.Vault.Mount + "/data/" + client.Vault.Path, Capabilities: []string{"read"}})
		role := demoRoles()[client.ID]
		c := &sandbox.Consumer{
			Client: client.ID, Read: sandbox.KVReader(shared, w.public.Vault, token, client.Vault), Login: role.login(w, shared),
		}
		if role.mounted != "" && sort == demoLate {
			c.Read = w.mountedReader(role.mounted, client.Ref["client_id"])
		}
		w.note(c, sort)
		if sort == demoLate {
			(&demoRecall{now: w.clock.now}).give(c)
		}
		all = append(all, c)
	}
	return all
}

// note lets the ledger see every login: the fingerprint of the value, and the answer.
func (w *demoWorld) note(c *sandbox.Consumer, sort string) {
	read, login := c.Read, c.Login
	c.Read = func(ctx context.Context) (credential.Bundle, error) {
		bundle, err := read(ctx)
		if err != nil && ctx.Err() == nil {
			w.ledger.Login(stage.Login{Client: c.Client, By: sort, Answer: stage.Unanswered, At: w.clock.now()})
		}
		return bundle, err
	}
	c.Login = func(ctx context.Context, b credential.Bundle) (providers.Answer, error) {
		answer, err := login(ctx, b)
		if ctx.Err() == nil {
			w.ledger.Login(stage.Login{
				Client: c.Client, By: sort, Value: stage.FingerprintOf(demoValue(b)), Answer: demoAnswer(answer), At: w.clock.now(),
			})
		}
		return answer, err
	}
}

// demoValue returns the secret of a bundle, whatever its field is called.
func demoValue(b credential.Bundle) credential.Sensitive {
	if value, ok := b["secret_id"]; ok {
		return value
	}
	return b.Secret()
}

func demoAnswer(a providers.Answer) stage.Answer {
	switch a {
	case providers.Accepted:
		return stage.Accepted
	case providers.Refused:
		return stage.Refused
	case providers.Unknown:
	}
	return stage.Unanswered
}

// demoRecall is the memory of a service.
type demoRecall struct {
	now   func() time.Time
	kept  credential.Bundle
	until time.Time
}

// give lets a service remember. What was refused is forgotten, so that the second try reads Vault again.
func (m *demoRecall) give(c *sandbox.Consumer) {
	read, login := c.Read, c.Login
	c.Read = func(ctx context.Context) (credential.Bundle, error) {
		if m.kept != nil && m.now().Before(m.until) {
			return m.kept, nil
		}
		bundle, err := read(ctx)
		if err != nil {
			if m.kept != nil {
				return m.kept, nil // Vault does not answer; what is known goes on working
			}
			return nil, err
		}
		m.kept, m.until = bundle, m.now().Add(demoMemory)
		return bundle, nil
	}
	c.Login = func(ctx context.Context, b credential.Bundle) (providers.Answer, error) {
		answer, err := login(ctx, b)
		if answer == providers.Refused {
			m.kept = nil
		}
		return answer, err
	}
}

// Who writes to where services read.
const (
	demoBySetup  = "at the beginning"
	demoByRotad  = "rotad"
	demoByPerson = "by hand"
)

// wrote notes every version of what services read. It is called by the store, with the clear value, of which the
// fingerprint is kept.
func (w *demoWorld) wrote(write sandbox.KVWrite) {
	for _, role := range demoCast() {
		if role.place.path != write.Path {
			continue
		}
		by := demoByRotad
		if name, ok := w.hands.Load(write.Path); ok {
			by = fmt.Sprint(name)
		}
		if value, ok := write.Data[role.place.field].(string); ok {
			w.ledger.Wrote(role.id, write.Version, stage.FingerprintOf(credential.NewSensitive(value)), by)
		}
	}
}

// put writes to where services read, as somebody else would.
func (w *demoWorld) put(path, by string, data map[string]any) {
	w.hands.Store(path, by)
	defer w.hands.Delete(path)
	w.kv.Put("secret", path, data)
}
