package entra

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/graph"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// defaultVerifyScope asks for a token for the application itself: that needs no right at any other application.
const defaultVerifyScope = "{client_id}/.default"

// defaultPropagation is how long a new password may be refused by some replicas. Seconds are usual; two minutes have
// been seen.
const defaultPropagation = 2 * time.Minute

// Settings are the block of a provider of this kind.
type Settings struct {
	TenantID         string `yaml:"tenant_id" required:"true" doc:"Directory (tenant) id."`
	ClientID         string `yaml:"client_id" required:"true" doc:"Application (client) id of rotad's own application."`
	ClientSecretFile string `yaml:"client_secret_file" required:"true" doc:"File with the secret of rotad's own application; read again for every login."`
	ClientSecretEnv  string `yaml:"client_secret_env" doc:"The same from an environment variable."`
	GraphURL         string `yaml:"graph_url" default:"https://graph.microsoft.com/v1.0" format:"url" doc:"Microsoft Graph, with its version."`
	LoginURL         string `yaml:"login_url" default:"https://login.microsoftonline.com" format:"url" doc:"Token service, without the tenant."`
	VerifyScope      string `yaml:"verify_scope" default:"{client_id}/.default" doc:"Scope asked for when a secret is proved; {client_id} stands for the client's own id."`
}

// withDefaults fills what an empty setting means, for callers that decode no tags.
func (s Settings) withDefaults() Settings {
	s.GraphURL = graph.Address(s.GraphURL, graph.DefaultGraphURL)
	s.LoginURL = graph.Address(s.LoginURL, graph.DefaultLoginURL)
	s.VerifyScope = graph.Address(s.VerifyScope, defaultVerifyScope)
	return s
}

// Validate reports what tags cannot express.
func (s *Settings) Validate(report func(path, what, hint string)) {
	if scope := s.withDefaults().VerifyScope; !strings.HasSuffix(scope, "/.default") {
		report("verify_scope", "is no scope for client credentials", "it ends in /.default")
	}
}

var errSettings = errors.New("the settings are not those of this kind")

func open(o providers.Opening) (providers.Provider, error) {
	given, ok := o.Settings.(*Settings)
	if !ok {
		return nil, errSettings
	}
	s := given.withDefaults()
	c, err := graph.Open(o, graph.Tenant{ID: s.TenantID, ClientID: s.ClientID, GraphURL: s.GraphURL, LoginURL: s.LoginURL})
	if err != nil {
		return nil, err
	}
	c.Config.Limit, c.Config.Timeout = pageLimit, listTimeout
	pages, err := httpapi.New(c.Config)
	if err != nil {
		return nil, fmt.Errorf("graph_url: %w", err)
	}
	timing := providers.Timing{Deadline: c.Graph.Deadline(), Propagation: o.Propagation}
	if timing.Propagation == 0 {
		timing.Propagation = defaultPropagation
	}
	return &provider{
		graph: graphAPI{client: c.Graph}, graphURL: s.GraphURL, pages: pages, tokens: c.Tokens, own: s.ClientID, timing: timing,
		scope:  s.VerifyScope,
		verify: httpapi.Verifier{Client: c.Login, Token: c.Path, Auto: credential.VerifyClientCredentials},
	}, nil
}
