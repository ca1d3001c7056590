package dex

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// spareOf is the id of the copy that stands beside a client while it is made again.
func spareOf(id string) string { return "rotad-spare-of-" + id }

// found is a client, or what is left of it.
type found struct {
	client
	spare bool // only its copy is there: rotad, or its line, died between two calls
}

// find looks a client up. One of which only the copy is there counts as unchanged: nobody can log in, and the next create makes it again.
func (p *provider) find(ctx context.Context, operation, id string) (found, error) {
	c, err := p.api.get(ctx, operation, id)
	missing := providers.ClassOf(err) == providers.ClassNotFound
	if missing && id != "" {
		copied, failed := p.api.get(ctx, operation, spareOf(id))
		switch {
		case failed == nil:
			c, err = copied.as(id, copied.secret)
			return found{client: c, spare: true}, err
		case providers.ClassOf(failed) != providers.ClassNotFound:
			return found{}, failed
		}
	}
	switch {
	case err != nil:
		return found{}, err
	case c.public:
		return found{}, p.api.fault(operation, providers.ClassUnsupported, errPublic)
	case c.secret.Empty():
		return found{}, p.api.fault(operation, providers.ClassUnsupported, errNoSecret)
	}
	return found{client: c}, nil
}

var (
	errProposed = errors.New("the value is made when it is set")
	errCopy     = errors.New("the spare copy was not made, so the client was left alone")
	errExists   = errors.New("somebody else has made the client in the same moment")
)

// Create implements providers.Provider. Until the client is deleted nothing has happened to it. From then on it must not be left
// missing: whatever becomes of the request that makes it again, the old one is then offered to Dex, which takes it only where there is
// none. So the request that creates is sent once, and what is there afterwards is the new client or the old one.
func (p *provider) Create(ctx context.Context, t providers.Target, r providers.Request) (providers.Issued, error) {
	if len(r.Proposed) > 0 {
		return providers.Issued{}, p.api.fault("create", providers.ClassUnsupported, errProposed)
	}
	ctx, cancel := context.WithTimeout(ctx, p.timing.Deadline)
	defer cancel()
	old, err := p.find(ctx, "create", t.Ref[refClientID])
	if err != nil {
		return providers.Issued{}, err
	}
	fresh, err := old.as(old.id, credential.NewSensitive(rand.Text()+rand.Text())) // 2 x 130 bits
	if err != nil {
		return providers.Issued{}, p.api.fault("create", providers.ClassRejected, errOther)
	}
	if !old.spare {
		if err = p.clear(ctx, old.client); err != nil {
			return providers.Issued{}, err
		}
	}
	exists, resp, err := p.api.create(ctx, fresh)
	if err == nil && exists {
		err = resp.Failed(providers.ClassConflict, errExists)
	}
	if err == nil {
		p.tidy(ctx, old.client)
		return fresh.issued(), nil
	}
	if p.restore(ctx, old.client) && providers.Definite(err) {
		p.tidy(ctx, old.client)
	}
	if providers.ClassOf(err) == providers.ClassNotUnderstood {
		return providers.Issued{Raw: resp.Raw()}, err
	}
	return providers.Issued{}, err
}

// clear makes the spare copy and deletes the client. An error that is definite says that the client is there, as it was.
func (p *provider) clear(ctx context.Context, old client) error {
	copied, err := old.as(spareOf(old.id), old.secret)
	if err != nil {
		return p.api.fault("create", providers.ClassRejected, errOther)
	}
	exists, _, err := p.api.create(ctx, copied)
	if err == nil && exists { // of an earlier try that came to its end, else there would be no client: it may be out of date
		if err = p.api.remove(ctx, copied.id); err == nil {
			exists, _, err = p.api.create(ctx, copied)
		}
	}
	if err != nil || exists {
		return p.untouched(err)
	}
	err = p.api.remove(ctx, old.id)
	if err == nil {
		return nil
	}
	restored := p.restore(ctx, old)
	switch {
	case restored && providers.Definite(err):
		p.tidy(ctx, old)
		return err
	case providers.ClassOf(err) == providers.ClassNotUnderstood: // a deletion has no reply to keep
		return p.api.fault("create", providers.ClassIndeterminate, err)
	}
	return err
}

// untouched is the error of a copy that was not made: whatever became of it, nothing happened to the client.
func (p *provider) untouched(err error) error {
	if err != nil && providers.Definite(err) {
		return err
	}
	return p.api.fault("create", providers.ClassUnavailable, errCopy)
}

// mending is how long rotad tries to bring a client back, or to take its copy away, whatever has ended the create itself.
const mending = 15 * time.Second

// tries is how often each of these is asked for; a failure has its own time limit.
const tries = 3

// restore sees to it that the client exists, and says whether it is certain. Dex leaves one that is there as it is.
func (p *provider) restore(ctx context.Context, old client) bool {
	return p.insist(ctx, func(ctx context.Context) error {
		_, _, err := p.api.create(ctx, old)
		return err
	})
}

// tidy takes the spare copy away. One that stays is replaced by the next create.
func (p *provider) tidy(ctx context.Context, old client) {
	p.insist(ctx, func(ctx context.Context) error { return p.api.remove(ctx, spareOf(old.id)) })
}

func (p *provider) insist(ctx context.Context, call func(context.Context) error) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), mending)
	defer cancel()
	for range tries {
		if call(ctx) == nil {
			return true
		}
	}
	return false
}

// made reads the body of the answer to a create.
func made(body []byte, id string) (client, error) {
	message, err := unframed(body)
	if err != nil {
		return client{}, err
	}
	raw, err := text(message, fieldMade)
	if err != nil {
		return client{}, err
	}
	c, err := decode(raw)
	if err != nil || c.id != id || c.secret.Empty() {
		return client{}, errOther
	}
	return c, nil
}
