package telekom

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Values of secret_rotation.
const (
	rotationAuto = "auto" // the feature is on where the platform shows a date
	rotationOn   = "on"
	rotationOff  = "off"
)

// DefaultPropagation bounds how long a rotation that was asked for may take to be seen, where nobody configured it: it is
// carried out by a controller that works through a queue. roverctl itself waits for thirty seconds.
const DefaultPropagation = 2 * time.Minute

// teamAPI is what roverctl appends to the address of a server that has no path.
const teamAPI = "/rover/api"

// Settings of a provider of this kind: one team of one control plane. What ROVER_TOKEN holds needs not be written; what is
// written counts before it.
type Settings struct {
	// RoverTokenFile is the file that holds the team's ROVER_TOKEN. Its secret is read again at every login.
	RoverTokenFile string `yaml:"rover_token_file" doc:"File that holds the team's ROVER_TOKEN, as roverctl takes it."`
	// RoverTokenEnv is the environment variable that holds it.
	RoverTokenEnv string `yaml:"rover_token_env" doc:"Environment variable that holds it."`

	// URL of the API; a missing path becomes /rover/api. Empty = that of ROVER_TOKEN.
	URL string `yaml:"url" format:"url" doc:"URL of the API; without a path, /rover/api is appended. Default: that of ROVER_TOKEN."`
	// Group and Team are the first two parts of the id of every rover; empty = those of ROVER_TOKEN.
	Group string `yaml:"group" doc:"Group (hub) of the team; default: that of ROVER_TOKEN."`
	Team  string `yaml:"team" doc:"Team that the applications belong to; default: that of ROVER_TOKEN."`
	// TokenURL is where the team logs in; empty = that of ROVER_TOKEN.
	TokenURL string `yaml:"token_url" format:"url" doc:"Token endpoint at which the team logs in; default: that of ROVER_TOKEN."`
	// ClientID of the team; empty = that of ROVER_TOKEN.
	ClientID string `yaml:"client_id" doc:"Client id of the team, where there is no ROVER_TOKEN."`
	// ClientSecretFile is the file that holds the team's secret. It is read at every login.
	ClientSecretFile string `yaml:"client_secret_file" doc:"File that holds the team's secret, where there is no ROVER_TOKEN."`
	// ClientSecretEnv is the environment variable that holds it.
	ClientSecretEnv string `yaml:"client_secret_env" doc:"Environment variable that holds it."`
	// Scope that the team asks for at its login; empty = none is sent.
	Scope string `yaml:"scope" doc:"Scope that the team asks for, for example tardis:team:all; default: none is sent."`

	// VerifyURL is the token endpoint at which secrets of applications are proved; empty = the one in an application's info.
	VerifyURL string `yaml:"verify_url" format:"url" doc:"Token endpoint at which secrets are proved; default: the one in an application's info."`
	// SecretRotation says whether the applications' zones keep a replaced secret.
	SecretRotation string `yaml:"secret_rotation" default:"auto" enum:"auto,on,off" doc:"Whether the zones have the feature SecretRotation; auto = where the platform shows a date."`
	// GracePeriod is how long the zones keep a replaced secret; 0 = not stated. A client's own grace counts before it.
	GracePeriod time.Duration `yaml:"grace_period" default:"0s" doc:"How long the zones keep a replaced secret (gracePeriod); 0 = not stated."`
}

// Validate reports settings that do not go together.
func (s *Settings) Validate(report func(path, what, hint string)) {
	if s.GracePeriod < 0 {
		report("grace_period", "must not be negative", "write the zone's gracePeriod, for example 7d")
	}
	secret := s.ClientSecretFile+s.ClientSecretEnv != ""
	const hint = "write rover_token_file, or client_id with client_secret_file"
	if s.blob() {
		if secret || s.ClientID != "" {
			report("client_id", "there are two ways to log in", hint)
		}
		return
	}
	switch {
	case !secret && s.ClientID == "":
		report("rover_token_file", "there is no way to log in", hint)
	case s.ClientID == "":
		report("client_id", "is required beside client_secret_file", hint)
	case !secret:
		report("client_secret_file", "is required beside client_id", hint)
	}
	s.requireAddress(report)
}

// blob says whether the team logs in with a ROVER_TOKEN.
func (s *Settings) blob() bool { return s.RoverTokenFile+s.RoverTokenEnv != "" }

