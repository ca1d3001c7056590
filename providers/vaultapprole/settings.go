package vaultapprole

import (
	"fmt"
	"maps"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Name of the kind.
const Name = "vault-approle"

// Names of the fields of a bundle, and of the one field of a ref.
const (
	FieldRoleID   = "role_id"
	FieldSecretID = "secret_id"
	refRole       = "role"
)

// Ways in which a value comes about.
const (
	valuesServer = "server"
	valuesOwn    = "own"
)

// defaultMount is where Vault puts the method if nobody says otherwise.
const defaultMount = "approle"

// Settings of a provider of this kind. rotad logs in either with a token or with a role of its own.
type Settings struct {
	// Address of the server, for example https://vault.example.com:8200.
	Address string `yaml:"address" required:"true" format:"url" doc:"Address of the Vault server."`
	// Namespace of the method; empty = the root namespace.
	Namespace string `yaml:"namespace" doc:"Namespace of the method; empty = the root namespace."`
	// Mount of the method whose SecretIDs are rotated.
	Mount string `yaml:"mount" default:"approle" doc:"Mount of the AppRole method whose SecretIDs are rotated."`
	// Values says who chooses a new SecretID: Vault (server) or rotad (own).
	Values string `yaml:"values" default:"server" enum:"server,own" doc:"Who chooses a new SecretID: Vault or rotad."`

	// TokenFile is the file that holds rotad's token. It is read again whenever Vault refuses the token.
	TokenFile string `yaml:"token_file" doc:"File that holds rotad's token."`
	// TokenEnv is the environment variable that holds rotad's token.
	TokenEnv string `yaml:"token_env" doc:"Environment variable that holds rotad's token."`
	// RoleID of rotad's own role. It is a name, not a secret.
	RoleID string `yaml:"role_id" doc:"Role id of rotad's own role."`
	// SecretIDFile is the file that holds rotad's own SecretID. It is read at every login.
	SecretIDFile string `yaml:"secret_id_file" doc:"File that holds rotad's own SecretID."`
	// SecretIDEnv is the environment variable that holds rotad's own SecretID.
	SecretIDEnv string `yaml:"secret_id_env" doc:"Environment variable that holds rotad's own SecretID."`
	// LoginMount is the mount of rotad's own role; empty = Mount.
	LoginMount string `yaml:"login_mount" doc:"Mount of rotad's own role; empty = mount."`
}

// Validate reports settings that do not go together.
func (s *Settings) Validate(report func(path, what, hint string)) {
	token, secret := s.TokenFile+s.TokenEnv != "", s.SecretIDFile+s.SecretIDEnv != ""
	const hint = "write token_file, or role_id with secret_id_file"
	switch {
	case token && (secret || s.RoleID != ""):
		report("role_id", "there are two ways to log in", hint)
	case !token && !secret && s.RoleID == "":
		report("token_file", "there is no way to log in", hint)
	case !token && s.RoleID == "":
		report("role_id", "is required beside secret_id_file", hint)
	case !token && !secret:
		report("secret_id_file", "is required beside role_id", hint)
	}
}

// Kind describes the kind to the composition root.
func Kind() providers.Kind {
	return providers.Kind{
		Name:     Name,
		Summary:  "SecretIDs of a HashiCorp Vault AppRole",
		Modes:    []string{string(credential.ModeTwoSlot), string(credential.ModeCaller)},
		Fields:   []string{FieldRoleID, FieldSecretID},
		Ref:      []string{refRole},
		Rights:   "read the role and its role_id; list, create, look up and destroy its SecretIDs",
		Traits:   providers.Traits{Value: providers.ChosenByEither, Live: "many", Lists: true, Revokes: true, Instead: []providers.Instead{{Method: providers.InsteadFederation, How: "a role of the method kubernetes or jwt in place of the AppRole: the workload shows the token of where it runs"}}},
		Settings: func() any { return &Settings{Mount: defaultMount, Values: valuesServer} },
		Open:     open,
	}
}

func open(o providers.Opening) (providers.Provider, error) {
	s, ok := o.Settings.(*Settings)
	if !ok {
		return nil, fmt.Errorf("opening %s: the settings are a %T", o.Name, o.Settings)
	}
	headers := map[string]string{"X-Vault-Request": "true"} // an agent in between insists on it
	maps.Copy(headers, o.Headers)
	if s.Namespace != "" {
		headers["X-Vault-Namespace"] = s.Namespace
	}
	config := httpapi.Config{
		Provider: o.Name, Base: s.Address + "/v1", Headers: headers, Transport: o.Transport, Deadline: o.Deadline,
		Authorize: authorize, Expired: expired, Classify: classify,
	}
	anonymous, err := httpapi.New(config)
	if err != nil {
		return nil, fmt.Errorf("opening %s: address: %w", o.Name, err)
	}
	config.Tokens = httpapi.NewTokens(login(o, s, anonymous), o.Elapsed)
	admin, err := httpapi.New(config)
	if err != nil {
		return nil, fmt.Errorf("opening %s: address: %w", o.Name, err)
	}
	p := &provider{
		name: o.Name, own: s.Values == valuesOwn, api: api{http: admin, anonymous: anonymous, mount: or(s.Mount, defaultMount)},
		timing: providers.Timing{Deadline: admin.Deadline(), Propagation: o.Propagation}, roles: map[string]string{},
	}
	if p.timing.Propagation == 0 {
		p.timing.Propagation = DefaultPropagation
	}
	return p, nil
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
