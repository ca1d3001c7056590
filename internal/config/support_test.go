package config_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/providers/http" // too large for a double of its own
)

var update = flag.Bool("update", false, "rewrite the golden files")

// The doubles of the kinds have the settings that config.example.yaml shows. The real ones are checked against that
// file where they are put together. A kind without a double gets one that takes what the example says of it.

type keycloakSettings struct {
	URL              string `yaml:"url" required:"true" format:"url" doc:"Server."`
	Realm            string `yaml:"realm" required:"true" doc:"Realm."`
	LoginRealm       string `yaml:"login_realm" doc:"Realm of the login."`
	ClientID         string `yaml:"client_id" required:"true" doc:"Account."`
	ClientSecretFile string `yaml:"client_secret_file" required:"true" doc:"Its secret."`
	ClientSecretEnv  string `yaml:"client_secret_env" doc:"Its secret."`
}

type telicentSettings struct {
	URL                 string `yaml:"url" required:"true" format:"url" doc:"Server."`
	TokenFile           string `yaml:"token_file" doc:"Token."`
	TokenEnv            string `yaml:"token_env" doc:"Token."`
	ClientID            string `yaml:"client_id" doc:"Account."`
	ClientSecretFile    string `yaml:"client_secret_file" doc:"Its secret."`
	ClientSecretEnv     string `yaml:"client_secret_env" doc:"Its secret."`
	Scope               string `yaml:"scope" doc:"Scope."`
	TokenURL            string `yaml:"token_url" format:"url" doc:"Token endpoint."`
	SecretPath          string `yaml:"secret_path" doc:"Path."`
	CreatedPath         string `yaml:"created_path" doc:"Path."`
	ExpiresPath         string `yaml:"expires_path" doc:"Path."`
	PreviousCreatedPath string `yaml:"previous_created_path" doc:"Path."`
	PreviousExpiresPath string `yaml:"previous_expires_path" doc:"Path."`
	RequiredPath        string `yaml:"required_path" doc:"Path."`
}

type telekomSettings struct {
	RoverTokenFile   string        `yaml:"rover_token_file" doc:"ROVER_TOKEN."`
	RoverTokenEnv    string        `yaml:"rover_token_env" doc:"ROVER_TOKEN."`
	URL              string        `yaml:"url" format:"url" doc:"Server."`
	Group            string        `yaml:"group" doc:"Group."`
	Team             string        `yaml:"team" doc:"Team."`
	TokenURL         string        `yaml:"token_url" format:"url" doc:"Token endpoint."`
	ClientID         string        `yaml:"client_id" doc:"Account."`
	ClientSecretFile string        `yaml:"client_secret_file" doc:"Its secret."`
	ClientSecretEnv  string        `yaml:"client_secret_env" doc:"Its secret."`
	Scope            string        `yaml:"scope" doc:"Scope."`
	VerifyURL        string        `yaml:"verify_url" format:"url" doc:"Token endpoint."`
	SecretRotation   string        `yaml:"secret_rotation" default:"auto" enum:"auto,on,off" doc:"Whether."`
	GracePeriod      time.Duration `yaml:"grace_period" default:"0s" doc:"How long."`
}

type entraSettings struct {
	TenantID         string `yaml:"tenant_id" required:"true" doc:"Tenant."`
	ClientID         string `yaml:"client_id" required:"true" doc:"Account."`
	ClientSecretFile string `yaml:"client_secret_file" required:"true" doc:"Its secret."`
	ClientSecretEnv  string `yaml:"client_secret_env" doc:"Its secret."`
	GraphURL         string `yaml:"graph_url" default:"https://graph.microsoft.com/v1.0" format:"url" doc:"Graph."`
	LoginURL         string `yaml:"login_url" default:"https://login.microsoftonline.com" format:"url" doc:"Tokens."`
	VerifyScope      string `yaml:"verify_scope" default:"{client_id}/.default" doc:"Scope."`
}

type appRoleSettings struct {
	Address      string `yaml:"address" required:"true" format:"url" doc:"Server."`
	Namespace    string `yaml:"namespace" doc:"Namespace."`
	Mount        string `yaml:"mount" default:"approle" doc:"Mount."`
	LoginMount   string `yaml:"login_mount" doc:"Mount of the login."`
	TokenFile    string `yaml:"token_file" doc:"Token."`
	TokenEnv     string `yaml:"token_env" doc:"Token."`
	RoleID       string `yaml:"role_id" doc:"Role."`
	SecretIDFile string `yaml:"secret_id_file" doc:"SecretID."`
	SecretIDEnv  string `yaml:"secret_id_env" doc:"SecretID."`
	Values       string `yaml:"values" default:"server" enum:"server,own" doc:"Who chooses."`
}

