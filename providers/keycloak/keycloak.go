package keycloak

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Name of the kind.
const Name = "keycloak"

// Defaults of a provider of this kind.
const (
	// DefaultPropagation bounds how long the nodes of a cluster may disagree: their caches are invalidated at once.
	DefaultPropagation = 30 * time.Second
	// readBack is how long Create asks for the dates of the new secret, once it has the value.
	readBack = 10 * time.Second
)

// Settings of a provider of this kind.
type Settings struct {
	// URL of the server, with the relative path if it has one: https://sso.example.com or https://sso.example.com/auth.
	URL string `yaml:"url" required:"true" format:"url" doc:"URL of the server, with its relative path if it has one."`
	// Realm whose clients are rotated.
	Realm string `yaml:"realm" required:"true" doc:"Realm whose clients are rotated."`
	// LoginRealm is the realm of rotad's own account; empty = Realm.
	LoginRealm string `yaml:"login_realm" doc:"Realm of rotad's own account; empty = realm."`
	// ClientID of rotad's own account: a confidential client with a service account.
	ClientID string `yaml:"client_id" required:"true" doc:"Client id of rotad's own account."`
	// ClientSecretFile is the file that holds its secret. It is read at every login.
	ClientSecretFile string `yaml:"client_secret_file" required:"true" doc:"File that holds its secret."`
	// ClientSecretEnv is the environment variable that holds its secret.
	ClientSecretEnv string `yaml:"client_secret_env" doc:"Environment variable that holds its secret."`
}

// Kind describes the kind to the composition root.
func Kind() providers.Kind {
	return providers.Kind{
		Name:     Name,
		Summary:  "confidential clients of a Keycloak realm",
		Modes:    []string{string(credential.ModeGraceWindow), string(credential.ModeHardCutover)},
		Fields:   []string{credential.FieldClientID, credential.FieldClientSecret},
		Ref:      []string{refClientID},
		Rights:   "realm-management: manage-clients; view-realm shows which policy covers a client",
		Traits:   providers.Traits{Value: providers.ChosenByProvider, Live: "2 with a rotation policy, else 1", Lists: true, Revokes: true, Walks: true, Instead: instead()},
		Settings: func() any { return &Settings{} },
		Open:     open,
	}
}

const refClientID = "client_id"

// provider is one realm.
type provider struct {
	name     string
	api      api
	pages    api // the same, for replies of a megabyte and more
	account  account
	verifier httpapi.Verifier
	timing   providers.Timing
}

var (
	_ providers.Recoverer = (*provider)(nil)
	_ providers.Revoker   = (*provider)(nil)
	_ providers.Decoder   = (*provider)(nil)
	_ providers.Checker   = (*provider)(nil)
	_ providers.Lister    = (*provider)(nil)
	_ providers.Timed     = (*provider)(nil)

	_ providers.RightsReader = (*provider)(nil)
)

func open(o providers.Opening) (providers.Provider, error) {
	s, ok := o.Settings.(*Settings)
	if !ok {
		return nil, fmt.Errorf("opening %s: the settings are a %T", o.Name, o.Settings)
	}
	config := httpapi.Config{
		Provider: o.Name, Base: s.URL, Headers: o.Headers, Transport: o.Transport, Deadline: o.Deadline,
	}
	anonymous, err := httpapi.New(config)
	if err != nil {
		return nil, fmt.Errorf("opening %s: url: %w", o.Name, err)
	}
	loginRealm := s.LoginRealm
	if loginRealm == "" {
		loginRealm = s.Realm
	}
	login := httpapi.ClientCredentials{
		Client: anonymous, Path: tokenPath(loginRealm), ClientID: s.ClientID,
		Secret: func() (string, error) { return o.Secret("client_secret") },
	}
	config.Tokens = httpapi.NewTokens(login.Login, o.Elapsed)
	admin, err := httpapi.New(config)
	if err != nil {
		return nil, fmt.Errorf("opening %s: url: %w", o.Name, err)
	}
	config.Limit, config.Timeout = pageLimit, listTimeout
	pages, err := httpapi.New(config)
	if err != nil {
		return nil, fmt.Errorf("opening %s: url: %w", o.Name, err)
	}
	p := &provider{
		name: o.Name, api: api{http: admin, realm: s.Realm}, pages: api{http: pages, realm: s.Realm},
		account: account{tokens: config.Tokens, client: s.ClientID, login: loginRealm, realm: s.Realm},
	}
	p.verifier = httpapi.Verifier{
		Client: anonymous, Token: tokenPath(s.Realm), Introspect: tokenPath(s.Realm) + "/introspect", Classify: answer,
	}
	p.timing = providers.Timing{Deadline: admin.Deadline(), Propagation: o.Propagation}
	if p.timing.Propagation == 0 {
		p.timing.Propagation = DefaultPropagation
	}
	return p, nil
}

