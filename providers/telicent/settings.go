package telicent

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Settings are the block of a provider of this kind.
type Settings struct {
	URL string `yaml:"url" required:"true" format:"url" doc:"Base address of the auth server, for example http://auth:8080."`

	TokenFile        string `yaml:"token_file" doc:"File with a bearer token that may use the admin API; read again for every login."`
	TokenEnv         string `yaml:"token_env" doc:"The same from an environment variable."`
	ClientID         string `yaml:"client_id" doc:"rotad's own confidential client, instead of a bearer token."`
	ClientSecretFile string `yaml:"client_secret_file" doc:"File with the secret of rotad's own client."`
	ClientSecretEnv  string `yaml:"client_secret_env" doc:"The same from an environment variable."`
	Scope            string `yaml:"scope" doc:"Scope that rotad's own client asks for."`
	TokenURL         string `yaml:"token_url" format:"url" doc:"Token endpoint; default: url + /oauth2/token."`

	SecretPath          string `yaml:"secret_path" doc:"Dotted path of the plaintext in the answer of issue and rotate."`
	CreatedPath         string `yaml:"created_path" doc:"Dotted path of the current secret's start."`
	ExpiresPath         string `yaml:"expires_path" doc:"Dotted path of the current secret's expiry."`
	PreviousCreatedPath string `yaml:"previous_created_path" doc:"Dotted path of the previous secret's start."`
	PreviousExpiresPath string `yaml:"previous_expires_path" doc:"Dotted path of the time until which the previous secret is valid."`
	RequiredPath        string `yaml:"required_path" doc:"Dotted path of the flag that says that rotation is required."`
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
	base := strings.TrimRight(s.URL, "/")
	tokenURL := s.TokenURL
	if tokenURL == "" {
		tokenURL = base + "/oauth2/token"
	}
	origin, path, err := httpapi.Split(tokenURL)
	if err != nil {
		return nil, fmt.Errorf("token_url: %w", err)
	}
	oauth, err := httpapi.New(config(o, origin, nil))
	if err != nil {
		return nil, fmt.Errorf("token_url: %w", err)
	}
	client, err := httpapi.New(config(o, base, httpapi.NewTokens(login(o, s, oauth, path), o.Elapsed)))
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	timing := providers.Timing{Deadline: client.Deadline(), Propagation: o.Propagation}
	if timing.Propagation == 0 {
		timing.Propagation = defaultPropagation
	}
	found := s.paths()
	return &provider{
		api: api{client: client, paths: found, header: forwarded(base)}, paths: found, timing: timing,
		verify: httpapi.Verifier{
			Client: oauth, Token: path, Introspect: introspection(path),
			Auto: credential.VerifyClientCredentials, Header: https(),
		},
	}, nil
}

func config(o providers.Opening, base string, tokens *httpapi.Tokens) httpapi.Config {
	return httpapi.Config{
		Provider: o.Name, Base: base, Headers: o.Headers, Transport: o.Transport, Deadline: o.Deadline, Tokens: tokens,
	}
}

// login returns how rotad logs in: with a token that something else renews, or as a confidential client.
func login(o providers.Opening, s *Settings, oauth *httpapi.Client, path string) httpapi.Login {
	if s.ClientID == "" {
		return func(context.Context) (httpapi.Token, error) { return staticToken(o) }
	}
	return httpapi.ClientCredentials{
		Client: oauth, Path: path, ClientID: s.ClientID, Scope: s.Scope, Header: https(),
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

// https is what every request to the token endpoint carries: inside a service mesh the connection is plain HTTP, and
// the server refuses OAuth requests that did not come by https (docs.telicent.io, confidential clients).
func https() http.Header { return http.Header{"X-Forwarded-Proto": {"https"}} }

// forwarded is the same for the admin API, where the address itself is plain.
func forwarded(base string) http.Header {
	if strings.HasPrefix(base, "http:") {
		return https()
	}
	return nil
}

// introspection is where Spring Authorization Server has the endpoint of RFC 7662: beside the token endpoint.
func introspection(token string) string {
	if base, ok := strings.CutSuffix(token, "/token"); ok {
		return base + "/introspect"
	}
	return ""
}
