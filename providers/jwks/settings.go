package jwks

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/keypair"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// defaultLag is how much longer than max_age a cache is waited for: clocks differ, and a fetch takes its time.
const defaultLag = 30 * time.Second

// Settings are the block of a provider of this kind.
type Settings struct {
	TokenURL  string        `yaml:"token_url" required:"true" format:"url" doc:"Token endpoint that keys are proved at."`
	Audience  string        `yaml:"audience" doc:"Audience of the proof; empty = token_url. Some servers want their issuer."`
	Directory string        `yaml:"directory" required:"true" doc:"Where the public keys are published, a file for each client; an absolute path."`
	Algorithm string        `yaml:"algorithm" default:"ES256" enum:"ES256,ES384,RS256,PS256,EdDSA" doc:"How new keys sign; RSA keys have 3072 bits."`
	MaxAge    time.Duration `yaml:"max_age" default:"5m" doc:"How long who fetches the keys may keep them; a new key is used when that has passed."`
}

// Validate reports what tags cannot express.
func (s *Settings) Validate(report func(path, what, hint string)) {
	if !filepath.IsAbs(s.Directory) {
		report("directory", fmt.Sprintf("%q is no absolute path", s.Directory), "for example /var/lib/rotad/keys")
	}
	if s.MaxAge < 0 {
		report("max_age", "is negative", "")
	}
}

var errSettings = errors.New("the settings are not those of this kind")

// Kind describes the adapter to the composition root.
func Kind() providers.Kind {
	return providers.Kind{
		Name:     "jwks",
		Summary:  "key pairs of private_key_jwt: rotad publishes the public halves, as a file and over HTTP",
		Modes:    []string{string(credential.ModeKeySet)},
		Fields:   []string{credential.FieldClientID, credential.FieldKeyID, credential.FieldPrivateKey, credential.FieldAlgorithm},
		Ref:      []string{refClient},
		Rights:   "none at the identity provider, which reads the keys at the client's jwks_uri; rotad's user writes the directory",
		Traits:   providers.Traits{Value: providers.ChosenByRotad, Live: "many", Lists: true, Revokes: true},
		Settings: func() any { return &Settings{} },
		Open:     open,
	}
}

func open(o providers.Opening) (providers.Provider, error) {
	s, ok := o.Settings.(*Settings)
	if !ok {
		return nil, errSettings
	}
	base, path, err := httpapi.Split(s.TokenURL)
	if err != nil {
		return nil, fmt.Errorf("token_url: %w", err)
	}
	client, err := httpapi.New(httpapi.Config{Provider: o.Name, Base: base, Headers: o.Headers, Transport: o.Transport, Deadline: o.Deadline})
	if err != nil {
		return nil, fmt.Errorf("token_url: %w", err)
	}
	p := &provider{name: o.Name, directory: s.Directory, algorithm: keypair.Algorithm(cmp.Or(s.Algorithm, "ES256")), maxAge: s.MaxAge, now: o.Wall()}
	p.audience = s.Audience
	if p.audience == "" {
		p.audience = s.TokenURL
	}
	p.verify = httpapi.Verifier{Client: client, Token: path, Auto: credential.VerifyClientCredentials}
	p.timing = providers.Timing{Deadline: client.Deadline(), Propagation: o.Propagation}
	if p.timing.Propagation == 0 {
		p.timing.Propagation = s.MaxAge + defaultLag
	}
	return p, nil
}
