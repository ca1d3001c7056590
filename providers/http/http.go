package http

import (
	"errors"
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Name of the kind.
const Name = "http"

// Fields of a client's ref. At least one of the first two is written; each stands for the other where it is missing.
const (
	refID       = "id"        // what the API calls the client
	refClientID = "client_id" // what it logs in with
	refParent   = "parent"    // what it lies in, where that differs between the clients of a provider
)

// DefaultPropagation is how long a change may take to be seen everywhere, where nobody configured it. Nothing is known
// of the server, so it is generous.
const DefaultPropagation = time.Minute

// Kind describes the adapter to the composition root.
func Kind() providers.Kind {
	return providers.Kind{
		Name:    Name,
		Summary: "any REST API that a configuration or a preset describes",
		Modes: []string{
			string(credential.ModeTwoSlot), string(credential.ModeGraceWindow), string(credential.ModeCaller),
			string(credential.ModeStaged), string(credential.ModeHardCutover),
		},
		Fields:   []string{credential.FieldClientID, credential.FieldClientSecret},
		Ref:      []string{refID + "?", refClientID + "?", refParent + "?"},
		Rights:   "to look at the client's secrets, to create one and to revoke one; each preset says what that is called",
		Traits:   providers.Traits{Value: providers.ChosenByEither, Live: "as described", Lists: true, Revokes: true, Usage: true},
		Settings: func() any { return &Settings{} },
		Open:     open,
		Presets:  Presets(),
	}
}

// provider is a connection to one API.
type provider struct {
	*plan

	name   string
	client *httpapi.Client
	pages  *httpapi.Client // the same, for replies of a megabyte and more
	tokens *httpapi.Tokens // nil = the API asks for no login
	prove  prover
	timing providers.Timing
}

var errSettings = errors.New("the settings are not those of this kind")

func open(o providers.Opening) (providers.Provider, error) {
	s, ok := o.Settings.(*Settings)
	if !ok {
		return nil, errSettings
	}
	var first error
	p := compile(s, func(path, what, _ string) {
		if first == nil {
			first = fmt.Errorf("%s %s", path, what) //nolint:err113 // what the check reports, for who skipped it
		}
	})
	if first != nil {
		return nil, first
	}
	tokens, err := p.tokens(o)
	if err != nil {
		return nil, err
	}
	c := config(o, p.url)
	c.Tokens, c.Authorize = tokens, p.authorize
	client, err := httpapi.New(c)
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	c.Limit, c.Timeout = pageLimit, listTimeout
	pages, err := httpapi.New(c)
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	prove, err := p.verify.open(o)
	if err != nil {
		return nil, err
	}
	timing := providers.Timing{Deadline: client.Deadline(), Propagation: o.Propagation}
	if timing.Propagation == 0 {
		timing.Propagation = DefaultPropagation
	}
	return (&provider{plan: p, name: o.Name, client: client, pages: pages, tokens: tokens, prove: prove, timing: timing}).able(), nil
}

// Abilities that only some descriptions give: the interfaces are asked for by type.
type (
	recoverer struct{ p *provider }
	revoker   struct{ p *provider }
	activator struct{ p *provider }
	generator struct{ p *provider }
)

// able returns the provider with exactly the abilities that its description gives it.
func (p *provider) able() providers.Provider {
	r, v, g := recoverer{p}, revoker{p}, generator{p}
	recovers, revokes, generates := p.readable(), p.revoke != nil, p.mode == credential.ModeCaller
	switch {
	case recovers && revokes && generates:
		return struct {
			*provider
			recoverer
			revoker
			generator
		}{p, r, v, g}
	case p.mode == credential.ModeStaged: // which has both requests, and reads nothing back
		return struct {
			*provider
			revoker
			activator
		}{p, v, activator{p}}
	case recovers && revokes:
		return struct {
			*provider
			recoverer
			revoker
		}{p, r, v}
	case revokes && generates:
		return struct {
			*provider
			revoker
			generator
		}{p, v, g}
	case recovers: // generates needs a list and therefore revokes
		return struct {
			*provider
			recoverer
		}{p, r}
	case revokes:
		return struct {
			*provider
			revoker
		}{p, v}
	}
	return p
}

var (
	_ providers.Decoder = (*provider)(nil)
	_ providers.Checker = (*provider)(nil)
	_ providers.Timed   = (*provider)(nil)

	_ providers.RightsReader = (*provider)(nil)
	_ providers.Lister       = (*provider)(nil)

	_ providers.Recoverer = recoverer{}
	_ providers.Revoker   = revoker{}
	_ providers.Activator = activator{}
	_ providers.Generator = generator{}
)

// Timing implements providers.Timed.
func (p *provider) Timing() providers.Timing { return p.timing }

// fault is an error that no reply caused.
func (p *provider) fault(operation string, class providers.Class, cause error) error {
	return &providers.Error{Class: class, Provider: p.name, Operation: operation, Err: cause}
}

var errRef = errors.New("the client's ref needs id or client_id")

// ref are the values that stand for the client in every request.
func (p *provider) ref(operation string, t providers.Target) (values, error) {
	id, clientID := t.Ref[refID], t.Ref[refClientID]
	switch {
	case id == "" && clientID == "":
		return nil, p.fault(operation, providers.ClassRejected, errRef)
	case id == "":
		id = clientID
	case clientID == "":
		clientID = id
	}
	return values{refID: id, refClientID: clientID, refParent: t.Ref[refParent]}, nil
}

func (p *provider) naming(v values) naming {
	id, _ := v[refID].(string)
	return naming(p.url + "\x00" + id)
}
