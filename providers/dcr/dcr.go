package dcr

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

const (
	// readBack is how long Create asks for what a reply left out.
	readBack = 10 * time.Second
	// vaultRead is how long a method without a context of its own may read Vault.
	vaultRead = 10 * time.Second
)

// provider is one server.
type provider struct {
	name          string
	never         bool // the server keeps a secret at an update, and whoever configured it knows
	api           api
	verifier      httpapi.Verifier
	introspection *httpapi.Verifier // nil = there is none
	timing        providers.Timing
}

var (
	_ providers.Recoverer = (*provider)(nil)
	_ providers.Decoder   = (*provider)(nil)
	_ providers.Timed     = (*provider)(nil)
)

var (
	errProposed = errors.New("the server chooses the value itself")
	errNoVault  = errors.New("the key to this client stands in Vault, which cannot be read here")
	errNoToken  = errors.New("Vault holds no registration access token for this client: " + //nolint:staticcheck // it begins with a name
		"write the one that came with its registration to registration_access_token of its path")
	errNoSecret = errors.New("the client does not authenticate with a secret")
	errHidden   = errors.New("the server does not show the secret")
	errOmitted  = errors.New("the server said yes and left the secret out, and whether the old one still works could not be found out")
	errNever    = errors.New("rotates: never is configured: this server keeps the secret at an update. " + instructions)
	errKept     = errors.New("the server kept the secret at the update: nothing was rotated, and the new token beside it is kept in Vault. " +
		"It will not do otherwise next time: configure rotates: never for this provider. " + instructions)
)

// instructions is what a person has to do where a server never makes a new secret.
const instructions = "A new secret has to come another way: from the server's own administration (rotad submit takes it), through " +
	"its own kind of provider if there is one, or by registering the client anew"

// Timing implements providers.Timed.
func (p *provider) Timing() providers.Timing { return p.timing }

// key takes what opens a client from Vault.
func (p *provider) key(ctx context.Context, operation string, t providers.Target) (key, error) {
	if t.Held == nil {
		return key{}, p.api.fault(operation, providers.ClassUnsupported, errNoVault)
	}
	held, err := t.Held(ctx)
	if err != nil {
		return key{}, p.api.fault(operation, providers.ClassUnavailable, fmt.Errorf("reading the key to this client: %w", err))
	}
	k := key{
		clientID: t.Ref[refClientID], uri: strings.TrimSpace(held[credential.FieldRegistrationURI].Reveal()),
		token: credential.NewSensitive(strings.TrimSpace(held[credential.FieldRegistrationToken].Reveal())), secret: held.Secret(),
	}
	if k.token.Empty() {
		return key{}, p.api.fault(operation, providers.ClassAuth, errNoToken)
	}
	return k, nil
}

// Inspect implements providers.Provider.
func (p *provider) Inspect(ctx context.Context, t providers.Target) (providers.Snapshot, error) {
	_, r, err := p.registered(ctx, "inspect", t)
	if err != nil {
		return providers.Snapshot{}, err
	}
	s := providers.Snapshot{Caps: p.capabilities(r), ClientID: r.clientID, Time: r.time}
	if current := p.describe(r, r.secret); current.ID != "" || !current.Expires.IsZero() {
		s.Secrets = []credential.Secret{current}
	}
	return s, nil
}

// registered reads a client's registration with the key from Vault, and refuses one whose secret nobody uses.
func (p *provider) registered(ctx context.Context, operation string, t providers.Target) (key, registration, error) {
	k, err := p.key(ctx, operation, t)
	if err != nil {
		return k, registration{}, err
	}
	r, err := p.api.read(ctx, operation, k)
	if err == nil && r.method != "" && !strings.HasPrefix(r.method, "client_secret") {
		err = p.api.fault(operation, providers.ClassUnsupported, errNoSecret)
	}
	return k, r, err
}

func (p *provider) capabilities(r registration) credential.Capabilities {
	shown := !r.secret.Empty()
	caps := credential.Capabilities{
		Mode: credential.ModeHardCutover, Reason: "an update of the registration replaces the secret (RFC 7592)",
		Readable: shown, StartReadable: shown, Slots: 1, HMAC: r.hmac,
	}
	if p.never {
		caps.Mode, caps.Slots, caps.Instructions = credential.ModeManual, 0, instructions
		caps.Reason = "this server keeps the secret at an update of the registration (rotates: never)"
	}
	return caps
}

// describe says what is known of a secret. A registration has no date of its secret's start, and no id.
func (p *provider) describe(r registration, secret credential.Sensitive) credential.Secret {
	s := credential.Secret{Slot: providers.SlotCurrent, Expires: r.expires, Never: r.never}
	if !secret.Empty() {
		s.ID = p.versionID(r.clientID, secret)
	}
	return s
}

// Create implements providers.Provider. Look and update share one deadline, so that the update is never sent later than
// the deadline after the call.
func (p *provider) Create(ctx context.Context, t providers.Target, r providers.Request) (providers.Issued, error) {
	switch {
	case len(r.Proposed) > 0:
		return providers.Issued{}, p.api.fault("create", providers.ClassUnsupported, errProposed)
	case p.never:
		return providers.Issued{}, p.api.fault("create", providers.ClassUnsupported, errNever)
	}
	ctx, cancel := context.WithTimeout(ctx, p.timing.Deadline)
	defer cancel()
	k, before, err := p.registered(ctx, "create", t)
	if err != nil {
		return providers.Issued{}, err
	}
	resp, err := p.api.update(ctx, k, before.metadata)
	if err == nil {
		return p.updated(ctx, t, k, before, resp)
	}
	if providers.ClassOf(err) == providers.ClassNotUnderstood {
		return providers.Issued{Raw: resp.Raw()}, err
	}
	return providers.Issued{}, err
}

