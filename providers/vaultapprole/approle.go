package vaultapprole

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

const (
	// DefaultPropagation bounds how long a standby that answers reads may lag behind.
	DefaultPropagation = 10 * time.Second
	// readBack is how long Create asks for the dates of a SecretID, once it has the value.
	readBack = 10 * time.Second
	// roleLookup is how long a method without a context of its own may ask for a role id.
	roleLookup = 10 * time.Second
)

// provider is one AppRole mount.
type provider struct {
	name   string
	own    bool // rotad chooses the values
	api    api
	timing providers.Timing

	mu    sync.Mutex
	roles map[string]string // role ids by role name: they are names, and hardly ever change
}

var (
	_ providers.Revoker = (*provider)(nil)
	_ providers.Decoder = (*provider)(nil)

	_ providers.RightsReader = (*provider)(nil)
	_ providers.Generator    = (*provider)(nil)
	_ providers.Checker      = (*provider)(nil)
	_ providers.Timed        = (*provider)(nil)
)

var (
	errUnbound     = errors.New("the role lets anyone log in without a SecretID (bind_secret_id is false)")
	errLimitedUses = errors.New("the role limits the uses of a SecretID (secret_id_num_uses must be 0), so verifying one would use it up")
)

// Timing implements providers.Timed.
func (p *provider) Timing() providers.Timing { return p.timing }

// usable reads a role and refuses one whose SecretIDs cannot be rotated.
func (p *provider) usable(ctx context.Context, operation, name string) (role, *httpapi.Response, error) {
	r, resp, err := p.api.role(ctx, operation, name)
	switch {
	case err != nil:
		return r, resp, err
	case r.Bound != nil && !*r.Bound:
		return r, resp, resp.Failed(providers.ClassUnsupported, errUnbound)
	case r.NumUses != 0:
		return r, resp, resp.Failed(providers.ClassUnsupported, errLimitedUses)
	}
	return r, resp, nil
}

// roleID returns the role id of a role. Fresh = true asks Vault even if it is known.
func (p *provider) roleID(ctx context.Context, operation, name string, fresh bool) (string, error) {
	p.mu.Lock()
	known := p.roles[name]
	p.mu.Unlock()
	if known != "" && !fresh {
		return known, nil
	}
	id, err := p.api.roleID(ctx, operation, name)
	if err != nil {
		return "", err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.roles[name] = id
	return id, nil
}

// Inspect implements providers.Provider.
func (p *provider) Inspect(ctx context.Context, t providers.Target) (providers.Snapshot, error) {
	name := t.Ref[refRole]
	_, resp, err := p.usable(ctx, "inspect", name)
	if err != nil {
		return providers.Snapshot{}, err
	}
	id, err := p.roleID(ctx, "inspect", name, true)
	if err != nil {
		return providers.Snapshot{}, err
	}
	list, err := p.secrets(ctx, name)
	if err != nil {
		return providers.Snapshot{}, err
	}
	return providers.Snapshot{Caps: p.capabilities(), ClientID: id, Secrets: list, Time: resp.Time}, nil
}

func (p *provider) capabilities() credential.Capabilities {
	caps := credential.Capabilities{
		Mode: credential.ModeTwoSlot, Reason: "a role holds any number of SecretIDs", StartReadable: true, Labels: true,
		SetsExpiry: true,
	}
	if p.own {
		caps.Mode, caps.Repeatable = credential.ModeCaller, true
	}
	return caps
}

// secrets lists the SecretIDs of a role, newest first. One that goes away meanwhile is left out.
func (p *provider) secrets(ctx context.Context, name string) ([]credential.Secret, error) {
	accessors, err := p.api.accessors(ctx, "inspect", name)
	if err != nil {
		return nil, err
	}
	list := make([]credential.Secret, 0, len(accessors))
	for _, accessor := range accessors {
		e, ok, err := p.api.lookup(ctx, "inspect", name, "secret_id_accessor", accessor)
		if err != nil {
			return nil, err
		}
		if ok {
			list = append(list, e.secret())
		}
	}
	slices.SortStableFunc(list, func(a, b credential.Secret) int { return b.Start.Compare(a.Start) })
	return list, nil
}

// Generate implements providers.Generator. The role id belongs to the bundle; it is asked for if it is not known yet.
func (p *provider) Generate(t providers.Target) (credential.Bundle, error) {
	ctx, cancel := context.WithTimeout(context.Background(), roleLookup) //nolint:forbidigo // the interface has no context
	defer cancel()
	id, err := p.roleID(ctx, "generate", t.Ref[refRole], false)
	if err != nil {
		return nil, err
	}
	return bundle(id, credential.NewSensitive(rand.Text()+rand.Text())), nil // 2 x 130 bits
}

func bundle(roleID string, secret credential.Sensitive) credential.Bundle {
	return credential.Bundle{FieldRoleID: credential.NewSensitive(roleID), FieldSecretID: secret}
}

// Verify implements providers.Provider: it logs in, and revokes the token that this yields.
func (p *provider) Verify(
	ctx context.Context, t providers.Target, b credential.Bundle,
) (providers.Answer, error) {
	id := b[FieldRoleID].Reveal()
	if id == "" {
		known, err := p.roleID(ctx, "verify", t.Ref[refRole], false)
		if err != nil {
			return providers.Unknown, err
		}
		id = known
	}
	got, resp, err := p.api.login(ctx, "verify", id, b[FieldSecretID])
	switch {
	case err == nil && got.Token != "":
		p.api.logout(ctx, got.Token)
		return providers.Accepted, nil
	case err == nil && len(got.MFA) > 0 && string(got.MFA) != "null": // the first factor was right
		return providers.Accepted, nil
	case err == nil:
		return providers.Unknown, resp.Missing("client_token")
	case says(resp, "invalid role or secret ID"):
		return providers.Refused, nil
	case says(resp, "through CIDR restrictions"): // Vault looks at the address only after it has found the SecretID
		return providers.Accepted, nil
	case providers.ClassOf(err) == providers.ClassAuth: // about the login, not about rotad's own token
		return providers.Unknown, resp.Failed(providers.ClassUnavailable, nil)
	}
	return providers.Unknown, err
}

// Revoke implements providers.Revoker. An accessor names one SecretID and is never used again.
func (p *provider) Revoke(ctx context.Context, t providers.Target, id string) error {
	return p.api.destroy(ctx, t.Ref[refRole], id)
}