type generatedSettings struct {
	Use         string `yaml:"use" default:"other" enum:"salt,csrf,state,other" doc:"Use."`
	Length      int    `yaml:"length" default:"43" doc:"Length."`
	Alphabet    string `yaml:"alphabet" default:"base64url" doc:"Alphabet."`
	Restart     string `yaml:"restart" default:"required" enum:"required,none" doc:"Restart."`
	Invalidates string `yaml:"invalidates" doc:"Effects."`
}

type keySettings struct {
	TokenURL  string        `yaml:"token_url" required:"true" format:"url" doc:"Token endpoint."`
	Audience  string        `yaml:"audience" doc:"Audience."`
	Directory string        `yaml:"directory" required:"true" doc:"Directory."`
	Algorithm string        `yaml:"algorithm" default:"ES256" enum:"ES256,ES384,RS256,PS256,EdDSA" doc:"Algorithm."`
	MaxAge    time.Duration `yaml:"max_age" default:"5m" doc:"Life."`
}

type lightapiSettings struct {
	URL              string `yaml:"url" required:"true" format:"url" doc:"Server."`
	HostID           string `yaml:"host_id" required:"true" doc:"Host."`
	TokenURL         string `yaml:"token_url" required:"true" format:"url" doc:"Token endpoint."`
	Wire             string `yaml:"wire" default:"jsonrpc" enum:"jsonrpc,legacy" doc:"Form of commands."`
	TokenFile        string `yaml:"token_file" doc:"Token."`
	TokenEnv         string `yaml:"token_env" doc:"Token."`
	ClientID         string `yaml:"client_id" doc:"Account."`
	ClientSecretFile string `yaml:"client_secret_file" doc:"Its secret."`
	ClientSecretEnv  string `yaml:"client_secret_env" doc:"Its secret."`
	Scope            string `yaml:"scope" doc:"Scope."`
	StaleCode        string `yaml:"stale_code" doc:"Code."`
}

type registrationSettings struct {
	URL              string `yaml:"url" required:"true" format:"url" doc:"Endpoint."`
	TokenURL         string `yaml:"token_url" required:"true" format:"url" doc:"Token endpoint."`
	IntrospectionURL string `yaml:"introspection_url" format:"url" doc:"Introspection endpoint."`
	Rotates          string `yaml:"rotates" default:"update" enum:"update,never" doc:"When."`
}

type manualSettings struct {
	Preset           string   `yaml:"preset" doc:"Portal."`
	Accepted         []string `yaml:"accepted" doc:"Codes."`
	Refused          []string `yaml:"refused" doc:"Codes."`
	TokenURL         string   `yaml:"token_url" format:"url" doc:"Token endpoint."`
	IntrospectionURL string   `yaml:"introspection_url" format:"url" doc:"Introspection endpoint."`
	Instructions     string   `yaml:"instructions" doc:"What to do."`
}

type execSettings struct {
	ProgramFile    string            `yaml:"program_file" required:"true" doc:"Program."`
	Directory      string            `yaml:"directory" default:"/" doc:"Where it runs."`
	Environment    map[string]string `yaml:"environment" doc:"Its environment."`
	Settings       map[string]string `yaml:"settings" doc:"Its settings."`
	CredentialFile string            `yaml:"credential_file" doc:"Its credential."`
	CredentialEnv  string            `yaml:"credential_env" doc:"Its credential."`
	SecretField    string            `yaml:"secret_field" default:"client_secret" doc:"Field."`
	Timeout        time.Duration     `yaml:"timeout" default:"20s" doc:"Of a read."`
	KillAfter      time.Duration     `yaml:"kill_after" default:"5s" doc:"From SIGTERM to SIGKILL."`
}

type odcSettings struct {
	URL              string `yaml:"url" required:"true" format:"url" doc:"Organisation."`
	API              string `yaml:"api" default:"off" enum:"off,on,auto" doc:"Who makes the secrets."`
	OverlapHours     int    `yaml:"overlap_hours" default:"0" doc:"Hours."`
	Instructions     string `yaml:"instructions" doc:"What to do."`
	TokenFile        string `yaml:"token_file" doc:"Token."`
	TokenEnv         string `yaml:"token_env" doc:"Token."`
	ClientID         string `yaml:"client_id" doc:"Account."`
	ClientSecretFile string `yaml:"client_secret_file" doc:"Its secret."`
	ClientSecretEnv  string `yaml:"client_secret_env" doc:"Its secret."`
	Scope            string `yaml:"scope" doc:"Scope."`
}

