package authentik

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Name of the kind.
const Name = "authentik"

// DefaultPropagation bounds how long the servers of an installation may disagree: they share a database, and ask it.
const DefaultPropagation = 10 * time.Second

// refClientID is the one field of a client's ref.
const refClientID = "client_id"

// Settings of a provider of this kind.
type Settings struct {
	// URL of the server, with its path if it has one.
	URL string `yaml:"url" required:"true" format:"url" doc:"URL of the server, with its path if it has one."`
	// TokenFile holds an API token; it is read again whenever the server refuses the last one.
	TokenFile string `yaml:"token_file" required:"true" doc:"File with an API token that may change OAuth2 providers; read again whenever authentik refuses the last one."`
	// TokenEnv is the environment variable that holds it.
	TokenEnv string `yaml:"token_env" doc:"The same from an environment variable."`
}

// Kind describes the kind to the composition root.
func Kind() providers.Kind {
	return providers.Kind{
		Name:     Name,
		Summary:  "OAuth2/OpenID providers of authentik: an update replaces the one secret",
		Modes:    []string{string(credential.ModeHardCutover)},
		Fields:   []string{credential.FieldClientID, credential.FieldClientSecret},
		Ref:      []string{refClientID},
		Rights:   "view and change OAuth2/OpenID providers (authentik_providers_oauth2.view_oauth2provider, change_oauth2provider)",
		Traits:   providers.Traits{Value: providers.ChosenByRotad, Live: "1", Lists: true, Instead: []providers.Instead{{Method: providers.InsteadFederation, How: "Applications, Providers, the provider, Machine-to-Machine authentication settings: federated OIDC sources"}}},
		Settings: func() any { return &Settings{} },
		Open:     open,
	}
}

// provider is one server.
type provider struct {
	api    api
	verify httpapi.Verifier
	timing providers.Timing
}

var (
	_ providers.Recoverer = (*provider)(nil)
	_ providers.Decoder   = (*provider)(nil)
	_ providers.Checker   = (*provider)(nil)
	_ providers.Timed     = (*provider)(nil)

	_ providers.RightsReader = (*provider)(nil)
)

func open(o providers.Opening) (providers.Provider, error) {
	s, ok := o.Settings.(*Settings)
	if !ok {
		return nil, fmt.Errorf("opening %s: the settings are a %T", o.Name, o.Settings)
	}
	config := httpapi.Config{
		Provider: o.Name, Base: strings.TrimRight(s.URL, "/"), Headers: o.Headers, Transport: o.Transport, Deadline: o.Deadline,
	}
	anonymous, err := httpapi.New(config)
	if err != nil {
		return nil, fmt.Errorf("opening %s: url: %w", o.Name, err)
	}
	config.Tokens = httpapi.NewTokens(func(context.Context) (httpapi.Token, error) { return token(o) }, o.Elapsed)
	admin, err := httpapi.New(config)
	if err != nil {
		return nil, fmt.Errorf("opening %s: url: %w", o.Name, err)
	}
	p := &provider{
		api:    api{client: admin},
		verify: httpapi.Verifier{Client: anonymous, Token: tokenPath, Introspect: introspectPath, Classify: answer},
		timing: providers.Timing{Deadline: admin.Deadline(), Propagation: o.Propagation},
	}
	if p.timing.Propagation == 0 {
		p.timing.Propagation = DefaultPropagation
	}
	return p, nil
}

func token(o providers.Opening) (httpapi.Token, error) {
	value, err := o.Secret("token")
	if err != nil {
		return httpapi.Token{}, &providers.Error{Class: providers.ClassAuth, Provider: o.Name, Operation: "login", Err: err}
	}
	return httpapi.Token{Value: credential.NewSensitive(strings.TrimSpace(value))}, nil
}

// Timing implements providers.Timed.
func (p *provider) Timing() providers.Timing { return p.timing }

// Inspect implements providers.Provider.
func (p *provider) Inspect(ctx context.Context, t providers.Target) (providers.Snapshot, error) {
	c, err := p.api.find(ctx, "inspect", t.Ref[refClientID])
	if err != nil {
		return providers.Snapshot{}, err
	}
	return providers.Snapshot{
		Caps: credential.Capabilities{
			Mode: credential.ModeHardCutover, Reason: "a provider of authentik has one secret", Readable: true, Slots: 1,
		},
		ClientID: c.clientID, Secrets: []credential.Secret{c.issued().Secret}, Time: c.time,
	}, nil
}

var errProposed = errors.New("the value is made when it is set")

// Create implements providers.Provider. The look and the update share one deadline, so that the update is never sent later
// than the deadline after the call. It sets one field: nothing else of the client changes.
func (p *provider) Create(ctx context.Context, t providers.Target, r providers.Request) (providers.Issued, error) {
	if len(r.Proposed) > 0 {
		return providers.Issued{}, p.api.fault("create", providers.ClassUnsupported, errProposed)
	}
	ctx, cancel := context.WithTimeout(ctx, p.timing.Deadline)
	defer cancel()
	c, err := p.api.find(ctx, "create", t.Ref[refClientID])
	if err != nil {
		return providers.Issued{}, err
	}
	resp, err := p.api.set(ctx, c.pk, credential.NewSensitive(rand.Text()+rand.Text())) // 2 x 130 bits; at most 255 characters
	if providers.ClassOf(err) == providers.ClassNotUnderstood {
		return providers.Issued{Raw: resp.Raw()}, err
	}
	if err != nil {
		return providers.Issued{}, err
	}
	set, err := decode(resp.Raw(), t.Ref[refClientID])
	if err != nil {
		return providers.Issued{Raw: resp.Raw()}, resp.Failed(providers.ClassNotUnderstood, err)
	}
	return set.issued(), nil
}

// Decode implements providers.Decoder.
func (p *provider) Decode(t providers.Target, raw credential.Sensitive) (providers.Issued, error) {
	c, err := decode(raw, t.Ref[refClientID])
	if err != nil {
		return providers.Issued{}, p.api.fault("decode", providers.ClassNotUnderstood, err)
	}
	return c.issued(), nil
}

// Recover implements providers.Recoverer.
func (p *provider) Recover(ctx context.Context, t providers.Target) (providers.Issued, error) {
	c, err := p.api.find(ctx, "recover", t.Ref[refClientID])
	if err != nil {
		return providers.Issued{}, err
	}
	return c.issued(), nil
}

// Verify implements providers.Provider.
func (p *provider) Verify(ctx context.Context, t providers.Target, b credential.Bundle) (providers.Answer, error) {
	return p.verify.Verify(ctx, t.Verify, b)
}

// Check implements providers.Checker. It asks for a client that does not exist: an account that may look is told so. Whether
// it may change one as well is shown by nothing that changes nothing.
func (p *provider) Check(ctx context.Context) []providers.Finding {
	_, err := p.api.find(ctx, "check", "rotad-asks-for-nobody")
	switch providers.ClassOf(err) {
	case "", providers.ClassNotFound:
		return nil
	case providers.ClassAuth:
		return []providers.Finding{{
			Problem: true, Refused: true, What: err.Error(), Hint: "the token has to be an API token of an account that may view and change OAuth2/OpenID providers",
		}}
	default:
		return []providers.Finding{{Problem: true, What: err.Error(), Hint: "is the url that of authentik, without /api/v3?"}}
	}
}

// answer reads a reply of the token endpoint: authentik says invalid_client with status 400.
func answer(r httpapi.VerifyReply) (providers.Answer, bool) {
	return providers.Refused, r.Code == "invalid_client"
}