// Timing implements providers.Timed.
func (p *provider) Timing() providers.Timing { return p.timing }

// Inspect implements providers.Provider.
func (p *provider) Inspect(ctx context.Context, t providers.Target) (providers.Snapshot, error) {
	c, err := p.api.find(ctx, "inspect", t.Ref[refClientID])
	if err != nil {
		return providers.Snapshot{}, err
	}
	if err = p.rotatable(c, "inspect"); err != nil {
		return providers.Snapshot{}, err
	}
	cover, err := p.coverage(ctx, c)
	if err != nil {
		return providers.Snapshot{}, err
	}
	caps := capabilities(c, cover, t.Grace)
	return providers.Snapshot{Caps: caps, ClientID: c.clientID, Secrets: c.secrets(p.api.realm, caps.Mode), Time: c.time}, nil
}

// capabilities says what the policies, or the client's own dates, let one expect of a POST.
func capabilities(c client, cover coverage, stated time.Duration) credential.Capabilities {
	caps := credential.Capabilities{
		Mode: credential.ModeHardCutover, Reason: cover.reason, Readable: !c.secret.Empty(), StartReadable: !c.secret.Empty(),
		Slots: 1, HMAC: c.hmac(), Disabled: !c.enabled,
	}
	if !cover.covered {
		return caps
	}
	caps.Mode, caps.Slots, caps.SlotRevoke = credential.ModeGraceWindow, 2, true
	caps.Grace = cover.grace
	if caps.Grace == 0 {
		caps.Grace = c.lastGrace()
	}
	if caps.Grace == 0 {
		caps.Grace = stated
	}
	return caps
}

var (
	errProposed = errors.New("Keycloak chooses the value itself") //nolint:staticcheck // it begins with a name
	errPublic   = errors.New("the client is public, so it has no secret")
	errBearer   = errors.New("the client is bearer-only, so it never presents its secret")
	errNoSecret = errors.New("the client does not authenticate with a secret")
	errSAML     = errors.New("the client does not speak OpenID Connect")
	errDisabled = errors.New("the client is disabled, so a new secret could not be verified")
)

// rotatable refuses clients whose secret nobody uses. Keycloak itself would answer such a POST with 200.
func (p *provider) rotatable(c client, operation string) error {
	if why := c.unusable(); why != nil {
		return p.unsupported(operation, why)
	}
	return nil
}

// unusable says why nobody uses the secret of a client; nil = somebody may.
func (c client) unusable() error {
	switch {
	case c.public:
		return errPublic
	case c.bearerOnly:
		return errBearer
	case c.protocol != "" && c.protocol != "openid-connect":
		return errSAML
	case c.authenticator != "" && c.authenticator != "client-secret" && c.authenticator != "client-secret-jwt":
		return errNoSecret
	}
	return nil
}

func (p *provider) unsupported(operation string, cause error) error {
	return &providers.Error{Class: providers.ClassUnsupported, Provider: p.name, Operation: operation, Err: cause}
}

// Create implements providers.Provider. Once the value is here nothing may lose it: what cannot be read afterwards is
// left out.
func (p *provider) Create(ctx context.Context, t providers.Target, r providers.Request) (providers.Issued, error) {
	if len(r.Proposed) > 0 {
		return providers.Issued{}, p.unsupported("create", errProposed)
	}
	c, resp, err := p.rotate(ctx, t)
	if err != nil {
		if providers.ClassOf(err) == providers.ClassNotUnderstood {
			return providers.Issued{Raw: resp.Raw()}, err
		}
		return providers.Issued{}, err
	}
	value, err := issuedValue(resp)
	if err != nil {
		return providers.Issued{Raw: resp.Raw()}, err
	}
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), readBack)
	defer cancel()
	fresh, err := p.api.read(after, "create", c.uuid)
	if err != nil {
		fresh = c.without()
	}
	return p.issued(t, fresh, value), nil
}

