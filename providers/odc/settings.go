package odc

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// What api may say.
const (
	apiOff  = "off"
	apiOn   = "on"
	apiAuto = "auto"
)

// Bounds of overlap_hours, from the request for the endpoint (option C).
const (
	minOverlap = 24
	maxOverlap = 72
)

// Settings are the block of a provider of this kind. rotad needs an account only where the API is to be used.
type Settings struct {
	URL string `yaml:"url" required:"true" format:"url" doc:"Address of the organisation, for example https://example.outsystems.dev."`
	API string `yaml:"api" default:"off" enum:"off,on,auto" doc:"Who makes the secrets: off, a person in the ODC Portal; on, the endpoint that rotates them; auto, a person until that endpoint is there."`

	OverlapHours int    `yaml:"overlap_hours" default:"0" doc:"Hours, 24 to 72, for which the endpoint is asked to keep the old secret; 0 = it is not asked, and a rotation needs allow_cutover."`
	Instructions string `yaml:"instructions" doc:"What the person has to do, in place of rotad's own steps; it stands in the mails."`

	TokenFile        string `yaml:"token_file" doc:"File with a bearer token that may rotate secrets; read again whenever ODC refuses the last one."`
	TokenEnv         string `yaml:"token_env" doc:"The same from an environment variable."`
	ClientID         string `yaml:"client_id" doc:"rotad's own API client, instead of a bearer token."`
	ClientSecretFile string `yaml:"client_secret_file" doc:"File with the secret of rotad's own API client; read at every login."`
	ClientSecretEnv  string `yaml:"client_secret_env" doc:"The same from an environment variable."`
	Scope            string `yaml:"scope" doc:"Scope that rotad's own API client asks for."`
}

// Validate reports what tags cannot express: exactly one way to log in where the API is used, and none where it is not.
func (s *Settings) Validate(report func(path, what, hint string)) {
	if s.API == apiOn || s.API == apiAuto {
		s.oneLogin(report)
	}
	if s.OverlapHours != 0 && (s.OverlapHours < minOverlap || s.OverlapHours > maxOverlap) {
		report("overlap_hours", fmt.Sprintf("is not between %d and %d", minOverlap, maxOverlap), "or 0, for none")
	}
}

func (s *Settings) oneLogin(report func(path, what, hint string)) {
	token := s.TokenFile != "" || s.TokenEnv != ""
	secret := s.ClientSecretFile != "" || s.ClientSecretEnv != ""
	switch {
	case token && (s.ClientID != "" || secret):
		report("client_id", "a bearer token is given as well", "keep one of the two")
	case !token && s.ClientID == "":
		report("api", "rotad has no way to log in", "write token_file, token_env, or client_id with client_secret_file; or api: off")
	case !token && !secret:
		report("client_secret_file", "is required beside client_id", "or write client_secret_env")
	}
}

var errSettings = errors.New("the settings are not those of this kind")

func open(o providers.Opening) (providers.Provider, error) {
	s, ok := o.Settings.(*Settings)
	if !ok {
		return nil, errSettings
	}
	if o.Elapsed == nil {
		o.Elapsed = httpapi.Monotonic()
	}
	base := strings.TrimRight(s.URL, "/")
	anonymous, err := httpapi.New(config(o, base, nil))
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	p := &provider{
		use: s.API, hours: s.OverlapHours, instructions: s.Instructions, portal: base,
		endpoint: &discovery{
			client: anonymous, secure: strings.HasPrefix(strings.ToLower(base), "https:"), elapsed: o.Elapsed,
			connect: func(origin string) (*httpapi.Client, error) { return httpapi.New(config(o, origin, nil)) },
		},
		seen: newSightings(o.Elapsed), early: &early{elapsed: o.Elapsed},
		timing: providers.Timing{Deadline: anonymous.Deadline(), Propagation: o.Propagation},
	}
	if p.use == "" {
		p.use = apiOff
	}
	if p.timing.Propagation == 0 {
		p.timing.Propagation = defaultPropagation
	}
	if p.use != apiOff {
		p.tokens = httpapi.NewTokens(p.login(o, s), o.Elapsed)
	}
	client, err := httpapi.New(config(o, base, p.tokens))
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	p.api = api{client}
	return p, nil
}

func config(o providers.Opening, base string, tokens *httpapi.Tokens) httpapi.Config {
	return httpapi.Config{
		Provider: o.Name, Base: base, Headers: o.Headers, Transport: o.Transport, Deadline: o.Deadline, Tokens: tokens,
	}
}

// login returns how rotad logs in: with a token that something else renews, or as an API client of its own.
func (p *provider) login(o providers.Opening, s *Settings) httpapi.Login {
	if s.ClientID == "" {
		return func(context.Context) (httpapi.Token, error) { return staticToken(o) }
	}
	return func(ctx context.Context) (httpapi.Token, error) {
		at, _, err := p.endpoint.get(ctx, "login")
		if err != nil {
			return httpapi.Token{}, err
		}
		return httpapi.ClientCredentials{
			Client: at.client, Path: at.path, ClientID: s.ClientID, Scope: s.Scope, Auth: "post",
			Secret: func() (string, error) { return o.Secret("client_secret") },
		}.Login(ctx)
	}
}

func staticToken(o providers.Opening) (httpapi.Token, error) {
	value, err := o.Secret("token")
	if err != nil {
		return httpapi.Token{}, &providers.Error{
			Class: providers.ClassAuth, Provider: o.Name, Operation: "login", Err: err,
		}
	}
	return httpapi.Token{Value: credential.NewSensitive(strings.TrimSpace(value))}, nil
}
