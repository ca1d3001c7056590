package keycloakkeys

import (
	"cmp"
	"crypto"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/keypair"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Name of the kind.
const Name = "keycloak-keys"

// DefaultPropagation bounds how long a node of a cluster may know an older set: changes of clients are told to all of them.
const DefaultPropagation = 30 * time.Second

// Settings of a provider of this kind: one realm.
type Settings struct {
	URL              string `yaml:"url" required:"true" format:"url" doc:"URL of the server; with /auth at the end for old servers."`
	Realm            string `yaml:"realm" required:"true" doc:"Realm whose clients are rotated."`
	LoginRealm       string `yaml:"login_realm" doc:"Realm of rotad's own client; default: realm."`
	ClientID         string `yaml:"client_id" required:"true" doc:"client_id of rotad's own client, a confidential one with a service account."`
	ClientSecretFile string `yaml:"client_secret_file" required:"true" doc:"File with that client's secret; read at every login."`
	ClientSecretEnv  string `yaml:"client_secret_env" doc:"The same from an environment variable."`
	Issuer           string `yaml:"issuer" doc:"What proofs are made for; default: the realm's address below url. Another one where Keycloak calls itself otherwise (hostname)."`
	Algorithm        string `yaml:"algorithm" default:"ES256" enum:"ES256,ES384,RS256,PS256,EdDSA" doc:"How new keys sign; RSA keys have 3072 bits."`
}

// Kind describes the kind to the composition root.
func Kind() providers.Kind {
	return providers.Kind{
		Name:     Name,
		Summary:  "public keys of clients of Keycloak that log in with a signed JWT, kept in Keycloak as a JWK Set",
		Modes:    []string{string(credential.ModeKeySet)},
		Fields:   []string{credential.FieldClientID, credential.FieldKeyID, credential.FieldPrivateKey, credential.FieldAlgorithm},
		Ref:      []string{refClientID},
		Rights:   "role manage-clients of realm-management",
		Traits:   providers.Traits{Value: providers.ChosenByRotad, Live: "many", Lists: true, Revokes: true},
		Settings: func() any { return &Settings{} },
		Open:     open,
	}
}

var errSettings = errors.New("the settings are not those of this kind")

func tokenPath(realm string) string {
	return httpapi.Path("realms", realm, "protocol", "openid-connect", "token")
}

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
	config.Tokens = httpapi.NewTokens(httpapi.ClientCredentials{
		Client: public, Path: tokenPath(cmp.Or(s.LoginRealm, s.Realm)), ClientID: s.ClientID,
		Secret: func() (string, error) { return o.Secret("client_secret") },
	}.Login, o.Elapsed)
	admin, err := httpapi.New(config)
	if err != nil {
		return nil, fmt.Errorf("opening %s: url: %w", o.Name, err)
	}
	algorithm := keypair.Algorithm(cmp.Or(s.Algorithm, "ES256"))
	return &provider{
		api: api{client: admin, realm: s.Realm}, algorithm: algorithm, now: o.Wall(),
		issuer:   cmp.Or(s.Issuer, base+httpapi.Path("realms", s.Realm)),
		verify:   httpapi.Verifier{Client: public, Token: tokenPath(s.Realm), Auto: credential.VerifyClientCredentials, Classify: answer},
		timing:   providers.Timing{Deadline: admin.Deadline(), Propagation: cmp.Or(o.Propagation, DefaultPropagation)},
		stranger: sync.OnceValues(func() (crypto.Signer, error) { return keypair.Make(algorithm) }),
	}, nil
}
