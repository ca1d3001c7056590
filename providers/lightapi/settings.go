package lightapi

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Ways in which a command is written.
const (
	wireJSONRPC = "jsonrpc"
	wireLegacy  = "legacy"
)

// Settings are the block of a provider of this kind. rotad logs in either with a token or as a client of its own.
type Settings struct {
	URL      string `yaml:"url" required:"true" format:"url" doc:"Base address of the portal; /portal/command and /portal/query are below it."`
	HostID   string `yaml:"host_id" required:"true" doc:"Host (tenant) of the clients; the ref of a client may name another one."`
	TokenURL string `yaml:"token_url" required:"true" format:"url" doc:"Token endpoint of the OAuth server: where secrets are proved, and where rotad's own client logs in."`
	Wire     string `yaml:"wire" default:"jsonrpc" enum:"jsonrpc,legacy" doc:"How a command is written: JSON-RPC 2.0, or the form of older portals."`

	TokenFile        string `yaml:"token_file" doc:"File with a bearer token that may regenerate secrets; read again whenever the portal refuses the last one."`
	TokenEnv         string `yaml:"token_env" doc:"The same from an environment variable."`
	ClientID         string `yaml:"client_id" doc:"rotad's own client, instead of a bearer token."`
	ClientSecretFile string `yaml:"client_secret_file" doc:"File with the secret of rotad's own client; read at every login."`
	ClientSecretEnv  string `yaml:"client_secret_env" doc:"The same from an environment variable."`
	Scope            string `yaml:"scope" doc:"Scope that rotad's own client asks for."`

	StaleCode string `yaml:"stale_code" doc:"Error code with which the portal refuses a stale version, where rotad does not recognise it (ERR and five digits)."`
}

// Validate reports what tags cannot express: exactly one way to log in.
func (s *Settings) Validate(report func(path, what, hint string)) {
	token := s.TokenFile != "" || s.TokenEnv != ""
	secret := s.ClientSecretFile != "" || s.ClientSecretEnv != ""
	switch {
	case token && (s.ClientID != "" || secret):
		report("client_id", "a bearer token is given as well", "keep one of the two")
	case !token && s.ClientID == "":
		report("token_file", "rotad has no way to log in", "write token_file, token_env, or client_id with client_secret_file")
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
	origin, path, err := httpapi.Split(s.TokenURL)
	if err != nil {
		return nil, fmt.Errorf("token_url: %w", err)
	}
	oauth, err := httpapi.New(config(o, origin))
	if err != nil {
		return nil, fmt.Errorf("token_url: %w", err)
	}
	portal := config(o, strings.TrimRight(s.URL, "/"))
	portal.Tokens = httpapi.NewTokens(login(o, s, oauth, path), o.Elapsed)
	portal.Classify = rules{stale: s.StaleCode}.classify
	client, err := httpapi.New(portal)
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	timing := providers.Timing{Deadline: client.Deadline(), Propagation: o.Propagation}
	if timing.Propagation == 0 {
		timing.Propagation = defaultPropagation
	}
	return &provider{
		api:    api{client: client, tokens: portal.Tokens, rules: rules{stale: s.StaleCode}, legacy: s.Wire == wireLegacy},
		hostID: s.HostID, timing: timing, doubts: newDoubts(o.Elapsed, timing.Propagation),
		verify: httpapi.Verifier{
			Client: oauth, Token: path, Auto: credential.VerifyClientCredentials, Classify: answer,
		},
	}, nil
}

func config(o providers.Opening, base string) httpapi.Config {
	return httpapi.Config{
		Provider: o.Name, Base: base, Headers: o.Headers, Transport: o.Transport, Deadline: o.Deadline,
	}
}

// login returns how rotad logs in: with a token that something else renews, or as a client.
func login(o providers.Opening, s *Settings, oauth *httpapi.Client, path string) httpapi.Login {
	if s.ClientID == "" {
		return func(context.Context) (httpapi.Token, error) { return staticToken(o) }
	}
	return httpapi.ClientCredentials{
		Client: oauth, Path: path, ClientID: s.ClientID, Scope: s.Scope,
		Secret: func() (string, error) { return o.Secret("client_secret") },
	}.Login
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
