package dcr

import (
	"fmt"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Name of the kind.
const Name = "dcr"

// DefaultPropagation bounds how long the nodes of a server may disagree about a new secret. RFC 7592 says nothing of it.
const DefaultPropagation = 30 * time.Second

// What a server makes of an update.
const (
	rotatesUpdate = "update"
	rotatesNever  = "never"
)

// refClientID is the one field of a client's ref.
const refClientID = "client_id"

// Settings of a provider of this kind. None of them is a credential: the key to a client stands in the client's bundle.
type Settings struct {
	// URL of the registration endpoint (RFC 7591 section 3). The keys of clients are sent to no other server.
	URL string `yaml:"url" required:"true" format:"url" doc:"Client registration endpoint of the server (RFC 7591)."`
	// TokenURL is the token endpoint, at which secrets are proved.
	TokenURL string `yaml:"token_url" required:"true" format:"url" doc:"Token endpoint, at which secrets are proved."`
	// IntrospectionURL is the introspection endpoint (RFC 7662); empty = it is not used.
	IntrospectionURL string `yaml:"introspection_url" format:"url" doc:"Introspection endpoint; empty = it is not used."`
	// Rotates says when the server makes a new secret: at an update, or never.
	Rotates string `yaml:"rotates" default:"update" enum:"update,never" doc:"When the server makes a new secret: at an update, or never."`
}

// Validate reports an address to which no path can be appended.
func (s *Settings) Validate(report func(path, what, hint string)) {
	if strings.ContainsAny(s.URL, "?#") {
		report("url", "has a query or a fragment", "write the registration endpoint alone; the client's own address stands in the bundle")
	}
}

// Kind describes the kind to the composition root.
func Kind() providers.Kind {
	return providers.Kind{
		Name:    Name,
		Summary: "clients that manage their own registration (RFC 7592)",
		Modes:   []string{string(credential.ModeHardCutover), string(credential.ModeManual)},
		Fields: []string{
			credential.FieldClientID, credential.FieldClientSecret, credential.FieldRegistrationToken,
			credential.FieldRegistrationURI,
		},
		Ref:      []string{refClientID},
		Rights:   "the client's own registration access token, in the field registration_access_token of its Vault path",
		Traits:   providers.Traits{Value: providers.ChosenByProvider, Live: "1", Lists: true},
		Settings: func() any { return &Settings{Rotates: rotatesUpdate} },
		Open:     open,
	}
}

func open(o providers.Opening) (providers.Provider, error) {
	s, ok := o.Settings.(*Settings)
	if !ok {
		return nil, fmt.Errorf("opening %s: the settings are a %T", o.Name, o.Settings)
	}
	registrations, endpoint, err := client(o, s.URL)
	if err != nil {
		return nil, fmt.Errorf("opening %s: url: %w", o.Name, err)
	}
	tokens, path, err := client(o, s.TokenURL)
	if err != nil {
		return nil, fmt.Errorf("opening %s: token_url: %w", o.Name, err)
	}
	p := &provider{
		name: o.Name, never: s.Rotates == rotatesNever,
		api:      api{http: registrations, url: s.URL, endpoint: strings.TrimRight(endpoint, "/")},
		verifier: httpapi.Verifier{Client: tokens, Token: path, Classify: answer},
		timing:   providers.Timing{Deadline: registrations.Deadline(), Propagation: o.Propagation},
	}
	if p.timing.Propagation == 0 {
		p.timing.Propagation = DefaultPropagation
	}
	if s.IntrospectionURL == "" {
		return p, nil
	}
	introspection, path, err := client(o, s.IntrospectionURL)
	if err != nil {
		return nil, fmt.Errorf("opening %s: introspection_url: %w", o.Name, err)
	}
	p.introspection = &httpapi.Verifier{Client: introspection, Introspect: path, Classify: answer}
	return p, nil
}

// client returns a client for the server of an address, and the address's path there.
func client(o providers.Opening, address string) (*httpapi.Client, string, error) {
	base, path, err := httpapi.Split(address)
	if err != nil {
		return nil, "", err
	}
	c, err := httpapi.New(httpapi.Config{
		Provider: o.Name, Base: base, Headers: o.Headers, Transport: o.Transport, Deadline: o.Deadline,
	})
	return c, path, err
}
