package gcpserviceaccount

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
	Name = "gcp-service-account"
	// FieldCredentials is the field of a bundle that holds the whole credentials file; credential.FieldKeyID names the key in it.
	FieldCredentials = "credentials"
	// DefaultPropagation bounds how long a change takes to be known everywhere. Google says that a new key may need "60 seconds or more".
	DefaultPropagation = 5 * time.Minute

	// refAccount is the one field of a client's ref: the address of the service account.
	refAccount = "service_account"
	// slots is how many keys of its users a service account may have.
	slots = 10
)

// Settings of a provider of this kind. rotad logs in by exactly one of credentials, token and metadata_url.
type Settings struct {
	// Project whose service accounts are looked after.
	Project string `yaml:"project" required:"true" doc:"Id of the project whose service accounts are looked after."`
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
	// URL of the IAM API. gcp.URL if empty.
	URL string `yaml:"url" implied:"https://iam.googleapis.com" format:"url" doc:"URL of the IAM API."`
	// TokenURL is where keys are proved, and where rotad's own is taken. gcp.TokenURL if empty.
	TokenURL string `yaml:"token_url" implied:"https://oauth2.googleapis.com/token" format:"url" doc:"Token endpoint: where keys are proved, and where rotad's own is taken."`
}

func (s *Settings) login() gcp.Login {
	return gcp.Login{
		Credentials: s.CredentialsFile+s.CredentialsEnv != "", Token: s.TokenFile+s.TokenEnv != "", Metadata: s.MetadataURL, TokenURL: s.TokenURL,
	}
}

// Validate reports what tags cannot express.
func (s *Settings) Validate(report func(path, what, hint string)) { s.login().Report(report) }

// Kind describes the kind to the composition root.
func Kind() providers.Kind {
	return providers.Kind{
		Name:     Name,
		Summary:  "keys of a Google Cloud service account, up to ten side by side; a bundle is the whole credentials file",
		Modes:    []string{string(credential.ModeTwoSlot)},
		Fields:   []string{credential.FieldKeyID, FieldCredentials},
		Ref:      []string{refAccount},
		Rights:   "iam.serviceAccountKeys.list, .create and .delete on those service accounts; iam.serviceAccounts.list in the project to walk it",
		Traits:   providers.Traits{Value: providers.ChosenByProvider, Live: "10", Lists: true, Revokes: true, Walks: true, Instead: instead()},
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
	token, path, err := gcp.Endpoint(o, s.TokenURL)
	if err != nil {
		return nil, fmt.Errorf("opening %s: token_url: %w", o.Name, err)
	}
	return &provider{
		api:    api{account: account, project: s.Project},
		verify: httpapi.Verifier{Client: token, Token: path},
		now:    o.Wall(),
		timing: providers.Timing{Deadline: account.Client().Deadline(), Propagation: cmp.Or(o.Propagation, DefaultPropagation)},
	}, nil
}

// instead is how a workload comes to Google Cloud without a key of its own (docs.cloud.google.com/iam: Workload Identity Federation).
func instead() []providers.Instead {
	return []providers.Instead{{
		Method: providers.InsteadFederation,
		How:    "Workload Identity Federation, or the service account attached to where the workload runs: gcloud iam workload-identity-pools create-cred-config",
	}}
}