// updated reads the reply to an update. From here on it must not be lost: it may hold the only copy of the next key.
func (p *provider) updated(
	ctx context.Context, t providers.Target, k key, before registration, resp *httpapi.Response,
) (providers.Issued, error) {
	after, err := p.api.decode(resp, providers.ClassNotUnderstood)
	if err == nil && after.clientID != "" && after.clientID != k.clientID {
		err = resp.Failed(providers.ClassNotUnderstood, errOther)
	}
	if err != nil {
		return providers.Issued{Raw: resp.Raw()}, err
	}
	known := before.secret
	if known.Empty() {
		known = k.secret
	}
	if after.secret.Empty() {
		if after.secret = p.leftOut(ctx, t, k.renewed(after)); after.secret.Empty() {
			return providers.Issued{Raw: resp.Raw()}, resp.Failed(providers.ClassNotUnderstood, errOmitted)
		}
	}
	issued := p.issued(k, after)
	if after.secret.Equal(known) {
		return issued, resp.Failed(providers.ClassUnsupported, kept(after))
	}
	return issued, nil
}

// kept says what a person can do where an update has kept the secret.
func kept(r registration) error {
	if r.expires.IsZero() {
		return errKept
	}
	return fmt.Errorf("the server kept the secret at the update: nothing was rotated, and the new token beside it is kept in Vault. The "+
		"secret ends at %s; if the server makes a new one only shortly before that, shorten rotate_before; if it never does, configure "+
		"rotates: never for this provider. %s", r.expires.Format(time.RFC3339), instructions)
}

// leftOut finds out which secret a client has after an update whose reply does not say it: the registration shows it, or
// the old one is still accepted. Empty = it could not be found out.
func (p *provider) leftOut(ctx context.Context, t providers.Target, k key) credential.Sensitive {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readBack)
	defer cancel()
	if r, err := p.api.read(ctx, "create", k); err == nil && !r.secret.Empty() {
		return r.secret
	}
	if k.secret.Empty() {
		return credential.Sensitive{}
	}
	old := credential.Bundle{credential.FieldClientID: credential.NewSensitive(k.clientID), credential.FieldClientSecret: k.secret}
	if got, err := p.Verify(ctx, t, old); err == nil && got == providers.Accepted {
		return k.secret
	}
	return credential.Sensitive{}
}

// issued puts together what Vault has to hold from now on: the secret, and the key for the next time.
func (p *provider) issued(k key, r registration) providers.Issued {
	r.clientID = k.clientID
	k = k.renewed(r)
	b := credential.Bundle{
		credential.FieldClientID: credential.NewSensitive(k.clientID), credential.FieldClientSecret: r.secret,
		credential.FieldRegistrationToken: k.token,
	}
	if k.uri != "" {
		b[credential.FieldRegistrationURI] = credential.NewSensitive(k.uri)
	}
	return providers.Issued{Secret: p.describe(r, r.secret), Bundle: b}
}

// Recover implements providers.Recoverer.
func (p *provider) Recover(ctx context.Context, t providers.Target) (providers.Issued, error) {
	k, r, err := p.registered(ctx, "recover", t)
	switch {
	case err != nil:
		return providers.Issued{}, err
	case r.secret.Empty():
		return providers.Issued{}, p.api.fault("recover", providers.ClassUnsupported, errHidden)
	}
	r.token = credential.Sensitive{} // the one that was used is still good
	return p.issued(k, r), nil
}

// Decode implements providers.Decoder. What the reply leaves out is as Vault holds it.
func (p *provider) Decode(t providers.Target, raw credential.Sensitive) (providers.Issued, error) {
	ctx, cancel := context.WithTimeout(context.Background(), vaultRead) //nolint:forbidigo // the interface has no context
	defer cancel()
	k, err := p.key(ctx, "decode", t)
	if err != nil {
		return providers.Issued{}, err
	}
	r, err := parse(raw)
	switch {
	case err == nil && r.clientID != "" && r.clientID != k.clientID:
		err = errOther
	case err == nil && r.secret.Empty():
		err = errHidden
	}
	if err != nil {
		return providers.Issued{}, p.api.fault("decode", providers.ClassNotUnderstood, err)
	}
	return p.issued(k, p.api.trusted(r)), nil
}

// Verify implements providers.Provider. It needs no key: it asks what a consumer asks.
func (p *provider) Verify(ctx context.Context, t providers.Target, b credential.Bundle) (providers.Answer, error) {
	if p.introspection != nil && t.Verify.Method == credential.VerifyIntrospection {
		return p.introspection.Verify(ctx, t.Verify, b)
	}
	return p.verifier.Verify(ctx, t.Verify, b)
}

// versionRounds makes guessing a weak, hand-made secret from its id as slow as it can be without slowing a scan down.
const versionRounds = 4096

// versionID names a version of a secret: a short, slow, salted digest of its value, which is all that names it.
func (p *provider) versionID(clientID string, value credential.Sensitive) string {
	salt := []byte("rotad dcr\x00" + p.api.url + "\x00" + clientID)
	sum, err := pbkdf2.Key(sha256.New, value.Reveal(), salt, versionRounds, 8)
	if err != nil {
		return "" // only in FIPS mode with a short key; a version without an id is never revoked
	}
	return "v" + hex.EncodeToString(sum)
}
