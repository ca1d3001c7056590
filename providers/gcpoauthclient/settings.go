package gcpoauthclient

import (
	"cmp"
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/gcp"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

const (
	// Name of the kind.
	Name = "gcp-oauth-client"
	// DefaultLocation is the only one that Google has for OAuth clients.
	DefaultLocation = "global"
	// DefaultTokenURL is where secrets are proved.
	DefaultTokenURL = "https://cloudoauth.googleapis.com/v1/common/token" //nolint:gosec // an address
	// DefaultPropagation bounds how long a change takes to be known everywhere; Google states no number.
	DefaultPropagation = 5 * time.Minute

	// refClient is the one field of a client's ref: the last part of the OAuth client's name.
	refClient = "oauth_client"
	// slots is how many credentials an OAuth client may have.
	slots = 2
)

// Settings of a provider of this kind. rotad logs in by exactly one of credentials, token and metadata_url.
type Settings struct {
	// Project whose OAuth clients are looked after.
	Project string `yaml:"project" required:"true" doc:"Id of the project whose OAuth clients are looked after."`
	// Location of the OAuth clients. DefaultLocation if empty.
	Location string `yaml:"location" implied:"global" doc:"Location of the OAuth clients; Google has only this one."`
	// CredentialsFile holds the key file of rotad's own service account; it is read for every login.
	CredentialsFile string `yaml:"credentials_file" doc:"Key file (JSON) of rotad's own service account; read for every login."`
	// CredentialsEnv is the environment variable that holds the same.
	CredentialsEnv string `yaml:"credentials_env" doc:"The same from an environment variable."`
	// TokenFile holds an access token that something else renews; it is read again when Google refuses it.
	TokenFile string `yaml:"token_file" doc:"File with an access token that something else renews; instead of credentials_file."`
	// TokenEnv is the environment variable that holds the same.
	TokenEnv string `yaml:"token_env" doc:"The same from an environment variable."`
	// MetadataURL is the metadata server of the machine that rotad runs on.
	MetadataURL string `yaml:"metadata_url" format:"url" doc:"Metadata server that has a token of the machine's service account, where rotad runs on Google Cloud; instead of credentials_file."`
	// LoginURL is where rotad's own key file is taken. gcp.TokenURL if empty.
	LoginURL string `yaml:"login_url" implied:"https://oauth2.googleapis.com/token" format:"url" doc:"Token endpoint of service accounts, where rotad's own key file is taken."`
	// URL of the IAM API. gcp.URL if empty.
	URL string `yaml:"url" implied:"https://iam.googleapis.com" format:"url" doc:"URL of the IAM API."`
	// TokenURL is where secrets are proved. DefaultTokenURL if empty.
	TokenURL string `yaml:"token_url" implied:"https://cloudoauth.googleapis.com/v1/common/token" format:"url" doc:"Token endpoint of OAuth clients, where secrets are proved."`
}

func (s *Settings) login() gcp.Login {
	return gcp.Login{
		Credentials: s.CredentialsFile+s.CredentialsEnv != "", Token: s.TokenFile+s.TokenEnv != "", Metadata: s.MetadataURL, TokenURL: s.LoginURL,
	}
}

// Validate reports what tags cannot express.
func (s *Settings) Validate(report func(path, what, hint string)) { s.login().Report(report) }

// Kind describes the kind to the composition root.
func Kind() providers.Kind {
	return providers.Kind{
		Name:     Name,
		Summary:  "credentials of a Google Cloud OAuth client (Workforce Identity Federation), up to two side by side",
		Modes:    []string{string(credential.ModeTwoSlot)},
		Fields:   []string{credential.FieldClientID, credential.FieldClientSecret},
		Ref:      []string{refClient},
		Rights:   "iam.oauthClients.get, and iam.oauthClientCredentials.list, .create, .update and .delete; iam.oauthClients.list to walk the project. The role roles/iam.oauthClientAdmin has them",
		Traits:   providers.Traits{Value: providers.ChosenByProvider, Live: "2", Lists: true, Revokes: true, Walks: true},
		Settings: func() any { return &Settings{} },
		Open:     open,
	}
}

func open(o providers.Opening) (providers.Provider, error) {
	s, ok := o.Settings.(*Settings)
	if !ok {
		return nil, fmt.Errorf("opening %s: the settings are a %T", o.Name, o.Settings)
	}
	account, err := gcp.Open(o, s.URL, s.login())
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", o.Name, err)
	}
	token, path, err := gcp.Endpoint(o, cmp.Or(s.TokenURL, DefaultTokenURL))
	if err != nil {
		return nil, fmt.Errorf("opening %s: token_url: %w", o.Name, err)
	}
	return &provider{
		api:    api{account: account, at: httpapi.Path("v1", "projects", s.Project, "locations", cmp.Or(s.Location, DefaultLocation), "oauthClients")},
		verify: httpapi.Verifier{Client: token, Token: path, Auto: credential.VerifyAuthCode},
		timing: providers.Timing{Deadline: account.Client().Deadline(), Propagation: cmp.Or(o.Propagation, DefaultPropagation)},
	}, nil
}
