package keycloakkeys

import (
	"context"
	"crypto"
	"encoding/json"
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

// provider is one realm.
type provider struct {
	api       api
	algorithm keypair.Algorithm
	issuer    string
	now       func() time.Time
	verify    httpapi.Verifier
	timing    providers.Timing
	stranger  func() (crypto.Signer, error) // a key that Keycloak has never seen

	mu sync.Mutex // a set is read, changed and written by one at a time
}

var (
	_ providers.Revoker   = (*provider)(nil)
	_ providers.Generator = (*provider)(nil)
	_ providers.Checker   = (*provider)(nil)
	_ providers.Timed     = (*provider)(nil)
)

// Timing implements providers.Timed.
func (p *provider) Timing() providers.Timing { return p.timing }

// Inspect implements providers.Provider.
func (p *provider) Inspect(ctx context.Context, t providers.Target) (providers.Snapshot, error) {
	c, err := p.api.find(ctx, "inspect", t.Ref[refClientID])
	if err != nil {
		return providers.Snapshot{}, err
	}
	list := make([]credential.Secret, 0, len(c.keys))
	for _, k := range c.keys {
		list = append(list, k.secret())
	}
	return providers.Snapshot{
		Caps: credential.Capabilities{
			Mode: credential.ModeKeySet, Reason: "a client logs in with any key of its JWK Set", Labels: true, StartReadable: true, Repeatable: true,
			Disabled: !c.enabled,
		},
		ClientID: t.Ref[refClientID], Secrets: list, Time: c.time,
	}, nil
}

var (
	errNoPair = errors.New("a key pair of this client is made before Keycloak is told of it")
	errLast   = errors.New("it is the only key that the client logs in with, and stays")
)

// Generate implements providers.Generator.
func (p *provider) Generate(t providers.Target) (credential.Bundle, error) {
	key, err := keypair.Make(p.algorithm)
	if err != nil {
		return nil, p.api.fault("generate", providers.ClassRejected, err)
	}
	return keypair.Bundle(t.Ref[refClientID], p.algorithm, key)
}

// Create implements providers.Provider: it adds the public half to the set. The same one again changes nothing. The look and the update share
// one deadline, so that what somebody else changes in between is lost in as short a time as can be.
func (p *provider) Create(ctx context.Context, t providers.Target, r providers.Request) (providers.Issued, error) {
	if len(r.Proposed) == 0 {
		return providers.Issued{}, p.api.fault("create", providers.ClassUnsupported, errNoPair)
	}
	signer, algorithm, err := keypair.Of(r.Proposed)
	if err != nil {
		return providers.Issued{}, p.api.fault("create", providers.ClassRejected, err)
	}
	ctx, cancel := context.WithTimeout(ctx, p.timing.Deadline)
	defer cancel()
	p.mu.Lock()
	defer p.mu.Unlock()
	c, err := p.api.find(ctx, "create", t.Ref[refClientID])
	if err != nil {
		return providers.Issued{}, err
	}
	fresh, raw, err := published(signer, algorithm, p.now(), r.Label)
	if err != nil {
		return providers.Issued{}, p.api.fault("create", providers.ClassRejected, err)
	}
	if i := slices.IndexFunc(c.keys, func(k key) bool { return k.ID == fresh.ID }); i >= 0 {
		return providers.Issued{Secret: c.keys[i].secret(), Bundle: r.Proposed}, nil
	}
	resp, err := p.api.replace(ctx, "create", c, append(slices.Clone(c.raw), raw))
	if providers.ClassOf(err) == providers.ClassNotUnderstood {
		return providers.Issued{Raw: resp.Raw()}, err
	}
	if err != nil {
		return providers.Issued{}, err
	}
	return providers.Issued{Secret: fresh.secret(), Bundle: r.Proposed}, nil
}

// Revoke implements providers.Revoker: it takes a key out of the set.
func (p *provider) Revoke(ctx context.Context, t providers.Target, id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, err := p.api.find(ctx, "revoke", t.Ref[refClientID])
	switch {
	case providers.ClassOf(err) == providers.ClassNotFound: // with the client all of its keys are gone
		return nil
	case err != nil:
		return err
	}
	i := slices.IndexFunc(c.keys, func(k key) bool { return k.ID == id })
	switch {
	case i < 0:
		return nil
	case len(c.keys) == 1:
		return p.api.fault("revoke", providers.ClassConflict, errLast)
	}
	_, err = p.api.replace(ctx, "revoke", c, slices.Delete(slices.Clone(c.raw), i, i+1))
	return err
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
	return p.verify.VerifyAs(ctx, t.Verify, func(r *httpapi.Request) { maps.Copy(r.Form, proof) })
}

// nobody is a client that does not exist.
const nobody = "rotad-asks-for-nobody"

// Check implements providers.Checker. It asks for a client that does not exist.
func (p *provider) Check(ctx context.Context) []providers.Finding {
	_, err := p.api.find(ctx, "check", nobody)
	switch providers.ClassOf(err) {
	case "", providers.ClassNotFound:
		return nil
	case providers.ClassAuth:
		return []providers.Finding{{
			Problem: true, Refused: true, What: err.Error(), Hint: "rotad's service account needs the role manage-clients of realm-management",
		}}
	default:
		return []providers.Finding{{Problem: true, What: err.Error(), Hint: "is url that of the server, and realm one of its realms?"}}
	}
}

// key is what rotad reads of one key of a set: RFC 7517 section 4 lets a set carry more members, which readers ignore.
type key struct {
	ID    string `json:"kid"`
	Since int64  `json:"rotad_since,omitempty"` // seconds since 1970
	Label string `json:"rotad_label,omitempty"`
}

func (k key) secret() credential.Secret {
	s := credential.Secret{ID: k.ID, Label: k.Label, Never: true}
	if k.Since > 0 {
		s.Start = time.Unix(k.Since, 0).UTC()
	}
	return s
}

// published describes a public key as it is added to a set.
func published(signer crypto.Signer, algorithm keypair.Algorithm, since time.Time, label string) (key, json.RawMessage, error) {
	members, id, err := keypair.JWK(signer.Public(), algorithm)
	if err != nil {
		return key{}, nil, err
	}
	members["rotad_since"], members["rotad_label"] = since.Unix(), label
	raw, err := json.Marshal(members)
	return key{ID: id, Since: since.Unix(), Label: label}, raw, err
}