func kinds() []config.Kind { return append(doubles(), asShown(doubles())...) }

func doubles() []config.Kind {
	bundle := []string{"client_id", "client_secret"}
	return []config.Kind{
		{Name: "keycloak", Settings: func() any { return new(keycloakSettings) }, Ref: []string{"client_id"}, Fields: bundle},
		{
			Name: "telicent", Settings: func() any { return new(telicentSettings) }, Ref: []string{"client_id"}, Fields: bundle,
			Validate: func(settings any, report func(path, what, hint string)) {
				s := settings.(*telicentSettings)
				if s.TokenFile == "" && s.TokenEnv == "" && s.ClientID == "" {
					report("token_file", "rotad has no way to log in", "write token_file")
				}
			},
		},
		{Name: "telekom", Settings: func() any { return new(telekomSettings) }, Ref: []string{"application"}, Fields: bundle},
		{Name: "entra", Settings: func() any { return new(entraSettings) }, Ref: []string{"app_id?", "object_id?"}, Fields: bundle},
		{Name: "vault-approle", Settings: func() any { return new(appRoleSettings) }, Ref: []string{"role"}},
		{
			Name: "lightapi", Settings: func() any { return new(lightapiSettings) }, Fields: bundle,
			Ref: []string{"client_id", "host_id?", "owner_position_id?"},
		},
		{Name: "dcr", Settings: func() any { return new(registrationSettings) }, Ref: []string{"client_id"}, Fields: bundle},
		{Name: "generated", Settings: func() any { return new(generatedSettings) }, Ref: []string{"name"}, Fields: []string{"value"}},
		{Name: "jwks", Settings: func() any { return new(keySettings) }, Ref: []string{"client_id"}, Fields: []string{"client_id", "key_id", "private_key", "algorithm"}},
		{Name: "manual", Settings: func() any { return new(manualSettings) }, Ref: []string{"client_id"}},
		{Name: "exec", Settings: func() any { return new(execSettings) }},
		{
			Name: "http", Settings: func() any { return new(http.Settings) }, Ref: []string{"id?", "client_id?", "parent?"}, Fields: bundle,
			Validate: func(settings any, report func(path, what, hint string)) { settings.(*http.Settings).Validate(report) },
		},
		{Name: "odc", Settings: func() any { return new(odcSettings) }, Ref: []string{"client_id"}, Fields: bundle},
		{Name: "bare"},
		{Name: "hearsay", Unproven: func(any) string { return "the kind hearsay" }},
	}
}

// credentials makes a directory of secrets, as systemd does, and points $CREDENTIALS_DIRECTORY at it.
func credentials(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	names := []string{"secret", "batch", "portal"}
	for _, m := range regexp.MustCompile(`\$\{CREDENTIALS_DIRECTORY\}/([\w-]+)`).FindAllStringSubmatch(shown(), -1) {
		names = append(names, m[1])
	}
	for _, name := range names {
		write(t, filepath.Join(dir, name), "a-secret\n")
	}
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	return dir
}

func write(t testing.TB, file, text string) string {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// loadText loads a configuration that a test holds as text.
func loadText(t testing.TB, text string, options ...config.Option) (*config.Config, config.Problems) {
	t.Helper()
	return config.Load(write(t, filepath.Join(t.TempDir(), "config.yaml"), text), kinds(), options...)
}

// minimal is the least configuration without an error; it has one warning, for it has no mail server.
const minimal = `
vault: {address: "https://vault.example.com:8200", auth: {method: token, token_file: "${CREDENTIALS_DIRECTORY}/secret"}}
`

// small is a configuration with one provider, to which tests add clients and policies.
const small = minimal + `
smtp: {host: smtp.example.com, from: rotad@example.com}
providers: {portal: {kind: manual}}
owners: {team: {email: [team@example.com]}}
`

// mustLoad loads a configuration that has to be free of errors.
func mustLoad(t testing.TB, text string) *config.Config {
	t.Helper()
	credentials(t)
	c, problems := loadText(t, text)
	if err := problems.Err(); err != nil {
		t.Fatalf("an error that should not be there:\n%v", err)
	}
	return c
}