// rotate sends the one request that creates, after a look at the client and within the deadline of a create.
func (p *provider) rotate(ctx context.Context, t providers.Target) (client, *httpapi.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, p.timing.Deadline)
	defer cancel()
	c, err := p.api.find(ctx, "create", t.Ref[refClientID])
	if err != nil {
		return c, nil, err
	}
	if err = p.rotatable(c, "create"); err != nil {
		return c, nil, err
	}
	if !c.enabled {
		return c, nil, &providers.Error{
			Class: providers.ClassRejected, Provider: p.name, Operation: "create", Err: errDisabled,
		}
	}
	resp, err := p.api.rotate(ctx, c.uuid)
	return c, resp, err
}

// issued puts together what is known of a value. The dates are those of the client as it was read afterwards, and
// count only if that client still has this value.
func (p *provider) issued(t providers.Target, c client, value credential.Sensitive) providers.Issued {
	id := t.Ref[refClientID]
	out := providers.Issued{
		Secret: credential.Secret{ID: versionID(p.api.realm, id, value), Slot: providers.SlotCurrent},
		Bundle: credential.Bundle{
			credential.FieldClientID: credential.NewSensitive(id), credential.FieldClientSecret: value,
		},
	}
	if !c.secret.Equal(value) {
		return out
	}
	out.Secret.Start, out.Secret.Expires = c.created, c.expires
	out.OldDies = c.rotatedExpires
	if c.rotated.Empty() && !c.rotatedHidden {
		out.OldDies = c.created // nothing is kept: the old one died when this one was born
	}
	return out
}

// Decode implements providers.Decoder.
func (p *provider) Decode(t providers.Target, raw credential.Sensitive) (providers.Issued, error) {
	value, err := valueIn(raw)
	if err != nil {
		return providers.Issued{}, &providers.Error{
			Class: providers.ClassNotUnderstood, Provider: p.name, Operation: "decode", Err: err,
		}
	}
	return p.issued(t, client{}, value), nil
}

// Recover implements providers.Recoverer. Value and dates come from one reading, so they belong together.
func (p *provider) Recover(ctx context.Context, t providers.Target) (providers.Issued, error) {
	c, err := p.api.find(ctx, "recover", t.Ref[refClientID])
	if err != nil {
		return providers.Issued{}, err
	}
	if err = p.rotatable(c, "recover"); err != nil {
		return providers.Issued{}, err
	}
	if c.secret.Empty() {
		if c.secret, err = p.api.secret(ctx, "recover", c.uuid); err != nil {
			return providers.Issued{}, err
		}
	}
	return p.issued(t, c, c.secret), nil
}

var (
	errOtherSlot = errors.New("this secret is the current one, and the current one is never revoked")
	errHidden    = errors.New("the replaced secret may not be seen, so nobody can tell which one it is")
)

// Revoke implements providers.Revoker. Keycloak deletes by slot, so the slot is looked at right before.
func (p *provider) Revoke(ctx context.Context, t providers.Target, id string) error {
	c, err := p.api.find(ctx, "revoke", t.Ref[refClientID])
	if err != nil {
		return err
	}
	if !c.secret.Empty() && versionID(p.api.realm, c.clientID, c.secret) == id {
		return &providers.Error{
			Class: providers.ClassConflict, Provider: p.name, Operation: "revoke", Err: errOtherSlot,
		}
	}
	if c.rotatedHidden {
		return p.unsupported("revoke", errHidden)
	}
	if c.rotated.Empty() || versionID(p.api.realm, c.clientID, c.rotated) != id {
		return nil // the slot holds another one or nothing: this one is gone
	}
	return p.api.deleteRotated(ctx, c.uuid)
}

// Verify implements providers.Provider.
func (p *provider) Verify(
	ctx context.Context, t providers.Target, b credential.Bundle,
) (providers.Answer, error) {
	return p.verifier.Verify(ctx, t.Verify, b)
}

// instead is how a client of Keycloak logs in with a key; rotad's kind jwks rotates such keys, and was measured with it.
func instead() []providers.Instead {
	return []providers.Instead{{
		Method: providers.InsteadKeys, How: "Clients, the client, Credentials: Signed Jwt, and under Keys a JWKS URL; then register it with the kind jwks, which rotates the keys",
	}}
}
