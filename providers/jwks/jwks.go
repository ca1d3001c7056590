package jwks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/keypair"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// refClient is the field of a client's ref: its client_id.
const refClient = "client_id"

// provider publishes the keys of clients in one directory.
type provider struct {
	name      string
	directory string
	algorithm keypair.Algorithm
	audience  string
	maxAge    time.Duration
	now       func() time.Time
	verify    httpapi.Verifier
	timing    providers.Timing

	mu sync.Mutex // a set is read, changed and replaced by one at a time
}

var (
	_ providers.Revoker   = (*provider)(nil)
	_ providers.Generator = (*provider)(nil)
	_ providers.Checker   = (*provider)(nil)
	_ providers.Timed     = (*provider)(nil)
	_ providers.Publisher = (*provider)(nil)
)

// Timing implements providers.Timed. Its Propagation is how long who checks signatures may keep an older set.
func (p *provider) Timing() providers.Timing { return p.timing }

func (p *provider) fault(operation string, class providers.Class, cause error) error {
	return &providers.Error{Class: class, Provider: p.name, Operation: operation, Err: cause}
}

var (
	errNoRef  = errors.New("the client's ref names no client_id")
	errNoPair = errors.New("a key pair of this client is made before it is published")
)

func (p *provider) client(operation string, t providers.Target) (string, error) {
	if id := t.Ref[refClient]; id != "" {
		return id, nil
	}
	return "", p.fault(operation, providers.ClassNotFound, errNoRef)
}

// Inspect implements providers.Provider: it lists what is published.
func (p *provider) Inspect(_ context.Context, t providers.Target) (providers.Snapshot, error) {
	client, err := p.client("inspect", t)
	if err != nil {
		return providers.Snapshot{}, err
	}
	_, entries, err := p.load(client)
	if err != nil {
		return providers.Snapshot{}, p.fault("inspect", providers.ClassUnavailable, err)
	}
	snap := providers.Snapshot{ClientID: client, Caps: credential.Capabilities{
		Mode: credential.ModeKeySet, Reason: "both public keys are published while both are in use", Labels: true, StartReadable: true, Repeatable: true,
	}}
	for _, e := range entries {
		snap.Secrets = append(snap.Secrets, e.secret())
	}
	return snap, nil
}

// Generate implements providers.Generator.
func (p *provider) Generate(t providers.Target) (credential.Bundle, error) {
	client, err := p.client("generate", t)
	if err != nil {
		return nil, err
	}
	key, err := keypair.Make(p.algorithm)
	if err != nil {
		return nil, p.fault("generate", providers.ClassRejected, err)
	}
	return keypair.Bundle(client, p.algorithm, key)
}

// Create implements providers.Provider: it publishes the public half of a pair. The same one again changes nothing.
func (p *provider) Create(_ context.Context, t providers.Target, r providers.Request) (providers.Issued, error) {
	client, err := p.client("create", t)
	if err != nil {
		return providers.Issued{}, err
	}
	if len(r.Proposed) == 0 {
		return providers.Issued{}, p.fault("create", providers.ClassUnsupported, errNoPair)
	}
	key, algorithm, err := keypair.Of(r.Proposed)
	if err != nil {
		return providers.Issued{}, p.fault("create", providers.ClassRejected, err)
	}
	id, err := keypair.Thumbprint(key.Public())
	if err != nil {
		return providers.Issued{}, p.fault("create", providers.ClassRejected, err)
	}
	made, err := p.add(client, jose.JSONWebKey{Key: key.Public(), KeyID: id, Use: "sig", Algorithm: string(algorithm)}, r.Label)
	if err != nil {
		return providers.Issued{}, err
	}
	return providers.Issued{Secret: made, Bundle: r.Proposed}, nil
}

func (p *provider) add(client string, key jose.JSONWebKey, label string) (credential.Secret, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, entries, err := p.load(client)
	if err != nil {
		return credential.Secret{}, p.fault("create", providers.ClassUnavailable, err)
	}
	if i := slices.IndexFunc(entries, func(e entry) bool { return e.ID == key.KeyID }); i >= 0 {
		return entries[i].secret(), nil
	}
	since := p.now()
	raw, err := published(key, since, label)
	if err != nil {
		return credential.Secret{}, p.fault("create", providers.ClassRejected, err)
	}
	s.Keys = append(s.Keys, raw)
	if err := p.store(client, s); err != nil { // it may stand there all the same; the next look tells
		return credential.Secret{}, p.fault("create", providers.ClassIndeterminate, err)
	}
	return entry{ID: key.KeyID, Since: since.Unix(), Label: label}.secret(), nil
}

// Revoke implements providers.Revoker: it drops a public key.
func (p *provider) Revoke(_ context.Context, t providers.Target, id string) error {
	client, err := p.client("revoke", t)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s, entries, err := p.load(client)
	if err != nil {
		return p.fault("revoke", providers.ClassUnavailable, err)
	}
	i := slices.IndexFunc(entries, func(e entry) bool { return e.ID == id })
	if i < 0 {
		return nil
	}
	s.Keys = slices.Delete(slices.Clone(s.Keys), i, i+1)
	if s.Keys == nil {
		s.Keys = []json.RawMessage{}
	}
	if err := p.store(client, s); err != nil {
		return p.fault("revoke", providers.ClassIndeterminate, err)
	}
	return nil
}

// Check implements providers.Checker: the directory can be written.
func (p *provider) Check(context.Context) []providers.Finding {
	f, err := os.CreateTemp(p.directory, ".check-*")
	if err == nil {
		err = errors.Join(f.Close(), os.Remove(f.Name()))
	}
	if err == nil {
		return nil
	}
	return []providers.Finding{{
		Problem: true, Rotation: true, What: fmt.Sprintf("the directory of the public keys cannot be written: %v", err),
		Hint: "make it, and give it to the user that rotad runs as: install -d -o rotad -m 755 " + p.directory,
	}}
}
