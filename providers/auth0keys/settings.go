package auth0keys

import (
	"cmp"
	"crypto"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/keypair"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Name of the kind.
const Name = "auth0-keys"

// DefaultPropagation bounds how long a change takes to be known everywhere; Auth0 says up to thirty seconds of secrets, and nothing of keys.
const DefaultPropagation = time.Minute

// tokenPath is the token endpoint below the address of the tenant.
const tokenPath = "/oauth/token" //nolint:gosec // a path

// Scopes of the Management API.
const (
	look   = "read:clients and read:client_credentials"
	rotate = "create:client_credentials, delete:client_credentials and update:clients"
)

// Settings of a provider of this kind: one tenant.
type Settings struct {
	// URL of the tenant.
	URL string `yaml:"url" required:"true" format:"url" doc:"URL of the tenant, https://TENANT.REGION.auth0.com."`
	// ClientID of rotad's own machine-to-machine application.
	ClientID string `yaml:"client_id" required:"true" doc:"client_id of rotad's own machine-to-machine application, which is granted the Management API."`
	// ClientSecretFile holds that application's secret; it is read at every login.
	ClientSecretFile string `yaml:"client_secret_file" required:"true" doc:"File with the secret of that application; read at every login."`
	// ClientSecretEnv is the environment variable that holds it.
	ClientSecretEnv string `yaml:"client_secret_env" doc:"The same from an environment variable."`
	// Audience is the identifier of an API that every client is granted.
	Audience string `yaml:"audience" required:"true" doc:"Identifier of an API that every client is granted: keys are proved by asking for a token for it."`
	// Issuer is what proofs are made for. The URL of the tenant with a slash if empty.
	Issuer string `yaml:"issuer" doc:"What proofs are made for; default: url with a slash at its end. A tenant with a domain of its own may want that."`
	// Algorithm is how new keys sign.
	Algorithm string `yaml:"algorithm" default:"RS256" enum:"RS256,PS256" doc:"How new keys sign; they have 3072 bits."`
}

// Kind describes the kind to the composition root.
func Kind() providers.Kind {
	return providers.Kind{
		Name:     Name,
		Summary:  "public keys of an Auth0 application that logs in with private_key_jwt, up to two side by side",
		Modes:    []string{string(credential.ModeKeySet)},
		Fields:   []string{credential.FieldClientID, credential.FieldKeyID, credential.FieldPrivateKey, credential.FieldAlgorithm},
		Ref:      []string{refClientID},
		Rights:   look + " of the Management API to look; " + rotate + " to rotate",
		Traits:   providers.Traits{Value: providers.ChosenByRotad, Live: "2", Lists: true, Revokes: true},
		Settings: func() any { return &Settings{} },
		Open:     open,
	}
}

var errSettings = errors.New("the settings are not those of this kind")

func open(o providers.Opening) (providers.Provider, error) {
	s, ok := o.Settings.(*Settings)
	if !ok {
		return nil, errSettings
	}
	base := strings.TrimRight(s.URL, "/")
	config := httpapi.Config{Provider: o.Name, Base: base, Headers: o.Headers, Transport: o.Transport, Deadline: o.Deadline}
	public, err := httpapi.New(config)
	if err != nil {
		return nil, fmt.Errorf("opening %s: url: %w", o.Name, err)
	}
	tokens := httpapi.NewTokens(httpapi.ClientCredentials{
		Client: public, Path: tokenPath, ClientID: s.ClientID, Auth: "post", Extra: url.Values{"audience": {base + "/api/v2/"}},
		Secret: func() (string, error) { return o.Secret("client_secret") },
	}.Login, o.Elapsed)
	config.Tokens = tokens
	management, err := httpapi.New(config)
	if err != nil {
		return nil, fmt.Errorf("opening %s: url: %w", o.Name, err)
	}
	algorithm := keypair.Algorithm(cmp.Or(s.Algorithm, "RS256"))
	return &provider{
		api: api{client: management}, tokens: tokens, algorithm: algorithm, issuer: cmp.Or(s.Issuer, base+"/"), audience: s.Audience, now: o.Wall(),
		verify:   httpapi.Verifier{Client: public, Token: tokenPath, Auto: credential.VerifyClientCredentials, Classify: answer},
		timing:   providers.Timing{Deadline: management.Deadline(), Propagation: cmp.Or(o.Propagation, DefaultPropagation)},
		stranger: sync.OnceValues(func() (crypto.Signer, error) { return keypair.Make(algorithm) }),
	}, nil
}
