package vaultapprole

import (
	"context"
	"errors"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

var (
	errServerOnly = errors.New("values is server, so a value cannot be proposed")
	errNoValue    = errors.New("values is own, and no value was proposed")
	errPast       = errors.New("the wanted expiry has passed already by Vault's clock")
	errSpent      = errors.New("this value has been registered before and has expired")
)

// making is one SecretID that is about to be made.
type making struct {
	name   string // of the role
	roleID string
	label  string
	ttl    time.Duration        // 0 = the role's own
	value  credential.Sensitive // empty = Vault chooses
	now    time.Time            // Vault's clock; zero = not known
}

// Create implements providers.Provider. Everything that can fail without harm comes before the one request that
// creates; once the value is here nothing may lose it.
func (p *provider) Create(ctx context.Context, t providers.Target, r providers.Request) (providers.Issued, error) {
	work, cancel := context.WithTimeout(ctx, p.timing.Deadline)
	defer cancel()
	m, err := p.prepare(work, t, r)
	if err != nil {
		return providers.Issued{}, err
	}
	if p.own {
		if issued, done, lookErr := p.registered(work, m); done || lookErr != nil {
			return issued, lookErr
		}
	}
	resp, err := p.api.create(work, m.name, m.label, m.ttl, m.value)
	if p.own && err != nil && says(resp, "already registered") { // by another try, since the look above
		if issued, done, _ := p.registered(work, m); done {
			return issued, nil
		}
	}
	if err != nil {
		return unread(resp, err)
	}
	got, err := parseCreated(resp)
	if err != nil {
		return unread(resp, err)
	}
	return p.issued(ctx, m, got, resp.Time), nil
}

// prepare reads what a create needs. Its errors are definite: nothing has been made.
func (p *provider) prepare(ctx context.Context, t providers.Target, r providers.Request) (making, error) {
	m := making{name: t.Ref[refRole], label: r.Label, value: r.Proposed[FieldSecretID]}
	switch {
	case p.own && m.value.Empty():
		return m, p.refuse(providers.ClassRejected, errNoValue)
	case !p.own && len(r.Proposed) > 0:
		return m, p.refuse(providers.ClassUnsupported, errServerOnly)
	}
	kept, resp, err := p.usable(ctx, "create", m.name)
	if err != nil {
		return m, err
	}
	if m.roleID, err = p.roleID(ctx, "create", m.name, false); err != nil {
		return m, err
	}
	m.now = resp.Time
	var ok bool
	if m.ttl, ok = life(r.Expires, m.now, kept.TTL); !ok {
		return m, p.refuse(providers.ClassRejected, errPast)
	}
	return m, nil
}

func (p *provider) refuse(class providers.Class, cause error) error {
	return &providers.Error{Class: class, Provider: p.name, Operation: "create", Err: cause}
}

// life turns a wanted expiry into the life that Vault is asked for, by Vault's own clock and within what the role
// allows, because Vault refuses more. 0 = what the role says. ok = false: the expiry has passed.
func life(expires, now time.Time, most int64) (ttl time.Duration, ok bool) {
	if expires.IsZero() || now.IsZero() {
		return 0, true
	}
	ttl = expires.Sub(now).Truncate(time.Second)
	if ttl <= 0 {
		return 0, false
	}
	if limit := time.Duration(most) * time.Second; limit > 0 {
		ttl = min(ttl, limit)
	}
	return ttl, true
}

// registered looks whether rotad's own value is registered already: then an earlier try has done it.
func (p *provider) registered(ctx context.Context, m making) (issued providers.Issued, done bool, err error) {
	e, ok, err := p.api.lookup(ctx, "create", m.name, "secret_id", m.value.Reveal())
	if err != nil || !ok {
		return providers.Issued{}, false, err
	}
	if e.secret().Expired(m.now) {
		return providers.Issued{}, false, p.refuse(providers.ClassRejected, errSpent)
	}
	return providers.Issued{Secret: e.secret(), Bundle: bundle(m.roleID, m.value)}, true, nil
}

// unread keeps the body of a reply that could not be read.
func unread(resp *httpapi.Response, err error) (providers.Issued, error) {
	if providers.ClassOf(err) == providers.ClassNotUnderstood {
		return providers.Issued{Raw: resp.Raw()}, err
	}
	return providers.Issued{}, err
}

func parseCreated(resp *httpapi.Response) (created, error) {
	var r reply[created]
	if err := resp.Decode(&r); err != nil {
		return created{}, err
	}
	if r.Data.SecretID == "" || r.Data.Accessor == "" {
		return created{}, resp.Missing("secret_id and secret_id_accessor")
	}
	return r.Data, nil
}

// issued puts together what is known of a new SecretID. Its dates are read back; where that fails they follow from the
// reply, whose life is the true one: Vault shortens what is longer than the mount allows.
func (p *provider) issued(ctx context.Context, m making, got created, at time.Time) providers.Issued {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readBack)
	defer cancel()
	out := providers.Issued{
		Secret: got.secret(m.label, at), Bundle: bundle(m.roleID, credential.NewSensitive(got.SecretID)),
	}
	if e, ok, err := p.api.lookup(ctx, "create", m.name, "secret_id_accessor", got.Accessor); err == nil && ok {
		out.Secret = e.secret()
	}
	return out
}

func (c created) secret(label string, at time.Time) credential.Secret {
	s := credential.Secret{ID: c.Accessor, Start: at, Label: label, Never: c.TTL == 0}
	if c.TTL > 0 && !at.IsZero() {
		s.Expires = at.Add(time.Duration(c.TTL) * time.Second)
	}
	return s
}

// Decode implements providers.Decoder.
func (p *provider) Decode(t providers.Target, raw credential.Sensitive) (providers.Issued, error) {
	var r reply[created]
	err := httpapi.Unmarshal(raw, &r)
	if err == nil && (r.Data.SecretID == "" || r.Data.Accessor == "") {
		err = errIncomplete
	}
	if err != nil {
		return providers.Issued{}, &providers.Error{
			Class: providers.ClassNotUnderstood, Provider: p.name, Operation: "decode", Err: err,
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), roleLookup) //nolint:forbidigo // the interface has no context
	defer cancel()
	id, err := p.roleID(ctx, "decode", t.Ref[refRole], false)
	if err != nil {
		return providers.Issued{}, err
	}
	return providers.Issued{
		Secret: r.Data.secret("", time.Time{}), Bundle: bundle(id, credential.NewSensitive(r.Data.SecretID)),
	}, nil
}

var errIncomplete = errors.New("the reply lacks secret_id or secret_id_accessor")