// requireAddress: what a ROVER_TOKEN would say has to be written without one.
func (s *Settings) requireAddress(report func(path, what, hint string)) {
	for _, setting := range [][2]string{{"url", s.URL}, {"group", s.Group}, {"team", s.Team}, {"token_url", s.TokenURL}} {
		if setting[1] == "" {
			report(setting[0], "is required without a ROVER_TOKEN", "it stands in the object that ROVER_TOKEN encodes")
		}
	}
}

func open(o providers.Opening) (providers.Provider, error) {
	s, ok := o.Settings.(*Settings)
	if !ok {
		return nil, fmt.Errorf("opening %s: the settings are a %T", o.Name, o.Settings)
	}
	account, err := s.account(o)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", o.Name, err)
	}
	config := httpapi.Config{
		Provider: o.Name, Base: account.server, Headers: o.Headers, Transport: o.Transport, Deadline: o.Deadline,
	}
	login, err := s.login(o, config, account)
	if err != nil {
		return nil, fmt.Errorf("opening %s: token_url: %w", o.Name, err)
	}
	tokens := httpapi.NewTokens(login, o.Elapsed)
	config.Tokens = tokens
	client, err := httpapi.New(config)
	if err != nil {
		return nil, fmt.Errorf("opening %s: url: %w", o.Name, err)
	}
	config.Tokens = nil
	p := &provider{
		api:    api{http: client, prefix: account.group + "--" + account.team + "--"},
		tokens: tokens,
		zones:  zones{rotation: s.SecretRotation, grace: s.GracePeriod},
		ends:   endpoints{stated: s.VerifyURL, config: config, found: map[string]httpapi.Verifier{}},
		pause:  pause,
	}
	p.timing = providers.Timing{Deadline: client.Deadline(), Propagation: o.Propagation}
	if p.timing.Propagation == 0 {
		p.timing.Propagation = DefaultPropagation
	}
	return p, nil
}

// account is where the team's API is and how the team logs in.
type account struct {
	server, group, team, tokenURL, clientID string
}

// account puts together what is written and what ROVER_TOKEN holds.
func (s *Settings) account(o providers.Opening) (account, error) {
	a := account{server: s.URL, group: s.Group, team: s.Team, tokenURL: s.TokenURL, clientID: s.ClientID}
	if s.blob() {
		held, err := readBlob(o)
		if err != nil {
			return account{}, err
		}
		for written, value := range map[*string]string{
			&a.server: held.Server, &a.group: held.Group, &a.team: held.Team, &a.tokenURL: held.TokenURL, &a.clientID: held.ClientID,
		} {
			if *written == "" {
				*written = value
			}
		}
	}
	for _, part := range [][2]string{{"url", a.server}, {"group", a.group}, {"team", a.team}, {"token_url", a.tokenURL}} {
		if part[1] == "" {
			return account{}, fmt.Errorf("%s is neither written nor in ROVER_TOKEN", part[0])
		}
	}
	server, err := withPath(a.server)
	a.server = server
	return a, err
}

// withPath appends the path of the team API to an address that has none.
func withPath(address string) (string, error) {
	u, err := url.Parse(strings.TrimRight(address, "/"))
	if err != nil {
		return "", errAddress // the cause repeats the address
	}
	if u.Path == "" {
		u.Path = teamAPI
	}
	return u.String(), nil
}

// login is the client credentials grant of the team. The secret is read afresh each time, because somebody may replace it.
func (s *Settings) login(o providers.Opening, c httpapi.Config, a account) (httpapi.Login, error) {
	origin, path, err := httpapi.Split(a.tokenURL)
	if err != nil {
		return nil, err
	}
	c.Base = origin
	client, err := httpapi.New(c)
	if err != nil {
		return nil, err
	}
	secret := func() (string, error) { return o.Secret("client_secret") }
	if s.blob() {
		secret = func() (string, error) {
			held, err := readBlob(o)
			return held.ClientSecret, err
		}
	}
	return httpapi.ClientCredentials{
		Client: client, Path: path, ClientID: a.clientID, Scope: s.Scope, Secret: secret,
	}.Login, nil
}

// zones is what a person said about the zones of a provider's applications.
type zones struct {
	rotation string
	grace    time.Duration
}

// graceOf returns the grace that was stated for a client; 0 = none.
func (z zones) graceOf(t providers.Target) time.Duration {
	if t.Grace > 0 {
		return t.Grace
	}
	return z.grace
}

// fields are those of a bundle.
func fields() []string { return []string{credential.FieldClientID, credential.FieldClientSecret} }
