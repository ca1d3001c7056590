package casdoor

import (
	"cmp"
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
const Name = "casdoor"

// DefaultPropagation bounds how long the servers of an installation may disagree: they share a database, and ask it.
const DefaultPropagation = 10 * time.Second

// refApplication is the one field of a client's ref: "owner/name", as Casdoor writes it.
const refApplication = "application"

// Settings of a provider of this kind.
type Settings struct {
	// URL of the server.
	URL string `yaml:"url" required:"true" format:"url" doc:"URL of the server."`
	// ClientID of rotad's own application.
	ClientID string `yaml:"client_id" required:"true" doc:"client_id of the application that rotad logs in as; it has to be one of the organization built-in."`
	// ClientSecretFile holds that application's secret; it is read again every minute.
	ClientSecretFile string `yaml:"client_secret_file" required:"true" doc:"File with the secret of that application; read again every minute."`
	// ClientSecretEnv is the environment variable that holds it.
	ClientSecretEnv string `yaml:"client_secret_env" doc:"The same from an environment variable."`
}

// Kind describes the kind to the composition root.
func Kind() providers.Kind {
	return providers.Kind{
		Name:     Name,
		Summary:  "applications of Casdoor: an update replaces the one secret",
		Modes:    []string{string(credential.ModeHardCutover)},
		Fields:   []string{credential.FieldClientID, credential.FieldClientSecret},
		Ref:      []string{refApplication},
		Rights:   "the client_id and secret of an application of the organization built-in, which may read and change every other; Casdoor has no narrower right",
		Traits:   providers.Traits{Value: providers.ChosenByRotad, Live: "1", Lists: true, Walks: true},
		Settings: func() any { return &Settings{} },
		Open:     open,
	}
}

// provider is one server.
type provider struct {
	api    api
	pages  api // the same, for replies of a megabyte and more
	verify httpapi.Verifier
	timing providers.Timing
}

var (
	_ providers.Recoverer = (*provider)(nil)
	_ providers.Checker   = (*provider)(nil)
	_ providers.Timed     = (*provider)(nil)
	_ providers.Lister    = (*provider)(nil)

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
	config.Tokens = httpapi.NewTokens(func(context.Context) (httpapi.Token, error) { return secret(o) }, o.Elapsed)
	config.Authorize = basic(s.ClientID)
	admin, err := httpapi.New(config)
	if err != nil {
		return nil, fmt.Errorf("opening %s: url: %w", o.Name, err)
	}
	config.Limit, config.Timeout = pageLimit, listTimeout
	pages, err := httpapi.New(config)
	if err != nil {
		return nil, fmt.Errorf("opening %s: url: %w", o.Name, err)
	}
	return &provider{
		api: api{client: admin}, pages: api{client: pages},
		// A code that does not exist is answered alike for a right secret and for a wrong one, so a token has to be asked for.
		verify: httpapi.Verifier{Client: anonymous, Token: tokenPath, Auto: credential.VerifyClientCredentials, Classify: answer},
		timing: providers.Timing{Deadline: admin.Deadline(), Propagation: cmp.Or(o.Propagation, DefaultPropagation)},
	}, nil
}

// ownLife is how long rotad's own secret is used before it is read again: Casdoor refuses it with the status of a success.
const ownLife = time.Minute

func secret(o providers.Opening) (httpapi.Token, error) {
	value, err := o.Secret("client_secret")
	if err != nil {
		return httpapi.Token{}, &providers.Error{Class: providers.ClassAuth, Provider: o.Name, Operation: "login", Err: err}
	}
	return httpapi.Token{Value: credential.NewSensitive(strings.TrimSpace(value)), Lives: ownLife}, nil
}

// Timing implements providers.Timed.
func (p *provider) Timing() providers.Timing { return p.timing }

// Inspect implements providers.Provider.
func (p *provider) Inspect(ctx context.Context, t providers.Target) (providers.Snapshot, error) {
	a, err := p.api.find(ctx, "inspect", t.Ref[refApplication])
	if err != nil {
		return providers.Snapshot{}, err
	}
	return providers.Snapshot{
		Caps: capabilities(), ClientID: a.clientID, Secrets: []credential.Secret{a.issued().Secret}, Time: a.time,
	}, nil
}

// capabilities are those of every application.
func capabilities() credential.Capabilities {
	return credential.Capabilities{
		Mode: credential.ModeHardCutover, Reason: "an application of Casdoor has one secret", Readable: true, Slots: 1,
	}
}

var errProposed = errors.New("the value is made when it is set")

// Create implements providers.Provider. The look and the update share one deadline, so that the update is never sent later
// than the deadline after the call, and what somebody else changes in between is lost in as short a time as can be.
func (p *provider) Create(ctx context.Context, t providers.Target, r providers.Request) (providers.Issued, error) {
	if len(r.Proposed) > 0 {
		return providers.Issued{}, p.api.fault("create", providers.ClassUnsupported, errProposed)
	}
	ctx, cancel := context.WithTimeout(ctx, p.timing.Deadline)
	defer cancel()
	a, err := p.api.find(ctx, "create", t.Ref[refApplication])
	if err != nil {
		return providers.Issued{}, err
	}
	a.secret = credential.NewSensitive(rand.Text() + rand.Text()) // 2 x 130 bits; at most 100 characters
	resp, err := p.api.set(ctx, a)
	if providers.ClassOf(err) == providers.ClassNotUnderstood {
		return providers.Issued{Raw: resp.Raw()}, err
	}
	if err != nil {
		return providers.Issued{}, err
	}
	return a.issued(), nil
}

// Recover implements providers.Recoverer.
func (p *provider) Recover(ctx context.Context, t providers.Target) (providers.Issued, error) {
	a, err := p.api.find(ctx, "recover", t.Ref[refApplication])
	if err != nil {
		return providers.Issued{}, err
	}
	return a.issued(), nil
}

// Verify implements providers.Provider.
func (p *provider) Verify(ctx context.Context, t providers.Target, b credential.Bundle) (providers.Answer, error) {
	id, auth := b[credential.FieldClientID].Reveal(), t.Verify.WithDefaults().Auth
	return p.verify.VerifyAs(ctx, t.Verify, func(r *httpapi.Request) {
		httpapi.Authenticate(r, auth, id, b.Secret())
		if auth != "post" {
			basic(id)(r.Header, b.Secret())
		}
	})
}

// nobody is an application that does not exist.
const nobody = "admin/rotad-asks-for-nobody"

// Check implements providers.Checker. It asks for an application that does not exist. Whether rotad's own may change another one is
// shown by nothing that changes nothing.
func (p *provider) Check(ctx context.Context) []providers.Finding {
	_, err := p.api.find(ctx, "check", nobody)
	switch providers.ClassOf(err) {
	case "", providers.ClassNotFound:
		return nil
	case providers.ClassAuth:
		return []providers.Finding{{
			Problem: true, What: err.Error(), Hint: "client_id and client_secret_file have to be those of an application of the organization built-in",
		}}
	default:
		return []providers.Finding{{Problem: true, What: err.Error(), Hint: "is the url that of Casdoor, without /api?"}}
	}
}

// answer reads a reply of the token endpoint. Casdoor looks at the grant before it looks at the secret, so what it says about the
// grant proves nothing.
func answer(r httpapi.VerifyReply) (providers.Answer, bool) {
	return providers.Unknown, r.Code == "unauthorized_client" || r.Code == "invalid_grant"
}
