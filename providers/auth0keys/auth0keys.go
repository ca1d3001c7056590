package auth0keys

import (
	"context"
	"crypto"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/keypair"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// refClientID is the one field of a client's ref.
const refClientID = "client_id"

// slots is how many keys an application may have; Auth0 does not raise it.
const slots = 2

// provider is one tenant.
type provider struct {
	api       api
	tokens    *httpapi.Tokens
	algorithm keypair.Algorithm
	issuer    string // what proofs are made for
	audience  string // identifier of the API that tokens are asked for
	now       func() time.Time
	verify    httpapi.Verifier
	timing    providers.Timing
	stranger  func() (crypto.Signer, error) // a key that Auth0 has never seen

	mu sync.Mutex // the list of keys in use is read, changed and written by one at a time
}

var (
	_ providers.Revoker      = (*provider)(nil)
	_ providers.Generator    = (*provider)(nil)
	_ providers.Checker      = (*provider)(nil)
	_ providers.RightsReader = (*provider)(nil)
	_ providers.Timed        = (*provider)(nil)
)

// Timing implements providers.Timed.
func (p *provider) Timing() providers.Timing { return p.timing }

// Inspect implements providers.Provider. A key that is not in use is listed as well: it takes one of the two places.
func (p *provider) Inspect(ctx context.Context, t providers.Target) (providers.Snapshot, error) {
	id := t.Ref[refClientID]
	keys, at, err := p.api.keys(ctx, "inspect", id)
	if err == nil {
		_, err = p.api.inUse(ctx, "inspect", id)
	}
	if err != nil {
		return providers.Snapshot{}, err
	}
	list := make([]credential.Secret, 0, len(keys))
	for _, k := range keys {
		list = append(list, k.secret())
	}
	slices.SortStableFunc(list, func(a, b credential.Secret) int { return b.Start.Compare(a.Start) })
	return providers.Snapshot{
		Caps: credential.Capabilities{
			Mode: credential.ModeKeySet, Reason: "an application logs in with up to two keys, each with an id", Labels: true, StartReadable: true,
			SetsExpiry: true, Repeatable: true, Slots: slots,
		},
		ClientID: id, Secrets: list, Time: at,
	}, nil
}

var (
	errNoPair = errors.New("a key pair of this application is made before Auth0 is told of it")
	errFull   = errors.New("the application has two keys already: delete the one that nobody uses (Applications, the application, Credentials)")
	errLast   = errors.New("it is the only key that the application logs in with, and stays")
	errGone   = errors.New("Auth0 has taken the key, and does not list it yet")
)

// Generate implements providers.Generator.
func (p *provider) Generate(t providers.Target) (credential.Bundle, error) {
	key, err := keypair.Make(p.algorithm)
	if err != nil {
		return nil, p.api.fault("generate", providers.ClassRejected, err)
	}
	return keypair.Bundle(t.Ref[refClientID], p.algorithm, key)
}

// Create implements providers.Provider: it uploads the public half and lets the application use it beside the old one. A key that is there
// already is not uploaded again.
func (p *provider) Create(ctx context.Context, t providers.Target, r providers.Request) (providers.Issued, error) {
	if len(r.Proposed) == 0 {
		return providers.Issued{}, p.api.fault("create", providers.ClassUnsupported, errNoPair)
	}
	signer, algorithm, err := keypair.Of(r.Proposed)
	if err != nil {
		return providers.Issued{}, p.api.fault("create", providers.ClassRejected, err)
	}
	fresh, err := publicKey(signer, algorithm, r)
	if err != nil {
		return providers.Issued{}, p.api.fault("create", providers.ClassRejected, err)
	}
	ctx, cancel := context.WithTimeout(ctx, p.timing.Deadline)
	defer cancel()
	p.mu.Lock()
	defer p.mu.Unlock()
	id := t.Ref[refClientID]
	used, err := p.api.inUse(ctx, "create", id)
	if err != nil {
		return providers.Issued{}, err
	}
	made, err := p.upload(ctx, id, fresh, used)
	if err != nil {
		return providers.Issued{}, err
	}
	if !slices.Contains(used, made.ID) {
		resp, err := p.api.use(ctx, "create", id, append(used, made.ID))
		if providers.ClassOf(err) == providers.ClassNotUnderstood {
			return providers.Issued{Raw: resp.Raw()}, err
		}
		if err != nil {
			return providers.Issued{}, err
		}
	}
	return providers.Issued{Secret: made.secret(), Bundle: r.Proposed}, nil
}

// upload returns the key as Auth0 lists it, uploaded if it was not there. Nobody can log in with it yet, so an answer that is not understood is
// no loss: the list tells. Room is made by a key that an earlier create has left without taking it into use.
func (p *provider) upload(ctx context.Context, id string, fresh upload, used []string) (listedKey, error) {
	keys, _, err := p.api.keys(ctx, "create", id)
	if err != nil {
		return listedKey{}, err
	}
	if k, there := find(keys, fresh.KeyID); there {
		return k, nil
	}
	if len(keys) >= slots {
		i := slices.IndexFunc(keys, func(k listedKey) bool { return k.unfinished(used) })
		if i < 0 {
			return listedKey{}, p.api.fault("create", providers.ClassQuota, errFull)
		}
		if err = p.api.remove(ctx, "create", id, keys[i].ID); err != nil {
			return listedKey{}, err
		}
	}
	made, err := p.api.upload(ctx, id, fresh)
	if providers.ClassOf(err) != providers.ClassNotUnderstood {
		return made, err
	}
	if keys, _, err = p.api.keys(ctx, "create", id); err != nil {
		return listedKey{}, err
	}
	k, there := find(keys, fresh.KeyID)
	if !there {
		return listedKey{}, p.api.fault("create", providers.ClassUnavailable, errGone)
	}
	return k, nil
}

// Verify implements providers.Provider: it logs in with a fresh proof. What is no key is asked about as well, with one that nobody knows: a
// server that lets that in accepts anything.
func (p *provider) Verify(ctx context.Context, t providers.Target, b credential.Bundle) (providers.Answer, error) {
	signer, algorithm, err := keypair.Of(b)
	if err != nil {
		algorithm = p.algorithm
		if signer, err = p.stranger(); err != nil {
			return providers.Unknown, p.api.fault("verify", providers.ClassRejected, err)
		}
	}
	proof, err := keypair.Proof{
		Client: t.Ref[refClientID], KeyID: b[credential.FieldKeyID].Reveal(), Audience: p.issuer, Now: p.now(),
	}.Sign(signer, algorithm)
	if err != nil {
		return providers.Unknown, p.api.fault("verify", providers.ClassRejected, err)
	}
	return p.verify.VerifyAs(ctx, t.Verify, func(r *httpapi.Request) {
		maps.Copy(r.Form, proof)
		r.Form.Set("audience", p.audience)
	})
}

// Revoke implements providers.Revoker. Auth0 deletes no key that is in use, so it is taken out of use before.
func (p *provider) Revoke(ctx context.Context, t providers.Target, id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	client := t.Ref[refClientID]
	keys, _, err := p.api.keys(ctx, "revoke", client)
	switch {
	case providers.ClassOf(err) == providers.ClassNotFound: // with the application all of its keys are gone
		return nil
	case err != nil:
		return err
	}
	old, there := find(keys, id)
	if !there {
		return nil
	}
	used, err := p.api.inUse(ctx, "revoke", client)
	if err != nil {
		return err
	}
	if i := slices.Index(used, old.ID); i >= 0 {
		if used = slices.Delete(used, i, i+1); len(used) == 0 {
			return p.api.fault("revoke", providers.ClassConflict, errLast)
		}
		if _, err = p.api.use(ctx, "revoke", client, used); err != nil {
			return err
		}
	}
	return p.api.remove(ctx, "revoke", client, old.ID)
}

// nobody is the id of an application that does not exist.
const nobody = "rotad-asks-for-nobody"

// Check implements providers.Checker. It asks for the keys of an application that does not exist.
func (p *provider) Check(ctx context.Context) []providers.Finding {
	_, _, err := p.api.keys(ctx, "check", nobody)
	switch providers.ClassOf(err) {
	case "", providers.ClassNotFound:
		return nil
	case providers.ClassAuth:
		return []providers.Finding{{
			Problem: true, Refused: true, What: err.Error(), Hint: "rotad's application has to be granted the Management API with " + look,
		}}
	default:
		return []providers.Finding{{Problem: true, What: err.Error(), Hint: "is url that of the tenant, https://TENANT.REGION.auth0.com?"}}
	}
}
